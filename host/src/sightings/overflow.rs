//! Where sightings go that memory has no room for.

use super::SightingCounts;
use crate::indicator::Kind;
use crate::observation::LogPosition;

/// Takes sightings in, adds up those of one indicator, and gives all of them
/// back. What lies behind it is a matter of whoever makes one.
pub trait Spill: Send + Sync {
    /// Takes some in.
    ///
    /// # Errors
    ///
    /// When they cannot be kept.
    fn add(&mut self, some: &[SpilledSighting]) -> Result<(), SpillError>;

    /// Gives all, in the order in which the indicators were first seen.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    fn each(&mut self, take: &mut dyn FnMut(SpilledSighting)) -> Result<(), SpillError>;
}

/// The sightings of one indicator as an [`Spill`] keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpilledSighting {
    /// What it is.
    pub kind: Kind,
    /// Its canonical form.
    pub value: String,
    /// As the log wrote it first, where that is another form.
    pub written: Option<String>,
    /// How many observations.
    pub count: u64,
    /// Of these: let through.
    pub allowed: u64,
    /// Of these: stopped.
    pub blocked: u64,
    /// The earliest time, in microseconds since 1970.
    pub first_us: Option<i64>,
    /// The latest time.
    pub last_us: Option<i64>,
    /// Where it was seen first.
    pub place: LogPosition,
    /// The numbers of its clients, in order.
    pub clients: Vec<u32>,
}

/// Why sightings could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the disk for what memory has no room for")]
pub struct SpillError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl SpillError {
    /// With what went wrong.
    pub fn new(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(source))
    }
}

impl SpilledSighting {
    /// The counts alone.
    #[must_use]
    pub fn counted(&self) -> SightingCounts<'_> {
        SightingCounts {
            kind: self.kind,
            value: self.value.as_str().into(),
            count: self.count,
            allowed: self.allowed,
            blocked: self.blocked,
            first_us: self.first_us,
            last_us: self.last_us,
            clients: u32::try_from(self.clients.len()).unwrap_or(u32::MAX),
        }
    }
}
