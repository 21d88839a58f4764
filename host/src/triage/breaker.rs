//! Stops the use of a policy that fails every time, before it costs more quota or time.

use crate::plugin::Stop;

/// Failures of one kind in a row that end the use of a policy that has not answered yet.
const MAX_FIRST_FAILURES: u32 = 3;
/// The same for a policy that has answered: values on which it fails may come in groups.
const MAX_FAILURES: u32 = 10;

/// Counts the failures of one function of a policy.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    has_answered: bool,
    kind: String,
    failures: u32,
}

impl Breaker {
    /// Counts an answer.
    pub(super) fn answered(&mut self) {
        self.has_answered = true;
        self.failures = 0;
    }

    /// Counts a failure. Returns the number of equal failures in a row if the policy is not to
    /// be called again.
    pub(super) fn failed(&mut self, stop: &Stop) -> Option<u32> {
        let kind = kind_of(stop);
        if kind != self.kind {
            self.kind = kind;
            self.failures = 0;
        }
        self.failures += 1;
        let limit = if self.has_answered {
            MAX_FAILURES
        } else {
            MAX_FIRST_FAILURES
        };
        (self.failures >= limit && *stop != Stop::Interrupted).then_some(self.failures)
    }
}

/// What equal failures have in common. Numbers in a message depend on the indicator.
fn kind_of(stop: &Stop) -> String {
    let without_numbers = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    match stop {
        Stop::Trap { .. } => "trap".to_owned(),
        Stop::Denied { function, .. } => (*function).to_owned(),
        Stop::Deadline { .. } => "deadline".to_owned(),
        Stop::Memory { .. } | Stop::Table { .. } => "memory".to_owned(),
        Stop::Result { detail } | Stop::BadValue { detail } => without_numbers(detail),
        Stop::Refused { message } => without_numbers(message),
        Stop::Interrupted => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(detail: &str) -> Stop {
        Stop::BadValue {
            detail: detail.to_owned(),
        }
    }

    #[test]
    fn policy_that_always_fails_is_given_up_after_three_failures() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.failed(&bad("the score 101 is above 100")), None);
        assert_eq!(breaker.failed(&bad("the score 255 is above 100")), None);
        let third = breaker.failed(&bad("the score 102 is above 100"));
        assert_eq!(third, Some(3));
    }

    #[test]
    fn different_failures_are_counted_separately() {
        let mut breaker = Breaker::default();
        for detail in ["a", "b", "a", "b", "a", "b"] {
            assert_eq!(breaker.failed(&bad(detail)), None, "{detail}");
        }
    }

    #[test]
    fn policy_that_has_answered_is_given_up_later() {
        let mut breaker = Breaker::default();
        breaker.answered();
        for _ in 0..9 {
            assert_eq!(breaker.failed(&bad("a")), None);
        }
        assert_eq!(breaker.failed(&bad("a")), Some(10));
        let mut breaker = Breaker::default();
        for _ in 0..20 {
            assert_eq!(breaker.failed(&bad("a")), None);
            breaker.answered();
        }
    }
}
