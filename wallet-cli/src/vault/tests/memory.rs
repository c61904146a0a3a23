//! After the vault is closed, neither passphrase nor keys nor records are left in the process's memory: all of it is
//! read through `/proc/self/mem` and searched.

use super::*;
use std::{io::BufRead, os::unix::fs::FileExt};

/// What is searched for, disguised, so that the search does not find itself.
struct Needle {
    disguised: Vec<u8>,
}

const DISGUISE: u8 = 0xa5;

impl Needle {
    fn of(bytes: &[u8]) -> Self {
        Self { disguised: bytes.iter().map(|byte| byte ^ DISGUISE).collect() }
    }

    fn is_at(&self, window: &[u8]) -> bool {
        window.len() >= self.disguised.len() && self.disguised.iter().zip(window).all(|(a, b)| a ^ DISGUISE == *b)
    }
}

/// Whether the needle stands anywhere in this process's writable memory. Pieces are read into one buffer that is wiped
/// after each, so the buffer itself shows nothing that was found elsewhere.
fn in_memory(needle: &Needle) -> bool {
    let memory = fs::File::open("/proc/self/mem").unwrap();
    let mut buffer = vec![0; PIECE];
    let own = buffer.as_ptr().addr()..buffer.as_ptr().addr() + PIECE;
    let first = needle.disguised[0] ^ DISGUISE;
    let mut found = false;
    for (start, end) in writable() {
        // Pieces overlap, so that nothing hides on the border of two.
        for at in (start..end).step_by(PIECE - OVERLAP) {
            let length = PIECE.min(end - at);
            let read = memory.read_at(&mut buffer[..length], u64::try_from(at).unwrap()).unwrap_or(0);
            let mut rest = &buffer[..read];
            while rest.skip_until(first).is_ok_and(|skipped| skipped > 0) {
                let place = read - rest.len() - 1;
                found |= !own.contains(&(at + place)) && needle.is_at(&buffer[place..read]);
            }
            buffer.fill(0);
        }
    }
    found
}

const PIECE: usize = 1 << 20;
const OVERLAP: usize = 64;

/// The writable ranges of this process's memory.
fn writable() -> Vec<(usize, usize)> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let range = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-').filter(|_| rest.starts_with("rw"))?;
        Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
    };
    maps.lines().filter_map(range).collect()
}

/// A secret that no other test has; drawn, so that it stands in no part of the program.
fn drawn(rng: &mut StdRng) -> String {
    let mut bytes = [0_u8; 16];
    rand::Rng::fill_bytes(rng, &mut bytes);
    bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}

/// Out of line, so that its stack is dead when the search begins.
#[inline(never)]
fn live(dir: &Path, needles: &mut Vec<(&'static str, Needle)>) {
    let mut rng: StdRng = rand::make_rng();
    let (mut secret, mut record) = (drawn(&mut rng), drawn(&mut rng));
    needles.push(("passphrase", Needle::of(secret.as_bytes())));
    needles.push(("record", Needle::of(record.as_bytes())));
    let pass = Passphrase::new(std::mem::take(&mut secret));
    drop(Vault::create(dir, &pass, KdfCost::FLOOR, &mut rng).unwrap());
    let mut vault = Vault::open(dir, &pass).unwrap();
    drop(pass);
    vault.append(record.as_bytes(), &mut rng).unwrap();
    zeroize::Zeroize::zeroize(&mut record);
    needles.push(("vault key", Needle::of(vault.unlocked.key.key())));
    needles.push(("counter key", Needle::of(vault.unlocked.counter.bytes())));
    let open = |name| in_memory(&needles.iter().find(|(other, _)| *other == name).unwrap().1);
    assert!(open("vault key") && open("record"), "the search finds what is there");
    assert!(!open("passphrase"), "not needed any more once the vault is open");
    drop(vault);
}

#[test]
fn no_secret_is_left_after_the_vault_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let mut needles = Vec::new();
    live(dir.path(), &mut needles);
    key::wipe_dead_stack();
    let left: Vec<_> = needles.iter().filter(|(_, needle)| in_memory(needle)).map(|(name, _)| *name).collect();
    assert_eq!(left, Vec::<&str>::new());
}
