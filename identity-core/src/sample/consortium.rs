//! A sample chain of several members whose validators come and go.

use ledger::TrustRoot;

use super::ledger::{START, SampleLedger, validator};
use super::parties::Party;
use super::world::World;
use crate::registry::{Change, OnProposal, Operation, Propose, Relayed, ServiceType};

/// Blocks in an epoch.
const EPOCH: u64 = 4;

/// The sample world on a chain whose members have changed twice before its credential was anchored.
pub struct Consortium {
    /// Everything else.
    pub world: World,
    /// Members whose validators certify; they vote alike.
    voters: Vec<Party>,
    /// The trust root of the first four validators.
    pub genesis: TrustRoot,
}

impl Consortium {
    /// Four validators found the chain. Two of their members are expelled in one epoch, and two others admitted in the
    /// next, so that no quorum of the first set certifies for the last.
    #[expect(clippy::new_without_default, reason = "a world is made on purpose, never by default")]
    pub fn new() -> Self {
        let founder = |number: u8| Party::new(10 + number, ServiceType::Ledger);
        let (authority, issuer) = (Party::new(1, ServiceType::Ledger), Party::new(2, ServiceType::Issuer));
        let (asker, members) = (Party::new(3, ServiceType::Verifier), [1, 2, 3, 4].map(founder));
        let validators = (1..).zip(&members).map(|(number, member)| validator(number, Some(member.did()))).collect();
        let founders: Vec<&Party> = [&authority, &issuer, &asker].into_iter().chain(&members).collect();
        let ledger = SampleLedger::founded_with(&founders, &authority, validators, EPOCH);
        let genesis = ledger.trust_root();
        let [first, second, third, fourth] = members;
        let voters = vec![Party::new(1, ServiceType::Ledger), Party::new(3, ServiceType::Verifier), first, second];
        let mut growing = Growing { ledger, voters };

        let expelled = [&third, &fourth].map(|member| Change::Expel { did: member.did() });
        growing.decide(&Party::new(2, ServiceType::Issuer), &expelled);
        let newcomers = [5, 6].map(|number| (founder(number), validator(number, None)));
        let admitted = newcomers.map(|(party, validator)| {
            growing.ledger.act(&authority, &Operation::Relay(Relayed::Create(Box::new(party.create.clone()))));
            Change::Admit { did: party.did(), name: "Sample newcomer".to_owned(), validator: Some(validator) }
        });
        growing.decide(&Party::new(2, ServiceType::Issuer), &admitted);
        let Growing { ledger, voters } = growing;
        Self { world: World::on(ledger, authority, issuer, asker), voters, genesis }
    }

    /// Another validator takes the place of the first; the epoch ends, and the new set seals a block, all after
    /// `seconds`.
    pub fn rotate(&mut self, number: u8, seconds: i64) {
        let did = self.voters[2].did();
        let change = Change::Validator { did, validator: Some(validator(number, None)) };
        let issuer = Party::new(2, ServiceType::Issuer);
        decide(&mut self.world.ledger, &issuer, &self.voters, &[change]);
        turn(&mut self.world.ledger, seconds);
    }
}

struct Growing {
    ledger: SampleLedger,
    voters: Vec<Party>,
}

impl Growing {
    fn decide(&mut self, proposer: &Party, changes: &[Change]) {
        decide(&mut self.ledger, proposer, &self.voters, changes);
        let height = self.ledger.height();
        turn(&mut self.ledger, START + i64::try_from(height).unwrap());
    }
}

/// One proposes, the others approve: five are two thirds of seven, and of all smaller numbers here.
fn decide(ledger: &mut SampleLedger, proposer: &Party, voters: &[Party], changes: &[Change]) {
    for change in changes {
        let propose = Propose { change: change.clone(), until: START + 1_000_000 };
        let proposal = ledger.act(proposer, &Operation::Propose(propose));
        for voter in voters {
            // Whoever comes after the one that decided is refused.
            let approve = ledger.signed_by(voter, &Operation::Approve(OnProposal { proposal }));
            let _late = ledger.try_act(&approve);
        }
    }
}

/// Ends the epoch, and one block of the next.
fn turn(ledger: &mut SampleLedger, seconds: i64) {
    let sets = ledger.validators().sets.len();
    for time in seconds.. {
        let done = ledger.validators().sets.len() > sets;
        ledger.seal(time);
        if done {
            return;
        }
    }
}
