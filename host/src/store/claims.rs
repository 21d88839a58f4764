//! Claims: which run is at work on what. Runs that share a store never ask the
//! same question at once; the claim of a run that was killed expires.

use super::{Store, StoreError};
use crate::clock::UnixMs;

/// A run that makes claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimant {
    /// Another number than any other run's.
    pub id: i64,
    /// How long a claim holds: longer than a request can take.
    pub lease_ms: i64,
}

/// A claim from so far in the future is from before the clock was set back.
const FAR_MS: i64 = 3_600_000;

impl Store {
    /// Claims an action, unless another run holds it; says whether it did.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn claim(
        &self,
        claimant: &Claimant,
        action: &str,
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        let until_ms = now.saturating_add(claimant.lease_ms);
        let claimed = self.database.execute(
            "INSERT INTO claim (action, run, until_ms) VALUES (?1, ?2, ?3)
             ON CONFLICT (action) DO UPDATE SET run = ?2, until_ms = ?3
             WHERE claim.run = ?2 OR claim.until_ms <= ?4 OR claim.until_ms > ?5",
            &[
                action.into(),
                claimant.id.into(),
                until_ms.into(),
                now.into(),
                now.saturating_add(FAR_MS).into(),
            ],
        )?;
        Ok(claimed > 0)
    }

    /// Gives all claims of a run back.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn release_all(&self, claimant: &Claimant) -> Result<(), StoreError> {
        self.database
            .execute("DELETE FROM claim WHERE run = ?1", &[claimant.id.into()])?;
        Ok(())
    }

    /// Gives a claim back.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn release(&self, claimant: &Claimant, action: &str) -> Result<(), StoreError> {
        self.database.execute(
            "DELETE FROM claim WHERE action = ?1 AND run = ?2",
            &[action.into(), claimant.id.into()],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::on_each;

    #[test]
    fn one_run_at_a_time_holds_a_claim() {
        on_each(|store| {
            let run = |id| Claimant {
                id,
                lease_ms: 1_000,
            };
            let claim = |id, now| store.claim(&run(id), "domains/example.com", now).unwrap();
            assert!(claim(1, 0));
            assert!(claim(1, 1), "its own again");
            assert!(!claim(2, 1_000));
            assert!(claim(2, 1_001), "it has expired");
            assert!(!claim(1, 1_002));
            store.release(&run(1), "domains/example.com").unwrap();
            assert!(!claim(1, 1_003), "another's is not given back");
            store.release(&run(2), "domains/example.com").unwrap();
            assert!(claim(1, 1_004));
            assert!(claim(2, -86_400_000), "the clock was set back");
            store.release_all(&run(2)).unwrap();
            assert!(claim(1, -86_400_000));
        });
    }
}
