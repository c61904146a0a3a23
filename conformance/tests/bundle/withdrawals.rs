//! Sharings that were taken back: with all that shows it, with less, and with one thing wrong.

use identity_core::anchor::{AnchorProof, BatchPath};
use identity_core::bundle::{Bundle, TakenBack};
use identity_core::crypto::{SecretKey, Signer};
use identity_core::jose::{Jwk, SignHeader, sign_compact, typ};
use identity_core::problem::Code;
use identity_core::registry::{Anchor, AnchorKind, Operation, Update};
use ledger::batch::BatchTree;
use ledger::{Hash, sha256};
use serde_json::{Value, json};

use super::act::Act;
use super::cases::{Case, forged, replace_key, right_as, text_case, wrong};
use crate::presentation::files::NOW;
use crate::presentation::parties::{Party, key};
use crate::presentation::twist::Twist;

/// Seed of the holder's key.
const HOLDER: u8 = 41;
/// Place of the acknowledgement in the service's chain, which goes on after the three receipts of the act.
const SEQ: u64 = 4;
/// When the withdrawal is signed, noted on the ledger, acknowledged, and when the ledger has that.
const SIGNED: i64 = NOW + 1_000;
const NOTED: i64 = NOW + 1_010;
const ANSWERED: i64 = NOW + 1_020;
const TAKEN: i64 = NOW + 1_030;

/// An act, and how it was taken back. A case changes one thing before all is signed and brought onto the ledger.
struct Story {
    act: Act,
    full: bool,
    /// The withdrawal: its payload, what it is said to be, and by whose key.
    withdrawal: Value,
    typ: &'static str,
    header: fn(SignHeader<'_>) -> SignHeader<'_>,
    holder: SecretKey,
    /// The key that goes along in its header.
    named: SecretKey,
    /// What a member has noted on the ledger, if not the withdrawal, as what, and when that is sealed.
    noted: Option<Hash>,
    kind: AnchorKind,
    notary: Party,
    sealed: i64,
    /// What changes of the acknowledgement's payload.
    said: fn(&mut Value),
    answer_typ: &'static str,
    service: SecretKey,
    /// Who brings it onto the ledger, as which number, and when that is sealed.
    bringer: Party,
    first: u64,
    taken: i64,
    /// Before that the service's keys change.
    update: Option<Update>,
}

/// A digest, and where the ledger has it.
type Anchored = (Hash, u64);

/// What came of it.
struct Told {
    receipt: u64,
    withdrawal: String,
    noted: Anchored,
    answer: String,
    taken: Anchored,
}

impl Story {
    fn new() -> Self {
        Self::of(Act::new(Twist::default()))
    }

    fn of(mut act: Act) -> Self {
        act.world.certified = u64::try_from(NOW + 2_000).unwrap();
        let (asker, authority) = (act.world.asker.clone(), act.world.authority.clone());
        Self {
            full: false,
            withdrawal: json!({"aud": asker.did(), "receipt": sha256(act.receipt_text().as_bytes()), "iat": SIGNED}),
            typ: typ::WITHDRAWAL,
            header: |header| header,
            holder: key(HOLDER),
            named: key(HOLDER),
            noted: None,
            kind: AnchorKind::Notarised,
            notary: authority,
            sealed: NOTED,
            said: |_| (),
            answer_typ: typ::WITHDRAWAL_ACK,
            service: asker.authenticator(),
            bringer: asker,
            first: SEQ,
            taken: TAKEN,
            update: None,
            act,
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Bundle {
        let mut story = Self::new();
        change(&mut story);
        let told = story.tell();
        story.bundle(&told)
    }

    /// Everything happens, one after the other.
    fn tell(&mut self) -> Told {
        let receipt = self.act.anchor(NOW + 60).claimed_index().unwrap();
        let withdrawal = self.signed();
        let digest = self.noted.unwrap_or_else(|| sha256(withdrawal.as_bytes()));
        let noted = (digest, self.note(digest));
        if let Some(update) = self.update.take() {
            self.act.world.ledger.act(&self.act.world.asker, &Operation::Update(update));
        }
        let answer = self.answered(&withdrawal);
        let digest = sha256(answer.as_bytes());
        let anchor = Anchor::new(AnchorKind::Receipt, batch(digest).root(), 1);
        let range = Anchor { first: Some(self.first), last: Some(self.first), head: Some(digest), ..anchor };
        let taken = (digest, self.act.world.ledger.act(&self.bringer, &Operation::Anchor(range)));
        self.act.world.ledger.seal(self.taken);
        Told { receipt, withdrawal, noted, answer, taken }
    }

    fn note(&mut self, digest: Hash) -> u64 {
        let note = Anchor::new(self.kind, batch(digest).root(), 1);
        let index = self.act.world.ledger.act(&self.notary, &Operation::Anchor(note));
        self.act.world.ledger.seal(self.sealed);
        index
    }

    /// All of it, with what the ledger says now.
    fn bundle(&self, told: &Told) -> Bundle {
        let taken_back = TakenBack {
            text: told.withdrawal.clone(),
            notarised: Some(self.proof(told.noted)),
            acknowledgement: Some(told.answer.clone()),
            acknowledgement_proof: Some(self.proof(told.taken)),
        };
        let full = self.full.then(|| self.act.full());
        self.act.bundle(Some(self.act.proof_of(told.receipt)), full).with_withdrawal(taken_back)
    }

    fn signed(&self) -> String {
        let jwk = Jwk::new(self.named.public_key().clone());
        let header = (self.header)(SignHeader::new(self.typ).jwk(&jwk));
        sign_compact(header, self.withdrawal.to_string().as_bytes(), &self.holder).unwrap()
    }

    fn answered(&self, withdrawal: &str) -> String {
        let mut said = json!({
            "iss": self.act.world.asker.did(),
            "iat": ANSWERED,
            "withdrawal": sha256(withdrawal.as_bytes()),
            "receipt": self.withdrawal["receipt"],
            "deleted": ["claims", "presentation", "key_bindings", "anchor_proofs", "holder_keys"],
            "kept": [
                {"what": "request", "basis": "Sample Act", "until": ANSWERED + 86_400},
                {"what": "receipt", "basis": "Sample Act"},
            ],
            "passed_on": false,
            "seq": SEQ,
            "previous": sha256(b"the receipt after it"),
        });
        (self.said)(&mut said);
        self.act.signed(self.answer_typ, &said, &self.service)
    }

    fn proof(&self, (digest, index): Anchored) -> AnchorProof {
        let world = &self.act.world;
        let batch = BatchPath { index: 0, count: 1, path: batch(digest).path(0).unwrap() };
        let transaction = world.ledger.entry(index).to_owned();
        AnchorProof { batch, transaction, proof: world.ledger.log_proof(index, world.certified) }
    }
}

fn batch(digest: Hash) -> BatchTree {
    BatchTree::new(&[digest]).unwrap()
}

/// The one that stands in `vectors/bundle`.
pub(crate) fn standing() -> Bundle {
    Story::with(|_| ())
}

/// Every one.
pub(crate) fn cases() -> Vec<Case> {
    [holding(), withdrawals(), notarised(), acknowledgements(), files()].into_iter().flatten().collect()
}

fn without(bundle: &Bundle, names: &[&str]) -> String {
    forged(bundle, |json| {
        let taken_back = json["withdrawal"].as_object_mut().unwrap();
        names.iter().for_each(|name| drop(taken_back.remove(*name).unwrap()));
    })
}

fn holding() -> Vec<Case> {
    const NOTE: &str = "notarised";
    const ANSWER: &str = "acknowledgement";
    const PROOF: &str = "acknowledgement_proof";
    let whole = standing();
    let with_less = |name: &str, names: &[&str], shown: &str| right_as(name, shown, without(&whole, names));
    let mut refused = Act::new(Twist { holder: || key(42), ..Twist::default() });
    refused.receipt.verdict = Code::KbJwtSignature.as_str().to_owned();
    let mut refused = Story { full: true, holder: key(42), named: key(42), ..Story::of(refused) };
    let told = refused.tell();
    let all = "withdrawn, notarised, acknowledged";
    vec![
        with_less("taken back, and nothing more", &[NOTE, ANSWER, PROOF], "claimed, withdrawn"),
        with_less("taken back, noted, and no answer", &[ANSWER, PROOF], "claimed, withdrawn, notarised"),
        with_less("an answer, and no note", &[NOTE], "claimed, withdrawn, acknowledged"),
        with_less("an answer that waits", &[PROOF], &format!("claimed, {all}")),
        right_as(
            "taken back, with the presentation",
            &format!("signed, {all}"),
            Story::with(|story| story.full = true).to_text(),
        ),
        right_as("an answer in vain, taken back", &format!("unproven, {all}"), refused.bundle(&told).to_text()),
        right_as(
            "an answer by a clock that is five minutes behind the holder's",
            &format!("claimed, {all}"),
            Story::with(|story| story.withdrawal["iat"] = json!(ANSWERED + 300)).to_text(),
        ),
        right_as("a key of the service's that ended after its answer", &format!("claimed, {all}"), later().to_text()),
    ]
}

/// The service has other keys since.
fn later() -> Bundle {
    let mut story = Story::new();
    let told = story.tell();
    story.act.world.ledger.act(&story.act.world.asker, &Operation::Update(replace_key()));
    story.act.world.ledger.seal(NOW + 1_900);
    story.bundle(&told)
}

fn withdrawals() -> Vec<Case> {
    let case = |name: &str, change: fn(&mut Story)| wrong(name, "withdrawal", &Story::with(change));
    let bundle = standing();
    let erased = forged(&without_anything(&bundle), |json| json["key_bindings"] = json!([]));
    vec![
        case("a withdrawal for another service", |story| story.withdrawal["aud"] = json!(story.act.world.issuer.did())),
        case("a withdrawal of another sharing", |story| story.withdrawal["receipt"] = json!(sha256(b"x"))),
        case("a withdrawal of before the sharing", |story| story.withdrawal["iat"] = json!(NOW - 301)),
        case("a withdrawal of after it was there", |story| story.withdrawal["iat"] = json!(TAKEN + 301)),
        case("a withdrawal whose time is no integer", |story| story.withdrawal["iat"] = json!(1.5)),
        case("a withdrawal with a member more", |story| story.withdrawal["note"] = json!("x")),
        case("a stranger's withdrawal", |story| (story.holder, story.named) = (key(99), key(99))),
        case("a stranger's withdrawal under the holder's key", |story| story.holder = key(99)),
        case("something else than a withdrawal", |story| story.typ = typ::KEY_BINDING),
        case("a withdrawal whose key has another name, too", |story| story.header = |header| header.kid("did:x#y")),
        text_case("a withdrawal where no signature of the holder's is kept", "withdrawal", erased),
    ]
}

/// The bundle with the withdrawal alone.
fn without_anything(bundle: &Bundle) -> Bundle {
    let text = without(bundle, &["notarised", "acknowledgement", "acknowledgement_proof"]);
    Bundle::parse(text.as_bytes()).unwrap()
}

fn notarised() -> Vec<Case> {
    let case = |name: &str, code: &str, change: fn(&mut Story)| wrong(name, code, &Story::with(change));
    vec![
        case("a note of something else", "notarised", |story| story.noted = Some(sha256(b"x"))),
        case("a note of another kind", "notarised", |story| {
            (story.kind, story.notary) = (AnchorKind::Credential, story.act.world.issuer.clone());
        }),
        case("a note by somebody of whom nothing is here", "incomplete", |story| {
            story.notary = story.act.world.issuer.clone();
        }),
        text_case(
            "the receipt's proof as that of the withdrawal",
            "notarised",
            forged(&standing(), |json| json["withdrawal"]["notarised"] = json["receipt_proof"].clone()),
        ),
        text_case("a note of after everything else", "behind", note_of_after_everything()),
    ]
}

/// A note that the ledger has taken since the states were asked for.
fn note_of_after_everything() -> String {
    let mut story = Story::new();
    let told = story.tell();
    let bundle = story.bundle(&told);
    story.sealed = NOW + 1_900;
    let again = story.note(told.noted.0);
    let proof = json!(story.proof((told.noted.0, again)));
    forged(&bundle, |json| json["withdrawal"]["notarised"] = proof)
}

fn acknowledgements() -> Vec<Case> {
    let case = |name: &str, change: fn(&mut Story)| wrong(name, "acknowledgement", &Story::with(change));
    let said =
        |name: &str, change: fn(&mut Value)| wrong(name, "acknowledgement", &Story::with(|story| story.said = change));
    let stale = Story::with(|story| story.act.world.certified = u64::try_from(NOW + 600).unwrap());
    vec![
        text_case(
            "an answer that waits, with states of before it",
            "behind",
            without(&stale, &["acknowledgement_proof"]),
        ),
        case("an acknowledgement that a stranger signed", |story| story.service = key(99)),
        case("an acknowledgement under the key of credentials", |story| {
            story.service = story.act.world.asker.asserter()
        }),
        case("something else than an acknowledgement", |story| story.answer_typ = typ::RECEIPT),
        case("an acknowledgement under a key that has ended", |story| story.update = Some(replace_key())),
        case("an acknowledgement that somebody else brought", |story| {
            story.bringer = story.act.world.issuer.clone();
            story.first = 1;
        }),
        said("an acknowledgement of another service's", |said| said["iss"] = json!("did:xinfu:sample:x")),
        said("an acknowledgement of another withdrawal", |said| said["withdrawal"] = json!(sha256(b"x"))),
        said("an acknowledgement of another sharing", |said| said["receipt"] = json!(sha256(b"x"))),
        said("an acknowledgement at another's place", |said| said["seq"] = json!(SEQ + 1)),
        said("an acknowledgement after nothing", |said| drop(said.as_object_mut().unwrap().remove("previous"))),
        said("an acknowledgement of before the withdrawal", |said| said["iat"] = json!(SIGNED - 301)),
        said("an acknowledgement of after it was taken", |said| {
            said["iat"] = json!(TAKEN + 301);
            said["kept"][0]["until"] = json!(TAKEN + 301);
        }),
        said("an acknowledgement that keeps no receipt", |said| said["kept"] = json!([])),
        said("an acknowledgement that deletes what it keeps", |said| {
            said["deleted"].as_array_mut().unwrap().push(json!("request"));
        }),
        said("an acknowledgement that names a kind twice", |said| said["deleted"] = json!(["claims", "claims"])),
        said("an acknowledgement out of order", |said| said["deleted"] = json!(["presentation", "claims"])),
        said("an acknowledgement of a kind that is none", |said| said["deleted"] = json!(["everything"])),
        said("an acknowledgement that keeps by no law", |said| said["kept"][1]["basis"] = json!(" ")),
        said("an acknowledgement that keeps until before", |said| said["kept"][0]["until"] = json!(ANSWERED - 1)),
        said("an acknowledgement that does not say what was handed on", |said| said["passed_on"] = json!("no")),
        said("an acknowledgement with a member more", |said| said["note"] = json!("x")),
    ]
}

fn files() -> Vec<Case> {
    let bundle = standing();
    let malformed = |name: &str, change: fn(&mut Value)| text_case(name, "malformed", forged(&bundle, change));
    vec![
        malformed("a proof of an acknowledgement that is not there", |json| {
            drop(json["withdrawal"].as_object_mut().unwrap().remove("acknowledgement"));
        }),
        malformed("a member more beside the withdrawal", |json| json["withdrawal"]["note"] = json!(1)),
        malformed("a withdrawal that is no text", |json| json["withdrawal"]["text"] = json!(1)),
        malformed("no withdrawal beside its proofs", |json| {
            drop(json["withdrawal"].as_object_mut().unwrap().remove("text"));
        }),
    ]
}
