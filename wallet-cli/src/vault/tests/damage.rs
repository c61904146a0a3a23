//! Whatever bit differs, it is named, or the contents are the same.

use super::{key::Key, record::RecordKey, *};
use rand::RngExt;

/// A file with three records, and its key.
fn file() -> (Vec<u8>, RecordKey) {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = create(dir.path());
    for content in [b"one".as_slice(), b"two", b"three"] {
        vault.append(content, &mut StdRng::seed_from_u64(2)).unwrap();
    }
    (fs::read(dir.path().join("vault")).unwrap(), vault.unlocked.key)
}

fn read(bytes: &[u8], key: &RecordKey) -> Result<Contents, VaultError> {
    Header::parse(bytes)?;
    layout::read(bytes, key)
}

fn whole() -> Vec<Vec<u8>> {
    vec![b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]
}

fn plain(contents: &Contents) -> Vec<Vec<u8>> {
    contents.records.iter().map(|record| record.to_vec()).collect()
}

#[test]
fn every_flipped_bit_is_named() {
    let (mut bytes, key) = file();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            match read(&bytes, &key) {
                // One slot stands for the other: the contents are whole, and the damage is named all the same.
                Ok(contents) => {
                    assert!((512..1536).contains(&at), "byte {at} bit {bit} went unseen");
                    assert_eq!(plain(&contents), whole());
                    assert!(contents.notes.contains(&Note::SlotDamaged));
                }
                Err(VaultError::NotAVault) => assert!(at < 12),
                Err(VaultError::HeaderDamaged) => assert!(at < 512),
                Err(VaultError::Damaged { offset }) => {
                    let record = 1536 + (at - 1536) / 316 * 316;
                    assert_eq!(offset, length(&bytes[..record]), "byte {at}");
                }
                Err(other) => panic!("byte {at} bit {bit}: {other}"),
            }
            bytes[at] ^= 1 << bit;
        }
    }
}

/// The same in a vault that was written anew, whose header carries more: each bit of the header and a thousand random
/// places behind it, opened with the right passphrase's key.
#[test]
fn every_flipped_bit_is_named_after_a_vault_was_written_anew() {
    const SEED: u64 = 20_261_124;
    println!("seed {SEED}");
    let dir = tempfile::tempdir().unwrap();
    let mut vault = create(dir.path());
    let records = [b"one".as_slice(), b"two", b"three"].map(|record| Zeroizing::new(record.to_vec()));
    vault.replace_records(&records, &mut StdRng::seed_from_u64(2)).unwrap();
    let key = RecordKey::new(Key::copied(vault.unlocked.key.key()).unwrap(), vault.unlocked.header.bytes());
    let mut bytes = fs::read(dir.path().join("vault")).unwrap();
    let mut places = StdRng::seed_from_u64(SEED);
    let header = (0..512).flat_map(|at| (0..8).map(move |bit| (at, bit)));
    let behind: Vec<_> =
        (0..1000).map(|_| (places.random_range(512..bytes.len()), places.random_range(0..8))).collect();
    for (at, bit) in header.chain(behind) {
        bytes[at] ^= 1 << bit;
        match read(&bytes, &key) {
            Ok(contents) => {
                assert!((512..1536).contains(&at) && contents.notes.contains(&Note::SlotDamaged), "byte {at}");
                assert_eq!(plain(&contents), whole());
            }
            Err(VaultError::NotAVault) => assert!(at < 12),
            Err(VaultError::HeaderDamaged) => assert!(at < 512),
            Err(VaultError::Damaged { offset }) => assert!(at >= 1536 && offset >= 1536),
            Err(other) => panic!("byte {at} bit {bit}: {other}"),
        }
        bytes[at] ^= 1 << bit;
    }
}

/// As somebody with a purpose would: the header's checksum made to fit again.
#[test]
fn a_generation_altered_with_a_fitting_checksum_is_named() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path()).replace_records(&[], &mut StdRng::seed_from_u64(2)).unwrap();
    let whole = fs::read(dir.path().join("vault")).unwrap();
    for at in [132, 140, 200, 300] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let checksum = ledger::sha256(&bytes[..480]);
        bytes[480..512].copy_from_slice(checksum.as_bytes());
        fs::write(dir.path().join("vault"), &bytes).unwrap();
        let refused = Vault::open(dir.path(), &right()).unwrap_err();
        assert!(
            matches!(refused, VaultError::HeaderDamaged | VaultError::Damaged { offset: 512 }),
            "byte {at}: {refused}"
        );
    }
}

use layout::length;

#[test]
fn every_cut_is_named() {
    let (bytes, key) = file();
    for keep in 0..bytes.len() {
        match read(&bytes[..keep], &key) {
            Err(VaultError::Truncated { length, .. }) => assert_eq!(length, layout::length(&bytes[..keep])),
            Err(VaultError::NotAVault) => assert_eq!(keep, 0),
            Ok(_) => panic!("cut to {keep} bytes went unseen"),
            Err(other) => panic!("cut to {keep} bytes: {other}"),
        }
    }
}

#[test]
fn what_follows_the_committed_end_is_dropped_and_said() {
    let (mut bytes, key) = file();
    let end = bytes.len();
    for junk in [vec![0; 700], vec![0xff; 3], bytes[1536..1536 + 316].to_vec()] {
        bytes.truncate(end);
        bytes.extend(&junk);
        let contents = read(&bytes, &key).unwrap();
        assert_eq!(plain(&contents), whole());
        assert_eq!(contents.notes, [Note::TailDropped { bytes: length(&junk) }]);
    }
}

#[test]
fn records_cannot_change_places_or_vaults() {
    let (bytes, key) = file();
    let mut swapped = bytes.clone();
    swapped[1536..1536 + 316].copy_from_slice(&bytes[1852..1852 + 316]);
    swapped[1852..1852 + 316].copy_from_slice(&bytes[1536..1536 + 316]);
    assert!(matches!(read(&swapped, &key), Err(VaultError::Damaged { offset: 1536 })));

    let other = RecordKey::new(Key::copied(key.key()).unwrap(), b"another header");
    assert!(matches!(layout::read(&bytes, &other), Err(VaultError::Damaged { offset: 512 })));
}

#[test]
fn a_wrong_passphrase_has_one_answer_whatever_else_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path()).append(b"one", &mut rng()).unwrap();
    let whole = fs::read(dir.path().join("vault")).unwrap();
    let mut damaged = whole.clone();
    damaged[1600] ^= 1;
    for bytes in [whole.as_slice(), &damaged, &whole[..1536], &whole[..600]] {
        fs::write(dir.path().join("vault"), bytes).unwrap();
        for wrong in ["", "correct hors", "Correct horse", "correct horse battery"] {
            assert!(matches!(Vault::open(dir.path(), &passphrase(wrong)), Err(VaultError::Passphrase)));
        }
    }
}

/// A header with other numbers and a checksum that fits, as somebody with a purpose would make it.
fn forged(memory: u32, passes: u32, lanes: u32) -> Vec<u8> {
    let (mut bytes, _) = file();
    bytes[16..20].copy_from_slice(&memory.to_le_bytes());
    bytes[20..24].copy_from_slice(&passes.to_le_bytes());
    bytes[24..28].copy_from_slice(&lanes.to_le_bytes());
    let checksum = ledger::sha256(&bytes[..480]);
    bytes[480..512].copy_from_slice(checksum.as_bytes());
    bytes
}

#[test]
fn a_cost_outside_its_bounds_is_refused_before_any_work() {
    let floor = KdfCost::FLOOR;
    for (memory, passes, lanes) in [(floor.memory - 1, 2, 1), (8, 2, 1), (floor.memory, 1, 1), (floor.memory, 2, 0)] {
        assert!(matches!(Header::parse(&forged(memory, passes, lanes)), Err(VaultError::KdfTooWeak)));
    }
    let one_tebibyte = 1 << 30;
    for (memory, passes, lanes) in [(one_tebibyte, 2, 1), (u32::MAX, 2, 1), (65536, u32::MAX, 1), (65536, 3, 17)] {
        assert!(matches!(Header::parse(&forged(memory, passes, lanes)), Err(VaultError::KdfTooCostly)));
    }
    let weak = KdfCost { memory: 8, ..floor };
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Vault::create(dir.path(), &right(), weak, &mut rng()), Err(VaultError::KdfTooWeak)));
}

#[test]
fn a_cost_altered_within_its_bounds_does_not_open() {
    let header = forged(KdfCost::FLOOR.memory + 1024, 2, 1);
    assert!(matches!(Header::parse(&header).unwrap().unlock(&right()), Err(VaultError::Passphrase)));
}

#[test]
fn a_newer_version_is_told_from_damage() {
    let (mut bytes, _) = file();
    bytes[12] = 2;
    let checksum = ledger::sha256(&bytes[..480]);
    bytes[480..512].copy_from_slice(checksum.as_bytes());
    assert!(matches!(Header::parse(&bytes), Err(VaultError::Newer)));
}
