//! The quota as VirusTotal keeps it: a sliding window, the UTC day, the month.

/// What an account may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaLimits {
    /// Requests in any window.
    pub per_window: usize,
    /// The window's length.
    pub window_ms: i64,
    /// Requests in a day of UTC.
    pub per_day: usize,
    /// Requests in a month of 31 days, counted from the first request on.
    pub per_month: usize,
}

impl Default for QuotaLimits {
    fn default() -> Self {
        Self {
            per_window: 4,
            window_ms: 60_000,
            per_day: 500,
            per_month: 15_500,
        }
    }
}

const DAY_MS: i64 = 86_400_000;

/// What an account has asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Vec<i64>);

impl Ledger {
    /// Whether one more request is within the limits.
    pub(crate) fn allows(&self, now_ms: i64, limits: &QuotaLimits) -> bool {
        let within = |from: i64| {
            self.0
                .iter()
                .filter(|at| **at > from && **at <= now_ms)
                .count()
        };
        within(now_ms - limits.window_ms) < limits.per_window
            && self.used_today(now_ms) < limits.per_day
            && within(now_ms - 31 * DAY_MS) < limits.per_month
    }

    pub(crate) fn charge(&mut self, now_ms: i64) {
        self.0.push(now_ms);
    }

    pub(crate) fn used_today(&self, now_ms: i64) -> usize {
        let midnight = now_ms.div_euclid(DAY_MS) * DAY_MS;
        self.0.iter().filter(|at| **at >= midnight).count()
    }

    pub(crate) fn used(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides() {
        let limits = QuotaLimits::default();
        let mut ledger = Ledger::default();
        for at in [0, 1_000, 2_000, 30_000] {
            assert!(ledger.allows(at, &limits));
            ledger.charge(at);
        }
        assert!(!ledger.allows(59_999, &limits));
        assert!(ledger.allows(60_000, &limits));
        ledger.charge(60_000);
        assert!(!ledger.allows(60_500, &limits));
    }

    #[test]
    fn a_day_ends_at_midnight() {
        let limits = QuotaLimits {
            per_day: 1,
            ..QuotaLimits::default()
        };
        let mut ledger = Ledger::default();
        ledger.charge(DAY_MS - 1);
        assert!(!ledger.allows(DAY_MS - 1, &limits));
        assert!(ledger.allows(DAY_MS, &limits));
    }
}
