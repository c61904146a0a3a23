use super::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

const SEED: u64 = 20_261_124;

fn records() -> Vec<Vec<u8>> {
    vec![b"first".to_vec(), Vec::new(), vec![7; 3000]]
}

fn sample() -> (Vec<u8>, Phrase) {
    let mut rng = StdRng::seed_from_u64(SEED);
    let phrase = Phrase::make(&mut rng);
    let records = records();
    let file = seal(Purpose::Backup, UnixSeconds(5), records.iter().map(Vec::as_slice), &phrase, &mut rng).unwrap();
    (file, phrase)
}

#[test]
fn what_went_in_comes_out_to_the_last_byte() {
    let (file, phrase) = sample();
    let content = open(&file, Purpose::Backup, &phrase).unwrap();
    assert_eq!(content.made, UnixSeconds(5));
    assert_eq!(content.records.iter().map(|record| record.to_vec()).collect::<Vec<_>>(), records());
}

#[test]
fn every_flipped_bit_of_the_head_and_a_thousand_of_the_rest_are_named() {
    let (mut file, phrase) = sample();
    let mut rng = StdRng::seed_from_u64(SEED);
    println!("seed {SEED}");
    let head = (0..HEAD).flat_map(|at| (0..8).map(move |bit| (at, bit)));
    let rest: Vec<_> = (0..1000).map(|_| (rng.random_range(HEAD..file.len()), rng.random_range(0..8))).collect();
    for (at, bit) in head.chain(rest) {
        file[at] ^= 1 << bit;
        match open(&file, Purpose::Backup, &phrase) {
            Err(BackupError::NotABackup) => assert!(at < 13, "byte {at}"),
            Err(BackupError::Damaged) => assert!(at >= 13, "byte {at}"),
            other => panic!("byte {at} bit {bit}: {other:?}"),
        }
        file[at] ^= 1 << bit;
    }
}

#[test]
fn every_cut_is_named() {
    let (file, phrase) = sample();
    assert!(matches!(open(&[], Purpose::Backup, &phrase), Err(BackupError::NotABackup)));
    for keep in 1..file.len() {
        match open(&file[..keep], Purpose::Backup, &phrase) {
            Err(BackupError::Truncated { length, expected }) => assert!(length < expected),
            other => panic!("cut to {keep}: {other:?}"),
        }
    }
    assert!(matches!(open(&[file.as_slice(), b"x"].concat(), Purpose::Backup, &phrase), Err(BackupError::Damaged)));
}

#[test]
fn another_phrase_and_another_file_are_told_apart() {
    let (file, _) = sample();
    let other = Phrase::make(&mut StdRng::seed_from_u64(2));
    assert!(matches!(open(&file, Purpose::Backup, &other), Err(BackupError::Phrase)));
    assert!(matches!(open(b"XINFU VAULT\n and so on", Purpose::Backup, &other), Err(BackupError::NotABackup)));
}

/// As somebody with a purpose would: the checksums made to fit again.
#[test]
fn a_change_with_fitting_checksums_does_not_open() {
    let (whole, phrase) = sample();
    let mend = |file: &mut Vec<u8>| {
        let head = ledger::sha256(&file[..40]);
        file[40..72].copy_from_slice(head.as_bytes());
        let end = file.len() - 32;
        let all = ledger::sha256(&file[..end]);
        file[end..].copy_from_slice(all.as_bytes());
    };
    for at in [16, 72, 100, whole.len() - 33] {
        let mut file = whole.clone();
        file[at] ^= 1;
        mend(&mut file);
        assert!(matches!(open(&file, Purpose::Backup, &phrase), Err(BackupError::Phrase)), "byte {at}");
    }
    for (at, newer) in [(13, true), (32, false)] {
        let mut file = whole.clone();
        file[at] ^= 2;
        mend(&mut file);
        let refused = open(&file, Purpose::Backup, &phrase).unwrap_err();
        assert_eq!(matches!(refused, BackupError::Newer), newer, "{refused}");
    }
}

#[test]
fn two_backups_of_one_vault_have_no_bytes_in_common_but_the_frame() {
    let phrase = Phrase::make(&mut StdRng::seed_from_u64(1));
    let make = |seed| {
        seal(
            Purpose::Backup,
            UnixSeconds(5),
            [b"same".as_slice()].into_iter(),
            &phrase,
            &mut StdRng::seed_from_u64(seed),
        )
        .unwrap()
    };
    let (one, two) = (make(1), make(2));
    assert_eq!((&one[..16], &one[32..40]), (&two[..16], &two[32..40]));
    assert_ne!(one[16..32], two[16..32]);
    assert_ne!(one[72..], two[72..]);
}

#[test]
fn a_transfer_is_no_backup_and_its_code_follows_from_file_and_phrase() {
    let mut rng = StdRng::seed_from_u64(SEED);
    let (phrase, other) = (Phrase::make(&mut rng), Phrase::make(&mut rng));
    let mut make = || seal(Purpose::Transfer, UnixSeconds(5), std::iter::empty(), &phrase, &mut rng).unwrap();
    let (file, second) = (make(), make());
    assert!(matches!(open(&file, Purpose::Backup, &phrase), Err(BackupError::Purpose)));
    assert!(matches!(open(&sample().0, Purpose::Transfer, &phrase), Err(BackupError::Purpose)));
    assert!(open(&file, Purpose::Transfer, &phrase).unwrap().records.is_empty());
    let code = confirmation_code(&file, &phrase).unwrap();
    assert!(code.len() == 9 && code.chars().filter(char::is_ascii_digit).count() == 8, "{code}");
    assert_eq!(confirmation_code(&file, &phrase), Some(code.clone()));
    for another in [confirmation_code(&file, &other), confirmation_code(&second, &phrase)] {
        assert_ne!(another, Some(code.clone()));
    }
    assert_eq!(confirmation_code(&file[..20], &phrase), None);
}
