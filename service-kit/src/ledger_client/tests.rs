use identity_core::crypto::{Alg, PublicKey, SecretKey, Signer};
use ledger::{
    checkpoint::Checkpoint,
    cosignature::cosign,
    note::{SignatureKind, VerifierKey},
    policy::{Validator, ValidatorSet},
    tree,
};

use super::*;
use crate::fetch::scripted::ScriptedFetch;

const NODE: &str = "https://ledger.example";
const ORIGIN: &str = "xinfu/demo/f00d";

/// A ledger of one validator, whose log holds one entry.
struct World {
    log: SecretKey,
    witness: SecretKey,
    set: ValidatorSet,
    fetch: Arc<ScriptedFetch>,
}

impl World {
    fn new() -> Self {
        let secret = |byte| SecretKey::from_bytes(Alg::EdDsa, &[byte; 32]).unwrap();
        let (log, witness) = (secret(1), secret(2));
        let key = |name: &str, kind, secret: &SecretKey| match secret.public_key() {
            PublicKey::Ed25519(key) => VerifierKey::new(name, kind, *key).unwrap(),
            PublicKey::P256(_) => unreachable!(),
        };
        let validator = Validator {
            name: "one".into(),
            log: key(ORIGIN, SignatureKind::Ed25519, &log),
            witness: key("xinfu/demo/f00d/one", SignatureKind::CosignatureV1, &witness),
        };
        let set = ValidatorSet::new(ORIGIN, vec![validator]).unwrap();
        Self { log, witness, set, fetch: Arc::new(ScriptedFetch::new()) }
    }

    fn client(&self) -> LedgerClient {
        let trust_root = TrustRoot::parse(&self.set.to_policy_text()).unwrap();
        LedgerClient::new(self.fetch.clone(), &format!("{NODE}/"), trust_root)
    }

    fn proof_of(&self, entry: &[u8]) -> String {
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: 1, root: tree::leaf_hash(entry) };
        let validator = &self.set.validators()[0];
        let log = checkpoint.sign(&validator.log, |message| self.log.sign(message).unwrap()).unwrap();
        let witness =
            cosign(&checkpoint, &validator.witness, 7, |message| self.witness.sign(message).unwrap()).unwrap();
        let note = checkpoint.to_note([log, witness]).unwrap().to_string();
        LogProof { index: 0, path: vec![], note, extra: None }.to_string()
    }

    fn answer(&self, path: &str, status: u16, body: &str) {
        self.fetch.answer(&format!("{NODE}{path}"), status, "application/json", body);
    }
}

#[tokio::test]
async fn a_certified_transaction_is_proven() {
    let world = World::new();
    let body = serde_json::json!({"index": 0, "height": 1, "digest": "d", "proof": world.proof_of(b"eyJ.tx")});
    world.answer("/transactions?wait=certified", 200, &body.to_string());
    let certified = world.client().submit_and_wait("eyJ.tx").await.unwrap();
    assert_eq!(certified.index, 0);
    assert_eq!(world.fetch.asked()[0].body, Some(("application/jwt", b"eyJ.tx".to_vec())));
    let other = world.client().submit_and_wait("eyJ.other").await;
    assert!(matches!(other, Err(LedgerError::Unproven(_))), "{other:?}");
}

#[tokio::test]
async fn what_is_not_certified_is_not_yet() {
    let world = World::new();
    world.answer("/transactions?wait=certified", 200, r#"{"index":0,"height":1,"digest":"d"}"#);
    assert_eq!(world.client().submit_and_wait("eyJ.tx").await, Err(LedgerError::NotYet));
    world.answer("/proofs/log/0", 202, "");
    assert_eq!(world.client().log_proof(0, b"x").await, Err(LedgerError::NotYet));
}

#[tokio::test]
async fn a_refusal_keeps_its_code() {
    let world = World::new();
    world.answer("/transactions", 409, r#"{"code":"registry.transaction.sequence"}"#);
    let refused = world.client().submit("eyJ.tx").await.unwrap_err();
    assert_eq!(refused.refusal(), Some("registry.transaction.sequence"));
    let gone = world.client().checkpoint().await.unwrap_err();
    assert_eq!(gone.code(), Code::FetchUnreachable);
}

#[tokio::test]
async fn an_unproven_state_is_refused() {
    let world = World::new();
    world.answer("/proofs/state?key=did%2Fx", 200, "{}");
    assert_eq!(world.client().state("did/x").await.map(|_| ()), Err(LedgerError::Malformed));
    world.answer("/checkpoint", 200, "not a note");
    assert!(matches!(world.client().checkpoint().await, Err(LedgerError::Unproven(_))));
}
