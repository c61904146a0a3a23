//! Validators: named by vote, convicted by evidence, in force from the next epoch on.

use std::collections::HashMap;

use ledger::checkpoint::Checkpoint;
use ledger::cosignature::cosign;
use ledger::ed25519::PublicKey;
use ledger::note::{SignatureKind, VerifierKey};
use ledger::policy::MAX_VALIDATORS;
use ledger::split_view::{SplitEvidence, SplitEvidenceError};
use ledger::{Hash, TrustRoot, sha256};

use super::super::{
    Anchor, AnchorKind, Change, DEFAULT_EPOCH, Genesis, GenesisValidator, Member, Operation, Peer, Refused, Rules,
    ValidatorHistory, Validators, close_block, member_key, policy_in_force, policy_key, validator_key, validator_set,
};
use super::votes::{admit, approve, propose};
use super::world::{World, public};
use crate::crypto::{Alg, SecretKey, Signer as _};
use crate::did::Did;

fn validator(number: u8, member: Option<Did>) -> GenesisValidator {
    let [log, witness] = [number * 2 + 1, number * 2 + 2].map(public);
    GenesisValidator { name: format!("v-{number:02}"), member, log, witness, peer: None }
}

/// Three members, each with a validator, and epochs of four blocks.
fn three(genesis: &mut Genesis) {
    let members = genesis.members.iter().map(|member| Some(member.did.clone()));
    genesis.validators = (1..).zip(members).map(|(number, member)| validator(number, member)).collect();
    genesis.epoch = Some(4);
}

impl World {
    fn validators(&self) -> Validators {
        Validators::of(&self.state).unwrap()
    }

    fn names(&self) -> (Vec<String>, Vec<String>) {
        let names = |set: &[GenesisValidator]| set.iter().map(|validator| validator.name.clone()).collect();
        let validators = self.validators();
        (names(&validators.in_force), names(validators.next()))
    }

    /// Closes blocks up to the end of the epoch.
    fn end_epoch(&mut self) {
        let rules = Rules::of(&self.state).unwrap();
        while !rules.is_last_of_epoch(self.block.height) {
            self.close();
        }
        self.close();
    }

    /// A note over a made-up history, cosigned by these validators.
    fn note(&self, root: &str, by: &[u8]) -> String {
        let origin = self.block.origin.clone();
        let checkpoint = Checkpoint { origin, size: 40, root: sha256(root.as_bytes()) };
        let lines = by.iter().map(|number| {
            let secret = SecretKey::from_bytes(Alg::EdDsa, &[number * 2 + 2; 32]).unwrap();
            let set = validator_set(&self.block.origin, &[validator(*number, None)]).unwrap();
            let key: &VerifierKey = &set.validators()[0].witness;
            cosign(&checkpoint, key, 1_000, |bytes| secret.sign(bytes).unwrap()).unwrap()
        });
        checkpoint.to_note(lines).unwrap().to_string()
    }

    fn evidence(&self, one: &[u8], other: &[u8]) -> Operation {
        Operation::Evidence(SplitEvidence { one: self.note("one", one), other: self.note("other", other) })
    }
}

fn anchor() -> Operation {
    Operation::Anchor(Anchor::new(AnchorKind::Credential, sha256(b"batch"), 1))
}

fn keyed(did: Did, validator: GenesisValidator) -> Change {
    Change::Validator { did, validator: Some(validator) }
}

#[test]
fn genesis_puts_its_validators_in_force_and_states_its_rules() {
    let world = World::new();
    assert_eq!(Rules::of(&world.state).unwrap().epoch, DEFAULT_EPOCH);
    let validators = world.validators();
    assert_eq!((validators.in_force.len(), validators.next.is_none()), (1, true));
    let set = validator_set(&world.block.origin, &validators.in_force).unwrap();
    let policy: String = world.value(&policy_key(&validators.policy().unwrap()));
    assert_eq!(policy, set.to_policy_text());
    // Three creations, then the seal that names the set.
    assert_eq!((validators.sets[0].from, validators.sets[0].epoch), (3, 0));
}

#[test]
fn epochs_are_counted_from_genesis() {
    let rules = Rules { epoch: 4, votes: Default::default() };
    let seen: Vec<(u64, bool)> =
        (0..9).map(|height| (rules.epoch_of(height), rules.is_last_of_epoch(height))).collect();
    let epochs = [0, 0, 0, 0, 1, 1, 1, 1, 2];
    assert_eq!(seen.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), epochs);
    let last: Vec<usize> = seen.iter().enumerate().filter(|(_, (_, last))| *last).map(|(height, _)| height).collect();
    assert_eq!(last, [3, 7]);
    let alone = Rules { epoch: 1, votes: Default::default() };
    assert!(alone.is_last_of_epoch(0) && alone.is_last_of_epoch(7));
}

#[test]
fn a_new_validator_is_in_force_from_the_next_epoch_on_and_the_last_seal_before_names_it() {
    let mut world = World::founded(three);
    let newcomer = world.settle_stranger();
    let before = policy_in_force(&world.state).unwrap();
    let change =
        Change::Admit { did: newcomer.clone(), name: "Sample newcomer".into(), validator: Some(validator(4, None)) };
    world.decide(change).unwrap();
    assert!(world.value::<Member>(&member_key(&newcomer)).is_in_good_standing(), "a member at once");
    let (in_force, next) = world.names();
    assert_eq!((in_force.len(), next.len()), (3, 4));
    // Heights 1 and 2 are inside the epoch, 3 ends it.
    for _ in 1..3 {
        world.close();
        assert_eq!(policy_in_force(&world.state).unwrap(), before);
    }
    let seal_index = world.next_index;
    world.close();
    let after = policy_in_force(&world.state).unwrap();
    assert_ne!(after, before);
    let validators = world.validators();
    assert_eq!((validators.in_force.len(), validators.next), (4, None));
    let record = validators.sets[1];
    assert_eq!((record.epoch, record.from, record.policy), (1, seal_index, after));
    let trust_root = TrustRoot::parse(&world.value::<String>(&policy_key(&after))).unwrap();
    assert_eq!(trust_root.digest(), after);
    assert_eq!(trust_root.policy().witnesses().len(), 4);
    assert_eq!(validators.in_force[3].member, Some(newcomer));
    world.end_epoch();
    assert_eq!(world.validators().sets.len(), 2, "an epoch that changes nothing leaves no trace");
}

#[test]
fn an_expelled_members_validator_leaves_with_the_epoch() {
    let mut world = World::founded(three);
    let number = world.next_index;
    world.act(|w| &w.authority, &propose(Change::Expel { did: world.other.did() })).unwrap();
    world.act(|w| &w.department, &approve(number)).unwrap();
    let (in_force, next) = world.names();
    assert_eq!((in_force.len(), next), (3, vec!["v-01".to_owned(), "v-02".to_owned()]));
    world.end_epoch();
    assert_eq!(world.names().0, ["v-01", "v-02"]);
}

#[test]
fn keys_are_rotated_and_retired_by_vote() {
    let mut world = World::founded(three);
    let did = world.department.did();
    let mut rotated = validator(2, None);
    (rotated.log, rotated.witness) = (public(90), public(91));
    world.decide(keyed(did.clone(), rotated.clone())).unwrap();
    world.end_epoch();
    let validators = world.validators();
    assert_eq!(validators.in_force[1].log, public(90));
    let history: ValidatorHistory = world.value(&validator_key("v-02"));
    assert_eq!(history.keys.iter().map(|keys| keys.log).collect::<Vec<_>>(), [public(5), public(90)]);
    // Back to the keys of before, or to the same again: a key serves once.
    assert_eq!(world.decide(keyed(did.clone(), validator(2, None))), Err(Refused::ValidatorKeyUsed));
    assert_eq!(world.decide(keyed(did.clone(), rotated)), Err(Refused::ValidatorKeyUsed));

    // Under another name: one member has one validator.
    world.decide(keyed(did.clone(), validator(7, None))).unwrap();
    assert_eq!(world.names().1, ["v-01", "v-03", "v-07"]);
    world.decide(Change::Validator { did: did.clone(), validator: None }).unwrap();
    assert_eq!(world.names().1, ["v-01", "v-03"]);
    assert_eq!(world.decide(Change::Validator { did, validator: None }), Err(Refused::ValidatorUnknown));
}

/// Two keys that signature lines do not tell apart under this name, found as a member would find them.
fn alike(name: &str, kind: SignatureKind) -> [Hash; 2] {
    let mut seen = HashMap::new();
    let points = (0_u64..).map(|number| sha256(&number.to_be_bytes()));
    let keys = points.filter_map(|bytes| Some((bytes, PublicKey::from_bytes(bytes.as_bytes()).ok()?)));
    let mut ids = keys.map(|(bytes, key)| (bytes, VerifierKey::new(name, kind, key).unwrap().id()));
    ids.find_map(|(bytes, id)| Some([seen.insert(id, bytes)?, bytes])).unwrap()
}

#[test]
fn keys_that_signatures_do_not_tell_apart_are_refused() {
    let mut world = World::founded(three);
    let origin = world.block.origin.clone();
    let did = world.department.did();
    let with_witness = |witness, log| GenesisValidator { witness, log: public(log), ..validator(2, None) };
    let [one, other] = alike(&format!("{origin}/v-02"), SignatureKind::CosignatureV1);
    world.decide(keyed(did.clone(), with_witness(one, 90))).unwrap();
    // Evidence against the first would be refused, since its lines do not verify under the second.
    assert_eq!(world.decide(keyed(did.clone(), with_witness(other, 91))), Err(Refused::ValidatorKeyUsed));

    let [one, other] = alike(&origin, SignatureKind::Ed25519);
    let with_log = |log, number| GenesisValidator { log, ..validator(number, None) };
    world.decide(keyed(did, with_log(one, 20))).unwrap();
    // What the first signs as the log would claim to be by the second, and every note of its department be refused.
    assert_eq!(world.decide(keyed(world.other.did(), with_log(other, 21))), Err(Refused::ValidatorKeyUsed));
}

#[test]
fn every_refusal_of_a_validator_is_named() {
    let mut world = World::founded(three);
    let newcomer = world.settle_stranger();
    let did = world.department.did();
    let peer = |consensus, transport| Peer {
        consensus: public(consensus),
        transport: public(transport),
        address: "ledger.example:7000".into(),
    };
    let fresh = || validator(9, None);
    let cases = [
        (GenesisValidator { name: "Upper".into(), ..fresh() }, Refused::ValidatorMalformed),
        (GenesisValidator { name: "validators".into(), ..fresh() }, Refused::ValidatorMalformed),
        (GenesisValidator { member: Some(newcomer.clone()), ..fresh() }, Refused::ValidatorMalformed),
        (GenesisValidator { log: public(20), witness: public(20), ..fresh() }, Refused::ValidatorMalformed),
        (GenesisValidator { log: ledger::Hash::from([0; 32]), ..fresh() }, Refused::ValidatorMalformed),
        (GenesisValidator { peer: Some(peer(80, 81)), ..fresh() }, Refused::ValidatorMalformed),
        (GenesisValidator { peer: Some(peer(19, 81)), ..fresh() }, Refused::ValidatorMalformed),
        (GenesisValidator { name: "v-03".into(), ..fresh() }, Refused::ValidatorNameTaken),
        (GenesisValidator { log: public(3), ..fresh() }, Refused::ValidatorKeyUsed),
    ];
    for (validator, refused) in cases {
        let change = keyed(did.clone(), validator);
        assert_eq!(world.act(|w| &w.authority, &propose(change.clone())), Err(refused), "{change:?}");
    }
    let stranger = keyed(newcomer, fresh());
    assert_eq!(world.act(|w| &w.authority, &propose(stranger)), Err(Refused::MemberUnknown));

    let mut alone = World::new();
    let named = GenesisValidator { name: "solo".into(), ..fresh() };
    let did = alone.department.did();
    alone.decide(keyed(did.clone(), named)).unwrap();
    let retired = alone.decide(Change::Validator { did, validator: None });
    assert_eq!(retired, Err(Refused::LastValidator), "a name that nobody had claimed is claimed by vote");
}

#[test]
fn a_set_of_validators_has_a_limit() {
    let mut world = World::founded(|genesis| {
        let count = u8::try_from(MAX_VALIDATORS).unwrap();
        genesis.validators = (1..=count).map(|number| validator(number, None)).collect();
    });
    let one_more = keyed(world.department.did(), validator(60, None));
    assert_eq!(world.act(|w| &w.authority, &propose(one_more)), Err(Refused::TooManyValidators));
    let instead = keyed(world.department.did(), GenesisValidator { name: "v-01".into(), ..validator(60, None) });
    assert!(world.act(|w| &w.authority, &propose(instead)).is_ok());
}

#[test]
fn who_signed_two_histories_is_suspended_and_its_validator_leaves_with_the_epoch() {
    let mut world = World::founded(three);
    let evidence = world.evidence(&[2, 3], &[1, 2]);
    let index = world.next_index;
    world.act(|w| &w.authority, &evidence).unwrap();
    let member: Member = world.value(&member_key(&world.department.did()));
    assert!(member.is_suspended_at(index) && member.holds_at(index) && !member.is_in_good_standing());
    assert_eq!(world.act(|w| &w.department, &anchor()), Err(Refused::Suspended));
    assert_eq!(world.names().1, ["v-01", "v-03"]);
    let history: ValidatorHistory = world.value(&validator_key("v-02"));
    assert_eq!(history.keys[0].convicted, Some(index));
    world.act(|w| &w.other, &anchor()).unwrap();
    world.end_epoch();
    assert_eq!(world.names().0, ["v-01", "v-03"]);

    // The same again convicts nobody, also under other words about the same keys.
    assert_eq!(world.act(|w| &w.authority, &evidence), Err(Refused::ConvictedBefore));
    let other = world.evidence(&[2], &[2]);
    assert_eq!(world.act(|w| &w.authority, &other), Err(Refused::ConvictedBefore));

    // Readmitted by the two who vote, with new keys.
    let did = world.department.did();
    let number = world.next_index;
    let back =
        Change::Admit { did: did.clone(), name: "Sample department".into(), validator: Some(validator(2, None)) };
    assert_eq!(world.act(|w| &w.authority, &propose(back)), Err(Refused::ValidatorKeyUsed));
    let back = GenesisValidator { log: public(90), witness: public(91), ..validator(2, None) };
    let back = Change::Admit { did: did.clone(), name: "Sample department".into(), validator: Some(back) };
    world.act(|w| &w.authority, &propose(back)).unwrap();
    world.act(|w| &w.other, &approve(number)).unwrap();
    let member: Member = world.value(&member_key(&did));
    assert!(member.is_in_good_standing() && member.is_suspended_at(number));
    world.act(|w| &w.department, &anchor()).unwrap();
    assert_eq!(world.act(|w| &w.authority, &evidence), Err(Refused::ConvictedBefore));
    world.end_epoch();
    assert_eq!(world.names().0, ["v-01", "v-02", "v-03"]);
}

#[test]
fn evidence_against_keys_of_the_past_counts() {
    let mut world = World::founded(three);
    let did = world.department.did();
    let rotated = GenesisValidator { log: public(90), witness: public(91), ..validator(2, None) };
    world.decide(keyed(did.clone(), rotated)).unwrap();
    world.end_epoch();
    let evidence = world.evidence(&[2], &[2]);
    world.act(|w| &w.authority, &evidence).unwrap();
    assert!(!world.value::<Member>(&member_key(&did)).is_in_good_standing());
    assert_eq!(world.names().1, ["v-01", "v-03"]);
}

#[test]
fn what_is_no_evidence_changes_nothing() {
    let mut world = World::founded(three);
    let honest = world.evidence(&[1, 2], &[3]);
    let unknown = world.evidence(&[8], &[8]);
    let agree = Operation::Evidence(SplitEvidence { one: world.note("one", &[1]), other: world.note("one", &[1]) });
    let elsewhere = |note: String, origin: &str| note.replace(origin, "xinfu/other/f00d");
    let [one, other] = ["one", "other"].map(|root| elsewhere(world.note(root, &[1]), &world.block.origin));
    let forged = SplitEvidence {
        one: world.note("one", &[1]),
        other: world.note("one", &[1]).replace(&sha256(b"one").to_base64(), &sha256(b"other").to_base64()),
    };
    let cases = [
        (honest, SplitEvidenceError::Nobody),
        (unknown, SplitEvidenceError::Nobody),
        (agree, SplitEvidenceError::SameRoot),
        (Operation::Evidence(SplitEvidence { one, other }), SplitEvidenceError::OtherOrigin),
    ];
    for (operation, error) in cases {
        assert_eq!(world.act(|w| &w.authority, &operation), Err(Refused::Evidence(error)), "{operation:?}");
    }
    let outcome = world.act(|w| &w.authority, &Operation::Evidence(forged));
    assert!(matches!(outcome, Err(Refused::Evidence(SplitEvidenceError::BadCosignature(_)))));
}

#[test]
fn the_last_validator_cannot_be_convicted_away() {
    let mut world = World::founded(|genesis| genesis.validators = vec![validator(1, None)]);
    let evidence = world.evidence(&[1], &[1]);
    assert_eq!(world.act(|w| &w.authority, &evidence), Err(Refused::LastValidator));
}

#[test]
fn a_state_without_validators_stops_the_node() {
    let mut world = World::new();
    world.state.remove(super::super::VALIDATORS);
    assert!(policy_in_force(&world.state).is_err());
    world.state.remove(super::super::RULES);
    assert!(close_block(&world.state, &world.block, world.next_index).is_err());
}

#[test]
fn a_suspended_member_keeps_no_vote() {
    let mut world = World::founded(three);
    let newcomer = world.settle_stranger();
    let number = world.next_index;
    world.act(|w| &w.department, &propose(admit(newcomer.clone()))).unwrap();
    let evidence = world.evidence(&[2], &[2]);
    world.act(|w| &w.authority, &evidence).unwrap();
    world.act(|w| &w.other, &approve(number)).unwrap();
    assert!(!world.state.contains_key(&member_key(&newcomer)), "of the two who vote, one");
    world.act(|w| &w.authority, &approve(number)).unwrap();
    assert!(world.state.contains_key(&member_key(&newcomer)));
}
