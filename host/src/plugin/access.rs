//! What plugins do with the interfaces that give them nothing, and who is notified.

use std::fmt;

/// A use of WASI whose answer is the same in every run. It is not an error, but seldom what
/// the author expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It read a clock.
    Clock,
    /// It asked which folders it can open, as C libraries do before they open a file.
    Files,
    /// It drew a random number.
    Random,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clock => {
                "it reads a clock, which always has the same time; a policy gets the time of the run as `now` of `judge`"
            }
            Self::Files => {
                "it tries to open a file, and plugins have no files; pass data in the plugin's settings"
            }
            Self::Random => {
                "it draws random numbers, which are the same in every run; a policy gets the time of the run as `now` of `judge`"
            }
        })
    }
}

/// Is notified of what running plugins do, for the commands for authors. Calls come from
/// every thread that runs a plugin.
pub trait GuestListener: Send + Sync {
    /// A plugin wrote to standard output or standard error.
    fn printed(&self, bytes: &[u8]);
    /// A plugin used an interface that gives it nothing.
    fn accessed(&self, access: Access);
}
