//! The life of a service's DID after its founding: replacing keys, reporting stolen ones, recovering, ending.
//!
//! Each act has three durable steps, and what holds if we die after each:
//!
//! 1. **Made**: the new key's file is written and synced. The ledger knows nothing; the next try uses the file.
//! 2. **Accepted**: the ledger has the change, under the old key's signature. Our files still name the old key.
//! 3. **Named**: `identity.json` names the new key.
//!
//! Whoever died between 2 and 3 is helped by [`DidLife::settle`], which every start and every act begins with: it holds
//! the files against the ledger's history and takes up the key that the ledger names and a file here holds.
//! The service stands still meanwhile, so nothing is ever signed with a key that has just ended.

use std::path::{Path, PathBuf};
use std::time::Duration;

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::jose::Jwk;
use identity_core::problem::Code;
use identity_core::registry::{
    Compromise, DidHistory, Envelope, KeyEntry, KeyRecord, KeyUse, Operation, OwnerHistory, Recover, RecoveryEnvelope,
    RecoveryOperation, Refused, Update, did_key, make_key_proof, make_recovery, make_transaction, thumbprint_key,
};
use identity_core::time::UnixSeconds;
use identity_core::trust::{self, TrustError};
use rand::CryptoRng;

use crate::founding::{self, Identity, KeysError, Kind};
use crate::key_guard::KeyGuard;
use crate::keyfile::{self, KeyFileError};
use crate::ledger_client::{LedgerClient, LedgerError};

pub mod command;
#[cfg(test)]
pub(crate) mod tests;

/// Seconds that a transaction of ours holds: it is taken at once or made anew.
const VALID_SECONDS: i64 = 300;
/// How often a transaction is made anew when the running service was quicker with the same sequence number.
const TRIES: u8 = 5;
/// Pause before that: the ledger's public state lags behind its log by up to a second.
const PAUSE: Duration = Duration::from_millis(500);

/// A service's DID, its files and its ledger.
pub struct DidLife<'a> {
    /// What kind of service it is.
    pub kind: &'a Kind,
    /// Where its keys are.
    pub directory: &'a Path,
    /// What guards them.
    pub guard: &'a KeyGuard,
    /// The ledger its DID is on.
    pub ledger: &'a LedgerClient,
    /// The time.
    pub now: UnixSeconds,
}

/// One of a service's two keys, by what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What the service says.
    Signing,
    /// Its transactions.
    Submitting,
}

/// What was found when files and ledger were held against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The DID is not on the ledger yet.
    NotYet,
    /// The files name the keys that hold; those in the list were taken up just now.
    Named(Vec<String>),
}

/// A key that took another one's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Fragment of the new key.
    pub key: String,
    /// Log index of the change.
    pub index: u64,
}

/// Why an act on a DID was not done. The text is for the operator and names files and keys, never their content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LifeError {
    /// The files.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What was to be sent would be refused.
    #[error(transparent)]
    Made(#[from] Refused),
    /// What the ledger proves is no history.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The DID is not on the ledger.
    #[error("the DID is not on this ledger yet")]
    NotOnLedger,
    /// The DID has ended.
    #[error("the DID was ended at log index {0}")]
    Ended(u64),
    /// The ledger ended a key of ours, and no file here holds a current one.
    #[error(
        "the ledger ended the key `{key}` at log index {index}, and no file in the key directory holds a current one"
    )]
    KeyEnded {
        /// Its fragment.
        key: String,
        /// Log index of its end.
        index: u64,
    },
    /// The file of a key holds another key than the ledger.
    #[error("the file of the key `{0}` holds another key than the ledger")]
    OtherKey(String),
    /// The DID never had such a key.
    #[error("the DID never had a key `{0}`")]
    NoSuchKey(String),
    /// The DID that was named is another one's.
    #[error("the DID that was named is not this service's")]
    AnotherDid,
    /// The public key of a duty, in a file that somebody handed over.
    #[error("{}: {detail}", .file.display())]
    DutyKey {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The file of a validator that is to be proposed.
    #[error("{}: {detail}", .file.display())]
    ValidatorFile {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// Only a key for requests can be registered.
    #[error("this service has no key that could be registered")]
    NothingToRegister,
}

impl From<KeyFileError> for LifeError {
    fn from(error: KeyFileError) -> Self {
        Self::Keys(error.into())
    }
}

impl LifeError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Keys(error) => error.code(),
            Self::AnotherDid | Self::NothingToRegister | Self::ValidatorFile { .. } => Code::ConfigInvalidValue,
            Self::DutyKey { .. } => Code::KeyFileUnreadable,
            Self::Ledger(error) => error.refusal().and_then(Code::parse).unwrap_or(error.code()),
            Self::Made(refused) => refused.code(),
            Self::Trust(error) => error.code(),
            Self::NotOnLedger => Code::RegistryDidUnknown,
            Self::Ended(_) => Code::RegistryDidDeactivated,
            Self::KeyEnded { .. } => Code::KeysEnded,
            Self::OtherKey(_) => Code::KeysOther,
            Self::NoSuchKey(_) => Code::RegistryKeyUnknown,
        }
    }
}

impl DidLife<'_> {
    /// The DID's history, proven.
    ///
    /// # Errors
    /// [`LifeError::NotOnLedger`] is itself proven.
    pub async fn history(&self) -> Result<DidHistory, LifeError> {
        let did = founding::identity(self.kind, self.directory)?.did;
        let (proven, _) = self.ledger.state(&did_key(&did)).await?;
        match trust::did_history(&proven, &did) {
            Err(TrustError::Absent) => Err(LifeError::NotOnLedger),
            history => Ok(history?),
        }
    }

    /// Holds the key files against the ledger, and finishes what an interrupted act left open.
    ///
    /// # Errors
    /// [`LifeError::KeyEnded`] and its neighbours say what stands in the way of starting.
    pub async fn settle(&self) -> Result<Settled, LifeError> {
        match self.history().await {
            Err(LifeError::NotOnLedger) => Ok(Settled::NotYet),
            history => self.settle_with(&history?).map(Settled::Named),
        }
    }

    fn settle_with(&self, history: &DidHistory) -> Result<Vec<String>, LifeError> {
        if let Some(index) = history.deactivated {
            return Err(LifeError::Ended(index));
        }
        let mut identity = founding::identity(self.kind, self.directory)?;
        let mut taken_up = Vec::new();
        for role in [Role::Signing, Role::Submitting] {
            let named = named(&identity, role).to_owned();
            if let Some(found) = self.holding(history, role, &named)? {
                self.name(&mut identity, role, &found, history)?;
                taken_up.push(found);
            }
        }
        Ok(taken_up)
    }

    /// The key to take up in place of the one that is named; `None` if that one holds.
    fn holding(&self, history: &DidHistory, role: Role, named: &str) -> Result<Option<String>, LifeError> {
        let key_use = self.key_use(role);
        let current = |key: &&KeyRecord| key.until.is_none() && key.key_use == key_use;
        if let Some(record) = history.keys.iter().filter(current).find(|key| key.id == named) {
            return if self.has(record)? { Ok(None) } else { Err(LifeError::OtherKey(named.to_owned())) };
        }
        // The newest first: an operator who replaced a key twice means the last one.
        for record in history.keys.iter().rev().filter(current) {
            if self.has(record)? {
                return Ok(Some(record.id.clone()));
            }
        }
        let ended = history.keys.iter().find(|key| key.id == named).and_then(|key| key.until);
        let key = named.to_owned();
        Err(ended.map_or(LifeError::NoSuchKey(key.clone()), |index| LifeError::KeyEnded { key, index }))
    }

    /// Whether a file here holds this very key.
    fn has(&self, record: &KeyRecord) -> Result<bool, LifeError> {
        if !founding::key_file(self.directory, &record.id).exists() {
            return Ok(false);
        }
        Ok(founding::key(self.directory, &record.id, self.guard)?.public_key() == record.jwk.key())
    }

    /// Step 3.
    fn name(&self, identity: &mut Identity, role: Role, key: &str, history: &DidHistory) -> Result<(), LifeError> {
        let named = match role {
            Role::Signing => &mut identity.signing_key,
            Role::Submitting => &mut identity.submitting_key,
        };
        let before = std::mem::replace(named, key.to_owned());
        identity.former_keys = self.former(history, identity, &before);
        Ok(founding::write_identity(self.kind, self.directory, identity)?)
    }

    /// Earlier signing keys that are still good for what they signed, for software that asks the service and not the
    /// ledger: all of ours but the stolen. The history may hold others: whoever steals the key for transactions can give
    /// the DID keys that never were ours. Ours is what `identity.json` named until now, as in use or as former, and what a
    /// file here holds.
    fn former(&self, history: &DidHistory, identity: &Identity, before: &str) -> Vec<Jwk> {
        let good = |key: &&KeyRecord| key.key_use == self.kind.signing_use && key.compromised.is_none();
        let name = |key: &KeyRecord| format!("{}#{}", history.did, key.id);
        let known = |key: &KeyRecord| identity.former_keys.iter().any(|jwk| jwk.kid() == Some(&name(key)));
        let ours = |key: &&KeyRecord| key.id == before || known(key) || self.has(key).unwrap_or(false);
        let former = history.keys.iter().filter(|key| key.id != identity.signing_key);
        former.filter(good).filter(ours).map(|key| key.jwk.clone().with_kid(name(key))).collect()
    }

    /// Puts a new key in the place of the one in use, in one transaction.
    ///
    /// # Errors
    /// [`LifeError`]. Repeating it is safe: an attempt that died is finished, not begun again.
    pub async fn rotate(&self, role: Role, rng: &mut dyn CryptoRng) -> Result<Replaced, LifeError> {
        let history = self.history().await?;
        let taken_up = self.settle_with(&history)?;
        let mut identity = founding::identity(self.kind, self.directory)?;
        let old = named(&identity, role).to_owned();
        if let Some(record) = history.keys.iter().find(|key| key.id == old && taken_up.contains(&key.id)) {
            return Ok(Replaced { key: old, index: record.from });
        }
        let (id, key) = self.make_key(&history, role, rng)?;
        let update = Update {
            add_keys: vec![self.entry(&id, &key, role)],
            remove_keys: vec![old.clone()],
            prove_keys: self.proof_in_place_of(&history, role, &old, &id, &key).await?,
            ..Update::default()
        };
        let index = self.submit(&identity, &Operation::Update(update)).await?;
        self.name(&mut identity, role, &id, &history)?;
        Ok(Replaced { key: id, index })
    }

    /// A key that was registered by its thumbprint is replaced together with its registration.
    async fn proof_in_place_of(
        &self,
        history: &DidHistory,
        role: Role,
        old: &str,
        id: &str,
        key: &SecretKey,
    ) -> Result<Vec<String>, LifeError> {
        let Some(old) = history.current_key(old).filter(|_| role == Role::Signing) else { return Ok(Vec::new()) };
        if !self.is_registered(history, &old.jwk).await? {
            return Ok(Vec::new());
        }
        Ok(vec![make_key_proof(self.origin(), &history.did, id, key)?])
    }

    async fn is_registered(&self, history: &DidHistory, jwk: &Jwk) -> Result<bool, LifeError> {
        let thumbprint = jwk.thumbprint();
        let (proven, _) = self.ledger.state(&thumbprint_key(&thumbprint)).await?;
        let owners: OwnerHistory = trust::thumbprint_owners(&proven, &thumbprint)?;
        Ok(owners.owner_at(trust::known_until(&proven)) == Some(&history.did))
    }

    /// Registers the key of requests by its thumbprint, so that software which sees only the key finds the DID. The
    /// answer is the log index of the change; `None` if it was registered before.
    ///
    /// # Errors
    /// [`LifeError`].
    pub async fn register(&self) -> Result<Option<u64>, LifeError> {
        if self.kind.signing_use != KeyUse::Authentication {
            return Err(LifeError::NothingToRegister);
        }
        let history = self.history().await?;
        self.settle_with(&history)?;
        let identity = founding::identity(self.kind, self.directory)?;
        let key = founding::key(self.directory, &identity.signing_key, self.guard)?;
        if self.is_registered(&history, &Jwk::new(key.public_key().clone())).await? {
            return Ok(None);
        }
        let proof = make_key_proof(self.origin(), &identity.did, &identity.signing_key, &key)?;
        let update = Operation::Update(Update { prove_keys: vec![proof], ..Update::default() });
        self.submit(&identity, &update).await.map(Some)
    }

    /// Reports a key as stolen, from now on. One that is still in use is replaced first, so that the service can go on.
    /// The answer is the log index of the report.
    ///
    /// # Errors
    /// [`LifeError`]. Repeating it is safe: a key that was reported keeps its first report.
    pub async fn report(&self, key: &str, rng: &mut dyn CryptoRng) -> Result<u64, LifeError> {
        let history = self.history().await?;
        self.settle_with(&history)?;
        let record = history.keys.iter().find(|record| record.id == key);
        let record = record.ok_or_else(|| LifeError::NoSuchKey(key.to_owned()))?;
        if let Some(index) = record.compromised {
            return Ok(index);
        }
        let identity = founding::identity(self.kind, self.directory)?;
        for role in [Role::Signing, Role::Submitting] {
            if named(&identity, role) == key {
                self.rotate(role, rng).await?;
            }
        }
        let mut identity = founding::identity(self.kind, self.directory)?;
        let report = Operation::Compromise(Compromise { key: key.to_owned() });
        let index = self.submit(&identity, &report).await?;
        identity.former_keys.retain(|jwk| jwk.kid() != Some(&format!("{}#{key}", identity.did)));
        founding::write_identity(self.kind, self.directory, &identity)?;
        Ok(index)
    }

    /// Ends all keys with the committed recovery key, and sets new ones. `next` is where the next recovery key is
    /// written; it must not lie beside the working keys for long.
    ///
    /// # Errors
    /// [`LifeError`]. Repeating it with the same files is safe.
    pub async fn recover(&self, recovery: &Path, next: &Path, rng: &mut dyn CryptoRng) -> Result<u64, LifeError> {
        let history = self.history().await?;
        if let Some(index) = history.deactivated {
            return Err(LifeError::Ended(index));
        }
        let recovery = keyfile::load_brought(recovery, self.guard)?;
        let next = keyfile::load_or_create(next, recovery.alg(), self.guard, rng)?;
        let commitment = public(&next).thumbprint().to_base64url();
        if let Some(done) = history.recovery.last().filter(|entry| entry.commitment == commitment) {
            // The ledger has it already: only step 3 was left.
            self.settle_with(&history)?;
            return Ok(done.from);
        }
        let roles = [Role::Signing, Role::Submitting];
        let made: Vec<(Role, String, SecretKey)> = roles
            .into_iter()
            .map(|role| self.make_key(&history, role, rng).map(|(id, key)| (role, id, key)))
            .collect::<Result<_, LifeError>>()?;
        let keys = made.iter().map(|(role, id, key)| self.entry(id, key, *role)).collect();
        let envelope = RecoveryEnvelope {
            aud: self.origin().to_owned(),
            did: history.did.clone(),
            exp: self.now.plus(VALID_SECONDS).0,
            recovery_key: public(&recovery),
        };
        let act =
            make_recovery(&envelope, &RecoveryOperation::Recover(Recover { keys, recovery: commitment }), &recovery)?;
        let index = self.ledger.relay(act.as_str()).await?.index;
        let mut identity = founding::identity(self.kind, self.directory)?;
        for (role, id, _) in &made {
            self.name(&mut identity, *role, id, &history)?;
        }
        Ok(index)
    }

    /// Ends the DID for ever.
    ///
    /// # Errors
    /// [`LifeError`].
    pub async fn deactivate(&self) -> Result<u64, LifeError> {
        let history = self.history().await?;
        self.settle_with(&history)?;
        let identity = founding::identity(self.kind, self.directory)?;
        self.submit(&identity, &Operation::Deactivate).await
    }

    /// Step 1: the file of the next free name, made now or by an attempt that died.
    fn make_key(
        &self,
        history: &DidHistory,
        role: Role,
        rng: &mut dyn CryptoRng,
    ) -> Result<(String, SecretKey), LifeError> {
        let first = match role {
            Role::Signing => self.kind.signing,
            Role::Submitting => founding::SUBMITTING,
        };
        let stem = first.trim_end_matches(|letter: char| letter.is_ascii_digit());
        // The first name that the history does not hold, so that each try comes to the same one.
        let free = |id: &String| history.keys.iter().all(|key| key.id != *id);
        let mut names = (1..=history.keys.len().saturating_add(1)).map(|number| format!("{stem}{number}"));
        let id = names.find(free).unwrap_or_else(|| first.to_owned());
        let before = history.keys.iter().rev().find(|key| key.key_use == self.key_use(role));
        let algorithm = before.map_or(Alg::EdDsa, |key| key.jwk.key().alg());
        let key = keyfile::load_or_create(&founding::key_file(self.directory, &id), algorithm, self.guard, rng)?;
        Ok((id, key))
    }

    fn entry(&self, id: &str, key: &SecretKey, role: Role) -> KeyEntry {
        KeyEntry::new(id, public(key), self.key_use(role))
    }

    fn key_use(&self, role: Role) -> KeyUse {
        match role {
            Role::Signing => self.kind.signing_use,
            Role::Submitting => KeyUse::CapabilityInvocation,
        }
    }

    fn origin(&self) -> &str {
        self.ledger.origin()
    }

    /// Step 2, with the key that is named for transactions.
    pub(crate) async fn submit(&self, identity: &Identity, operation: &Operation) -> Result<u64, LifeError> {
        let key = founding::key(self.directory, &identity.submitting_key, self.guard)?;
        let seq = self.ledger.next_sequence(&format!("{}#{}", identity.did, identity.submitting_key)).await?;
        let envelope = Envelope { aud: self.origin().to_owned(), seq, exp: self.now.plus(VALID_SECONDS).0 };
        let jws = make_transaction(&envelope, operation, &identity.did, &identity.submitting_key, &key)?;
        Ok(self.ledger.submit_and_wait(&jws).await?.index)
    }

    /// The service may be running and anchor under the same key; whoever comes second takes the next number.
    pub(crate) async fn submit_beside_the_service(&self, operation: &Operation) -> Result<u64, LifeError> {
        let identity = founding::identity(self.kind, self.directory)?;
        let mut tries = 1;
        loop {
            match self.submit(&identity, operation).await {
                Err(LifeError::Ledger(error)) if tries < TRIES && was_overtaken(&error) => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }
}

fn was_overtaken(error: &LedgerError) -> bool {
    error.refusal() == Some(Code::RegistryTransactionSequence.as_str())
}

fn named(identity: &Identity, role: Role) -> &str {
    match role {
        Role::Signing => &identity.signing_key,
        Role::Submitting => &identity.submitting_key,
    }
}

fn public(key: &SecretKey) -> Jwk {
    Jwk::new(key.public_key().clone())
}
