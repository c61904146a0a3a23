//! What happens on a ledger: accreditations and duties are given, begin, end, are taken back, replaced and cut off above.
//! Everything is submitted as a real transaction; what the rules refuse stands in the story as refused.

use identity_core::crypto::Signer;
use identity_core::jose::Jwk;
use identity_core::registry::{
    Accredit, Change, Delegate, DutyHolder, EndAccreditation, EndDelegation, Label, OnProposal, Operation, Propose,
    Role,
};
use identity_core::sample::ledger::{START, SampleLedger};
use identity_core::sample::parties::Party;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::choose::{chance, each, one, some};
use super::scene::{BEGIN, DUTIES, OFFICIALS, PURPOSES, Scene, TYPES};

/// Blocks in a story.
pub(crate) const BLOCKS: usize = 6;
/// Beyond the end of every story.
const FAR: i64 = START + 10_000_000;
/// The paths that accreditations and duties name.
const PATHS: [&[&str]; 6] =
    [&["name"], &["address"], &["address", "region"], &["sex"], &["permits"], &["permits", "code"]];

/// A story: what happened, as the oracle reads it, and the ledger at the end of each block.
pub(crate) struct Story {
    pub(crate) blocks: Vec<Value>,
    pub(crate) ledgers: Vec<SampleLedger>,
    /// The duties that were given, each with the key.
    pub(crate) duties: Vec<(&'static str, &'static str)>,
}

/// Tells a story. In its first block much is given, so that there is something to ask for; then anything happens.
pub(crate) fn tell(scene: &Scene, rng: &mut StdRng) -> Story {
    let mut time = BEGIN;
    let times = std::array::from_fn(|_| {
        time += one(rng, &[60, 3600, 6 * 3600, 86_400]);
        time
    });
    let mut teller = Teller {
        scene,
        rng,
        ledger: scene.ledger.clone(),
        times,
        number: 0,
        given: Vec::new(),
        expelled: Vec::new(),
        duties: Vec::new(),
    };
    let mut story = Story { blocks: Vec::new(), ledgers: Vec::new(), duties: Vec::new() };
    for (block, time) in times.into_iter().enumerate() {
        teller.ledger.begin(time);
        let acts = if block == 0 { teller.beginning() } else { teller.anything() };
        teller.ledger.seal(time);
        story.blocks.push(json!({ "time": time, "acts": acts }));
        story.ledgers.push(teller.ledger.clone());
    }
    story.duties = teller.duties;
    story
}

struct Teller<'a> {
    scene: &'a Scene,
    rng: &'a mut StdRng,
    ledger: SampleLedger,
    times: [i64; BLOCKS],
    /// Acts so far, refused ones included.
    number: u64,
    given: Vec<Given>,
    expelled: Vec<&'static str>,
    duties: Vec<(&'static str, &'static str)>,
}

/// An accreditation or a delegation that was given, by its number in the story and its log index.
#[derive(Clone)]
struct Given {
    number: u64,
    index: u64,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Accreditation(&'static str),
    Duty(&'static str),
}

impl Teller<'_> {
    fn beginning(&mut self) -> Vec<Value> {
        let mut acts = vec![self.accredit(0, "authority", "middle"), self.accredit(0, "middle", "asker")];
        if chance(self.rng, 80) {
            acts.push(self.accredit(0, "authority", "asker"));
        }
        acts.extend([0, 1, 2].map(|place| self.delegate(0, DUTIES[place])));
        acts
    }

    fn anything(&mut self) -> Vec<Value> {
        let block = self.block();
        let acts = self.rng.random_range(0..4);
        (0..acts).filter_map(|_| self.something(block)).collect()
    }

    fn something(&mut self, block: usize) -> Option<Value> {
        let giver = one(self.rng, &["authority", "middle", "middle", "asker"]);
        let whom = one(self.rng, &["middle", "asker", "asker"]);
        let duty = one(self.rng, &DUTIES[..3]);
        match self.rng.random_range(0..100) {
            0..30 => Some(self.accredit(block, giver, whom)),
            30..60 => Some(self.delegate(block, duty)),
            60..75 => self.end_accreditation(giver),
            75..93 => self.end_delegation(),
            93..96 => Some(self.deactivate(whom)),
            _ => self.expel(whom),
        }
    }

    fn accredit(&mut self, block: usize, by: &'static str, to: &'static str) -> Value {
        let (from, until) = self.period(block);
        let role = if chance(self.rng, 95) { Role::Verifier } else { Role::Issuer };
        let accredit = Accredit {
            subject: self.party(to).did(),
            role,
            types: self.types(by),
            claims: self.claims(role, by),
            purposes: if chance(self.rng, 5) { Vec::new() } else { each(self.rng, &names(&PURPOSES), width(by)) },
            from,
            until,
            delegable: to == "middle" && chance(self.rng, 90),
        };
        let said = json!({"act": "accredit", "to": to, "role": accredit.role, "types": accredit.types,
            "claims": accredit.claims, "purposes": accredit.purposes, "from": from, "until": until,
            "delegable": accredit.delegable});
        self.submit(by, &Operation::Accredit(accredit), said, Some(Kind::Accreditation(to)))
    }

    fn delegate(&mut self, block: usize, duty: &'static str) -> Value {
        let (from, until) = self.period(block);
        let role = if chance(self.rng, 95) { Role::Verifier } else { Role::Issuer };
        let (official, holder) =
            (one(self.rng, &OFFICIALS), one(self.rng, &[DutyHolder::Official, DutyHolder::Service]));
        self.duties.push((duty, official));
        let purposes = if role == Role::Verifier { some(self.rng, &names(&PURPOSES), 85) } else { Vec::new() };
        let delegate = Delegate {
            duty: duty.to_owned(),
            holder,
            title: Label { en: "Sample desk".to_owned(), zh: "示例窗口".to_owned() },
            key: Jwk::new(self.scene.key_of(official).public_key().clone()),
            role,
            types: self.types("asker"),
            claims: self.claims(role, "asker"),
            purposes,
            case_required: chance(self.rng, 25),
            from,
            until,
        };
        let said = json!({"act": "delegate", "duty": duty, "key": official, "holder": holder, "role": role,
            "types": delegate.types, "claims": delegate.claims, "purposes": delegate.purposes,
            "case_required": delegate.case_required, "from": from, "until": until});
        self.submit("asker", &Operation::Delegate(Box::new(delegate)), said, Some(Kind::Duty(duty)))
    }

    fn end_accreditation(&mut self, by: &'static str) -> Option<Value> {
        let accreditations = self.given.iter().filter(|given| matches!(given.kind, Kind::Accreditation(_)));
        let accreditations: Vec<Given> = accreditations.cloned().collect();
        let Given { number, index, kind: Kind::Accreditation(to) } = one(self.rng, &accreditations) else {
            return None;
        };
        let end = EndAccreditation { subject: self.party(to).did(), accreditation: index };
        let said = json!({"act": "end-accreditation", "to": to, "of": number});
        Some(self.submit(by, &Operation::EndAccreditation(end), said, None))
    }

    fn end_delegation(&mut self) -> Option<Value> {
        let duties: Vec<Given> =
            self.given.iter().filter(|given| matches!(given.kind, Kind::Duty(_))).cloned().collect();
        let Given { number, index, kind: Kind::Duty(duty) } = one(self.rng, &duties) else { return None };
        let end = EndDelegation { duty: duty.to_owned(), delegation: index };
        let said = json!({"act": "end-delegation", "duty": duty, "of": number});
        Some(self.submit("asker", &Operation::EndDelegation(end), said, None))
    }

    fn deactivate(&mut self, who: &'static str) -> Value {
        self.submit(who, &Operation::Deactivate, json!({"act": "deactivate"}), None)
    }

    /// By the votes of all who may; in the story it is one act, of the authority.
    fn expel(&mut self, whom: &'static str) -> Option<Value> {
        if self.expelled.contains(&whom) {
            return None;
        }
        self.expelled.push(whom);
        let until = self.times[self.block()] + 86_400;
        let change = Change::Expel { did: self.party(whom).did() };
        let scene = self.scene;
        let proposal = self.ledger.act(&scene.authority, &Operation::Propose(Propose { change, until }));
        for party in [&scene.issuer, &scene.middle, &scene.asker] {
            let vote = self.ledger.signed_by(party, &Operation::Approve(OnProposal { proposal }));
            // Who is gone does not vote, and nobody does any more once it is decided.
            let _ = self.ledger.try_act(&vote);
        }
        Some(self.told("authority", json!({"act": "expel", "to": whom}), None))
    }

    fn submit(&mut self, by: &'static str, operation: &Operation, said: Value, gives: Option<Kind>) -> Value {
        let transaction = self.ledger.signed_by(self.party(by), operation);
        let taken = self.ledger.try_act(&transaction);
        if let (Ok(index), Some(kind)) = (&taken, gives) {
            self.given.push(Given { number: self.number, index: *index, kind });
        }
        self.told(by, said, taken.err().map(|refused| refused.code().as_str()))
    }

    fn told(&mut self, by: &str, mut said: Value, refused: Option<&'static str>) -> Value {
        (said["n"], said["by"], said["refused"]) = (json!(self.number), json!(by), json!(refused));
        self.number += 1;
        said
    }

    /// Around the blocks of the story, so that a second more or less decides.
    fn period(&mut self, block: usize) -> (i64, i64) {
        let around = |rng: &mut StdRng, times: &[i64]| one(rng, times) + one(rng, &[-1, 0, 0, 1]);
        let from = if chance(self.rng, 80) { START } else { around(self.rng, &self.times) };
        let until = if chance(self.rng, 75) { FAR } else { around(self.rng, &self.times) };
        // The ledger takes only periods that end later than they begin, and than now.
        if until > from && until > self.times[block] { (from, until) } else { (from, FAR) }
    }

    fn types(&mut self, by: &str) -> Vec<String> {
        some(self.rng, &names(&TYPES), width(by))
    }

    fn claims(&mut self, role: Role, by: &str) -> Vec<Vec<String>> {
        let percent = width(by);
        match role {
            Role::Verifier => some(self.rng, &PATHS, percent).into_iter().map(names).collect(),
            Role::Issuer => Vec::new(),
        }
    }

    fn party(&self, name: &str) -> &Party {
        match name {
            "authority" => &self.scene.authority,
            "middle" => &self.scene.middle,
            _ => &self.scene.asker,
        }
    }

    fn block(&self) -> usize {
        usize::try_from(self.ledger.height() - self.scene.ledger.height()).unwrap()
    }
}

/// The authority gives much to the one in the middle, so that there is something to give on; in percent.
fn width(by: &str) -> u32 {
    if by == "authority" { 95 } else { 75 }
}

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}
