//! An old file put back, or another copy of it, is noticed; a crash is not taken for one.

use super::*;
use identity_core::time::UnixSeconds;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

struct Home(tempfile::TempDir);

impl Home {
    fn file(&self) -> std::path::PathBuf {
        self.0.path().join("vault")
    }

    fn memory(&self) -> std::path::PathBuf {
        self.0.path().join("state")
    }

    fn open(&self) -> Vault {
        Vault::open(self.0.path(), &right()).unwrap()
    }

    fn sight(&self) -> Sight {
        self.open().sight(&self.memory()).unwrap()
    }

    /// Opens, adds, remembers, as a command does.
    fn add(&self, content: &[u8], seed: u64) {
        let mut vault = self.open();
        vault.append(content, &mut StdRng::seed_from_u64(seed)).unwrap();
        vault.remember(&self.memory(), NOW, &mut rng()).unwrap();
    }
}

fn home() -> Home {
    let home = Home(tempfile::tempdir().unwrap());
    create(home.0.path()).append(b"first", &mut rng()).unwrap();
    home
}

#[test]
fn an_old_copy_put_back_is_noticed_and_the_newest_is_not() {
    let home = home();
    assert_eq!(home.sight(), Sight::First);
    home.add(b"second", 2);
    assert_eq!(home.sight(), Sight::Current);
    let old = fs::read(home.file()).unwrap();
    home.add(b"third", 3);
    let newest = fs::read(home.file()).unwrap();
    fs::write(home.file(), old).unwrap();
    assert_eq!(home.sight(), Sight::Older { records: 3, time: NOW });
    fs::write(home.file(), newest).unwrap();
    assert_eq!(home.sight(), Sight::Current);
}

#[test]
fn a_memory_that_lags_after_a_crash_is_no_alarm() {
    let home = home();
    home.add(b"second", 2);
    home.open().append(b"third", &mut StdRng::seed_from_u64(3)).unwrap();
    assert_eq!(home.sight(), Sight::Current);
    home.open().change_passphrase(&right(), KdfCost::FLOOR, &mut StdRng::seed_from_u64(4)).unwrap();
    assert_eq!(home.sight(), Sight::Current);
}

#[test]
fn a_copy_from_before_the_passphrase_was_changed_is_noticed() {
    let home = home();
    home.add(b"second", 2);
    let old = fs::read(home.file()).unwrap();
    let new = passphrase("another passphrase");
    let mut vault = home.open();
    vault.change_passphrase(&new, KdfCost::FLOOR, &mut StdRng::seed_from_u64(3)).unwrap();
    vault.remember(&home.memory(), NOW, &mut rng()).unwrap();
    drop(vault);
    fs::write(home.file(), old).unwrap();
    assert!(matches!(home.sight(), Sight::Older { records: 2, .. }));
}

#[test]
fn a_copy_that_went_on_elsewhere_is_noticed() {
    let home = home();
    let copy = fs::read(home.file()).unwrap();
    home.add(b"here", 2);
    fs::write(home.file(), copy).unwrap();
    home.open().append(b"there", &mut StdRng::seed_from_u64(3)).unwrap();
    assert_eq!(home.sight(), Sight::Other);
    home.open().append(b"further", &mut StdRng::seed_from_u64(4)).unwrap();
    assert_eq!(home.sight(), Sight::Other);
}

#[test]
fn a_file_taken_for_current_makes_the_other_one_the_old_one() {
    let home = home();
    let old = fs::read(home.file()).unwrap();
    home.add(b"second", 2);
    let newer = fs::read(home.file()).unwrap();
    fs::write(home.file(), old).unwrap();
    let mut vault = home.open();
    vault.take_for_current(&home.memory(), &mut StdRng::seed_from_u64(3)).unwrap();
    vault.remember(&home.memory(), NOW, &mut rng()).unwrap();
    assert_eq!(contents(&vault), [b"first".to_vec()]);
    drop(vault);
    assert_eq!(home.sight(), Sight::Current);
    fs::write(home.file(), newer).unwrap();
    assert!(matches!(home.sight(), Sight::Older { records: 1, .. }));
}

#[test]
fn every_changed_byte_of_the_memory_is_noticed() {
    let home = home();
    home.add(b"second", 2);
    let path = fs::read_dir(home.memory()).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&path).unwrap();
    assert_eq!(whole.len(), 128);
    let vault = home.open();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        assert_eq!(vault.sight(&home.memory()).unwrap(), Sight::Unreadable, "byte {at}");
    }
    for keep in [0, 87, 88, 127] {
        fs::write(&path, &whole[..keep]).unwrap();
        assert_eq!(vault.sight(&home.memory()).unwrap(), Sight::Unreadable, "cut to {keep}");
    }
}
