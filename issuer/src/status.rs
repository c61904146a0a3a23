//! Status lists: where a credential's index comes from, and the signed lists that verifiers read.
//!
//! An index is drawn at random and taken by the issuing transaction, so it says nothing about when or to whom a
//! credential was issued, and no counter makes requests wait for each other. A list in which most draws hit a taken
//! place is full enough; the next one is opened then.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use identity_core::time::UnixSeconds;
use rand::RngExt as _;
use service_kit::chance::Chance;
use service_kit::reply::Problem;
use service_kit::store::StoreError;
use tokio::sync::Mutex as Turn;

use crate::service::Service;
use crate::signing::{self, SignFailure};
use crate::store::Records;

/// Draws in a row that may hit taken places before a list counts as full: at three quarters full, one series in a
/// hundred does.
const DRAWS: usize = 16;

/// The lists of one issuer.
pub(crate) struct StatusLists {
    size: u32,
    newest: AtomicU32,
    published: Mutex<BTreeMap<u32, Published>>,
    /// Revocations take turns.
    pub revoking: Turn<()>,
}

#[derive(Clone)]
struct Published {
    token: Arc<str>,
    renew: UnixSeconds,
}

/// Why a list cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatusFailure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sign(#[from] SignFailure),
}

impl StatusFailure {
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Store(error) => Problem::of_store(error),
            Self::Sign(error) => {
                tracing::error!(%error, "a status list could not be signed");
                Problem::new(identity_core::problem::Code::VciIssuerSigning)
            }
        }
    }
}

impl StatusLists {
    /// Opens the first list if there is none.
    pub(crate) async fn open(records: &Records, size: u32) -> Result<Self, StoreError> {
        let newest = match records.newest_list().await? {
            Some(newest) => newest,
            None => {
                records.open_list(1, empty_bits(size)).await?;
                1
            }
        };
        let published = Mutex::default();
        Ok(Self { size, newest: AtomicU32::new(newest), published, revoking: Turn::new(()) })
    }

    /// Draws a place that is free now; the issuing transaction takes it, or finds that somebody was faster.
    pub(crate) async fn draw(
        &self,
        records: &Records,
        chance: &dyn Chance,
        drawn: &BTreeMap<(u32, u32), ()>,
    ) -> Result<(u32, u32), StoreError> {
        loop {
            let list = self.newest.load(Ordering::Acquire);
            for _ in 0..DRAWS {
                let index = chance.rng().random_range(0..self.size);
                if !drawn.contains_key(&(list, index)) && !records.is_index_taken(list, index).await? {
                    return Ok((list, index));
                }
            }
            let next = list.saturating_add(1);
            records.open_list(next, empty_bits(self.size)).await?;
            self.newest.fetch_max(next, Ordering::AcqRel);
        }
    }

    fn kept(&self, list: u32, now: UnixSeconds) -> Option<Arc<str>> {
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.get(&list).filter(|kept| now < kept.renew).map(|kept| Arc::clone(&kept.token))
    }

    fn keep(&self, list: u32, kept: Published) {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).insert(list, kept);
    }
}

impl Service {
    /// The signed list, made anew at most once per `ttl`; `None` if there is no such list.
    pub(crate) async fn status_token(&self, list: u32) -> Result<Option<Arc<str>>, StatusFailure> {
        match self.lists.kept(list, self.clock.now()) {
            Some(token) => Ok(Some(token)),
            None => self.publish(list).await,
        }
    }

    /// Signs and publishes the list as the store has it.
    pub(crate) async fn publish(&self, list: u32) -> Result<Option<Arc<str>>, StatusFailure> {
        let Some(bits) = self.records.list_bits(list).await? else { return Ok(None) };
        let now = self.clock.now();
        let config = &self.config.status;
        let token = signing::sign_status_list(&self.status_uri(list), bits, now, config, &self.keys)?;
        let token: Arc<str> = token.into();
        self.lists.keep(list, Published { token: Arc::clone(&token), renew: now.plus(i64::from(config.ttl)) });
        Ok(Some(token))
    }
}

/// A list of `size` credentials that are all valid, one bit each.
fn empty_bits(size: u32) -> Vec<u8> {
    vec![0; usize::try_from(size.div_ceil(8)).unwrap_or_default()]
}

/// The list with the bit of `index` set, least significant bit first; `None` if it has no such bit.
pub(crate) fn with_bit(bits: &[u8], index: u32) -> Option<Vec<u8>> {
    let mut bits = bits.to_vec();
    let byte = bits.get_mut(usize::try_from(index / 8).ok()?)?;
    *byte |= 1 << (index % 8);
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_least_significant() {
        let bits = with_bit(&empty_bits(16), 0).unwrap();
        let bits = with_bit(&bits, 9).unwrap();
        assert_eq!(bits, [0b0000_0001, 0b0000_0010]);
        assert_eq!(with_bit(&bits, 16), None);
    }
}
