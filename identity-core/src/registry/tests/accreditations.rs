//! Who may do what, on whose word, from when to when.

use ledger::sha256;

use super::super::{
    Accredit, AccreditationHistory, EndAccreditation, Ending, Grant, MAX_ACCREDITATION_SECONDS, Operation, Refused,
    Role, Schema, accreditation_key,
};
use super::world::{START, World};
use crate::did::Did;

const TYPE: &str = "urn:sample:type";

fn issuer(subject: Did) -> Accredit {
    Accredit {
        subject,
        role: Role::Issuer,
        types: vec![TYPE.to_owned()],
        claims: Vec::new(),
        purposes: Vec::new(),
        from: START,
        until: START + 1000,
        delegable: false,
    }
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{TYPE}:{number}")).collect()
}

fn grants(world: &World, did: &Did) -> Vec<Grant> {
    let history: AccreditationHistory = serde_json::from_slice(&world.state[&accreditation_key(did)]).unwrap();
    history.grants
}

#[test]
fn an_accreditation_holds_from_its_index_and_lapses_at_a_seal() {
    let mut world = World::new();
    let did = world.department.did();
    let index = world.next_index;
    world.act(|world| &world.authority, &Operation::Accredit(issuer(did.clone()))).unwrap();
    world.close();
    assert_eq!(grants(&world, &did)[0].started, Some(index));
    world.set_time(START + 999);
    world.close();
    assert_eq!(grants(&world, &did)[0].ended, None);
    world.set_time(START + 1000);
    let seal = world.next_index;
    world.close();
    let grant = grants(&world, &did).remove(0);
    assert_eq!((grant.ended, grant.ending), (Some(seal), Some(Ending::Lapsed)));
    assert!(grant.holds_at(seal - 1) && !grant.holds_at(seal) && !grant.holds_at(index - 1));
}

#[test]
fn a_future_accreditation_starts_by_itself() {
    let mut world = World::new();
    let did = world.department.did();
    let future = Accredit { from: START + 200_000, until: START + 300_000, ..issuer(did.clone()) };
    world.act(|world| &world.authority, &Operation::Accredit(future)).unwrap();
    world.close();
    assert_eq!(grants(&world, &did)[0].started, None);
    // One late block writes start and lapse alike, in their order.
    world.set_time(START + 400_000);
    let seal = world.next_index;
    world.close();
    let grant = grants(&world, &did).remove(0);
    assert_eq!((grant.started, grant.ended), (Some(seal), Some(seal)));
    assert!(!grant.holds_at(seal));
    let before = world.state.clone();
    world.close();
    assert_eq!(world.state, before);
}

#[test]
fn every_bad_accreditation_has_its_own_refusal() {
    let mut world = World::new();
    let good = issuer(world.department.did());
    let with = |change: &dyn Fn(&mut Accredit)| {
        let mut accredit = good.clone();
        change(&mut accredit);
        Operation::Accredit(accredit)
    };
    let stranger = world.stranger.did();
    let cases = [
        (with(&|a| a.types.clear()), Refused::AccreditationMalformed("types")),
        (with(&|a| a.types = vec![String::new()]), Refused::AccreditationMalformed("types")),
        (with(&|a| a.types = numbered(257)), Refused::AccreditationMalformed("types")),
        (with(&|a| a.types = vec![TYPE.to_owned(); 2]), Refused::AccreditationMalformed("types")),
        (with(&|a| a.purposes = vec!["loan".into(); 2]), Refused::AccreditationMalformed("purposes")),
        (
            with(&|a| (a.role, a.claims) = (Role::Verifier, vec![vec!["name".into()]; 2])),
            Refused::AccreditationMalformed("claims"),
        ),
        (with(&|a| a.claims = vec![vec!["name".into()]]), Refused::AccreditationMalformed("claims")),
        (with(&|a| a.role = Role::Verifier), Refused::AccreditationMalformed("claims")),
        (with(&|a| a.purposes = vec!["\u{1b}[31m".into()]), Refused::AccreditationMalformed("purposes")),
        (with(&|a| a.until = a.from), Refused::AccreditationPeriod),
        (with(&|a| (a.from, a.until) = (START - 10, START)), Refused::AccreditationPeriod),
        (with(&|a| a.until = START + MAX_ACCREDITATION_SECONDS + 1), Refused::AccreditationPeriod),
        (with(&|a| a.subject = stranger.clone()), Refused::DidUnknown),
    ];
    for (operation, expected) in cases {
        assert_eq!(world.act(|world| &world.authority, &operation).unwrap_err(), expected);
    }
    let stranger = super::super::Relayed::Create(Box::new(world.stranger.create.clone()));
    world.act(|world| &world.authority, &Operation::Relay(stranger)).unwrap();
    let no_member = with(&|a| a.subject = world.stranger.did());
    assert_eq!(world.act(|world| &world.authority, &no_member).unwrap_err(), Refused::SubjectNotMember);
    let by_nobody = Operation::Accredit(issuer(world.other.did()));
    assert_eq!(world.act(|world| &world.department, &by_nobody).unwrap_err(), Refused::NotEntitled);
}

#[test]
fn a_delegated_accreditation_is_nowhere_wider_and_ends_with_its_parent() {
    let mut world = World::new();
    let (department, other) = (world.department.did(), world.other.did());
    let verifier = Accredit {
        role: Role::Verifier,
        claims: vec![vec!["address".into()], vec!["name".into()]],
        purposes: vec!["housing".into()],
        delegable: true,
        ..issuer(department.clone())
    };
    let parent = world.next_index;
    world.act(|world| &world.authority, &Operation::Accredit(verifier.clone())).unwrap();

    let narrow = Accredit { subject: other.clone(), claims: vec![vec!["address".into(), "region".into()]], ..verifier };
    let wider: [&dyn Fn(&mut Accredit); 6] = [
        &|a| a.types.push("urn:sample:more".into()),
        &|a| a.claims.push(vec!["birth_date".into()]),
        &|a| a.purposes.push("tax".into()),
        &|a| a.until += 1,
        &|a| a.from -= 1,
        &|a| (a.role, a.claims) = (Role::Issuer, Vec::new()),
    ];
    for change in wider {
        let mut accredit = narrow.clone();
        change(&mut accredit);
        let refused = world.act(|world| &world.department, &Operation::Accredit(accredit)).unwrap_err();
        assert_eq!(refused, Refused::BeyondOwn);
    }
    world.act(|world| &world.department, &Operation::Accredit(narrow)).unwrap();
    let child = grants(&world, &other).remove(0);
    assert_eq!((child.under, child.depth), (Some(parent), 2));

    let index = world.next_index;
    let end = EndAccreditation { subject: department.clone(), accreditation: parent };
    let refused = world.act(|world| &world.other, &Operation::EndAccreditation(end.clone())).unwrap_err();
    assert_eq!(refused, Refused::EndNotEntitled);
    world.act(|world| &world.authority, &Operation::EndAccreditation(end.clone())).unwrap();
    assert_eq!(grants(&world, &department)[0].ending, Some(Ending::Ended));
    let child = grants(&world, &other).remove(0);
    assert_eq!((child.ended, child.ending), (Some(index), Some(Ending::Chain)));
    let again = world.act(|world| &world.authority, &Operation::EndAccreditation(end)).unwrap_err();
    assert_eq!(again, Refused::AccreditationEnded);
    let unknown = EndAccreditation { subject: department, accreditation: 10_000 };
    let refused = world.act(|world| &world.authority, &Operation::EndAccreditation(unknown)).unwrap_err();
    assert_eq!(refused, Refused::AccreditationUnknown);
}

#[test]
fn a_deactivated_member_loses_what_it_had_and_gave() {
    let mut world = World::new();
    let delegable = Accredit { delegable: true, ..issuer(world.department.did()) };
    world.act(|world| &world.authority, &Operation::Accredit(delegable.clone())).unwrap();
    let given_on = Accredit { subject: world.other.did(), ..delegable };
    world.act(|world| &world.department, &Operation::Accredit(given_on)).unwrap();
    world.act(|world| &world.department, &Operation::Deactivate).unwrap();
    assert_eq!(grants(&world, &world.department.did())[0].ending, Some(Ending::Deactivated));
    assert_eq!(grants(&world, &world.other.did())[0].ending, Some(Ending::Chain));
}

#[test]
fn a_schema_belongs_to_its_registrant() {
    let mut world = World::new();
    let schema = |vct: &str| Operation::Schema(Schema { vct: vct.to_owned(), digest: sha256(vct.as_bytes()) });
    let refused = world.act(|world| &world.department, &schema(TYPE)).unwrap_err();
    assert_eq!(refused, Refused::SchemaNotEntitled);
    for did in [world.department.did(), world.other.did()] {
        world.act(|world| &world.authority, &Operation::Accredit(issuer(did))).unwrap();
    }
    world.act(|world| &world.department, &schema(TYPE)).unwrap();
    let refused = world.act(|world| &world.other, &schema(TYPE)).unwrap_err();
    assert_eq!(refused, Refused::SchemaNotEntitled);
    world.act(|world| &world.department, &schema(TYPE)).unwrap();
    world.act(|world| &world.authority, &schema(TYPE)).unwrap();
    let refused = world.act(|world| &world.authority, &schema("")).unwrap_err();
    assert_eq!(refused, Refused::SchemaMalformed("vct"));
}
