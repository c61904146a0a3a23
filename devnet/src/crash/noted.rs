//! What was acknowledged, noted where no kill can reach it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::world::admin::Offer;

/// An offer that the counter acknowledged.
#[derive(Debug, Clone)]
pub(super) struct NotedOffer {
    pub(super) department: usize,
    pub(super) subject: String,
    pub(super) offer: Offer,
    /// Whether any wallet ever tried it.
    pub(super) tried: bool,
    /// Whether a wallet acknowledged what it gives.
    pub(super) received: bool,
}

/// A credential that a wallet said it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotedCredential {
    pub(super) wallet: usize,
    pub(super) number: u64,
    pub(super) vct: String,
}

/// Everything acknowledged so far.
#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<Things>);

#[derive(Debug, Default)]
pub(super) struct Things {
    pub(super) offers: Vec<NotedOffer>,
    pub(super) credentials: Vec<NotedCredential>,
    /// Requests that the wallet was told were verified.
    pub(super) verified: Vec<String>,
    /// What departments said is revoked: department, subject, credential.
    pub(super) revoked: Vec<(usize, String, String)>,
    /// Names of schemas that the ledger proved.
    pub(super) schemas: Vec<String>,
    /// Acts that failed, as they must while processes die.
    pub(super) unanswered: u64,
}

/// How much was acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Offers made.
    pub offers: usize,
    /// Credentials in wallets.
    pub credentials: usize,
    /// Presentations verified.
    pub verified: usize,
    /// Credentials revoked.
    pub revoked: usize,
    /// Entries certified by the ledger at our own request; anchors of credentials come on top.
    pub entries: usize,
    /// Acts that were not answered.
    pub unanswered: u64,
}

impl Noted {
    pub(super) fn things(&self) -> MutexGuard<'_, Things> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an offer; answers its place.
    pub(super) fn offer(&self, department: usize, subject: &str, offer: &Offer) -> usize {
        let mut things = self.things();
        things.offers.push(NotedOffer {
            department,
            subject: subject.to_owned(),
            offer: offer.clone(),
            tried: false,
            received: false,
        });
        things.offers.len().saturating_sub(1)
    }

    pub(super) fn tried(&self, place: usize) {
        if let Some(offer) = self.things().offers.get_mut(place) {
            offer.tried = true;
        }
    }

    pub(super) fn received(&self, place: usize, credential: NotedCredential) {
        let mut things = self.things();
        if let Some(offer) = things.offers.get_mut(place) {
            offer.received = true;
        }
        things.credentials.push(credential);
    }

    pub(super) fn counts(&self) -> Counts {
        let things = self.things();
        Counts {
            offers: things.offers.len(),
            credentials: things.credentials.len(),
            verified: things.verified.len(),
            revoked: things.revoked.len(),
            entries: things.schemas.len(),
            unanswered: things.unanswered,
        }
    }
}

impl Counts {
    /// Whether more of each kind is acknowledged than `before`.
    pub(super) fn is_more_of_each_than(&self, before: Self) -> bool {
        let kinds =
            |counts: &Self| [counts.offers, counts.credentials, counts.verified, counts.revoked, counts.entries];
        kinds(self).iter().zip(kinds(&before)).all(|(now, then)| *now > then)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} offers, {} credentials, {} verdicts, {} revocations, {} ledger entries acknowledged; {} acts unanswered",
            self.offers, self.credentials, self.verified, self.revoked, self.entries, self.unanswered
        )
    }
}
