//! Judged as of a past moment: what happened in between counts only from its own log index on.

use ledger::{PastMoment, sha256};

use crate::crypto::Signer as _;
use crate::duty::DutyError;
use crate::registry::{
    Change, Compromise, EndAccreditation, EndDelegation, KeyUse, OnProposal, Operation, Propose, Role, Schema, Update,
    accreditation_key, duty_key,
};
use crate::sample::ledger::START;
use crate::sample::parties::{Party, entry, key};
use crate::sample::world::{DUTY, LIST, NOW, VCT, World, accredit, anchor, duty};
use crate::sd_jwt_vc::CredentialError;
use crate::status;
use crate::time::UnixSeconds;
use crate::trust;
use crate::verdict::{
    AnchorRule, AsOf, EvidenceError, Fault, FetchedList, OnUndetermined, Refusal, Status, StatusDoubt, Verified, When,
    judge, needs,
};

const DAY: i64 = 86_400;
/// When something happens on the ledger.
const CHANGE: i64 = START + 5 * DAY;
/// When the ledger's last block is sealed.
const END: i64 = START + 9 * DAY;

/// The verdict on what was shown at [`NOW`], as of `moment`.
fn judged(world: &World, moment: &PastMoment) -> Result<Verified, Refusal> {
    let evidence = world.evidence.prepare(world.ledger.trust_root())?;
    let when = When { received: NOW, as_of: AsOf::Past(moment) };
    judge(&world.presentation(), &evidence, &world.policy, when)
}

fn judged_at(world: &World, seconds: i64) -> Result<Verified, Refusal> {
    judged(world, &world.ledger.moment(seconds))
}

/// A world in which this happens at [`CHANGE`], presented and fetched at the end.
fn after(happens: &dyn Fn(&mut World)) -> World {
    let mut world = World::new();
    world.ledger.seal(CHANGE - 2 * DAY);
    happens(&mut world);
    world.ledger.seal(CHANGE);
    world.ledger.seal(END);
    settled(world)
}

fn settled(mut world: World) -> World {
    world.present();
    world.fetch();
    // Lists are a subject of their own below.
    world.policy.undetermined = OnUndetermined::Accept;
    world
}

fn act(world: &mut World, who: fn(&World) -> &Party, operation: Operation) {
    let party = who(world);
    let jws = world.ledger.signed_by(party, &operation);
    world.ledger.try_act(&jws).unwrap();
}

fn rotate(world: &mut World) {
    let add_keys = vec![entry("assert-2", 2, 11, KeyUse::AssertionMethod)];
    let update = Update { add_keys, remove_keys: vec!["assert-1".to_owned()], ..Update::default() };
    act(world, |w| &w.issuer, Operation::Update(update));
}

fn report(world: &mut World) {
    act(world, |w| &w.issuer, Operation::Compromise(Compromise { key: "assert-1".to_owned() }));
}

fn expel(world: &mut World, who: fn(&World) -> &Party) {
    let change = Change::Expel { did: who(world).did() };
    let proposal = world.ledger.act(&world.authority, &Operation::Propose(Propose { change, until: CHANGE + DAY }));
    let other = if who(world).did() == world.asker.did() { &world.issuer } else { &world.asker };
    world.ledger.act(other, &Operation::Approve(OnProposal { proposal }));
}

fn end_accreditation(world: &mut World, who: fn(&World) -> &Party) {
    let subject = who(world).did();
    let proof = world.ledger.state_proof(&accreditation_key(&subject), NOW.0);
    let proven = proof.verify(&world.ledger.trust_root()).unwrap();
    let accreditation = trust::accreditations(&proven, &subject).unwrap().grants.last().unwrap().id;
    act(world, |w| &w.authority, Operation::EndAccreditation(EndAccreditation { subject, accreditation }));
}

fn end_delegation(world: &mut World) {
    let asker = world.asker.did();
    let proof = world.ledger.state_proof(&duty_key(&asker, DUTY), NOW.0);
    let proven = proof.verify(&world.ledger.trust_root()).unwrap();
    let delegation = trust::duty_history(&proven, &asker, DUTY).unwrap().delegations.last().unwrap().id;
    act(world, |w| &w.asker, Operation::EndDelegation(EndDelegation { duty: DUTY.to_owned(), delegation }));
}

fn new_type(world: &mut World) {
    let schema = Schema { vct: VCT.to_owned(), digest: sha256(b"the next version") };
    act(world, |w| &w.authority, Operation::Schema(schema));
}

#[test]
fn the_day_before_a_change_and_the_day_after() {
    type Happens = &'static dyn Fn(&mut World);
    let ended = Refusal::Duty(DutyError::Ended);
    let cases: [(&str, Happens, Option<Refusal>); 12] = [
        ("nothing happens", &|_| {}, None),
        // What was anchored before stays good: the issuer's part is read as of the anchor.
        ("the issuer's key is replaced", &rotate, None),
        ("the issuer's key is reported stolen", &report, None),
        ("the issuer is expelled", &|w| expel(w, |w| &w.issuer), None),
        ("the issuer's accreditation ends", &|w| end_accreditation(w, |w| &w.issuer), None),
        ("the issuer ends its DID", &|w| act(w, |w| &w.issuer, Operation::Deactivate), None),
        ("the type gets a new version", &new_type, None),
        // Whoever asks must be allowed to at the moment itself.
        ("the asker's accreditation ends", &|w| end_accreditation(w, |w| &w.asker), Some(Refusal::AskerType)),
        ("the asker is expelled", &|w| expel(w, |w| &w.asker), Some(Refusal::AskerType)),
        ("the asker ends its DID", &|w| act(w, |w| &w.asker, Operation::Deactivate), Some(Refusal::AskerType)),
        ("the delegation ends", &end_delegation, Some(ended)),
        (
            "the duty passes to another key",
            &|w| {
                let key = crate::jose::Jwk::new(key(3, 77).public_key().clone());
                let delegate = crate::registry::Delegate { key, from: CHANGE, ..duty() };
                act(w, |w| &w.asker, Operation::Delegate(Box::new(delegate)));
            },
            Some(ended),
        ),
    ];
    for (what, happens, refused_after) in cases {
        let world = after(happens);
        assert_eq!(judged_at(&world, CHANGE - DAY).err(), None, "{what}: the day before");
        assert_eq!(judged_at(&world, CHANGE - 1).err(), None, "{what}: the second before");
        assert_eq!(judged_at(&world, CHANGE).err(), refused_after, "{what}: from its block on");
        assert_eq!(judged_at(&world, CHANGE + DAY).err(), refused_after, "{what}: the day after");
        // The newest moment is now.
        let last = judged_at(&world, END);
        assert_eq!(last.as_ref().err(), world.judge().as_ref().err(), "{what}: now");
        if let Ok(verified) = last {
            assert_eq!(verified.past(), Some(world.ledger.moment(END).index()));
            let credential = &verified.credentials()["id"][0];
            assert_eq!(credential.anchor.as_ref().unwrap().index(), world.anchored);
            assert_eq!(credential.status, Status::Undetermined(StatusDoubt::OtherTime));
        }
    }
}

#[test]
fn what_is_given_again_holds_again() {
    let mut world = World::new();
    world.ledger.seal(CHANGE - 2 * DAY);
    end_accreditation(&mut world, |w| &w.asker);
    world.ledger.seal(CHANGE);
    let again = accredit(&world.asker, Role::Verifier);
    world.grant(again, CHANGE + 2 * DAY);
    world.ledger.seal(END);
    let world = settled(world);
    for (seconds, refused) in [(CHANGE - DAY, None), (CHANGE + DAY, Some(Refusal::AskerType)), (CHANGE + 3 * DAY, None)]
    {
        assert_eq!(judged_at(&world, seconds).err(), refused, "{seconds}");
    }
}

#[test]
fn what_is_anchored_after_a_change_is_refused_at_every_moment_whatever_date_it_claims() {
    type Happens = &'static dyn Fn(&mut World);
    let cases: [(&str, Happens, Refusal); 5] = [
        ("rotation", &rotate, Refusal::IssuerKeyEnded),
        ("report", &report, Refusal::IssuerKeyCompromised),
        ("accreditation", &|w| end_accreditation(w, |w| &w.issuer), Refusal::IssuerNotAccredited),
        ("type", &new_type, Refusal::TypeNotRegistered),
        // Nothing was wrong; it only was not there yet.
        ("late", &|_| {}, Refusal::AnchoredLater),
    ];
    for (what, happens, refusal) in cases {
        let mut world = World::new();
        world.ledger.seal(CHANGE - 2 * DAY);
        happens(&mut world);
        world.ledger.seal(CHANGE);
        world.anchored = world.ledger.act(&world.issuer, &Operation::Anchor(anchor(&world.credential).1));
        world.ledger.seal(CHANGE + 2 * DAY);
        world.ledger.seal(END);
        let world = settled(world);
        for seconds in [START + 4000, CHANGE - DAY, CHANGE + DAY] {
            assert_eq!(judged_at(&world, seconds).err(), Some(Refusal::AnchoredLater), "{what}: {seconds}");
        }
        let later = judged_at(&world, CHANGE + 3 * DAY).err();
        assert_eq!(later, Some(refusal).filter(|refusal| *refusal != Refusal::AnchoredLater), "{what}");
    }
    let later = Refusal::AnchoredLater;
    assert_eq!(
        (later.code().as_str(), later.fault(), later.may_be_lifted()),
        ("verdict.anchor.later", Fault::Issuer, false)
    );
}

#[test]
fn without_an_anchor_nothing_tells_that_it_was_there() {
    let mut world = after(&|_| {});
    (world.anchors, world.policy.anchor) = (None, AnchorRule::Optional);
    assert!(world.judge().is_ok());
    assert_eq!(judged_at(&world, END).err(), Some(Refusal::AnchorMissing));
}

#[test]
fn its_own_dates_are_read_at_that_time() {
    let mut world = World::new();
    for day in 1..20 {
        world.ledger.seal(START + day * DAY);
    }
    let world = settled(world);
    let at = |seconds| judged_at(&world, seconds).err();
    assert_eq!((at(START + 11 * DAY), at(START + 12 * DAY)), (None, Some(CredentialError::Expired.into())));
    // Made at `START + 3600`, and dated so.
    assert_eq!(at(START + 3600), None);
    assert_eq!(at(START + 3599), Some(Refusal::AnchoredLater));
}

#[test]
fn the_key_that_signed_the_question_must_have_been_the_askers_then() {
    let mut world = World::new();
    world.certify();
    world.ledger.seal(CHANGE - 2 * DAY);
    act(&mut world, |w| &w.asker, Operation::Compromise(Compromise { key: "auth-1".to_owned() }));
    world.ledger.seal(CHANGE);
    world.ledger.seal(END);
    let world = settled(world);
    assert_eq!(judged_at(&world, CHANGE - DAY).err(), None);
    assert_eq!(judged_at(&world, CHANGE + DAY).err(), Some(Refusal::Evidence(EvidenceError::Absent)));
}

#[test]
fn a_status_is_known_only_from_a_list_that_was_at_hand_then() {
    let mut world = after(&rotate);
    world.policy.undetermined = OnUndetermined::Refuse;
    let [then, later] = [CHANGE - DAY, CHANGE + DAY].map(|seconds| world.ledger.moment(seconds));
    let with = |world: &mut World, status, fetched_at| {
        let issued_at = UnixSeconds(fetched_at);
        let validity = status::Validity { issued_at, expires: issued_at.plus(3600), ttl: 600 };
        let mut list = status::StatusList::new(status::Bits::Two, 1 << 17).unwrap();
        list.set(crate::sample::world::INDEX, status).unwrap();
        let name = world.issuer.key_name("assert-1");
        let token = status::sign(&list, LIST, validity, &name, &world.issuer.asserter()).unwrap();
        world.evidence.status_lists.insert(LIST.to_owned(), FetchedList { token, fetched_at: issued_at });
    };
    // The list's key has been replaced since. It was the issuer's then.
    with(&mut world, status::Status::Valid, CHANGE - DAY - 30);
    assert_eq!(judged(&world, &then).unwrap().credentials()["id"][0].status, Status::Valid);
    with(&mut world, status::Status::Invalid, CHANGE - DAY - 30);
    assert_eq!(judged(&world, &then).err(), Some(Refusal::Revoked));
    with(&mut world, status::Status::Suspended, CHANGE - DAY - 30);
    assert_eq!(judged(&world, &then).err(), Some(Refusal::Suspended));
    let undetermined = |doubt| Some(Refusal::StatusUndetermined(doubt));
    // Revoked by now, or still valid: neither tells of then. Nor does a copy that was too old by then.
    for status in [status::Status::Invalid, status::Status::Valid] {
        for fetched_at in [CHANGE - DAY + 1, CHANGE - DAY - 700] {
            with(&mut world, status, fetched_at);
            assert_eq!(judged(&world, &then).err(), undetermined(StatusDoubt::OtherTime), "{fetched_at}");
        }
    }
    // Signed by a key that had been replaced by then, whenever it was fetched.
    with(&mut world, status::Status::Valid, CHANGE + DAY - 30);
    assert_eq!(judged(&world, &later).err(), undetermined(StatusDoubt::SignerUnknown));
    world.evidence.status_lists.clear();
    assert_eq!(judged(&world, &then).err(), undetermined(StatusDoubt::NoList));
    world.policy.undetermined = OnUndetermined::Accept;
    let verified = judged(&world, &then).unwrap();
    assert_eq!(verified.credentials()["id"][0].status, Status::Undetermined(StatusDoubt::NoList));
}

#[test]
fn evidence_may_be_of_any_age_if_it_reaches_the_moment() {
    let mut world = World::new();
    world.ledger.seal(CHANGE);
    let early = world.evidence.clone();
    world.policy.undetermined = OnUndetermined::Accept;
    // Fetched before the block of the change.
    let older = Some(Refusal::Evidence(EvidenceError::OlderThanMoment));
    assert_eq!(judged_at(&world, CHANGE).err(), older);
    assert_eq!(judged_at(&world, CHANGE - 1).err(), None, "until then nothing had followed");
    let wanted = needs(&world.presentation(), &world.policy).unwrap().knowing(world.ledger.moment(CHANGE).index());
    let missing = world.prepared().missing(&wanted, world.policy.evidence, NOW);
    assert_eq!(missing.states.len(), wanted.states.len());
    world.fetch();
    assert_eq!(judged_at(&world, CHANGE).err(), None);
    // Stale and from the future, for whoever judges as of now.
    world.evidence = early;
    world.policy.evidence.max_age = 10;
    assert_eq!(judged_at(&world, CHANGE - 1).err(), None);
    assert_eq!(world.judge().err(), Some(Refusal::Evidence(EvidenceError::Stale)));
}

#[test]
fn a_moment_of_another_history_is_refused() {
    let mut world = World::new();
    let mut fork = world.ledger.clone();
    fork.seal(CHANGE);
    world.ledger.seal(CHANGE + 1);
    let world = settled(world);
    let moment = fork.moment(CHANGE);
    assert_eq!(judged(&world, &moment).err(), Some(Refusal::Evidence(EvidenceError::SplitView)));
}
