//! Genesis files: good, malformed, and what executing one gives.

use super::super::genesis::GenesisError;
use super::super::{Genesis, MAX_EPOCH, Member, Peer, Refused, VoteRule, Voters, member_key};
use super::world::{Party, World, genesis, public};

type Change<'a> = &'a dyn Fn(&mut Genesis);

fn parse(genesis: &Genesis) -> Result<Genesis, GenesisError> {
    Genesis::parse(&serde_json::to_vec(genesis).unwrap())
}

fn peer() -> Peer {
    Peer { consensus: public(202), transport: public(203), address: "ledger.example:7000".into() }
}

#[test]
fn founders_are_members_and_authorities_are_marked() {
    let world = World::new();
    let member = |party: &Party| -> Member { serde_json::from_slice(&world.state[&member_key(&party.did())]).unwrap() };
    assert!(member(&world.authority).authority);
    assert!(!member(&world.department).authority);
    assert_eq!((member(&world.authority).from, member(&world.other).from), (0, 2));
    assert!(!world.state.contains_key(&member_key(&world.stranger.did())));
}

#[test]
fn every_malformed_file_is_named() {
    let founder = Party::new(1);
    let good = genesis(&[&founder], &founder);
    assert!(parse(&good).is_ok());
    let mut ordered = good.clone();
    ordered.validators[0].peer = Some(peer());
    assert_eq!(parse(&ordered).as_ref(), Ok(&ordered));
    let votes = |numerator, denominator| VoteRule { of: Voters::Members, share: [numerator, denominator] };
    let cases: [(&str, Change); 20] = [
        ("chain", &|g| g.chain = "Upper".into()),
        ("chain", &|g| g.chain = "x".repeat(33)),
        ("time", &|g| g.time = -1),
        ("members", &|g| g.members.clear()),
        ("members", &|g| g.members.push(g.members[0].clone())),
        ("authorities", &|g| g.authorities.push(Party::new(9).did())),
        ("validators", &|g| g.validators.clear()),
        ("validators", &|g| g.validators[0].witness = g.validators[0].log),
        ("validators", &|g| g.validators[0].log = ledger::Hash::from([0; 32])),
        ("validators", &|g| g.validators[0].peer = Some(Peer { transport: g.validators[0].log, ..peer() })),
        ("validators", &|g| g.validators[0].peer = Some(Peer { transport: peer().consensus, ..peer() })),
        ("validators", &|g| g.validators[0].peer = Some(Peer { address: "ledger.example".into(), ..peer() })),
        ("validators", &|g| g.validators[0].peer = Some(Peer { address: ":7000".into(), ..peer() })),
        ("validators", &|g| g.validators[0].peer = Some(Peer { address: "ledger.example:0".into(), ..peer() })),
        ("validators", &|g| g.validators[0].member = Some(Party::new(9).did())),
        ("epoch", &|g| g.epoch = Some(0)),
        ("epoch", &|g| g.epoch = Some(MAX_EPOCH + 1)),
        ("votes", &|g| g.votes = Some(votes(1, 2))),
        ("votes", &|g| g.votes = Some(votes(4, 3))),
        ("votes", &|g| g.votes = Some(votes(0, 0))),
    ];
    for (part, change) in cases {
        let mut genesis = good.clone();
        change(&mut genesis);
        assert_eq!(parse(&genesis), Err(GenesisError::Malformed(part)));
    }
    assert_eq!(Genesis::parse(b"{}"), Err(GenesisError::Malformed("json")));
}

#[test]
fn a_file_that_cannot_be_executed_says_why() {
    let founder = Party::new(1);
    let good = genesis(&[&founder], &founder);
    let execute = |genesis: &Genesis| genesis.execute("xinfu/sample/00").map(|_| ());
    let mut twice = good.clone();
    twice.creates.push(founder.create.as_str().to_owned());
    assert_eq!(execute(&twice), Err(GenesisError::Create { which: 1, why: Refused::DidExists }));
    let mut none = good.clone();
    none.creates.clear();
    assert_eq!(execute(&none), Err(GenesisError::NotCreated));
    let mut other = good;
    other.chain = "other".into();
    assert_eq!(execute(&other), Err(GenesisError::Create { which: 0, why: Refused::OtherChain }));
}
