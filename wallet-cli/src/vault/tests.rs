use super::*;
use rand::{SeedableRng, rngs::StdRng};
use std::{fs, os::unix::fs::PermissionsExt};

mod crash;
mod damage;
mod memory;
mod seen;

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

fn right() -> Passphrase {
    passphrase("correct horse")
}

fn create(dir: &Path) -> Vault {
    Vault::create(dir, &right(), KdfCost::FLOOR, &mut rng()).unwrap()
}

fn contents(vault: &Vault) -> Vec<Vec<u8>> {
    vault.records().map(<[u8]>::to_vec).collect()
}

#[test]
fn records_come_back_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = create(dir.path());
    let long = vec![7; record::MOST_CONTENT];
    for content in [b"first".as_slice(), b"", &long] {
        vault.append(content, &mut rng()).unwrap();
    }
    drop(vault);
    let vault = Vault::open(dir.path(), &right()).unwrap();
    assert_eq!(contents(&vault), [b"first".to_vec(), Vec::new(), long]);
    assert!(vault.notes().is_empty());
}

#[test]
fn adding_the_hundredth_record_writes_as_much_as_adding_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = create(dir.path());
    let grown = (0..100).map(|_| {
        let before = vault.contents.end;
        vault.append(b"one", &mut rng()).unwrap();
        vault.contents.end - before
    });
    assert!(grown.collect::<Vec<_>>().iter().all(|growth| *growth == 316));
    assert_eq!(fs::metadata(dir.path().join("vault")).unwrap().len(), 1536 + 100 * 316);
}

#[test]
fn a_record_too_large_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = create(dir.path());
    let refused = vault.append(&vec![0; record::MOST_CONTENT + 1], &mut rng());
    assert!(matches!(refused, Err(VaultError::RecordTooLarge)));
    vault.append(b"next", &mut rng()).unwrap();
}

#[test]
fn a_second_holder_is_kept_out_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let vault = create(dir.path());
    assert!(matches!(Vault::open(dir.path(), &right()), Err(VaultError::InUse)));
    drop(vault);
    Vault::open(dir.path(), &right()).unwrap();
}

#[test]
fn a_vault_is_never_made_over_another() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path()).append(b"precious", &mut rng()).unwrap();
    let again = Vault::create(dir.path(), &passphrase("another one"), KdfCost::FLOOR, &mut rng());
    assert!(matches!(again, Err(VaultError::Exists)));
    assert_eq!(contents(&Vault::open(dir.path(), &right()).unwrap()), [b"precious"]);
}

#[test]
fn the_file_is_the_owners_only() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    drop(create(&home));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&home), mode(&home.join("vault")), mode(&home.join("lock"))), (0o700, 0o600, 0o600));
    fs::set_permissions(home.join("vault"), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Vault::open(&home, &right()), Err(VaultError::OpenToOthers)));
}

#[test]
fn a_link_in_the_vaults_place_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path()));
    fs::rename(dir.path().join("vault"), dir.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), dir.path().join("vault")).unwrap();
    assert!(matches!(Vault::open(dir.path(), &right()), Err(VaultError::NotAFile)));
}

#[test]
fn no_vault_is_said_plainly() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Vault::open(dir.path(), &right()), Err(VaultError::Missing)));
    assert!(matches!(Vault::open(&dir.path().join("nowhere"), &right()), Err(VaultError::Missing)));
}

#[test]
fn an_unfinished_making_does_not_stand_in_the_way() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("vault.new"), b"half").unwrap();
    create(dir.path());
}

#[test]
fn a_line_end_is_no_part_of_a_passphrase() {
    assert!(passphrase("correct horse\r\n").same(&right()));
    assert!(!passphrase("correct horse ").same(&right()));
    assert!(matches!(passphrase("1234567\n").check_new(), Err(VaultError::PassphraseTooShort)));
    assert!(passphrase("八个汉字口令可用").check_new().is_ok());
    assert_eq!(format!("{:?}", right()), "Passphrase(..)");
}

#[test]
fn a_new_passphrase_takes_the_old_ones_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = create(dir.path());
    vault.append(b"first", &mut rng()).unwrap();
    let old_copy = fs::read(dir.path().join("vault")).unwrap();
    let new = passphrase("another passphrase");
    let cost = KdfCost { passes: 3, ..KdfCost::FLOOR };
    vault.change_passphrase(&new, cost, &mut StdRng::seed_from_u64(2)).unwrap();
    vault.append(b"second", &mut rng()).unwrap();
    drop(vault);
    assert!(matches!(Vault::open(dir.path(), &right()), Err(VaultError::Passphrase)));
    let vault = Vault::open(dir.path(), &new).unwrap();
    assert_eq!((contents(&vault), vault.cost()), (vec![b"first".to_vec(), b"second".to_vec()], cost));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "the vault and its lock, no draft");

    // Whoever kept an old copy and knows the old passphrase has the old key, which opens nothing newer.
    let old = Header::parse(&old_copy).unwrap().unlock(&right()).unwrap();
    assert_ne!(old.key.key(), vault.unlocked.key.key());
    assert_eq!(old.counter.bytes(), vault.unlocked.counter.bytes());
    assert_eq!(old.header.vault_id(), vault.unlocked.header.vault_id());
    assert_eq!((old.header.generation(), vault.unlocked.header.generation()), (0, 1));
}

#[test]
fn what_is_left_out_is_gone_from_the_file_and_from_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = create(dir.path());
    for content in [b"first".as_slice(), b"second"] {
        vault.append(content, &mut rng()).unwrap();
    }
    let old = fs::File::open(dir.path().join("vault")).unwrap();
    vault.replace_records(&[Zeroizing::new(b"second".to_vec())], &mut StdRng::seed_from_u64(2)).unwrap();
    vault.append(b"third", &mut rng()).unwrap();
    drop(vault);
    let bytes = fs::read(dir.path().join("vault")).unwrap();
    assert_eq!(bytes.len(), 1536 + 2 * 316);
    let vault = Vault::open(dir.path(), &right()).unwrap();
    assert_eq!(contents(&vault), [b"second".to_vec(), b"third".to_vec()]);
    let mut left = Vec::new();
    std::io::Read::read_to_end(&mut &old, &mut left).unwrap();
    assert_eq!(left[..512], [0; 512], "the old file's wrapped key is overwritten");
}

#[test]
fn a_second_name_of_the_old_file_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = create(dir.path());
    fs::hard_link(dir.path().join("vault"), dir.path().join("kept")).unwrap();
    vault.replace_records(&[], &mut rng()).unwrap();
    let kept = fs::read(dir.path().join("kept")).unwrap();
    assert!(Header::parse(&kept).unwrap().unlock(&right()).is_ok());
}

#[test]
fn a_vault_is_made_with_all_its_records_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let records = [b"one".as_slice(), b"two"].map(|record| Zeroizing::new(record.to_vec()));
    drop(Vault::create_holding(&records, dir.path(), &right(), KdfCost::FLOOR, &mut rng()).unwrap());
    assert_eq!(contents(&Vault::open(dir.path(), &right()).unwrap()), [b"one".to_vec(), b"two".to_vec()]);
}
