//! The duties of a department: giving them to officials and to its own service, and taking them back.
//!
//! A duty's key is the holder's alone. Of an official's only the public half comes here; that of a service account is
//! made here and lies with the service's other keys, in `duty.jwk`.

use std::path::Path;

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::jose::Jwk;
use identity_core::registry::{Delegate, DutyHistory, EndDelegation, Operation, Refused, duty_key};
use identity_core::trust::{self, TrustError};
use rand::CryptoRng;

use crate::did_life::{DidLife, LifeError};
use crate::founding::{self, KeysError};
use crate::key_guard::KeyGuard;
use crate::keyfile;

pub mod command;

/// Name of the key of a service account, among the service's keys.
pub const SERVICE_KEY: &str = "duty";

/// The key of the service account, made now if there is none.
///
/// # Errors
/// [`KeysError`].
pub fn service_key(directory: &Path, guard: &KeyGuard, rng: &mut dyn CryptoRng) -> Result<Jwk, KeysError> {
    let file = founding::key_file(directory, SERVICE_KEY);
    let key = keyfile::load_or_create(&file, Alg::EdDsa, guard, rng)?;
    Ok(Jwk::new(key.public_key().clone()))
}

/// The key of the service account, if there is one.
///
/// # Errors
/// [`KeysError`].
pub fn load_service_key(directory: &Path, guard: &KeyGuard) -> Result<Option<SecretKey>, KeysError> {
    let there = founding::key_file(directory, SERVICE_KEY).exists();
    there.then(|| founding::key(directory, SERVICE_KEY, guard)).transpose()
}

impl DidLife<'_> {
    /// The history of one of our duties, proven.
    ///
    /// # Errors
    /// [`LifeError`].
    pub async fn duty(&self, number: &str) -> Result<DutyHistory, LifeError> {
        let did = founding::identity(self.kind, self.directory)?.did;
        let (proven, _) = self.ledger.state(&duty_key(&did, number)).await?;
        match trust::duty_history(&proven, &did, number) {
            Err(TrustError::Absent) => Err(Refused::DelegationUnknown.into()),
            history => Ok(history?),
        }
    }

    /// Gives a duty to whoever holds its key. The answer is the log index.
    ///
    /// # Errors
    /// [`LifeError`].
    pub async fn delegate(&self, delegate: Delegate) -> Result<u64, LifeError> {
        self.submit_beside_the_service(&Operation::Delegate(Box::new(delegate))).await
    }

    /// Takes back what was given of a duty and has not ended, also what has yet to begin. The answer is the last log
    /// index.
    ///
    /// # Errors
    /// [`LifeError`].
    pub async fn end_duty(&self, number: &str) -> Result<u64, LifeError> {
        let history = self.duty(number).await?;
        let open = history.delegations.iter().filter(|given| given.ended.is_none()).map(|given| given.id);
        let mut last = Err(Refused::DelegationEnded.into());
        for delegation in open {
            let end = EndDelegation { duty: number.to_owned(), delegation };
            last = Ok(self.submit_beside_the_service(&Operation::EndDelegation(end)).await?);
        }
        last
    }
}
