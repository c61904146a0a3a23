//! Status lists: where a credential's index comes from, and the signed lists that verifiers read.
//!
//! An index is drawn at random and taken by the issuing transaction, so it says nothing about when or to whom a
//! credential was issued, and no counter makes requests wait for each other. A list in which most draws hit a taken
//! place is full enough; the next one is opened then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use identity_core::problem::Code;
use identity_core::status::{Bits, ListAddress, StatusList};
use identity_core::time::UnixSeconds;
use rand::RngExt as _;
use service_kit::chance::Chance;
use service_kit::reply::Problem;
use service_kit::store::StoreError;
use tokio::sync::Mutex as Turn;

use crate::service::Service;
use crate::signing::{self, SignFailure};
use crate::store::{Outcome, Records, of_list};

/// Draws in a row that may hit taken places before a list counts as full: at three quarters full, one series in a
/// hundred does.
const DRAWS: usize = 16;

/// The lists of one issuer.
pub(crate) struct StatusLists {
    size: u32,
    /// The list that indices are drawn from, for each number of bits.
    newest: Mutex<BTreeMap<Bits, u32>>,
    /// Lists are opened one at a time in this process.
    opening: Turn<()>,
    published: Mutex<BTreeMap<u32, Published>>,
    /// A list is read, signed and published in one go: what was read before a change is not published after it.
    publishing: Turn<()>,
    /// Changes of standing take turns.
    pub changing: Turn<()>,
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
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Sign(_) => Code::VciIssuerSigning,
        }
    }

    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Store(error) => Problem::of_store(error),
            Self::Sign(error) => {
                tracing::error!(%error, "a status list could not be signed");
                Problem::new(self.code())
            }
        }
    }
}

impl StatusLists {
    /// Finds the lists that there are, and opens the first one for each of `wanted` that has none.
    pub(crate) async fn open(
        records: &Records,
        size: u32,
        wanted: impl IntoIterator<Item = Bits>,
    ) -> Result<Self, StoreError> {
        records.name_bits_of_old_lists().await?;
        let lists = Self {
            size,
            newest: Mutex::default(),
            opening: Turn::new(()),
            published: Mutex::default(),
            publishing: Turn::new(()),
            changing: Turn::new(()),
        };
        for bits in wanted {
            lists.open_next(records, bits, None).await?;
        }
        Ok(lists)
    }

    /// Draws a place that is free now; the issuing transaction takes it, or finds that somebody was faster. A place
    /// that was taken once is never given again, whatever became of its credential.
    pub(crate) async fn draw(
        &self,
        records: &Records,
        chance: &dyn Chance,
        bits: Bits,
        drawn: &BTreeMap<(u32, u32), ()>,
    ) -> Result<(u32, u32), StoreError> {
        loop {
            let newest = self.newest(bits);
            for list in newest.into_iter().cycle().take(DRAWS) {
                let index = chance.rng().random_range(0..self.size);
                if !drawn.contains_key(&(list, index)) && !records.is_index_taken(list, index).await? {
                    return Ok((list, index));
                }
            }
            self.open_next(records, bits, newest).await?;
        }
    }

    /// Opens the list after `full`, or finds the one that somebody else opened.
    async fn open_next(&self, records: &Records, bits: Bits, full: Option<u32>) -> Result<(), StoreError> {
        let _turn = self.opening.lock().await;
        if self.newest(bits) > full {
            return Ok(());
        }
        let lists = records.status_lists().await?;
        let found = lists.iter().rev().find(|(_, of)| **of == bits).map(|(number, _)| *number);
        if found > full {
            self.draw_from(bits, found);
            return Ok(());
        }
        let next = lists.keys().next_back().map_or(1, |last| last.saturating_add(1));
        let entries = usize::try_from(self.size).unwrap_or(usize::MAX);
        let empty = StatusList::new(bits, entries).map_err(|error| of_list(&error))?;
        // If somebody else opened that number, perhaps for other bits, the caller comes back and looks again.
        if records.open_list(next, &empty).await? == Outcome::Done {
            self.draw_from(bits, Some(next));
        }
        Ok(())
    }

    fn newest(&self, bits: Bits) -> Option<u32> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).get(&bits).copied()
    }

    fn draw_from(&self, bits: Bits, list: Option<u32>) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.extend(list.map(|list| (bits, list)));
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
        if let Some(token) = self.lists.kept(list, self.clock.now()) {
            return Ok(Some(token));
        }
        let _turn = self.lists.publishing.lock().await;
        // Whoever had the turn before may have published it.
        match self.lists.kept(list, self.clock.now()) {
            Some(token) => Ok(Some(token)),
            None => self.publish_in_turn(list).await,
        }
    }

    /// Signs and publishes the list as the store has it.
    pub(crate) async fn publish(&self, list: u32) -> Result<(), StatusFailure> {
        let _turn = self.lists.publishing.lock().await;
        self.publish_in_turn(list).await.map(drop)
    }

    async fn publish_in_turn(&self, list: u32) -> Result<Option<Arc<str>>, StatusFailure> {
        let Some(stored) = self.records.status_list(list).await? else { return Ok(None) };
        let now = self.clock.now();
        let config = &self.config.status;
        let (uri, aggregation) = (self.status_uri(list), self.aggregation_uri());
        let address = ListAddress { uri: &uri, aggregation: Some(&aggregation) };
        let token = signing::sign_status_list(&stored.list, address, now, config, &self.keys)?;
        let token: Arc<str> = token.into();
        self.lists.keep(list, Published { token: Arc::clone(&token), renew: now.plus(i64::from(config.ttl)) });
        Ok(Some(token))
    }

    /// The addresses of all lists.
    pub(crate) async fn status_uris(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.records.status_lists().await?.keys().map(|list| self.status_uri(*list)).collect())
    }
}
