//! The power goes at every step of every write, and what was not synced may be there, in part, or not at all.

use super::*;
use std::sync::{Arc, Mutex};

/// What the platter holds, and what is still on its way.
#[derive(Clone, Default)]
struct State {
    durable: Vec<u8>,
    pending: Vec<Step>,
    /// Steps until the power goes.
    left: usize,
    /// The fault is an error, and the power stays: the step that fails may still have been done.
    done_all_the_same: bool,
}

#[derive(Clone)]
enum Step {
    Write(usize, Vec<u8>),
    Cut(usize),
    Replace(Vec<u8>),
}

fn apply(bytes: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Write(at, content) => {
            bytes.resize(bytes.len().max(at + content.len()), 0);
            bytes[*at..at + content.len()].copy_from_slice(content);
        }
        Step::Cut(length) => bytes.resize(*length, 0),
        Step::Replace(content) => content.clone_into(bytes),
    }
}

struct FaultyDisk(Arc<Mutex<State>>);

impl FaultyDisk {
    fn step(&self, step: Option<Step>) -> Result<(), VaultError> {
        let mut state = self.0.lock().unwrap();
        let failed = state.left == 0;
        if !failed || state.done_all_the_same {
            match step {
                Some(step) => state.pending.push(step),
                None => {
                    let State { durable, pending, .. } = &mut *state;
                    pending.drain(..).for_each(|step| apply(durable, &step));
                }
            }
        }
        state.left = state.left.saturating_sub(1);
        if failed { Err(VaultError::Io(std::io::ErrorKind::Other)) } else { Ok(()) }
    }
}

impl Disk for FaultyDisk {
    fn read_all(&mut self) -> Result<Vec<u8>, VaultError> {
        Ok(self.0.lock().unwrap().durable.clone())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), VaultError> {
        self.step(Some(Step::Write(usize::try_from(offset).unwrap(), bytes.to_vec())))
    }

    fn set_length(&mut self, length: u64) -> Result<(), VaultError> {
        self.step(Some(Step::Cut(usize::try_from(length).unwrap())))
    }

    fn sync(&mut self) -> Result<(), VaultError> {
        self.step(None)
    }

    /// The new name may or may not be there until the directory is synced.
    fn replace(&mut self, content: &[u8]) -> Result<(), VaultError> {
        self.step(Some(Step::Replace(content.to_vec())))?;
        self.step(None)
    }
}

/// Everything that may be on the platter after a crash: each pending step done, not done, or, if it is the one that
/// died, done up to some byte.
fn aftermaths(state: &State) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for subset in 0..1_usize << state.pending.len() {
        let chosen: Vec<_> = (0..state.pending.len()).filter(|at| subset >> at & 1 == 1).collect();
        let mut bytes = state.durable.clone();
        for at in &chosen {
            apply(&mut bytes, &state.pending[*at]);
        }
        all.push(bytes);
        let Some((torn, before)) = chosen.split_last() else { continue };
        if let Step::Write(at, content) = &state.pending[*torn] {
            for length in (0..content.len()).step_by(13) {
                let mut bytes = state.durable.clone();
                before.iter().for_each(|at| apply(&mut bytes, &state.pending[*at]));
                apply(&mut bytes, &Step::Write(*at, content[..length].to_vec()));
                all.push(bytes);
            }
        }
    }
    all
}

/// A vault's bytes and a way to its key without the passphrase, which costs too much to derive each time.
fn start(torn_tail: bool) -> (Vec<u8>, [u8; 32]) {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = create(dir.path());
    vault.append(b"first", &mut rng()).unwrap();
    let mut bytes = fs::read(dir.path().join("vault")).unwrap();
    if torn_tail {
        bytes.extend([9; 40]);
    }
    (bytes, *vault.unlocked.key.key())
}

fn open(bytes: Vec<u8>, key: &[u8; 32], left: usize, done: bool) -> (Result<Vault, VaultError>, Arc<Mutex<State>>) {
    let state = State { durable: bytes.clone(), pending: Vec::new(), left, done_all_the_same: done };
    let state = Arc::new(Mutex::new(state));
    let unlocked = Unlocked::of_key(&bytes, key);
    (Vault::read(Box::new(FaultyDisk(Arc::clone(&state))), unlocked, &bytes), state)
}

const NEVER: usize = usize::MAX;

#[test]
fn nothing_acknowledged_is_lost_whenever_the_power_goes() {
    for torn_tail in [false, true] {
        let (bytes, key) = start(torn_tail);
        // The longest way is: cut, write, sync, write, sync, twice over.
        for left in 0..=10 {
            let (vault, state) = open(bytes.clone(), &key, left, false);
            let mut vault = vault.unwrap();
            let mut acknowledged = vec![b"first".to_vec()];
            let mut attempted = acknowledged.clone();
            for content in [b"second".as_slice(), b"third"] {
                attempted.push(content.to_vec());
                if vault.append(content, &mut rng()).is_err() {
                    break;
                }
                acknowledged.push(content.to_vec());
            }
            let state = state.lock().unwrap().clone();
            for aftermath in aftermaths(&state) {
                let (reopened, _) = open(aftermath, &key, NEVER, false);
                let mut reopened = reopened.unwrap();
                let found = contents(&reopened);
                assert!(found == acknowledged || found == attempted, "after {left} steps");
                // And life goes on.
                reopened.append(b"later", &mut rng()).unwrap();
            }
        }
    }
}

#[test]
fn an_error_that_did_its_work_all_the_same_loses_nothing_either() {
    let (bytes, key) = start(false);
    for left in 0..4 {
        for done in [false, true] {
            let (vault, state) = open(bytes.clone(), &key, left, done);
            let mut vault = vault.unwrap();
            assert!(vault.append(b"second", &mut rng()).is_err());
            assert!(matches!(vault.append(b"third", &mut rng()), Err(VaultError::Poisoned)), "no write after a fault");
            let mut state = state.lock().unwrap().clone();
            let State { durable, pending, .. } = &mut state;
            pending.drain(..).for_each(|step| apply(durable, &step));
            let (reopened, _) = open(state.durable, &key, NEVER, false);
            let found = contents(&reopened.unwrap());
            assert!(found == [b"first".to_vec()] || found == [b"first".to_vec(), b"second".to_vec()]);
        }
    }
}

#[test]
fn a_write_completed_by_the_next_open_is_committed_by_the_next_write() {
    let (bytes, key) = start(false);
    let (vault, state) = open(bytes, &key, 2, false);
    assert!(vault.unwrap().append(b"second", &mut rng()).is_err());
    let durable = state.lock().unwrap().durable.clone();
    let (reopened, state) = open(durable, &key, NEVER, false);
    let mut reopened = reopened.unwrap();
    assert_eq!(reopened.notes(), [Note::WriteCompleted]);
    reopened.append(b"third", &mut rng()).unwrap();
    let durable = state.lock().unwrap().durable.clone();
    let (whole, _) = open(durable.clone(), &key, NEVER, false);
    let whole = whole.unwrap();
    assert!(whole.notes().is_empty());
    assert_eq!(contents(&whole), [b"first".to_vec(), b"second".to_vec(), b"third".to_vec()]);
    let (cut, _) = open(durable[..durable.len() - 316].to_vec(), &key, NEVER, false);
    assert!(matches!(cut, Err(VaultError::Truncated { .. })));
}

/// Opens what is left after a crash, as the holder would.
fn open_with(bytes: &[u8], passphrase: &Passphrase) -> Result<Vault, VaultError> {
    let state = State { durable: bytes.to_vec(), left: NEVER, ..State::default() };
    Vault::open_on(Box::new(FaultyDisk(Arc::new(Mutex::new(state)))), passphrase)
}

#[test]
fn a_new_passphrase_or_the_old_one_opens_whenever_the_power_goes() {
    let (bytes, key) = start(false);
    let new = passphrase("another passphrase");
    for left in 0..=2 {
        for done in [false, true] {
            let (vault, state) = open(bytes.clone(), &key, left, done);
            let changed = vault.unwrap().change_passphrase(&new, KdfCost::FLOOR, &mut rng());
            assert_eq!(changed.is_ok(), left == 2);
            for aftermath in aftermaths(&state.lock().unwrap()) {
                let opened = [open_with(&aftermath, &right()), open_with(&aftermath, &new)];
                let [old, new] = opened.map(|vault| vault.ok().map(|vault| contents(&vault)));
                assert_eq!(old.or(new.clone()), Some(vec![b"first".to_vec()]));
                assert!(changed.is_err() || new.is_some(), "acknowledged, so the new one opens");
            }
        }
    }
}

#[test]
fn records_are_replaced_all_or_none_whenever_the_power_goes() {
    let (bytes, key) = start(true);
    let records = [b"only".as_slice(), b"these"].map(|record| Zeroizing::new(record.to_vec()));
    for left in 0..=2 {
        for done in [false, true] {
            let (vault, state) = open(bytes.clone(), &key, left, done);
            let mut vault = vault.unwrap();
            // The wrapping key is not known here, so the passphrase is given once more.
            let next = vault.unlocked.renew(0, Some((&right(), KdfCost::FLOOR)), &mut rng()).unwrap();
            let replaced = vault.rewrite(next, &records, &mut rng());
            for aftermath in aftermaths(&state.lock().unwrap()) {
                let found = contents(&open_with(&aftermath, &right()).unwrap());
                let new = found == [b"only".to_vec(), b"these".to_vec()];
                assert!(new || found == [b"first".to_vec()]);
                assert!(replaced.is_err() || new);
            }
            if replaced.is_err() {
                assert!(matches!(vault.append(b"x", &mut rng()), Err(VaultError::Poisoned)));
            }
        }
    }
}

/// The old device's side of a move: while nobody confirmed, everything is there, and frozen as soon as a transfer file
/// can exist.
#[test]
fn a_moving_vault_is_whole_or_gone_whenever_the_power_goes() {
    use crate::holdings::{Holdings, Leaving, Stay};
    use identity_core::time::UnixSeconds;

    let dir = tempfile::tempdir().unwrap();
    let first = br#"{"kind":"staying","time":1}"#;
    create(dir.path()).append(first, &mut rng()).unwrap();
    let bytes = fs::read(dir.path().join("vault")).unwrap();
    // Four steps record that it leaves, two empty it.
    for left in 0..=6 {
        let state = State { durable: bytes.clone(), left, ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let vault = Vault::open_on(Box::new(FaultyDisk(Arc::clone(&state))), &right()).unwrap();
        let mut holdings = Holdings::read(vault).unwrap();
        let leaving = Leaving { time: 2, code: "1234-5678".into() };
        let transfer_exists = holdings.add_leaving(leaving, &mut StdRng::seed_from_u64(2)).is_ok();
        let confirmed = transfer_exists;
        let emptied = confirmed && holdings.empty(UnixSeconds(3), &mut StdRng::seed_from_u64(3)).is_ok();
        assert_eq!((transfer_exists, emptied), (left >= 4, left >= 6));
        for aftermath in aftermaths(&state.lock().unwrap()) {
            let vault = open_with(&aftermath, &right()).unwrap();
            let whole = contents(&vault).first().is_some_and(|record| record == first);
            match Holdings::read(vault).unwrap().stay() {
                Stay::Here => assert!(whole && !transfer_exists),
                Stay::Leaving(_) => assert!(whole && !emptied),
                Stay::Left(_) => assert!(!whole && confirmed),
            }
        }
    }
}
