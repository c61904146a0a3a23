//! Whatever happens to a DID, its history only grows, and no answer about the past ever changes.

use proptest::prelude::*;

use super::super::{
    Compromise, DidHistory, KeyUse, Operation, OwnerHistory, Recover, RecoveryEnvelope, RecoveryOperation, Relayed,
    Update, did_key, make_key_proof, make_recovery, thumbprint_key,
};
use super::world::{RECOVERY, START, World, commitment, entry, key, service};
use crate::crypto::Signer as _;
use crate::jose::Jwk;

/// The sample department, whose keys are named by their place.
const SEED: u8 = 2;

#[derive(Debug, Clone, Copy)]
enum Step {
    Add { place: u8, use_: u8, prove: bool },
    Remove { place: u8 },
    Report { place: u8, recovery_key: bool },
    Recover { round: u8 },
    Service { number: u8, add: bool },
    Deactivate { recovery_key: bool },
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_u8..20, 0_u8..3, any::<bool>()).prop_map(|(place, use_, prove)| Step::Add { place, use_, prove }),
        4 => (1_u8..20).prop_map(|place| Step::Remove { place }),
        4 => (1_u8..20, any::<bool>()).prop_map(|(place, recovery_key)| Step::Report { place, recovery_key }),
        3 => (1_u8..5).prop_map(|round| Step::Recover { round }),
        2 => (1_u8..4, any::<bool>()).prop_map(|(number, add)| Step::Service { number, add }),
        1 => any::<bool>().prop_map(|recovery_key| Step::Deactivate { recovery_key }),
        1 => Just(Step::Wait),
    ]
}

fn id(place: u8) -> String {
    ["", "assert-1", "auth-1", "invoke-1", "relay-1"]
        .get(usize::from(place))
        .map_or_else(|| format!("k{place}"), |name| (*name).to_owned())
}

/// What a reader may ask about one index.
#[derive(Debug, PartialEq)]
struct AsOf {
    active: bool,
    keys: Vec<(String, KeyUse)>,
    reported: Vec<String>,
    services: Vec<String>,
    owned: Vec<u8>,
}

fn as_of(world: &World, index: u64) -> AsOf {
    let history = history(world);
    let owner = |place: &u8| {
        let thumbprint = Jwk::new(key(SEED, *place).public_key().clone()).thumbprint();
        let value = world.state.get(&thumbprint_key(&thumbprint));
        let owners: OwnerHistory = value.map(|value| serde_json::from_slice(value).unwrap()).unwrap_or_default();
        owners.owner_at(index) == Some(&history.did)
    };
    AsOf {
        active: history.is_active_at(index),
        keys: history.keys_at(index).map(|key| (key.id.clone(), key.key_use)).collect(),
        reported: history
            .keys
            .iter()
            .filter(|key| key.compromised.is_some_and(|at| at <= index))
            .map(|key| key.id.clone())
            .collect(),
        services: history
            .services
            .iter()
            .filter(|service| service.holds_at(index))
            .map(|service| service.url.clone())
            .collect(),
        owned: (1..20).filter(owner).collect(),
    }
}

fn history(world: &World) -> DidHistory {
    serde_json::from_slice(&world.state[&did_key(&world.department.did())]).unwrap()
}

/// Tries the step with whatever keys the department has just then; the ledger may refuse it.
fn take(world: &mut World, step: Step, recoveries: &mut u8) {
    let did = world.department.did();
    let own = |world: &mut World, operation: &Operation| {
        let current = history(world)
            .keys
            .iter()
            .rev()
            .find(|key| key.until.is_none() && key.key_use == KeyUse::CapabilityInvocation)
            .map(|key| key.id.clone());
        let Some(signer) = current else { return };
        let place = (1..250).find(|place| id(*place) == signer || format!("r{place}") == signer).unwrap();
        let jws = world.transaction_by(&world.department, &signer, &key(SEED, place), operation);
        let _refused = world.submit(&jws);
    };
    let recovering = |world: &mut World, operation: RecoveryOperation, recoveries: u8| {
        let key = key(SEED, RECOVERY + recoveries);
        let envelope = RecoveryEnvelope {
            aud: world.block.origin.clone(),
            did: did.clone(),
            exp: START + 600,
            recovery_key: Jwk::new(key.public_key().clone()),
        };
        let Ok(act) = make_recovery(&envelope, &operation, &key) else { return false };
        let relay = Operation::Relay(Relayed::Recovery(Box::new(act)));
        world.act(|world| &world.other, &relay).is_ok()
    };
    match step {
        Step::Add { place, use_, prove } => {
            let uses = [KeyUse::AssertionMethod, KeyUse::Authentication, KeyUse::CapabilityInvocation];
            let key_use = uses[usize::from(use_)];
            let proof = make_key_proof(&world.block.origin, &did, &id(place), &key(SEED, place)).unwrap();
            let prove_keys = if prove { vec![proof] } else { Vec::new() };
            let add_keys = vec![entry(&id(place), SEED, place, key_use)];
            own(world, &Operation::Update(Update { add_keys, prove_keys, ..Update::default() }));
        }
        Step::Remove { place } => {
            own(world, &Operation::Update(Update { remove_keys: vec![id(place)], ..Update::default() }));
        }
        Step::Report { place, recovery_key: false } => {
            own(world, &Operation::Compromise(Compromise { key: id(place) }));
        }
        Step::Report { place, recovery_key: true } => {
            recovering(world, RecoveryOperation::Compromise(Compromise { key: id(place) }), *recoveries);
        }
        Step::Recover { round } => {
            let place = 200 + round;
            let keys = vec![entry(&format!("r{place}"), SEED, place, KeyUse::CapabilityInvocation)];
            let recovery = commitment(SEED, RECOVERY + *recoveries + 1);
            if recovering(world, RecoveryOperation::Recover(Recover { keys, recovery }), *recoveries) {
                *recoveries += 1;
            }
        }
        Step::Service { number, add } => {
            let name = format!("s{number}");
            let service = service(&name, &format!("https://{name}.example"));
            let (add_services, remove_services) = if add { (vec![service], vec![]) } else { (vec![], vec![name]) };
            own(world, &Operation::Update(Update { add_services, remove_services, ..Update::default() }));
        }
        Step::Deactivate { recovery_key: false } => own(world, &Operation::Deactivate),
        Step::Deactivate { recovery_key: true } => {
            recovering(world, RecoveryOperation::Deactivate, *recoveries);
        }
        Step::Wait => world.close(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn answers_about_the_past_never_change(steps in proptest::collection::vec(step(), 1..24)) {
        let mut world = World::new();
        let mut recoveries = 0;
        let mut known: Vec<(u64, AsOf)> = Vec::new();
        for step in steps {
            let before = history(&world);
            take(&mut world, step, &mut recoveries);
            let after = history(&world);
            prop_assert!(after.keys.len() >= before.keys.len() && after.services.len() >= before.services.len());
            prop_assert!(after.recovery.starts_with(&before.recovery));
            for (old, new) in before.keys.iter().zip(&after.keys) {
                prop_assert_eq!((&old.id, &old.jwk, old.key_use, old.from), (&new.id, &new.jwk, new.key_use, new.from));
                prop_assert!(old.until.is_none() || old.until == new.until);
                prop_assert!(old.compromised.is_none() || old.compromised == new.compromised);
            }
            for (index, answer) in &known {
                prop_assert_eq!(&as_of(&world, *index), answer, "as of {}", index);
            }
            // The newest index that is history now: nothing may change it any more.
            let last = world.next_index - 1;
            if known.last().is_none_or(|(index, _)| *index < last) {
                known.push((last, as_of(&world, last)));
            }
        }
    }
}
