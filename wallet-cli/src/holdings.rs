//! What the vault's records say: an account of everything received and shared, from which the present follows.
//!
//! Each record is one JSON object, told apart by `kind`:
//!
//! | `kind` | members |
//! |---|---|
//! | `setup` | what `init` fixed: ledger, trust root, network |
//! | `credential` | the SD-JWT as issued, its holder key, where and when it came from |
//! | `anchor` | `credential` (number) and `proof`: its anchor proof, which may come much later |
//! | `sharing` | written *before* anything leaves: who asked, for what, which claims, the signed request, our signatures |
//! | `outcome` | `sharing` (number) and what became of it |
//!
//! Credentials and sharings are numbered from 1 in the order they were added.

use crate::vault::{Vault, VaultError};
use identity_core::{
    crypto::{Alg, SecretKey, Signer},
    problem::Code,
    time::UnixSeconds,
};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

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

/// What `init` fixes for the life of the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Base URL of the ledger node to ask.
    pub ledger: String,
    /// The trust root: a C2SP `tlog-policy` file's text. What a node says counts only with a proof under it.
    pub trust_root: String,
    /// Path of a file with certificate authorities for HTTPS, instead of the system's; empty for those.
    pub ca: String,
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
    Outcome {
        sharing: usize,
        #[serde(flatten)]
        outcome: Outcome,
    },
}

/// A vault with the meaning of its records.
#[derive(Debug)]
pub struct Holdings {
    vault: Vault,
    setup: Option<Setup>,
    credentials: Vec<(Credential, Option<Value>)>,
    sharings: Vec<(Sharing, Option<Outcome>)>,
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
        let mut holdings = Self { vault, setup: None, credentials: Vec::new(), sharings: Vec::new() };
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
            Entry::Credential(credential) => self.credentials.push((credential, None)),
            Entry::Anchor { credential, proof } => at(&mut self.credentials, credential)?.1 = Some(proof),
            Entry::Sharing(sharing) => self.sharings.push((sharing, None)),
            Entry::Outcome { sharing, outcome } => at(&mut self.sharings, sharing)?.1 = Some(outcome),
        }
        Some(())
    }

    fn add(&mut self, entry: Entry, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        let bytes = Zeroizing::new(serde_json::to_vec(&entry).map_err(|_| VaultError::RecordTooLarge)?);
        self.vault.append(&bytes, rng)?;
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

    /// What `init` fixed; `None` if `init` died half-way.
    #[must_use]
    pub fn setup(&self) -> Option<&Setup> {
        self.setup.as_ref()
    }

    /// The credentials with their anchor proofs, by number.
    pub fn credentials(&self) -> impl Iterator<Item = (usize, &Credential, Option<&Value>)> {
        self.credentials.iter().zip(1..).map(|((credential, proof), number)| (number, credential, proof.as_ref()))
    }

    /// The sharings with their outcomes, by number. No outcome: it may or may not have left.
    pub fn sharings(&self) -> impl Iterator<Item = (usize, &Sharing, Option<&Outcome>)> {
        self.sharings.iter().zip(1..).map(|((sharing, outcome), number)| (number, sharing, outcome.as_ref()))
    }

    /// The vault underneath.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }
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

    fn sharing() -> Sharing {
        Sharing {
            time: 5,
            asker: "did:xinfu:sample:asker".into(),
            label: None,
            purpose: Some("sample".into()),
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
    fn a_record_from_the_future_is_not_skipped() {
        let mut rng = StdRng::seed_from_u64(1);
        let dir = tempfile::tempdir().unwrap();
        let passphrase = Passphrase::new("a sample one".into());
        let mut vault = Vault::create(dir.path(), &passphrase, KdfCost::FLOOR, &mut rng).unwrap();
        vault.append(br#"{"kind":"telepathy"}"#, &mut rng).unwrap();
        assert!(matches!(Holdings::read(vault), Err(HoldingsError::Unknown { number: 1 })));
    }
}
