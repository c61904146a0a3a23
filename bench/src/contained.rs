//! What nobody who checks an evidence bundle can do without: every signature in it verified once, and everything that is
//! hashed hashed once, by the primitives that the check calls itself. While the clock runs nothing is read or compared, and
//! the keys are at hand.
//!
//! The list follows from the file alone. Every signature in it must be good and every path must lead to its root, or there
//! is no list: so nothing stands in it that the check could leave out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hint::black_box;

use anyhow::Context as _;
use identity_core::anchor::AnchorProof;
use identity_core::bundle::Full;
use identity_core::crypto::{PublicKey, Signature};
use identity_core::did::DidUrl;
use identity_core::duty::UnverifiedAttestation;
use identity_core::jose::{Jwk, UnverifiedJws};
use identity_core::oauth::url::Transport;
use identity_core::oid4vp::Parameters;
use identity_core::registry::{DidHistory, DutyHistory, did_key, duty_key};
use ledger::checkpoint::Checkpoint;
use ledger::note::{Note, NoteSignature, SignatureKind, VerifierKey};
use ledger::state::EMPTY;
use ledger::{Hash, LogProof, Seal, StateProof, TrustRoot, sha256};
use serde::Deserialize;
use serde_json::Value;

use crate::limit::signed;

/// The list.
#[derive(Default)]
pub(crate) struct Contained {
    signatures: BTreeMap<Signature, (PublicKey, Vec<u8>)>,
    hashed: BTreeSet<Vec<u8>>,
}

/// The parts of a file that signatures and digests are in.
#[derive(Deserialize)]
struct Parts {
    request: String,
    receipt: String,
    receipt_proof: AnchorProof,
    states: Vec<StateProof>,
    full: Option<Full>,
}

impl Contained {
    /// Does all of it.
    pub(crate) fn run(&self) {
        for (signature, (key, message)) in &self.signatures {
            black_box(key.verify(black_box(message), signature).is_ok());
        }
        for bytes in &self.hashed {
            black_box(sha256(black_box(bytes)));
        }
    }

    /// What is in the file of a bundle whose receipt is anchored.
    pub(crate) fn of(file: &str, trust_root: &TrustRoot) -> anyhow::Result<Self> {
        let parts: Parts = serde_json::from_str(file)?;
        let states = Known(parts.states.iter().map(|proof| (proof.key.as_str(), proof.value.as_deref())).collect());
        let mut all = Self::default();
        all.hash(file.rsplit_once(",\"sha256\":").context("the file has no digest")?.0);
        for proof in &parts.states {
            all.state(proof, trust_root)?;
        }
        all.jws(&parts.receipt, &states.key_of(&parts.receipt)?)?;
        all.anchored(&parts.receipt, &parts.receipt_proof, trust_root)?;
        all.request(&parts.request, &states)?;
        for (query, texts) in parts.full.iter().flat_map(|full| &full.vp_token) {
            let proofs = parts.full.iter().filter_map(|full| full.anchors.get(query)).flatten();
            for (text, proof) in texts.iter().zip(proofs) {
                all.presentation(text, proof, &states, trust_root)?;
            }
        }
        Ok(all)
    }

    /// The service's signature, the official's, and what the holder is asked to sign.
    fn request(&mut self, text: &str, states: &Known<'_>) -> anyhow::Result<()> {
        self.jws(text, &states.key_of(text)?)?;
        let Value::Object(payload) = payload(text)? else { anyhow::bail!("the request is no object") };
        let request = Parameters::from_json(&payload, Transport::HttpsOnly)?;
        let attestation = request.duty.as_deref().context("nobody answers for the request")?;
        let key = states.duty_key_of(attestation)?;
        self.hash(key.thumbprint_input());
        self.jws(attestation, key.key())?;
        self.hash(attestation);
        for object in &request.transaction_data {
            self.hash(object);
        }
        Ok(())
    }

    /// The issuer's signature and the holder's, what is disclosed, and that the credential was there.
    fn presentation(
        &mut self,
        text: &str,
        proof: &AnchorProof,
        states: &Known<'_>,
        trust_root: &TrustRoot,
    ) -> anyhow::Result<()> {
        let (bound, key_binding) = text.rsplit_once('~').context("no SD-JWT")?;
        let mut parts = bound.split('~');
        let jwt = parts.next().context("no JWT")?;
        for disclosure in parts {
            self.hash(disclosure);
        }
        self.jws(jwt, &states.key_of(jwt)?)?;
        let holder = Jwk::from_value(payload(jwt)?.pointer("/cnf/jwk").context("no holder key")?)?;
        self.jws(key_binding, holder.key())?;
        self.hash(format!("{bound}~"));
        self.hash(text);
        self.anchored(jwt, proof, trust_root)
    }

    fn anchored(&mut self, text: &str, proof: &AnchorProof, trust_root: &TrustRoot) -> anyhow::Result<()> {
        let stated = payload(&proof.transaction)?;
        let root = Hash::deserialize(stated.get("root").context("no batch")?)?;
        let (digest, batch) = (self.hash(text), &proof.batch);
        let leaf = self.hash([&[0][..], digest.as_ref()].concat());
        anyhow::ensure!(self.root(leaf, batch.index, batch.count, &batch.path) == root, "not in its batch");
        self.entry(&proof.transaction, &proof.proof, trust_root)
    }

    fn state(&mut self, proof: &StateProof, trust_root: &TrustRoot) -> anyhow::Result<()> {
        let place = self.hash(&proof.key);
        let end = match (&proof.value, &proof.path.other) {
            (Some(value), _) => Some((place, self.hash(value))),
            (None, other) => other.map(|other| (other.key, other.value)),
        };
        let leaf = |(key, value): (Hash, Hash)| [b"JMT::LeafNode", key.as_ref(), value.as_ref()].concat();
        let mut node = end.map_or(Hash::from(EMPTY), |end| self.hash(leaf(end)));
        let depths = (0..proof.path.siblings.len()).rev();
        for (sibling, depth) in proof.path.siblings.iter().zip(depths) {
            let byte = place.as_bytes().get(depth / 8).context("the path is longer than a key")?;
            let is_right = byte >> (7 - depth % 8) & 1 == 1;
            let (left, right) = if is_right { (sibling, &node) } else { (&node, sibling) };
            node = self.hash([b"JMT::IntrnalNode", left.as_ref(), right.as_ref()].concat());
        }
        anyhow::ensure!(node == Seal::parse(proof.seal.as_bytes())?.state, "not in the state");
        self.entry(&proof.seal, &proof.proof, trust_root)
    }

    /// An entry of the log, and who certified it.
    fn entry(&mut self, entry: &str, proof: &str, trust_root: &TrustRoot) -> anyhow::Result<()> {
        let proof = LogProof::parse(proof)?;
        let note = Note::parse(&proof.note)?;
        let checkpoint = Checkpoint::parse_text(note.text())?;
        let leaf = self.hash([&[0][..], entry.as_bytes()].concat());
        let root = self.root(leaf, proof.index, checkpoint.size, &proof.path);
        anyhow::ensure!(root == checkpoint.root, "not in the log");
        let policy = trust_root.policy();
        let keys = || policy.logs().iter().chain(policy.witnesses().iter().map(|witness| &witness.key));
        for line in note.signatures() {
            let key = keys().find(|key| key.is_named_by(line)).context("a signature by somebody unknown")?;
            self.line(key, note.text(), line)?;
        }
        Ok(())
    }

    /// A signature line of a checkpoint.
    fn line(&mut self, key: &VerifierKey, text: &str, line: &NoteSignature) -> anyhow::Result<()> {
        let (message, signature) = match key.kind() {
            SignatureKind::Ed25519 => (text.to_owned(), line.bytes.as_slice()),
            SignatureKind::CosignatureV1 => {
                let (time, signature) = line.bytes.split_first_chunk().context("a cosignature without its time")?;
                (format!("cosignature/v1\ntime {}\n{text}", u64::from_be_bytes(*time)), signature)
            }
        };
        self.signature(&PublicKey::Ed25519(*key.public_key()), message.into_bytes(), signature)
    }

    fn jws(&mut self, text: &str, key: &PublicKey) -> anyhow::Result<()> {
        let (message, signature) = signed(text)?;
        self.signature(key, message, &signature)
    }

    fn signature(&mut self, key: &PublicKey, message: Vec<u8>, signature: &[u8]) -> anyhow::Result<()> {
        let signature = signature.try_into()?;
        key.verify(&message, &signature)?;
        self.signatures.insert(signature, (key.clone(), message));
        Ok(())
    }

    /// The root that a path of RFC 6962 leads to.
    fn root(&mut self, leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Hash {
        let (mut place, mut last, mut node) = (index, size - 1, leaf);
        for sibling in path {
            let is_right = place & 1 == 1 || place == last;
            let (left, right) = if is_right { (sibling, &node) } else { (&node, sibling) };
            node = self.hash([&[1][..], left.as_ref(), right.as_ref()].concat());
            while is_right && place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
            (place, last) = (place >> 1, last >> 1);
        }
        node
    }

    fn hash(&mut self, bytes: impl AsRef<[u8]>) -> Hash {
        self.hashed.insert(bytes.as_ref().to_vec());
        sha256(bytes.as_ref())
    }
}

impl fmt::Display for Contained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: usize = self.hashed.iter().map(Vec::len).sum();
        write!(f, "{} signatures, {} digests of {bytes} bytes together", self.signatures.len(), self.hashed.len())
    }
}

/// What the ledger holds, by key.
struct Known<'a>(BTreeMap<&'a str, Option<&'a [u8]>>);

impl Known<'_> {
    fn value<T: for<'de> Deserialize<'de>>(&self, key: &str) -> anyhow::Result<T> {
        let value = self.0.get(key).copied().flatten().with_context(|| format!("{key} is not there"))?;
        Ok(serde_json::from_slice(value)?)
    }

    /// The key that a JWS names by a DID.
    fn key_of(&self, text: &str) -> anyhow::Result<PublicKey> {
        let name = DidUrl::parse(UnverifiedJws::parse(text)?.header().kid()?)?;
        let history: DidHistory = self.value(&did_key(name.did()))?;
        let key = history.keys.iter().find(|key| key.id == name.fragment()).context("no such key")?;
        Ok(key.jwk.key().clone())
    }

    /// The key that an attestation names by its thumbprint.
    fn duty_key_of(&self, text: &str) -> anyhow::Result<Jwk> {
        let attestation = UnverifiedAttestation::parse(text)?;
        let (department, number) = attestation.who();
        let history: DutyHistory = self.value(&duty_key(department, number))?;
        let given = history.delegations.iter().find(|given| given.key.thumbprint() == attestation.key());
        Ok(given.context("no such delegation")?.key.clone())
    }
}

fn payload(jws: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(UnverifiedJws::parse(jws)?.dangerous_payload())?)
}
