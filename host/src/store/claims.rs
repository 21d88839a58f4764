//! Claims: leases on questions and submissions, so that runs with the same store do not send the
//! same request. The claim of a run that was killed expires.

use super::error::StoreError;
use super::handle::Store;
use crate::clock::UnixMs;

/// A run that makes claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimant {
    /// A number that no other run has.
    pub id: i64,
    /// The duration of a claim: longer than a request can take.
    pub lease_ms: i64,
}

/// A claim that ends further in the future was made before the clock was set back.
const FAR_MS: i64 = 3_600_000;

impl Store {
    /// Claims an action. Returns false if another run has the claim.
    ///
    /// # Errors
    ///
    /// If the store cannot be written.
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

    /// Releases all claims of a run.
    ///
    /// # Errors
    ///
    /// If the store cannot be written.
    pub fn release_all(&self, claimant: &Claimant) -> Result<(), StoreError> {
        self.database
            .execute("DELETE FROM claim WHERE run = ?1", &[claimant.id.into()])?;
        Ok(())
    }

    /// Releases a claim.
    ///
    /// # Errors
    ///
    /// If the store cannot be written.
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
    use crate::store::testing::on_each;

    #[test]
    fn only_one_run_has_a_claim() {
        on_each(|store| {
            let run = |id| Claimant {
                id,
                lease_ms: 1_000,
            };
            let claim = |id, now| store.claim(&run(id), "domains/example.com", now).unwrap();
            assert!(claim(1, 0));
            assert!(claim(1, 1), "renewed");
            assert!(!claim(2, 1_000));
            assert!(claim(2, 1_001), "expired");
            assert!(!claim(1, 1_002));
            store.release(&run(1), "domains/example.com").unwrap();
            assert!(!claim(1, 1_003), "another run's claim is not released");
            store.release(&run(2), "domains/example.com").unwrap();
            assert!(claim(1, 1_004));
            assert!(claim(2, -86_400_000), "the clock was set back");
            store.release_all(&run(2)).unwrap();
            assert!(claim(1, -86_400_000));
        });
    }
}
