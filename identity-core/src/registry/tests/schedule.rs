//! What is due comes once, in its order, when its time has come; and no value grows with how much is due.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::schedule::{Due, Event, put, take_due_once};
use super::super::state::Overlay;
use super::super::{
    Delegate, DutyHistory, DutyHolder, Ending, Label, Operation, Role, WriteSet, close_block, duty_key,
};
use super::counted::Counted;
use super::world::{Party, START, World, key};
use crate::crypto::Signer as _;
use crate::did::Did;
use crate::jose::Jwk;

/// The most bytes of one value: a list of times, or some entries.
const SMALL: usize = 24 * 1024;
/// Twenty years, in seconds.
const FAR: i64 = 20 * 366 * 86_400;

/// A schedule by itself.
struct Scheduled {
    state: WriteSet,
    now: i64,
    number: u64,
    subject: Did,
}

impl Scheduled {
    fn new() -> Self {
        Self { state: WriteSet::new(), now: START, number: 0, subject: Party::new(1).did() }
    }

    /// Something of the next number, and what putting it in wrote.
    fn put(&mut self, at: i64) -> (Due, WriteSet) {
        self.number += 1;
        let event = if self.number.is_multiple_of(3) { Event::Start } else { Event::Lapse };
        let duty = self.number.is_multiple_of(2).then(|| format!("{:0>64}", self.number));
        let due = Due { at, grant: self.number, event, subject: self.subject.clone(), duty };
        let mut overlay = Overlay::new(&self.state);
        put(&mut overlay, due.clone()).unwrap();
        let writes = overlay.into_writes();
        self.state.extend(writes.clone());
        (due, writes)
    }

    fn take(&mut self) -> Vec<Due> {
        let mut overlay = Overlay::new(&self.state);
        let due = take_due_once(&mut overlay, self.now).unwrap();
        let writes = overlay.into_writes();
        self.state.extend(writes);
        due
    }

    /// Values and bytes that a block reads when nothing has come.
    fn read_for_nothing(&self) -> (usize, usize) {
        let counted = Counted::new(&self.state);
        assert!(take_due_once(&mut Overlay::new(&counted), self.now).unwrap().is_empty());
        let keys = counted.keys();
        (keys.len(), keys.iter().filter_map(|key| self.state.get(key)).map(Vec::len).sum())
    }
}

#[test]
fn however_much_is_due_one_more_writes_and_a_block_reads_little() {
    let mut scheduled = Scheduled::new();
    let mut expected = BTreeSet::new();
    let last_second = (0..1500).map(|_| START + 9_999);
    let one_day = (0..1500).map(|number| START + 10_000 + number * 29);
    let all_years = (0..1500).map(|number| START + 100_000 + number * (FAR - 100_000) / 1500);
    for at in last_second.chain(one_day).chain(all_years) {
        let (due, writes) = scheduled.put(at);
        assert!(writes.len() <= 5 && writes.values().all(|value| value.len() <= SMALL), "{at}");
        expected.insert(due);
    }
    for now in [START, START + 9_998] {
        scheduled.now = now;
        let (values, bytes) = scheduled.read_for_nothing();
        assert!(values <= 3 && bytes <= 2 * SMALL, "{values} values, {bytes} bytes");
    }
    for (now, come) in [(START + 9_999, 1500), (START + 9_999, 0), (START + 90_000, 1500), (START + FAR, 1500)] {
        scheduled.now = now;
        let due = scheduled.take();
        assert_eq!(due.len(), come);
        let (now_due, later) = expected.into_iter().partition(|due| due.at <= now);
        assert_eq!(due, BTreeSet::into_iter(now_due).collect::<Vec<_>>());
        expected = later;
    }
    assert!(scheduled.state.values().all(|value| value == b"[]" || value == b"0"), "what was taken is gone");
}

#[derive(Debug, Clone)]
enum Step {
    Put(i64),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let ahead = || prop_oneof![1_i64..4, 1_i64..2_000, 1_i64..3_000_000, 1_i64..FAR];
    prop_oneof![3 => ahead().prop_map(Step::Put), 1 => ahead().prop_map(Step::Wait)]
}

proptest! {
    #[test]
    fn what_is_due_comes_once_and_in_order(steps in proptest::collection::vec(step(), 1..60)) {
        let mut scheduled = Scheduled::new();
        let mut waiting = BTreeSet::new();
        for step in steps {
            match step {
                Step::Put(ahead) => {
                    let (due, _) = scheduled.put(scheduled.now + ahead);
                    waiting.insert(due);
                }
                Step::Wait(seconds) => {
                    scheduled.now += seconds;
                    let now = scheduled.now;
                    let (come, later): (BTreeSet<_>, _) = waiting.into_iter().partition(|due: &Due| due.at <= now);
                    prop_assert_eq!(scheduled.take(), come.into_iter().collect::<Vec<_>>());
                    prop_assert!(scheduled.take().is_empty());
                    waiting = later;
                }
            }
        }
    }
}

#[test]
fn of_a_duty_that_was_given_often_the_history_is_read_once_when_all_of_it_lapses() {
    let mut world = World::new();
    for number in 0..40 {
        let delegate = Delegate {
            duty: "counter-1".to_owned(),
            holder: DutyHolder::Official,
            title: Label { en: "Sample counter".to_owned(), zh: "示例窗口".to_owned() },
            key: Jwk::new(key(2, 50).public_key().clone()),
            role: Role::Issuer,
            types: vec!["urn:sample:type".to_owned()],
            claims: Vec::new(),
            purposes: Vec::new(),
            case_required: false,
            // Every second one begins in the block in which it ends.
            from: if number % 2 == 0 { START } else { START + 900 },
            until: START + 1000,
        };
        world.act(|world| &world.department, &Operation::Delegate(Box::new(delegate))).unwrap();
    }
    world.set_time(START + 1000);
    let counted = Counted::new(&world.state);
    let writes = close_block(&counted, &world.block, world.next_index).unwrap();
    let key = duty_key(&world.department.did(), "counter-1");
    assert_eq!(counted.reads_of(&key), 1);
    let history: DutyHistory = serde_json::from_slice(&writes[&key]).unwrap();
    let endings: Vec<Ending> = history.delegations.iter().map(|given| given.ending.unwrap()).collect();
    let lapsed = endings.iter().filter(|ending| **ending == Ending::Lapsed).count();
    // Each that begins replaces the one before; at last one is left to lapse.
    assert_eq!((lapsed, endings.last()), (1, Some(&Ending::Lapsed)));
}
