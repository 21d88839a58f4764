//! The retry policy: what to do after a fault. Pure, except for the random part of the delays.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use crate::clock::UnixMs;
use crate::virustotal::Fault;

/// The tries of a request before it is given up.
const MAX_TRIES: u32 = 5;
/// The least delay before the second try. It doubles with each try.
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// Faults in a row, of any requests, after which VirusTotal is considered unreachable. More
/// requests would only use up slots.
const BREAK_AFTER: u32 = 10;
/// The pause after a refusal for the quota without `Retry-After`. The requests of the last minute
/// have left the window by then.
const QUOTA_PAUSE: Duration = Duration::from_secs(61);
/// The longest pause that a `Retry-After` can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The faults of a run so far. Requests are named by their keys.
#[derive(Default)]
pub(super) struct RetryPolicy {
    tries: HashMap<String, Tries>,
    faults_in_a_row: u32,
    quota_refusals: u32,
    chance: RandomState,
}

struct Tries {
    count: u32,
    not_before_ms: UnixMs,
    fault: String,
}

/// What to do after a fault.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Advice {
    /// Repeat the request, not before this time.
    Again(UnixMs),
    /// Give the request up.
    GiveUp,
    /// End the run: VirusTotal is unreachable.
    Break,
}

impl RetryPolicy {
    /// Records that a request was answered.
    pub(super) fn answered(&mut self, key: &str) {
        self.tries.remove(key);
        self.faults_in_a_row = 0;
        self.quota_refusals = 0;
    }

    /// Records that a request failed, for another reason than the quota.
    pub(super) fn failed(&mut self, key: &str, fault: &Fault, now: UnixMs) -> Advice {
        let tries = self.tries.entry(key.to_owned()).or_insert(Tries {
            count: 0,
            not_before_ms: now,
            fault: String::new(),
        });
        tries.fault = fault.to_string();
        if !fault.is_retryable() {
            tries.count = MAX_TRIES;
            return Advice::GiveUp;
        }
        tries.count += 1;
        self.faults_in_a_row += 1;
        if self.faults_in_a_row >= BREAK_AFTER {
            return Advice::Break;
        }
        if tries.count >= MAX_TRIES {
            return Advice::GiveUp;
        }
        let wait_ms = milliseconds(FIRST_RETRY) << (tries.count - 1);
        // Up to half as much again, so that two runs do not retry in step.
        let chance = self.chance.hash_one((key, tries.count)) % 512;
        let jitter_ms = wait_ms * i64::try_from(chance).unwrap_or(0) / 1024;
        tries.not_before_ms = now + wait_ms + jitter_ms;
        Advice::Again(tries.not_before_ms)
    }

    /// When a failed request may be repeated.
    pub(super) fn not_before(&self, key: &str) -> Option<UnixMs> {
        self.tries.get(key).map(|tries| tries.not_before_ms)
    }

    /// The last fault of a request that was given up.
    pub(super) fn gave_up(&self, key: &str) -> Option<&str> {
        let tries = self.tries.get(key)?;
        (tries.count >= MAX_TRIES).then_some(tries.fault.as_str())
    }

    /// Records a refusal for the quota. Returns the number of refusals in a row, and when to
    /// continue.
    pub(super) fn quota_refused(
        &mut self,
        retry_after_s: Option<u64>,
        now: UnixMs,
    ) -> (u32, UnixMs) {
        self.quota_refusals += 1;
        let pause = retry_after_s
            .map_or(QUOTA_PAUSE, Duration::from_secs)
            .clamp(Duration::from_secs(1), MAX_RETRY_AFTER);
        (self.quota_refusals, now + milliseconds(pause))
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transient() -> Fault {
        Fault::Transient {
            status: 503,
            message: String::new(),
        }
    }

    #[test]
    fn delays_double_until_the_request_is_given_up() {
        let mut retry = RetryPolicy::default();
        for least_s in [2, 4, 8, 16] {
            let Advice::Again(at) = retry.failed("a", &transient(), 0) else {
                panic!("given up early");
            };
            assert!((least_s * 1000..=least_s * 1500).contains(&at), "{at}");
            assert_eq!(retry.not_before("a"), Some(at));
        }
        assert_eq!(retry.gave_up("a"), None);
        assert_eq!(retry.failed("a", &transient(), 0), Advice::GiveUp);
        assert!(retry.gave_up("a").is_some());
    }

    #[test]
    fn a_final_fault_is_not_retried() {
        let mut retry = RetryPolicy::default();
        let fault = Fault::Forbidden("words".into());
        assert_eq!(retry.failed("a", &fault, 0), Advice::GiveUp);
        assert!(retry.gave_up("a").unwrap().contains("words"));
    }

    #[test]
    fn ten_faults_in_a_row_end_the_run() {
        let mut retry = RetryPolicy::default();
        let names = ["a", "b", "c", "d", "e"];
        for _ in 0..3 {
            for name in &names[..3] {
                assert!(matches!(
                    retry.failed(name, &transient(), 0),
                    Advice::Again(_)
                ));
            }
            retry.answered("other");
        }
        for name in names.iter().chain(&names[1..]) {
            assert_ne!(retry.failed(name, &transient(), 0), Advice::Break);
        }
        assert_eq!(retry.failed("f", &transient(), 0), Advice::Break);
    }

    #[test]
    fn retry_after_sets_the_pause_up_to_an_hour() {
        let mut retry = RetryPolicy::default();
        assert_eq!(retry.quota_refused(None, 0), (1, 61_000));
        assert_eq!(retry.quota_refused(Some(5), 0), (2, 5_000));
        assert_eq!(retry.quota_refused(Some(86_400), 0), (3, 3_600_000));
        retry.answered("a");
        assert_eq!(retry.quota_refused(None, 0).0, 1);
    }
}
