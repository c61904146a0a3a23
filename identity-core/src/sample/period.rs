//! A sample service's chain of receipts on a sample ledger, its export for a period, and the same with one thing wrong in it.
//! All keys are Ed25519, so the files are the same each time.

use std::collections::BTreeMap;

use ledger::batch::BatchTree;
use ledger::{Hash, StateProof, sha256};

use super::ledger::{START, SampleLedger};
use super::parties::Party;
use super::world::{NOW, World, attestation};
use crate::anchor::AnchorError;
use crate::crypto::SecretKey;
use crate::did::DidUrl;
use crate::duty::UnverifiedAttestation;
use crate::period::{AnchoredRange, Period, PeriodError};
use crate::problem::Code;
use crate::receipt::{ChainFault, ChainHead, Presented, Processed, Receipt};
use crate::registry::{Anchor, AnchorKind, DutyHolder, Operation, ServiceType, did_key, receipts_key};
use crate::sd_jwt::ClaimPath;
use crate::time::UnixSeconds;
use crate::withdrawal::{Acknowledgement, Kept, Kind};

/// Receipts of the sample service; the last waits for the ledger.
const RECEIPTS: u64 = 12;
/// The ranges that are on the ledger.
const RANGES: [(u64, u64); 4] = [(1, 2), (3, 5), (6, 8), (9, 11)];
/// The place of an acknowledgement.
const ACKNOWLEDGEMENT: u64 = 7;

/// A service, its chain, and the ledger that has it.
pub struct Service {
    /// The chain of blocks.
    pub ledger: SampleLedger,
    /// The service.
    pub asker: Party,
    /// Another department.
    pub other: Party,
    /// What the service signed, by place.
    pub entries: Vec<String>,
    /// What the official signed over each request: the same, for there are no answers behind the receipts.
    word: String,
    /// Log indexes of the anchors.
    anchored: Vec<u64>,
}

/// A period export that must be refused.
pub struct Mutation {
    /// What was done to it.
    pub name: &'static str,
    /// The file, of which nothing is signed by whom it should not be.
    pub period: Period,
    /// Why it is refused.
    pub expected: PeriodError,
}

/// When the entry at a place was made.
pub fn made_at(seq: u64) -> UnixSeconds {
    UnixSeconds(START + 600 * i64::try_from(seq).unwrap())
}

impl Service {
    /// The service with its chain as it should be.
    #[expect(clippy::new_without_default, reason = "a service is made on purpose, never by default")]
    pub fn new() -> Self {
        let (authority, asker) = (Party::new(1, ServiceType::Ledger), Party::new(3, ServiceType::Verifier));
        let other = Party::new(5, ServiceType::Verifier);
        let ledger = SampleLedger::founded_by(&[&authority, &asker, &other], &authority);
        let word = attestation(&asker.did(), &World::new().request).sign(&asker.duty()).unwrap();
        let mut service = Self { ledger, asker, other, entries: Vec::new(), word, anchored: Vec::new() };
        service.entries = service.chain(&[], RECEIPTS, &service.asker.authenticator(), "accepted");
        for (first, last) in RANGES {
            let anchor = service.anchor(AnchorKind::Receipt, first, last);
            service.anchored.push(service.ledger.act(&service.asker, &Operation::Anchor(anchor)));
        }
        service.ledger.seal(made_at(RECEIPTS).0 + 60);
        service
    }

    /// Entries that follow these, up to a place, all with this verdict.
    fn chain(&self, known: &[String], last: u64, key: &SecretKey, verdict: &str) -> Vec<String> {
        let mut entries = known.to_vec();
        while place(entries.len()) < last {
            let seq = place(entries.len()) + 1;
            let head = entries.last().map_or(ChainHead::default(), |text| ChainHead::after(seq - 1, text));
            entries.push(self.entry(head, key, verdict));
        }
        entries
    }

    fn entry(&self, head: ChainHead, key: &SecretKey, verdict: &str) -> String {
        let (seq, name) = (head.seq + 1, DidUrl::parse(&self.asker.key_name("auth-1")).unwrap());
        if seq == ACKNOWLEDGEMENT {
            let kept = Kept { what: Kind::Receipt, basis: "Sample Act, article 2".to_owned(), until: None };
            let acknowledgement = Acknowledgement {
                iss: self.asker.did(),
                iat: made_at(seq),
                withdrawal: sha256(b"a withdrawal"),
                receipt: sha256(b"a receipt"),
                deleted: vec![Kind::Claims, Kind::Presentation],
                kept: vec![kept],
                passed_on: false,
                seq,
                previous: head.digest,
            };
            return acknowledgement.sign(&name, key).unwrap();
        }
        let shown = Presented {
            digest: sha256(&seq.to_be_bytes()),
            vct: Some("urn:sample:credential:resident:1".to_owned()),
            claims: vec![ClaimPath::top("address"), ClaimPath::top("name")],
        };
        let attestation = UnverifiedAttestation::parse(&self.word).unwrap();
        let processed = Processed {
            service: &self.asker.did(),
            attestation: attestation.word(),
            holder: DutyHolder::Official,
            presentations: BTreeMap::from([("id".to_owned(), vec![shown])]),
            refused: Code::parse(verdict),
            at: made_at(seq),
        };
        Receipt::following(head, processed).sign(&name, key).unwrap()
    }

    fn anchor(&self, kind: AnchorKind, first: u64, last: u64) -> Anchor {
        let tree = BatchTree::new(&self.digests(first, last)).unwrap();
        let anchor = Anchor::new(kind, tree.root(), tree.count());
        let head = self.digests(last, last).pop();
        Anchor { first: Some(first), last: Some(last), head, ..anchor }
    }

    fn digests(&self, first: u64, last: u64) -> Vec<Hash> {
        (first..=last).map(|seq| sha256(self.text(seq).as_bytes())).collect()
    }

    fn text(&self, seq: u64) -> &String {
        &self.entries[usize::try_from(seq - 1).unwrap()]
    }

    fn state(&self, key: &str) -> StateProof {
        self.ledger.state_proof(key, NOW.0 + 9_000)
    }

    /// The period in which the entries from `first` to `last` were made; up to the end if that is the last there is.
    pub fn period(&self, first: u64, last: u64) -> Period {
        let did = self.asker.did();
        let (keys, anchored) = (self.state(&did_key(&did)), self.state(&receipts_key(&did)));
        let mut period = Period::of(did, (made_at(first), made_at(last + 1)), keys, anchored);
        period.before = (first > 1).then(|| self.text(first - 1).clone());
        period.entries = (first..=last).map(|seq| self.text(seq).clone()).collect();
        period.after = (last < RECEIPTS).then(|| self.text(last + 1).clone());
        let (begin, end) = (first.saturating_sub(1).max(1), (last + 1).min(RECEIPTS));
        for ((first, last), index) in RANGES.into_iter().zip(&self.anchored) {
            if last < begin || first > end {
                continue;
            }
            period.ranges.push(AnchoredRange {
                first,
                last,
                leading: if first < begin { self.digests(first, begin - 1) } else { Vec::new() },
                trailing: if last > end { self.digests(end + 1, last) } else { Vec::new() },
                transaction: self.ledger.leaf(*index).to_owned(),
                proof: self.ledger.log_proof(*index, NOW.0 + 9_000),
            });
        }
        period
    }

    /// A period in the middle: entries 5 to 9, with parts of ranges at both ends.
    pub fn middle(&self) -> Period {
        self.period(5, 9)
    }

    /// A period that is not over: entries 9 to 12, of which the last waits.
    pub fn open(&self) -> Period {
        self.period(9, RECEIPTS)
    }

    /// A period in which nothing was done.
    pub fn nothing(&self) -> Period {
        let mut period = self.period(6, 5);
        (period.from, period.to) = (made_at(5).plus(1), made_at(6));
        period
    }

    /// Everything that may be tried on an auditor, by whoever has the service's own keys.
    pub fn mutations(&self) -> Vec<Mutation> {
        let own = self.asker.authenticator();
        let middle = |name, expected, change: &dyn Fn(&mut Period)| {
            let mut period = self.middle();
            change(&mut period);
            Mutation { name, period, expected }
        };
        let open = |name, expected, change: &dyn Fn(&mut Period)| {
            let mut period = self.open();
            change(&mut period);
            Mutation { name, period, expected }
        };
        let chain = PeriodError::Chain;
        // The same places, made anew by the service from here on.
        let forked = |from: u64| {
            self.chain(&self.entries[..usize::try_from(from - 1).unwrap()], RECEIPTS, &own, "kb_jwt.missing")
        };
        let at = |entries: &[String], seq: u64| entries[usize::try_from(seq - 1).unwrap()].clone();
        let fork = |first, last| PeriodError::Forked { first, last };
        vec![
            middle("a receipt cut out", chain(ChainFault::Misplaced { seq: 7 }), &|p| drop(p.entries.remove(2))),
            middle("a receipt twice", chain(ChainFault::Misplaced { seq: 7 }), &|p| {
                p.entries.insert(2, p.entries[1].clone())
            }),
            middle("two receipts in each other's place", chain(ChainFault::Misplaced { seq: 6 }), &|p| {
                p.entries.swap(1, 2)
            }),
            middle("a receipt made anew", chain(ChainFault::Altered { seq: 6 }), &|p| p.entries[1] = at(&forked(6), 6)),
            middle("a receipt that a stranger signed", chain(ChainFault::Signature { seq: 6 }), &|p| {
                let strange = self.chain(&self.entries[..5], 6, &self.other.authenticator(), "accepted");
                p.entries[1] = at(&strange, 6);
            }),
            middle("a receipt without its signature", chain(ChainFault::Signature { seq: 6 }), &|p| {
                let (signed, _) = p.entries[1].rsplit_once('.').unwrap();
                p.entries[1] = format!("{signed}.{}", p.entries[2].rsplit_once('.').unwrap().1);
            }),
            middle("no receipts", chain(ChainFault::Misplaced { seq: 5 }), &|p| p.entries.clear()),
            middle("the first receipt left out, with the one before", PeriodError::Time { seq: 5 }, &|p| {
                p.before = Some(p.entries.remove(0));
            }),
            middle("the last receipt left out, with the one after", PeriodError::Time { seq: 9 }, &|p| {
                p.after = p.entries.pop();
            }),
            middle("no receipt before", chain(ChainFault::Misplaced { seq: 1 }), &|p| p.before = None),
            middle("no receipt after", chain(ChainFault::CutOff { seq: 10 }), &|p| p.after = None),
            middle("the tail cut off", chain(ChainFault::CutOff { seq: 9 }), &|p| {
                p.entries.truncate(4);
                p.after = None;
            }),
            middle("the tail cut off, and an end made for it", fork(9, 11), &|p| {
                let made = self.chain(&self.entries[..8], 9, &own, "kb_jwt.missing");
                p.entries.truncate(4);
                p.after = Some(at(&made, 9));
                p.to = made_at(9);
                p.ranges[2].trailing = self.digests(10, 11);
            }),
            middle("a forked chain", fork(6, 8), &|p| {
                let made = forked(6);
                p.entries = (5..=9).map(|seq| at(&made, seq)).collect();
                p.after = Some(at(&made, 10));
            }),
            middle("a fork behind the last anchor of the period", fork(9, 11), &|p| {
                let made = forked(9);
                p.entries[4] = at(&made, 9);
                p.after = Some(at(&made, 10));
            }),
            middle("a fork, and its anchors left out", PeriodError::Uncovered { seq: 6 }, &|p| {
                let made = forked(6);
                p.entries = (5..=9).map(|seq| at(&made, seq)).collect();
                p.after = Some(at(&made, 10));
                p.ranges.truncate(1);
            }),
            middle("no anchors", PeriodError::Uncovered { seq: 4 }, &|p| p.ranges.clear()),
            middle("the first anchor left out", PeriodError::Uncovered { seq: 4 }, &|p| drop(p.ranges.remove(0))),
            middle("an anchor in the middle left out", PeriodError::Uncovered { seq: 6 }, &|p| {
                drop(p.ranges.remove(1))
            }),
            middle("an anchor twice", PeriodError::Uncovered { seq: 6 }, &|p| p.ranges.insert(1, p.ranges[0].clone())),
            middle("anchors in each other's place", PeriodError::Uncovered { seq: 4 }, &|p| p.ranges.swap(0, 1)),
            middle("a digest before the period left out", PeriodError::Uncovered { seq: 3 }, &|p| {
                p.ranges[0].leading.clear()
            }),
            middle("another digest behind the period", fork(9, 11), &|p| {
                p.ranges[2].trailing = vec![sha256(b"another")]
            }),
            middle("an anchor by another department", PeriodError::AnchorSender, &|p| self.anchored_by_another(p)),
            middle("an anchor of another kind", PeriodError::Anchor(AnchorError::OtherKind), &|p| {
                self.notarised(p);
            }),
            middle("an anchor that is in no log", PeriodError::Anchor(AnchorError::NotInLog), &|p| {
                p.ranges[1].proof = p.ranges[0].proof.clone();
            }),
            middle("an anchor with a bound moved", PeriodError::Uncovered { seq: 6 }, &|p| {
                (p.ranges[1].first, p.ranges[1].last) = (7, 9);
            }),
            middle("a period that begins earlier", PeriodError::Time { seq: 4 }, &|p| p.from = made_at(4)),
            middle("a period that begins later", PeriodError::Time { seq: 5 }, &|p| p.from = made_at(6)),
            middle("a period that ends earlier", PeriodError::Time { seq: 9 }, &|p| p.to = made_at(9)),
            middle("a period that ends later", PeriodError::Time { seq: 10 }, &|p| p.to = made_at(11)),
            middle("another service's name", PeriodError::State, &|p| p.service = self.other.did()),
            middle("another service's head", PeriodError::State, &|p| {
                p.anchored = self.state(&receipts_key(&self.other.did()))
            }),
            middle("another service's keys", PeriodError::State, &|p| p.keys = self.state(&did_key(&self.other.did()))),
            middle("a head that the ledger does not have", PeriodError::State, &|p| {
                p.anchored.value = Some(br#"{"last":4,"head":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#.to_vec());
            }),
            middle("the head from before the period", PeriodError::State, &|p| p.anchored = self.earlier_head()),
            middle("two histories of the ledger", PeriodError::SplitView, &|p| p.anchored = self.other_history()),
            open("the tail cut off at the end", chain(ChainFault::CutOff { seq: 11 }), &|p| p.entries.truncate(2)),
            open("a fork at the end", fork(9, 11), &|p| {
                let made = forked(11);
                p.entries = (9..=12).map(|seq| at(&made, seq)).collect();
            }),
            open("the last anchor left out", PeriodError::Uncovered { seq: 9 }, &|p| p.ranges.truncate(1)),
        ]
    }

    /// The other department anchors the service's receipts as its own.
    fn anchored_by_another(&self, period: &mut Period) {
        let mut ledger = self.ledger.clone();
        let anchor = Anchor { first: Some(1), last: Some(3), ..self.anchor(AnchorKind::Receipt, 6, 8) };
        let index = ledger.act(&self.other, &Operation::Anchor(anchor));
        self.on(period, &mut ledger, index);
    }

    /// The service has its receipts notarised, which keeps no chain.
    fn notarised(&self, period: &mut Period) {
        let mut ledger = self.ledger.clone();
        let anchor = self.anchor(AnchorKind::Notarised, 6, 8);
        let index =
            ledger.act(&self.asker, &Operation::Anchor(Anchor { first: None, last: None, head: None, ..anchor }));
        self.on(period, &mut ledger, index);
    }

    /// All that the ledger says, said by one that has gone on, and the range in the middle by this entry of it.
    fn on(&self, period: &mut Period, ledger: &mut SampleLedger, index: u64) {
        ledger.seal(NOW.0 + 8_900);
        let (did, time) = (self.asker.did(), NOW.0 + 9_000);
        period.keys = ledger.state_proof(&did_key(&did), time);
        period.anchored = ledger.state_proof(&receipts_key(&did), time);
        for (range, index) in period.ranges.iter_mut().zip([self.anchored[1], index, self.anchored[3]]) {
            (range.transaction, range.proof) = (ledger.leaf(index).to_owned(), ledger.log_proof(index, time));
        }
    }

    /// How far the ledger had the chain when two ranges were on it.
    fn earlier_head(&self) -> StateProof {
        let mut earlier = self.ledger_with(2);
        earlier.seal(made_at(8).0);
        earlier.state_proof(&receipts_key(&self.asker.did()), NOW.0 + 9_000)
    }

    /// The same ledger with only the first ranges on it, in a block that has not ended.
    fn ledger_with(&self, ranges: usize) -> SampleLedger {
        let authority = Party::new(1, ServiceType::Ledger);
        let mut ledger = SampleLedger::founded_by(&[&authority, &self.asker, &self.other], &authority);
        for (first, last) in RANGES.into_iter().take(ranges) {
            ledger.act(&self.asker, &Operation::Anchor(self.anchor(AnchorKind::Receipt, first, last)));
        }
        ledger
    }

    /// How far another history of the ledger, of the same length, has the chain; its validator signs both.
    fn other_history(&self) -> StateProof {
        let mut other = self.ledger_with(RANGES.len() - 1);
        let anchor = self.anchor(AnchorKind::Receipt, 9, 10);
        other.act(&self.asker, &Operation::Anchor(anchor));
        other.seal(made_at(RECEIPTS).0 + 60);
        other.state_proof(&receipts_key(&self.asker.did()), NOW.0 + 9_000)
    }
}

fn place(entries: usize) -> u64 {
    u64::try_from(entries).unwrap()
}
