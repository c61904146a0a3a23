//! The chance port: the one place that asks the system for randomness.
//!
//! Salts and codes are drawn by the hundred per credential, so they come from a generator in user space (ChaCha12)
//! that is seeded from the system; each caller gets a generator of its own, which nobody else sees. The services
//! never fork, so no two processes share a state.

use std::sync::{Mutex, PoisonError};

use rand::{
    CryptoRng, SeedableRng, TryRng,
    rngs::{StdRng, SysRng},
};

/// How many generators are handed out before the source is seeded afresh from the system.
const HANDED_OUT_PER_SEED: u32 = 1024;

/// Hands out random generators.
pub trait Chance: Send + Sync {
    /// A generator of the caller's own.
    fn rng(&self) -> Box<dyn CryptoRng + Send>;
}

/// The system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no randomness")]
pub struct NoChance;

/// Generators seeded, directly or by way of one source in user space, from the operating system.
pub struct SystemChance {
    source: Mutex<Source>,
}

struct Source {
    rng: StdRng,
    handed_out: u32,
}

impl SystemChance {
    /// Seeds the source.
    ///
    /// # Errors
    /// [`NoChance`] if the system has no randomness to give: nothing secret may then be made.
    pub fn new() -> Result<Self, NoChance> {
        Ok(Self { source: Mutex::new(Source { rng: StdRng::from_seed(system_seed()?), handed_out: 0 }) })
    }
}

impl Chance for SystemChance {
    fn rng(&self) -> Box<dyn CryptoRng + Send> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.handed_out = source.handed_out.saturating_add(1);
        if source.handed_out >= HANDED_OUT_PER_SEED
            && let Ok(seed) = system_seed()
        {
            // A source that was well seeded once stays good if the system cannot answer now.
            *source = Source { rng: StdRng::from_seed(seed), handed_out: 0 };
        }
        Box::new(StdRng::from_rng(&mut source.rng))
    }
}

/// Generators that repeat from run to run: for tests and seeded worlds only.
pub struct SeededChance {
    source: Mutex<StdRng>,
}

impl SeededChance {
    /// A source that gives the same generators for the same `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { source: Mutex::new(StdRng::seed_from_u64(seed)) }
    }
}

impl Chance for SeededChance {
    fn rng(&self) -> Box<dyn CryptoRng + Send> {
        Box::new(StdRng::from_rng(&mut *self.source.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A generator seeded directly from the system, for programs that need only one.
///
/// # Errors
/// [`NoChance`] if the system has no randomness to give.
pub fn system_rng() -> Result<StdRng, NoChance> {
    Ok(StdRng::from_seed(system_seed()?))
}

/// An unguessable token: `bytes` random bytes (at least 16) in base64url.
pub fn token(rng: &mut dyn CryptoRng, bytes: usize) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut raw = vec![0; bytes.max(16)];
    rng.fill_bytes(&mut raw);
    URL_SAFE_NO_PAD.encode(raw)
}

fn system_seed() -> Result<[u8; 32], NoChance> {
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed).map_err(|_| NoChance)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn generators_differ_from_each_other() {
        let chance = SystemChance::new().unwrap();
        let drawn: std::collections::HashSet<u64> = (0..3000).map(|_| chance.rng().next_u64()).collect();
        assert_eq!(drawn.len(), 3000);
    }

    #[test]
    fn a_seed_repeats() {
        let (first, second) = (SeededChance::new(7), SeededChance::new(7));
        assert_eq!(first.rng().next_u64(), second.rng().next_u64());
        assert_ne!(first.rng().next_u64(), first.rng().next_u64());
    }

    #[test]
    fn a_token_is_never_short() {
        let mut rng = system_rng().unwrap();
        assert_eq!(token(&mut rng, 1).len(), 22);
        assert_eq!(token(&mut rng, 32).len(), 43);
    }
}
