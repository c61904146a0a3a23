//! Admitting and expelling members by vote.

use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::super::{
    Accredit, Anchor, AnchorKind, Change, Ending, Genesis, MAX_OPEN_PROPOSALS, MAX_PROPOSAL_SECONDS, MEMBERS, Member,
    OnProposal, Operation, Period, Proposal, Propose, Refused, Relayed, Role, VoteRule, Voters, accreditation_key,
    member_key, proposal_key,
};
use super::world::{Party, START, World};
use crate::did::Did;

const DAY: i64 = 86_400;

pub(super) fn propose(change: Change) -> Operation {
    Operation::Propose(Propose { change, until: START + DAY })
}

pub(super) fn approve(proposal: u64) -> Operation {
    Operation::Approve(OnProposal { proposal })
}

pub(super) fn admit(did: Did) -> Change {
    Change::Admit { did, name: "Sample newcomer".into(), validator: None }
}

fn withdraw(proposal: u64) -> Operation {
    Operation::Withdraw(OnProposal { proposal })
}

fn anchor() -> Operation {
    Operation::Anchor(Anchor::new(AnchorKind::Credential, ledger::sha256(b"batch"), 1))
}

impl World {
    /// Puts the stranger's DID on the ledger, and gives it.
    pub(super) fn settle_stranger(&mut self) -> Did {
        let create = Relayed::Create(Box::new(self.stranger.create.clone()));
        self.act(|w| &w.authority, &Operation::Relay(create)).unwrap();
        self.stranger.did()
    }

    /// Proposes as one member and approves as another, which is two thirds of three; gives the proposal's number.
    pub(super) fn decide(&mut self, change: Change) -> Result<u64, Refused> {
        let number = self.next_index;
        self.act(|w| &w.department, &propose(change))?;
        self.act(|w| &w.other, &approve(number))?;
        Ok(number)
    }

    fn member(&self, did: &Did) -> Member {
        self.value(&member_key(did))
    }
}

#[test]
fn two_of_three_members_admit_a_fourth_who_may_then_submit() {
    let mut world = World::new();
    let newcomer = world.settle_stranger();
    assert_eq!(world.act(|w| &w.stranger, &anchor()), Err(Refused::NotMember));
    let number = world.next_index;
    world.act(|w| &w.department, &propose(admit(newcomer.clone()))).unwrap();
    assert!(!world.state.contains_key(&member_key(&newcomer)), "one approval is not enough");
    world.act(|w| &w.other, &approve(number)).unwrap();

    let member = world.member(&newcomer);
    assert_eq!((member.from, member.until, member.authority), (number + 1, None, false));
    assert!(member.holds_at(number + 1) && !member.holds_at(number));
    let proposal: Proposal = world.value(&proposal_key(number));
    assert_eq!((proposal.accepted, proposal.approvals.len()), (Some(number + 1), 2));
    assert!(world.value::<Vec<Did>>(MEMBERS).contains(&newcomer));
    world.act(|w| &w.stranger, &anchor()).unwrap();
}

#[test]
fn an_expelled_member_may_no_longer_submit_and_what_it_was_given_ends() {
    let mut world = World::new();
    let other = world.other.did();
    let accredit = Accredit {
        subject: other.clone(),
        role: Role::Issuer,
        types: vec!["urn:sample:type".into()],
        claims: Vec::new(),
        purposes: Vec::new(),
        from: START,
        until: START + DAY,
        delegable: false,
    };
    world.act(|w| &w.authority, &Operation::Accredit(accredit)).unwrap();
    let number = world.next_index;
    world.act(|w| &w.authority, &propose(Change::Expel { did: other.clone() })).unwrap();
    world.act(|w| &w.department, &approve(number)).unwrap();
    assert_eq!(world.act(|w| &w.other, &anchor()), Err(Refused::NotMember));
    let history: super::super::AccreditationHistory = world.value(&accreditation_key(&other));
    assert_eq!((history.grants[0].ended, history.grants[0].ending), (Some(number + 1), Some(Ending::Expelled)));

    // Readmitted by the two that are left, it begins anew.
    let again = world.next_index;
    world.act(|w| &w.authority, &propose(admit(other.clone()))).unwrap();
    world.act(|w| &w.department, &approve(again)).unwrap();
    let member = world.member(&other);
    assert_eq!((member.from, member.until), (again + 1, None));
    assert_eq!(member.earlier, vec![Period { from: 2, until: Some(number + 1) }]);
    assert!(member.holds_at(number) && !member.holds_at(again) && member.holds_at(again + 1));
    world.act(|w| &w.other, &anchor()).unwrap();
}

#[test]
fn the_rule_of_genesis_decides_who_votes_and_how_many() {
    let rule = |rule: VoteRule| move |genesis: &mut Genesis| genesis.votes = Some(rule);
    // Authorities alone: the one there is decides alone, and others have no vote.
    let mut world = World::founded(rule(VoteRule { of: Voters::Authorities, share: [2, 3] }));
    let newcomer = world.settle_stranger();
    let number = world.next_index;
    world.act(|w| &w.department, &propose(admit(newcomer.clone()))).unwrap();
    assert_eq!(world.act(|w| &w.other, &approve(number)), Err(Refused::NotAVoter));
    world.act(|w| &w.authority, &approve(number)).unwrap();
    assert!(world.member(&newcomer).is_in_good_standing());

    // All members: two of three are not enough.
    let mut world = World::founded(rule(VoteRule { of: Voters::Members, share: [1, 1] }));
    let newcomer = world.settle_stranger();
    let number = world.decide(admit(newcomer.clone())).unwrap();
    assert!(!world.state.contains_key(&member_key(&newcomer)));
    world.act(|w| &w.authority, &approve(number)).unwrap();
    assert!(world.member(&newcomer).is_in_good_standing());
}

#[test]
fn only_approvals_that_still_stand_are_counted() {
    let mut world = World::new();
    let newcomer = world.settle_stranger();
    let number = world.next_index;
    world.act(|w| &w.department, &propose(admit(newcomer.clone()))).unwrap();
    // The approval of a member that was expelled since is not counted.
    let expulsion = world.next_index;
    world.act(|w| &w.authority, &propose(Change::Expel { did: world.department.did() })).unwrap();
    world.act(|w| &w.other, &approve(expulsion)).unwrap();
    world.act(|w| &w.other, &approve(number)).unwrap();
    assert!(!world.state.contains_key(&member_key(&newcomer)), "one of the two that are left");
    world.act(|w| &w.other, &withdraw(number)).unwrap();
    assert_eq!(world.act(|w| &w.other, &withdraw(number)), Err(Refused::NotApproved));
    world.act(|w| &w.authority, &approve(number)).unwrap();
    assert!(!world.state.contains_key(&member_key(&newcomer)), "the other one's was withdrawn");
    world.act(|w| &w.other, &approve(number)).unwrap();
    assert!(world.member(&newcomer).is_in_good_standing());
}

#[test]
fn proposals_end() {
    let mut world = World::new();
    let newcomer = world.settle_stranger();
    let number = world.next_index;
    world.act(|w| &w.department, &propose(admit(newcomer.clone()))).unwrap();
    world.set_time(START + DAY);
    assert_eq!(world.act(|w| &w.other, &approve(number)), Err(Refused::ProposalExpired));
    assert_eq!(world.act(|w| &w.department, &withdraw(number)), Err(Refused::ProposalExpired));
    world.set_time(START + DAY - 1);
    world.act(|w| &w.department, &withdraw(number)).unwrap();
    assert_eq!(world.act(|w| &w.other, &approve(number)), Err(Refused::ProposalClosed));
    let done = world.decide(admit(newcomer)).unwrap();
    assert_eq!(world.act(|w| &w.authority, &approve(done)), Err(Refused::ProposalClosed));
}

#[test]
fn every_refusal_of_a_proposal_is_named() {
    let mut world = World::new();
    let newcomer = world.settle_stranger();
    let [authority, other] = [world.authority.did(), world.other.did()];
    let nobody = Party::new(9).did();
    let late = |until: i64| Operation::Propose(Propose { change: admit(newcomer.clone()), until });
    let named = Change::Admit { did: newcomer.clone(), name: "two\nlines".into(), validator: None };
    let cases = [
        (late(START), Refused::ProposalPeriod),
        (late(START + MAX_PROPOSAL_SECONDS + 1), Refused::ProposalPeriod),
        (propose(admit(nobody.clone())), Refused::DidUnknown),
        (propose(admit(other)), Refused::AlreadyMember),
        (propose(named), Refused::ProposalMalformed("name")),
        (propose(Change::Expel { did: nobody }), Refused::MemberUnknown),
        (propose(Change::Expel { did: newcomer.clone() }), Refused::MemberUnknown),
        (propose(Change::Expel { did: authority }), Refused::LastAuthority),
        (approve(999), Refused::ProposalUnknown),
        (withdraw(999), Refused::ProposalUnknown),
    ];
    for (operation, refused) in cases {
        assert_eq!(world.act(|w| &w.department, &operation), Err(refused), "{operation:?}");
    }
    let number = world.next_index;
    world.act(|w| &w.department, &propose(admit(newcomer.clone()))).unwrap();
    assert_eq!(world.act(|w| &w.department, &approve(number)), Err(Refused::ApprovedBefore));
    for _ in 1..MAX_OPEN_PROPOSALS {
        world.act(|w| &w.department, &propose(admit(newcomer.clone()))).unwrap();
    }
    assert_eq!(world.act(|w| &w.department, &propose(admit(newcomer.clone()))), Err(Refused::TooManyProposals));
    world.act(|w| &w.department, &withdraw(number)).unwrap();
    world.act(|w| &w.department, &propose(admit(newcomer))).unwrap();
}

#[test]
fn an_approval_that_could_no_longer_be_carried_out_is_refused() {
    let mut world = World::new();
    let newcomer = world.settle_stranger();
    let [first, second] = [0, 1].map(|_| {
        let number = world.next_index;
        world.act(|w| &w.department, &propose(admit(newcomer.clone()))).unwrap();
        number
    });
    world.act(|w| &w.other, &approve(first)).unwrap();
    // Of four members now, three must approve.
    world.act(|w| &w.other, &approve(second)).unwrap();
    assert_eq!(world.act(|w| &w.authority, &approve(second)), Err(Refused::AlreadyMember));
}

#[test]
fn a_member_whose_did_ended_votes_no_more_and_is_not_counted() {
    let mut world = World::new();
    let newcomer = world.settle_stranger();
    world.act(|w| &w.other, &Operation::Deactivate).unwrap();
    let number = world.next_index;
    world.act(|w| &w.department, &propose(admit(newcomer.clone()))).unwrap();
    world.act(|w| &w.authority, &approve(number)).unwrap();
    assert!(world.member(&newcomer).is_in_good_standing());
}

/// What a sample member tries.
#[derive(Debug, Clone, Copy)]
enum Try {
    Admit,
    Expel(usize),
    Approve(usize),
    Withdraw(usize),
}

fn tries() -> impl Strategy<Value = Vec<(usize, Try)>> {
    let what = prop_oneof![
        Just(Try::Admit),
        (0_usize..4).prop_map(Try::Expel),
        (0_usize..6).prop_map(Try::Approve),
        (0_usize..6).prop_map(Try::Withdraw),
    ];
    proptest::collection::vec((0_usize..4, what), 1..24)
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]

    /// Whatever members try, in whatever order: every acceptance had two thirds of those who then voted.
    #[test]
    fn nothing_changes_without_two_thirds(tries in tries()) {
        let mut world = World::new();
        world.settle_stranger();
        let mut made = Vec::new();
        for (by, what) in tries {
            let did = |world: &World, place: usize| {
                [&world.authority, &world.department, &world.other, &world.stranger][place].did()
            };
            let operation = match what {
                Try::Admit => propose(admit(did(&world, 3))),
                Try::Expel(whom) => propose(Change::Expel { did: did(&world, whom) }),
                Try::Approve(which) => approve(made.get(which).copied().unwrap_or(0)),
                Try::Withdraw(which) => withdraw(made.get(which).copied().unwrap_or(0)),
            };
            let standing: Vec<Did> = (0..4).map(|place| did(&world, place)).filter(|did| {
                world.state.get(&member_key(did)).is_some_and(|value| {
                    serde_json::from_slice::<Member>(value).unwrap().is_in_good_standing()
                })
            }).collect();
            let number = world.next_index;
            let jws = {
                let party = [&world.authority, &world.department, &world.other, &world.stranger][by];
                world.transaction(party, &operation)
            };
            let accepted = world.submit(&jws);
            prop_assert!(accepted.is_err() || standing.contains(&did(&world, by)));
            let Ok(accepted) = accepted else { continue };
            if matches!(operation, Operation::Propose(_)) {
                made.push(number);
            }
            let members_changed = accepted.writes.keys().any(|key| key.starts_with("member"));
            let carried_out = made.iter().filter_map(|made| {
                let proposal: Proposal = world.value(&proposal_key(*made));
                proposal.accepted.filter(|at| *at == number).map(|_| proposal)
            }).next();
            prop_assert_eq!(members_changed, carried_out.is_some());
            if let Some(proposal) = carried_out {
                let approved = proposal.approvals.iter().filter(|a| a.until.is_none() && standing.contains(&a.by));
                prop_assert!(approved.count() * 3 >= standing.len() * 2);
            }
        }
    }
}
