//! What the machine can do at all, measured between the loads: verifying many signatures together, and waiting for the
//! disk.

use std::fs::OpenOptions;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use identity_core::crypto::{Alg, PublicKey, SecretKey, Signer as _, all_valid};
use ledger::sha256;
use rustix::time::{ClockId, clock_gettime};

/// Signatures that are verified together.
const TOGETHER: u32 = 512;
/// Bytes of a message: what a transaction of the load has before its signature.
const MESSAGE: usize = 420;
/// How long to verify for, in processor time.
const SLICE: Duration = Duration::from_millis(300);
/// How often to wait for the disk.
const SYNCS: u32 = 64;
/// What is appended each time.
const APPENDED: [u8; 4096] = [0x5a; 4096];

/// Signatures of as many keys as there are messages, so that nothing but the batch itself is shared.
pub(crate) struct Verifying {
    signed: Vec<(PublicKey, Vec<u8>, [u8; 64])>,
}

impl Verifying {
    pub(crate) fn new() -> Result<Self> {
        let signed = (0..TOGETHER).map(|number| {
            let key = SecretKey::from_bytes(Alg::EdDsa, sha256(&number.to_be_bytes()).as_bytes())?;
            let message = number.to_be_bytes().repeat(MESSAGE / 4);
            let signature = key.sign(&message)?;
            Ok((key.public_key().clone(), message, signature))
        });
        Ok(Self { signed: signed.collect::<Result<_>>()? })
    }

    /// Signatures that one thread verifies in a second of processor time, all together.
    pub(crate) fn per_second(&self) -> Result<f64> {
        let signed = self.signed.iter().map(|(key, message, signature)| key.signed(message, signature));
        let signed = signed.collect::<Option<Vec<_>>>().context("keys of another kind")?;
        let (began, mut count) = (thread_cpu(), 0_u32);
        while thread_cpu().saturating_sub(began) < SLICE {
            ensure!(black_box(all_valid(black_box(&signed))), "honest signatures do not verify");
            count += TOGETHER;
        }
        Ok(f64::from(count) / thread_cpu().saturating_sub(began).as_secs_f64())
    }
}

/// How long an append of 4 KiB takes until it is on the disk that holds `directory`: the median.
pub(crate) fn sync_median(directory: &Path) -> Result<Duration> {
    let path = directory.join("sync");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let mut took = Vec::new();
    for _ in 0..SYNCS {
        let began = Instant::now();
        file.write_all(&APPENDED)?;
        file.sync_data()?;
        took.push(began.elapsed());
    }
    std::fs::remove_file(&path)?;
    took.sort();
    took.get(took.len() / 2).copied().context("nothing was measured")
}

fn thread_cpu() -> Duration {
    // The kernel's clock never runs before zero.
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
