//! Finding offers and credentials again: all of them, those of a subject, or those of the department's own reference,
//! page by page.

use identity_core::oid4vci::issuer::Grant;
use identity_core::time::UnixSeconds;
use serde::de::DeserializeOwned;
use service_kit::store::{Batch, Range, StoreError};

use super::grants::{credential_key, offer_key};
use super::{CredentialRecord, Records, decode};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Search<'a> {
    All,
    Subject(&'a str),
    Reference(&'a str),
}

/// One page of what is found, in no particular but a fixed order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    /// The id that ended the page before.
    pub after: Option<&'a str>,
    pub limit: usize,
}

/// Where an offer stands in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeAt {
    /// `<second>/<id>`.
    pub place: String,
    pub at: UnixSeconds,
}

impl MadeAt {
    fn of(key: &[u8]) -> Option<Self> {
        let place = std::str::from_utf8(key).ok()?.strip_prefix(MADE)?;
        let (second, _) = place.split_once('/')?;
        Some(Self { place: place.to_owned(), at: UnixSeconds(second.parse().ok()?) })
    }

    fn id(&self) -> &str {
        self.place.split_once('/').map_or("", |(_, id)| id)
    }
}

impl Records {
    /// Offers.
    pub(crate) async fn offers(&self, search: Search<'_>, page: Page<'_>) -> Result<Vec<Grant>, StoreError> {
        match search {
            Search::All => self.all(offer_key, page).await,
            Search::Subject(subject) => self.indexed("offer-of", subject, offer_key, page).await,
            Search::Reference(reference) => self.indexed("offer-as", reference, offer_key, page).await,
        }
    }

    /// The offers made before a place, newest first, each with its own.
    pub(crate) async fn newest_offers(
        &self,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(MadeAt, Grant)>, StoreError> {
        let range = Range::prefix(MADE).descending();
        let range = before.map_or(range.clone(), |place| range.before(format!("{MADE}{place}").as_bytes()));
        let mut found = Vec::new();
        for made in self.store.scan(range, limit).await?.iter().filter_map(|(key, _)| MadeAt::of(key)) {
            if let Some(grant) = self.read(&offer_key(made.id())).await? {
                found.push((made, grant));
            }
        }
        Ok(found)
    }

    /// Credentials.
    pub(crate) async fn credentials(
        &self,
        search: Search<'_>,
        page: Page<'_>,
    ) -> Result<Vec<CredentialRecord>, StoreError> {
        match search {
            Search::All => self.all(credential_key, page).await,
            Search::Subject(subject) => self.indexed("of", subject, credential_key, page).await,
            Search::Reference(reference) => self.indexed("as", reference, credential_key, page).await,
        }
    }

    async fn all<T: DeserializeOwned>(&self, key: fn(&str) -> Vec<u8>, page: Page<'_>) -> Result<Vec<T>, StoreError> {
        let range = Range::prefix(key(""));
        let range = page.after.map_or(range.clone(), |after| range.after(&key(after)));
        self.store.scan(range, page.limit).await?.iter().map(|(_, bytes)| decode(bytes)).collect()
    }

    async fn indexed<T: DeserializeOwned>(
        &self,
        index: &str,
        name: &str,
        key: fn(&str) -> Vec<u8>,
        page: Page<'_>,
    ) -> Result<Vec<T>, StoreError> {
        let prefix = index_key(index, name, "");
        let range = Range::prefix(prefix.clone());
        let range = page.after.map_or(range.clone(), |after| range.after(&index_key(index, name, after)));
        let mut found = Vec::new();
        for (entry, _) in self.store.scan(range, page.limit).await? {
            let id = String::from_utf8_lossy(entry.get(prefix.len()..).unwrap_or_default()).into_owned();
            found.extend(self.read(&key(&id)).await?);
        }
        Ok(found)
    }
}

/// What the keys of [`Records::newest_offers`] begin with.
const MADE: &str = "offer-made/";

/// Makes an offer findable that was made now.
pub(super) fn index_offer(batch: Batch, grant: &Grant, now: UnixSeconds) -> Batch {
    let batch = batch
        .put(format!("{MADE}{:012}/{}", now.0.max(0), grant.id), "")
        .put(index_key("offer-of", &grant.subject, &grant.id), "");
    match &grant.reference {
        Some(reference) => batch.put(index_key("offer-as", reference, &grant.id), ""),
        None => batch,
    }
}

/// Makes a credential findable.
pub(super) fn index_credential(batch: Batch, record: &CredentialRecord) -> Batch {
    let batch = batch.put(index_key("of", &record.subject, &record.id), "");
    match &record.reference {
        Some(reference) => batch.put(index_key("as", reference, &record.id), ""),
        None => batch,
    }
}

fn index_key(index: &str, name: &str, id: &str) -> Vec<u8> {
    format!("{index}/{name}\0{id}").into_bytes()
}
