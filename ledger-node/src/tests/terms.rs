//! A validator changes its keys while it runs: one term ends, the next begins, and proofs lead from one to the other.

use std::path::Path;
use std::time::{Duration, Instant};

use identity_core::crypto::{SecretKey, Signer as _};
use identity_core::registry::{Change, GenesisValidator, OnProposal, Operation, Propose};
use ledger::walk::{Walk, Walked};
use ledger::{Hash, LogProof};
use service_kit::chance::{Chance as _, SeededChance};
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile;

use super::world::{NOW, Served, key, memory};
use crate::fsck::fsck;
use crate::keyring::next_to;
use crate::{Ports, start};

/// Far more than an epoch of empty blocks takes.
const PATIENCE: Duration = Duration::from_secs(60);

impl Served {
    /// Both members decide that the validator gets the keys of these numbers.
    async fn change_keys(&self, log: u8, witness: u8) {
        let public = |key: SecretKey| Hash::from_slice(key.public_key().bytes()).unwrap();
        let validator = GenesisValidator {
            name: "solo".into(),
            member: None,
            log: public(key(log)),
            witness: public(key(witness)),
            peer: None,
        };
        let operator = self.founded.chain().genesis().members[0].did.clone();
        let change = Change::Validator { did: operator, validator: Some(validator) };
        let propose = Operation::Propose(Propose { change, until: NOW.plus(60).0 });
        let proposed = self.submit(&self.founded.transaction(1, &propose)).await;
        assert_eq!(proposed.status, 200, "{}", proposed.text());
        let proposal = proposed.json()["index"].as_u64().unwrap();
        let operator = &self.founded.chain().genesis().members[0].did.clone();
        let approve = Operation::Approve(OnProposal { proposal });
        let approval = self.founded.signed(operator, "invoke-1", &self.founded.operator, 1, &approve);
        let approved = self.submit(&approval).await;
        assert_eq!(approved.status, 200, "{}", approved.text());
    }

    fn prepare_key(&self, beside: &Path, number: u8) {
        let chance = SeededChance::new(u64::from(number));
        keyfile::save(&next_to(beside), &key(number), &KeyGuard::plain(), &mut *chance.rng()).unwrap();
    }

    async fn walked(&self) -> Option<Walked> {
        let from = self.founded.trust_root();
        let answer = self.get(&format!("/trust/walk?from={}", from.digest().to_base64url())).await;
        let walk = Walk::parse(&answer.body).ok()?;
        Walked::from(from).along(&walk).ok().filter(|walked| walked.has_arrived() && walked.policy().is_some())
    }

    async fn readiness(&self) -> u16 {
        self.get("/readyz").await.status
    }
}

async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "it does not come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prepared_keys_take_over_with_the_epoch() {
    let store = memory();
    let served = Served::over(store.clone()).await;
    served.prepare_key(&served.founded.config.log_key, 201);
    served.prepare_key(&served.founded.config.witness_key, 202);
    served.change_keys(201, 202).await;
    // Nobody sends anything meanwhile: the epoch ends by itself, and the new set shows itself.
    let walked = until(|| served.walked()).await;

    let transaction = served.founded.anchor(2);
    let proof = served.submit(&transaction).await.json()["proof"].as_str().unwrap().to_owned();
    let proof = LogProof::parse(&proof).unwrap();
    assert!(proof.verify(walked.trust_root(), transaction.as_bytes()).is_ok());
    assert!(proof.verify(&served.founded.trust_root(), transaction.as_bytes()).is_err(), "the old set says no more");
    assert_eq!(served.readiness().await, 200);

    // And again after a restart.
    let Served { founded, clock, running } = served;
    running.stop().await;
    let running = start(&founded.config, Ports { store: store.clone(), clock: clock.clone() }).await.unwrap();
    let served = Served { founded, clock, running };
    assert_eq!(served.submit(&served.founded.anchor(3)).await.status, 200);
    served.running.stop().await;
    let runtime = tokio::runtime::Handle::current();
    let chain = served.founded.chain();
    let checked = tokio::task::spawn_blocking(move || fsck(store, &chain, runtime).map(|_| ())).await.unwrap();
    assert_eq!(checked, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_the_new_keys_says_so_and_goes_on_answering() {
    let served = Served::over(memory()).await;
    served.change_keys(201, 202).await;
    until(async || (served.readiness().await == 503).then_some(())).await;
    assert_eq!(served.get("/checkpoint").await.status, 200);
    let refused = served.submit(&served.founded.anchor(2)).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "ledger.busy"));
    served.running.stop().await;
}
