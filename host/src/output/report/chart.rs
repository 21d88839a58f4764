//! The timeline as bars. A bad contact among a million good ones stays visible, because bad
//! contacts have a separate scale.

use jiff::{SignedDuration, Timestamp};

use super::shown;
use crate::output::summary_row::TimelineRow;

/// The height of each part of the chart, in its own units.
pub(super) const HEIGHT: u64 = 100;

/// The width of an interval.
const STEP: usize = 10;

/// A timeline as bars.
pub(super) struct Chart {
    /// The width, in the chart's own units.
    pub(super) width: usize,
    /// The intervals that have contacts.
    pub(super) bars: Vec<Bar>,
    /// The most bad contacts of one interval.
    pub(super) most_bad: u64,
    /// The most other contacts of one interval.
    pub(super) most_others: u64,
    /// The times at the start, in the middle and at the end.
    pub(super) times: [String; 3],
    /// The length of an interval.
    pub(super) step: String,
    /// Contacts without a time.
    pub(super) without_time: u64,
}

/// The contacts of one interval.
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) time: String,
    pub(super) bad: u64,
    pub(super) unknown: u64,
    pub(super) good: u64,
    /// The heights of the bars.
    pub(super) bad_height: u64,
    pub(super) unknown_height: u64,
    pub(super) good_height: u64,
}

impl Bar {
    pub(super) fn bad_y(&self) -> u64 {
        HEIGHT - self.bad_height
    }

    pub(super) fn unknown_y(&self) -> u64 {
        HEIGHT - self.unknown_height
    }

    pub(super) fn good_y(&self) -> u64 {
        self.unknown_y().saturating_sub(self.good_height)
    }
}

impl Chart {
    /// The chart of a timeline; none if it has no intervals.
    pub(super) fn new(timeline: &TimelineRow) -> Option<Self> {
        let start: Timestamp = timeline.start.parse().ok()?;
        let intervals = timeline.bad.len();
        if intervals == 0 || timeline.step_seconds <= 0 {
            return None;
        }
        let count = |counts: &[u64], index: usize| counts.get(index).copied().unwrap_or(0);
        let others = |index| count(&timeline.unknown, index) + count(&timeline.good, index);
        let most_bad = timeline.bad.iter().copied().max().unwrap_or(0);
        let most_others = (0..intervals).map(others).max().unwrap_or(0);
        let time = |index: usize| {
            let steps = i64::try_from(index).unwrap_or(0);
            let after = SignedDuration::from_secs(timeline.step_seconds.saturating_mul(steps));
            let time = start.checked_add(after).ok().map(|time| time.to_string());
            shown::time(time.as_deref())
        };
        let bar = |index| Bar {
            x: index * STEP,
            time: time(index),
            bad: count(&timeline.bad, index),
            unknown: count(&timeline.unknown, index),
            good: count(&timeline.good, index),
            bad_height: height(count(&timeline.bad, index), most_bad),
            unknown_height: height(count(&timeline.unknown, index), most_others),
            good_height: height(count(&timeline.good, index), most_others),
        };
        let bars = (0..intervals).map(bar);
        Some(Self {
            width: intervals * STEP,
            bars: bars
                .filter(|bar| bar.bad + bar.unknown + bar.good > 0)
                .collect(),
            most_bad,
            most_others,
            times: [time(0), time(intervals / 2), time(intervals)],
            step: duration(timeline.step_seconds),
            without_time: timeline.without_time,
        })
    }
}

/// The height of a bar: visible for any count above zero.
fn height(count: u64, most: u64) -> u64 {
    match count {
        0 => 0,
        _ => (count * HEIGHT / most.max(1)).max(3),
    }
}

fn duration(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let unit = units.into_iter().find(|(unit, _)| seconds % unit == 0);
    unit.map_or_else(String::new, |(unit, name)| {
        format!("{} {name}", seconds / unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_contact_among_many_is_visible() {
        let chart = Chart::new(&TimelineRow {
            start: "2024-05-01T12:00:00Z".into(),
            step_seconds: 3600,
            bad: vec![0, 1, 500],
            good: vec![1_000_000, 0, 0],
            unknown: vec![0, 1, 0],
            without_time: 0,
        })
        .unwrap();
        let heights = |bar: &Bar| (bar.bad_height, bar.unknown_height, bar.good_height);
        let shown: Vec<_> = chart.bars.iter().map(heights).collect();
        assert_eq!(shown, [(0, 0, 100), (3, 3, 0), (100, 0, 0)]);
        assert_eq!(chart.step, "1 h");
        let expected = [
            "2024-05-01 12:00:00",
            "2024-05-01 13:00:00",
            "2024-05-01 15:00:00",
        ];
        assert_eq!(chart.times, expected);
    }
}
