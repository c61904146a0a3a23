//! What the vault's records say: an account of everything received and shared, from which the present follows.
//!
//! Each record is one JSON object, told apart by `kind`:
//!
//! | `kind` | members |
//! |---|---|
//! | `setup` | what `init` fixed: ledger, trust root, network; once more when other validators are in force |
//! | `credential` | the SD-JWT as issued, its holder key, where and when it came from |
//! | `anchor` | `credential` (number) and `proof`: its anchor proof, which may come much later |
//! | `sharing` | written *before* anything leaves: who asked, for what, which claims, the signed request, our signatures |
//! | `approval` | written when an official signs for a request: when, for which department, what was signed |
//! | `order` | written when an official orders an act of issuing: when, of which department, what was signed |
//! | `outcome` | `sharing` (number) and what became of it |
//! | `receipt` | `sharing` (number) and what the service gave as its receipt, or what is wrong with it |
//! | `receipt-proof` | `sharing` (number) and `proof`: that the receipt stands on the ledger |
//! | `withdrawal` | `sharing` (number), when, and what the holder signed to take it back; written *before* it leaves |
//! | `withdrawal-answer` | `sharing` (number) and what the service gave as its acknowledgement, or what is wrong with it |
//! | `withdrawal-proof` | `sharing` (number) and `proof`: that the acknowledgement stands on the ledger |
//! | `notarised` | `sharing` (number) and `proof`: that the withdrawal's digest stands on the ledger |
//! | `removed` | stands in the place of a credential that the holder removed, so that numbers stay: its type and when |
//! | `leaving`, `staying` | the vault is being moved to another device, with the code that confirms it; the move was cancelled |
//! | `arrived` | the records before it came from another device, with the code to confirm that there |
//! | `left` | the vault went to another device: the only record of an emptied one |
//! | `restored` | the records before it came out of a backup: when it was made, when it was restored |
//!
//! Credentials and sharings are numbered from 1 in the order they were added.

mod official;
mod withdrawals;

use crate::{
    duty::Word,
    vault::{Vault, VaultError},
};
use identity_core::{
    crypto::{Alg, SecretKey, Signer},
    problem::Code,
    time::UnixSeconds,
};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::trust_walk::Age;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use official::{Approval, Ordered};
pub use withdrawals::{WithdrawalAnswer, Withdrawing};

/// Why holdings cannot be read or added to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HoldingsError {
    /// The vault refused.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A record opened, but does not say anything this version knows.
    #[error("record {number} of the vault was made by a newer version")]
    Unknown {
        /// Which record, from 1.
        number: usize,
    },
}

impl HoldingsError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Vault(error) => error.code(),
            Self::Unknown { .. } => Code::WalletVaultNewer,
        }
    }
}

/// What `init` fixes for the life of the vault; only the trust root goes with the validators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Base URL of the ledger node to ask.
    pub ledger: String,
    /// The trust root: a C2SP `tlog-policy` file's text. What a node says counts only with a proof under it.
    pub trust_root: String,
    /// How far that trust root knows the log, and how old that knowledge is; absent while it is not known.
    #[serde(default)]
    pub trust_age: Option<Age>,
    /// Path of a file with certificate authorities for HTTPS, instead of the system's; empty for those.
    pub ca: String,
    /// Certificates (PEM) of the authorities that services may show certificates of, in place of a DID; empty: none.
    #[serde(default)]
    pub client_ca: String,
    /// Hosts on private addresses that may be reached.
    pub allow_private: Vec<String>,
    /// Whether those may be reached by plain HTTP, for debugging.
    pub plain: bool,
}

/// A text that is wiped from memory when dropped, and never shown by `Debug`.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// A credential as it was received.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credential {
    /// Its type.
    pub vct: String,
    /// The issuer's URL, `iss`.
    pub issuer: String,
    /// When it came, in seconds.
    pub received: i64,
    /// The SD-JWT with all its disclosures.
    pub sd_jwt: SecretText,
    /// The holder key's algorithm, by its JOSE name.
    alg: String,
    /// The holder key's 32 bytes in hexadecimal. It belongs to this credential alone.
    key: SecretText,
}

impl Credential {
    /// Puts a credential together for storing.
    #[must_use]
    pub fn new(vct: String, issuer: String, received: UnixSeconds, sd_jwt: String, key: &SecretKey) -> Self {
        let bytes = key.to_bytes();
        let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let alg = key.alg().name().to_owned();
        Self { vct, issuer, received: received.0, sd_jwt: SecretText::new(sd_jwt), alg, key: SecretText::new(hex) }
    }

    /// The holder key's algorithm, if this version knows it.
    #[must_use]
    pub fn holder_alg(&self) -> Option<Alg> {
        Alg::parse(&self.alg)
    }

    /// The holder key. `None` if the record holds none that this version knows.
    #[must_use]
    pub fn holder_key(&self) -> Option<SecretKey> {
        let text = self.key.expose();
        let mut bytes = Zeroizing::new([0_u8; 32]);
        if text.len() != 64 {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        SecretKey::from_bytes(self.holder_alg()?, &bytes).ok()
    }

    /// The digest that is anchored: SHA-256 of the issuer-signed JWT.
    #[must_use]
    pub fn anchored_digest(&self) -> ledger::Hash {
        let text = self.sd_jwt.expose();
        ledger::sha256(text.split_once('~').map_or(text, |(jwt, _)| jwt).as_bytes())
    }
}

/// What is left of a credential that the holder removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Its type, so that the account of what was shared can still be read.
    pub vct: String,
    /// When it was removed, in seconds.
    pub time: i64,
}

/// That the records before this one came out of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When it was restored, in seconds.
    pub time: i64,
    /// When the backup was made, in seconds.
    pub made: i64,
    /// How many records it held.
    pub records: usize,
}

/// That the vault is being moved to another device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Since when, in seconds.
    pub time: i64,
    /// The code that the new device shows once it has everything.
    pub code: String,
}

/// That the records before this one came from another device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrived {
    /// When they came, in seconds.
    pub time: i64,
    /// The code that the old device waits for.
    pub code: String,
}

/// Whether the vault is at home here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stay {
    /// It is.
    Here,
    /// It is being moved, and frozen.
    Leaving(Leaving),
    /// It was moved away, at this time in seconds.
    Left(i64),
}

/// One credential's part in a sharing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedCredential {
    /// The credential's number.
    pub credential: usize,
    /// The claims that leave, as paths; names only.
    pub claims: Vec<Value>,
}

/// What was shared, or was about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    /// When, in seconds.
    pub time: i64,
    /// The asker's DID.
    pub asker: String,
    /// The asker's name on the ledger: English, then Chinese.
    pub label: Option<(String, String)>,
    /// The purpose as stated in the request.
    pub purpose: Option<String>,
    /// Who answered for the request, and what the data was wanted for; absent in what older versions wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Word>,
    /// What leaves.
    pub credentials: Vec<SharedCredential>,
    /// The signed request, so that the asker cannot deny having asked.
    pub request: String,
    /// Our key-binding JWTs, so that we can prove what we answered.
    pub key_bindings: Vec<String>,
}

/// What became of a sharing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The asker took it.
    Accepted,
    /// The asker refused it, with a code of ours if it said one.
    Refused {
        /// The dotted code.
        code: Option<String>,
    },
}

/// What a service gave as the receipt of a sharing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "receipt", rename_all = "kebab-case")]
pub enum Kept {
    /// A receipt that held when it came.
    Holds {
        /// Its place in the service's chain.
        seq: u64,
        /// The receipt.
        text: String,
    },
    /// None, or one that does not hold.
    Fault {
        /// The dotted code of what is wrong.
        code: String,
        /// What came, if anything did.
        text: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Entry {
    Setup(Setup),
    Credential(Credential),
    Anchor {
        credential: usize,
        proof: Value,
    },
    Sharing(Sharing),
    Approval(Approval),
    Order(Ordered),
    Outcome {
        sharing: usize,
        #[serde(flatten)]
        outcome: Outcome,
    },
    Receipt {
        sharing: usize,
        #[serde(flatten)]
        kept: Kept,
    },
    ReceiptProof {
        sharing: usize,
        proof: Value,
    },
    Withdrawal {
        sharing: usize,
        time: i64,
        text: String,
    },
    WithdrawalAnswer {
        sharing: usize,
        #[serde(flatten)]
        answer: WithdrawalAnswer,
    },
    WithdrawalProof {
        sharing: usize,
        proof: Value,
    },
    Notarised {
        sharing: usize,
        proof: Value,
    },
    Removed(Removed),
    Restored(Restored),
    Leaving(Leaving),
    Staying {
        time: i64,
    },
    Arrived(Arrived),
    Left {
        time: i64,
    },
}

/// The place of a credential, under its number for good.
#[derive(Debug)]
enum Place {
    Held(Credential, Option<Value>),
    Removed(Removed),
}

/// A sharing, and what was learnt of it since.
#[derive(Debug)]
struct Shared {
    sharing: Sharing,
    outcome: Option<Outcome>,
    receipt: Option<Kept>,
    proof: Option<Value>,
    withdrawal: Option<Withdrawing>,
}

/// A vault with the meaning of its records.
#[derive(Debug)]
pub struct Holdings {
    vault: Vault,
    setup: Option<Setup>,
    credentials: Vec<Place>,
    sharings: Vec<Shared>,
    approvals: Vec<Approval>,
    orders: Vec<Ordered>,
    restored: Option<Restored>,
    stay: Stay,
    arrived: Option<Arrived>,
}

impl Holdings {
    /// Reads what the vault holds.
    ///
    /// # Errors
    /// [`HoldingsError::Unknown`] for a record that this version cannot read: better no answer than half of one.
    pub fn read(vault: Vault) -> Result<Self, HoldingsError> {
        let unknown = |number| HoldingsError::Unknown { number };
        let entries: Vec<Entry> = vault
            .records()
            .zip(1..)
            .map(|(record, number)| serde_json::from_slice(record).map_err(|_| unknown(number)))
            .collect::<Result<_, _>>()?;
        let mut holdings = Self {
            vault,
            setup: None,
            credentials: Vec::new(),
            sharings: Vec::new(),
            approvals: Vec::new(),
            orders: Vec::new(),
            restored: None,
            stay: Stay::Here,
            arrived: None,
        };
        for (entry, number) in entries.into_iter().zip(1..) {
            holdings.apply(entry).ok_or(unknown(number))?;
        }
        Ok(holdings)
    }

    /// The one way that an entry changes what is held, when it is added as when it is read. `None` if it speaks of
    /// something that is not there.
    fn apply(&mut self, entry: Entry) -> Option<()> {
        match entry {
            Entry::Setup(setup) => self.setup = Some(setup),
            Entry::Credential(credential) => self.credentials.push(Place::Held(credential, None)),
            Entry::Anchor { credential, proof } => match at(&mut self.credentials, credential)? {
                Place::Held(_, held) => *held = Some(proof),
                Place::Removed(_) => return None,
            },
            Entry::Removed(removed) => self.credentials.push(Place::Removed(removed)),
            Entry::Restored(restored) => {
                self.restored = Some(restored);
                // The move that brought these records was another vault's: no old device waits for a code of this one.
                self.arrived = None;
            }
            Entry::Leaving(leaving) => self.stay = Stay::Leaving(leaving),
            Entry::Staying { .. } => self.stay = Stay::Here,
            Entry::Arrived(arrived) => self.arrived = Some(arrived),
            Entry::Left { time } => self.stay = Stay::Left(time),
            Entry::Sharing(sharing) => {
                self.sharings.push(Shared { sharing, outcome: None, receipt: None, proof: None, withdrawal: None });
            }
            Entry::Approval(approval) => self.approvals.push(approval),
            Entry::Order(ordered) => self.orders.push(ordered),
            Entry::Outcome { sharing, outcome } => at(&mut self.sharings, sharing)?.outcome = Some(outcome),
            Entry::Receipt { sharing, kept } => at(&mut self.sharings, sharing)?.receipt = Some(kept),
            Entry::ReceiptProof { sharing, proof } => at(&mut self.sharings, sharing)?.proof = Some(proof),
            Entry::Withdrawal { sharing, time, text } => {
                let asked = Withdrawing { time, text, answer: None, proof: None, notarised: None };
                at(&mut self.sharings, sharing)?.withdrawal = Some(asked);
            }
            Entry::WithdrawalAnswer { sharing, answer } => self.withdrawing(sharing)?.answer = Some(answer),
            Entry::WithdrawalProof { sharing, proof } => self.withdrawing(sharing)?.proof = Some(proof),
            Entry::Notarised { sharing, proof } => self.withdrawing(sharing)?.notarised = Some(proof),
        }
        Some(())
    }

    fn add(&mut self, entry: Entry, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        self.vault.append(&bytes_of(&entry)?, rng)?;
        self.apply(entry).ok_or(HoldingsError::Unknown { number: 0 })
    }

    /// Stores the setup.
    ///
    /// # Errors
    /// As [`Vault::append`].
    pub fn add_setup(&mut self, setup: Setup, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        self.add(Entry::Setup(setup), rng)
    }

    /// Stores a credential and returns its number.
    ///
    /// # Errors
    /// As [`Vault::append`].
    pub fn add_credential(&mut self, credential: Credential, rng: &mut dyn CryptoRng) -> Result<usize, HoldingsError> {
        self.add(Entry::Credential(credential), rng)?;
        Ok(self.credentials.len())
    }

    /// Stores the anchor proof of a credential.
    ///
    /// # Errors
    /// As [`Vault::append`].
    pub fn add_anchor(
        &mut self,
        credential: usize,
        proof: Value,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HoldingsError> {
        self.add(Entry::Anchor { credential, proof }, rng)
    }

    /// Stores what is about to be shared and returns its number.
    ///
    /// # Errors
    /// As [`Vault::append`]; then nothing may leave.
    pub fn add_sharing(&mut self, sharing: Sharing, rng: &mut dyn CryptoRng) -> Result<usize, HoldingsError> {
        self.add(Entry::Sharing(sharing), rng)?;
        Ok(self.sharings.len())
    }

    /// Stores what a service gave as the receipt of a sharing.
    ///
    /// # Errors
    /// As [`Vault::append`].
    pub fn add_receipt(&mut self, sharing: usize, kept: Kept, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        self.add(Entry::Receipt { sharing, kept }, rng)
    }

    /// Stores the proof that the receipt of a sharing stands on the ledger.
    ///
    /// # Errors
    /// As [`Vault::append`].
    pub fn add_receipt_proof(
        &mut self,
        sharing: usize,
        proof: Value,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HoldingsError> {
        self.add(Entry::ReceiptProof { sharing, proof }, rng)
    }

    /// Stores what became of a sharing.
    ///
    /// # Errors
    /// As [`Vault::append`].
    pub fn add_outcome(
        &mut self,
        sharing: usize,
        outcome: Outcome,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HoldingsError> {
        self.add(Entry::Outcome { sharing, outcome }, rng)
    }

    /// Removes a credential with its key and its proof: the file is written anew without them. What was shared of it
    /// stays in the account. Afterwards only backups have it. `false` if there is no such number.
    ///
    /// # Errors
    /// As [`Vault::replace_records`].
    pub fn remove_credential(
        &mut self,
        number: usize,
        now: UnixSeconds,
        rng: &mut dyn CryptoRng,
    ) -> Result<bool, HoldingsError> {
        let Some(Place::Held(credential, _)) = at(&mut self.credentials, number) else { return Ok(false) };
        let removed = Removed { vct: credential.vct.clone(), time: now.0 };
        let tombstone = bytes_of(&Entry::Removed(removed.clone()))?;
        let mut records = Vec::new();
        let mut credentials = 0;
        for record in self.vault.records() {
            let entry =
                serde_json::from_slice(record).map_err(|_| HoldingsError::Unknown { number: records.len() + 1 })?;
            credentials += usize::from(matches!(entry, Entry::Credential(_) | Entry::Removed(_)));
            match entry {
                Entry::Anchor { credential, .. } if credential == number => {}
                Entry::Credential(_) if credentials == number => records.push(tombstone.clone()),
                _ => records.push(Zeroizing::new(record.to_vec())),
            }
        }
        self.vault.replace_records(&records, rng)?;
        if let Some(place) = at(&mut self.credentials, number) {
            *place = Place::Removed(removed);
        }
        Ok(true)
    }

    /// The type of a credential that is or was held.
    #[must_use]
    pub fn type_of(&self, number: usize) -> Option<&str> {
        match self.credentials.get(number.checked_sub(1)?)? {
            Place::Held(credential, _) => Some(&credential.vct),
            Place::Removed(removed) => Some(&removed.vct),
        }
    }

    /// Freezes the vault, for a move to another device.
    ///
    /// # Errors
    /// As [`Vault::append`].
    pub fn add_leaving(&mut self, leaving: Leaving, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        self.add(Entry::Leaving(leaving), rng)
    }

    /// Ends a move that did not take place.
    ///
    /// # Errors
    /// As [`Vault::append`]; then the vault is still frozen.
    pub fn add_staying(&mut self, now: UnixSeconds, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        self.add(Entry::Staying { time: now.0 }, rng)
    }

    /// Empties the vault after a move: the file is written anew, and says only when the vault left.
    ///
    /// # Errors
    /// As [`Vault::replace_records`]; then the vault is still frozen, or empty.
    pub fn empty(&mut self, now: UnixSeconds, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        self.vault.replace_records(&[bytes_of(&Entry::Left { time: now.0 })?], rng)?;
        self.setup = None;
        self.credentials.clear();
        self.sharings.clear();
        self.approvals.clear();
        self.orders.clear();
        self.stay = Stay::Left(now.0);
        Ok(())
    }

    /// Whether the vault is at home here.
    #[must_use]
    pub fn stay(&self) -> &Stay {
        &self.stay
    }

    /// The move that the vault came by, if it did.
    #[must_use]
    pub fn arrived(&self) -> Option<&Arrived> {
        self.arrived.as_ref()
    }

    /// The backup that the vault came from, if it did.
    #[must_use]
    pub fn restored(&self) -> Option<Restored> {
        self.restored
    }

    /// What `init` fixed; `None` if `init` died half-way.
    #[must_use]
    pub fn setup(&self) -> Option<&Setup> {
        self.setup.as_ref()
    }

    /// The credentials with their anchor proofs, by number.
    pub fn credentials(&self) -> impl Iterator<Item = (usize, &Credential, Option<&Value>)> {
        self.credentials.iter().zip(1..).filter_map(|(place, number)| match place {
            Place::Held(credential, proof) => Some((number, credential, proof.as_ref())),
            Place::Removed(_) => None,
        })
    }

    /// The sharings with their outcomes, by number. No outcome: it may or may not have left.
    pub fn sharings(&self) -> impl Iterator<Item = (usize, &Sharing, Option<&Outcome>)> {
        self.sharings.iter().zip(1..).map(|(shared, number)| (number, &shared.sharing, shared.outcome.as_ref()))
    }

    /// The sharings whose service was heard, with what it gave as a receipt and the proof that it stands on the ledger,
    /// by number.
    pub fn receipts(&self) -> impl Iterator<Item = (usize, &Sharing, &Kept, Option<&Value>)> {
        self.sharings.iter().zip(1..).filter_map(|(shared, number)| {
            Some((number, &shared.sharing, shared.receipt.as_ref()?, shared.proof.as_ref()))
        })
    }

    /// The vault underneath.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The vault underneath, for what concerns the file and not what it says.
    pub(crate) fn vault_mut(&mut self) -> &mut Vault {
        &mut self.vault
    }
}

/// The record that says that the records before it came out of a backup.
pub(crate) fn restored_record(restored: Restored) -> Result<Zeroizing<Vec<u8>>, HoldingsError> {
    bytes_of(&Entry::Restored(restored))
}

/// The record that says that the records before it came from another device.
pub(crate) fn arrived_record(arrived: &Arrived) -> Result<Zeroizing<Vec<u8>>, HoldingsError> {
    bytes_of(&Entry::Arrived(arrived.clone()))
}

/// The record of a setup, for a vault in the making.
pub(crate) fn setup_record(setup: &Setup) -> Result<Zeroizing<Vec<u8>>, HoldingsError> {
    bytes_of(&Entry::Setup(setup.clone()))
}

/// The newest setup among records.
pub(crate) fn setup_among(records: &[Zeroizing<Vec<u8>>]) -> Option<Setup> {
    records.iter().rev().find_map(|record| match serde_json::from_slice(record) {
        Ok(Entry::Setup(setup)) => Some(setup),
        _ => None,
    })
}

fn bytes_of(entry: &Entry) -> Result<Zeroizing<Vec<u8>>, HoldingsError> {
    Ok(Zeroizing::new(serde_json::to_vec(entry).map_err(|_| VaultError::RecordTooLarge)?))
}

fn at<T>(list: &mut [T], number: usize) -> Option<&mut T> {
    list.get_mut(number.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::{KdfCost, Passphrase};
    use rand::{SeedableRng, rngs::StdRng};
    use serde_json::json;

    /// A new vault, which lasts as long as its directory.
    pub(super) fn empty() -> (tempfile::TempDir, Holdings) {
        let dir = tempfile::tempdir().unwrap();
        let passphrase = Passphrase::new("a sample one".into());
        let vault = Vault::create(dir.path(), &passphrase, KdfCost::FLOOR, &mut StdRng::seed_from_u64(1)).unwrap();
        (dir, Holdings::read(vault).unwrap())
    }

    pub(super) fn sharing() -> Sharing {
        Sharing {
            time: 5,
            asker: "did:xinfu:sample:asker".into(),
            label: None,
            purpose: Some("sample".into()),
            word: None,
            credentials: vec![SharedCredential { credential: 1, claims: vec![json!(["name"])] }],
            request: "request".into(),
            key_bindings: vec!["kb".into()],
        }
    }

    #[test]
    fn the_account_gives_the_present_back() {
        let mut rng = StdRng::seed_from_u64(1);
        let dir = tempfile::tempdir().unwrap();
        let passphrase = Passphrase::new("a sample one".into());
        let vault = Vault::create(dir.path(), &passphrase, KdfCost::FLOOR, &mut rng).unwrap();
        let mut holdings = Holdings::read(vault).unwrap();
        let key = SecretKey::generate(Alg::Es256, &mut rng).unwrap();
        let text = "jwt~disclosure~".to_owned();
        let credential = Credential::new("urn:sample".into(), "https://i.example".into(), UnixSeconds(1), text, &key);
        assert_eq!(holdings.add_credential(credential, &mut rng).unwrap(), 1);
        assert_eq!(holdings.add_sharing(sharing(), &mut rng).unwrap(), 1);
        holdings.add_anchor(1, json!({"late": true}), &mut rng).unwrap();
        holdings.add_outcome(1, Outcome::Refused { code: Some("status.revoked".into()) }, &mut rng).unwrap();
        drop(holdings);

        let holdings = Holdings::read(Vault::open(dir.path(), &passphrase).unwrap()).unwrap();
        let (number, credential, proof) = holdings.credentials().next().unwrap();
        assert_eq!((number, proof), (1, Some(&json!({"late": true}))));
        assert_eq!(credential.sd_jwt.expose(), "jwt~disclosure~");
        assert_eq!(credential.anchored_digest(), ledger::sha256(b"jwt"));
        assert_eq!(credential.holder_key().unwrap().public_key(), key.public_key());
        let (_, shared, outcome) = holdings.sharings().next().unwrap();
        assert_eq!(*shared, sharing());
        assert_eq!(outcome, Some(&Outcome::Refused { code: Some("status.revoked".into()) }));
        assert!(!format!("{credential:?}").contains("disclosure"));
    }

    #[test]
    fn a_removed_credential_leaves_its_number_and_its_type() {
        let mut rng = StdRng::seed_from_u64(1);
        let dir = tempfile::tempdir().unwrap();
        let passphrase = Passphrase::new("a sample one".into());
        let vault = Vault::create(dir.path(), &passphrase, KdfCost::FLOOR, &mut rng).unwrap();
        let mut holdings = Holdings::read(vault).unwrap();
        for name in ["first", "second"] {
            let key = SecretKey::generate(Alg::Es256, &mut rng).unwrap();
            let credential =
                Credential::new(name.into(), "https://i.example".into(), UnixSeconds(1), "jwt~".into(), &key);
            let number = holdings.add_credential(credential, &mut rng).unwrap();
            holdings.add_anchor(number, json!({ "of": name }), &mut rng).unwrap();
        }
        holdings.add_sharing(sharing(), &mut rng).unwrap();
        assert!(holdings.remove_credential(1, UnixSeconds(9), &mut rng).unwrap());
        for missing in [0, 1, 3] {
            assert!(!holdings.remove_credential(missing, UnixSeconds(9), &mut rng).unwrap());
        }
        let key = SecretKey::generate(Alg::Es256, &mut rng).unwrap();
        let third = Credential::new("third".into(), "https://i.example".into(), UnixSeconds(1), "jwt~".into(), &key);
        assert_eq!(holdings.add_credential(third, &mut rng).unwrap(), 3);
        drop(holdings);

        let holdings = Holdings::read(Vault::open(dir.path(), &passphrase).unwrap()).unwrap();
        let held: Vec<_> =
            holdings.credentials().map(|(number, held, proof)| (number, held.vct.as_str(), proof)).collect();
        assert_eq!(held, [(2, "second", Some(&json!({ "of": "second" }))), (3, "third", None)]);
        assert_eq!((holdings.type_of(1), holdings.type_of(4), holdings.sharings().count()), (Some("first"), None, 1));
        assert!(!holdings.vault().records().any(|record| String::from_utf8_lossy(record).contains(r#""of":"first""#)));
    }

    #[test]
    fn a_record_from_the_future_is_not_skipped() {
        let mut rng = StdRng::seed_from_u64(1);
        let dir = tempfile::tempdir().unwrap();
        let passphrase = Passphrase::new("a sample one".into());
        let mut vault = Vault::create(dir.path(), &passphrase, KdfCost::FLOOR, &mut rng).unwrap();
        vault.append(br#"{"kind":"telepathy"}"#, &mut rng).unwrap();
        assert!(matches!(Holdings::read(vault), Err(HoldingsError::Unknown { number: 1 })));
    }
}
