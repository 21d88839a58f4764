//! What one log record says: this client contacted this indicator then, and
//! was allowed or blocked.

/// What the logging device did with a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Action {
    /// The record does not say.
    #[default]
    Unstated,
    /// Let through.
    Allowed,
    /// Stopped.
    Blocked,
}

impl Action {
    /// `allowed`, `blocked`, or nothing.
    #[must_use]
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unstated => None,
            Self::Allowed => Some("allowed"),
            Self::Blocked => Some("blocked"),
        }
    }
}
