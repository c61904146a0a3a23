//! How the credentials stand: fresh status lists and the ledger's word about their issuers.
//!
//! Always all credentials, each list whole and once, in random order: whoever serves a list learns that somebody holds
//! something from its issuer, and neither what nor which. A list that lies outside its issuer's address is not fetched,
//! since an address of its own per credential would give its holder away.

mod view;

use crate::{error::WalletError, ui::Ui, view::View, wallet::Wallet};
use identity_core::{
    encoding::limits,
    problem::Code,
    sd_jwt::HeldSdJwt,
    verdict::{Condition, FetchedList, Freshness, Holding, Needs, PreparedEvidence, StatusDoubt},
};
use ledger::TrustRoot;
use rand::seq::SliceRandom;
use service_kit::fetch::Request;
use std::collections::{BTreeMap, BTreeSet};

/// As for an asker: an idle ledger is cosigned anew every 30 seconds.
const FRESHNESS: Freshness = Freshness { max_age: 3600, leeway: 300 };

/// How one credential stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The credential's number.
    pub number: usize,
    /// Its type.
    pub vct: String,
    /// Its issuer's URL.
    pub issuer: String,
    /// How it stands.
    pub condition: Condition,
    /// Why its status is not known, if it is not.
    pub reason: Option<Code>,
}

/// How everything stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Reports {
    /// By number.
    pub credentials: Vec<Report>,
    /// Why the ledger could not be asked, if it could not.
    pub ledger: Option<Code>,
}

/// What was fetched.
struct Gathered {
    evidence: PreparedEvidence,
    /// Why a list is not there, by its address.
    missing: BTreeMap<String, Code>,
    ledger: Option<Code>,
}

impl Wallet {
    /// Asks how all credentials stand. What cannot be asked stays undetermined; that is no error.
    ///
    /// # Errors
    /// A stored credential that cannot be read.
    pub async fn status(&self) -> Result<Reports, WalletError> {
        let mut held = Vec::new();
        for (number, credential, _) in self.holdings.credentials() {
            let text = credential.sd_jwt.expose().to_owned();
            held.push((number, credential, Holding::of(&HeldSdJwt::dangerous_reopen(text)?)?));
        }
        let gathered = self.gather(held.iter().map(|(_, credential, holding)| (&*credential.issuer, holding))).await;
        let now = self.clock.now();
        let credentials = held
            .into_iter()
            .map(|(number, credential, holding)| {
                let condition = holding.condition(&gathered.evidence, FRESHNESS, now);
                let missing = holding.list().and_then(|uri| gathered.missing.get(uri)).copied();
                let reason = condition.status.err().map(|doubt| match (doubt, missing, gathered.ledger) {
                    (StatusDoubt::NoList, Some(code), _) => code,
                    // Whoever signed is unknown to us because the ledger could not be asked.
                    (StatusDoubt::SignerUnknown, _, Some(code)) => code,
                    (doubt, ..) => doubt.code(),
                });
                let (vct, issuer) = (credential.vct.clone(), credential.issuer.clone());
                Report { number, vct, issuer, condition, reason }
            })
            .collect();
        Ok(Reports { credentials, ledger: gathered.ledger })
    }

    async fn gather<'a>(&self, held: impl Iterator<Item = (&'a str, &'a Holding)>) -> Gathered {
        let (mut states, mut lists) = (BTreeSet::new(), BTreeSet::new());
        let mut missing = BTreeMap::new();
        for (issuer, holding) in held {
            let Needs { states: wanted, status_lists } = holding.needs();
            states.extend(wanted.into_keys());
            for uri in status_lists.into_keys() {
                if is_at(&uri, issuer) {
                    lists.insert(uri);
                } else {
                    missing.insert(uri, Code::WalletStatusElsewhere);
                }
            }
        }
        // The states first: whose keys sign a list is read from them.
        let (evidence, ledger) = self.gather_states(&self.shuffled(states)).await;
        let mut gathered = Gathered { evidence, missing, ledger };
        for uri in self.shuffled(lists) {
            match self.fetch_list(&uri).await {
                Ok(list) => _ = gathered.evidence.add_status_list(&uri, &list),
                Err(error) => drop(gathered.missing.insert(uri, error.code())),
            }
        }
        gathered
    }

    /// What the ledger proves of these keys, and why it does not, if it does not.
    async fn gather_states(&self, keys: &[String]) -> (PreparedEvidence, Option<Code>) {
        loop {
            let trust_root = self.ledger.trust_root();
            let (mut evidence, mut wrong) = (PreparedEvidence::new(TrustRoot::clone(&trust_root)), None);
            for key in keys {
                let proof = self.ledger.state(key).await.map_err(|error| error.code());
                let added = proof.and_then(|(_, proof)| evidence.add_state(&proof).map_err(|error| error.code()));
                wrong = wrong.or(added.err());
            }
            // Where other validators came into force on the way, what the ones before said counts for nothing.
            if *self.ledger.trust_root() == *trust_root {
                return (evidence, wrong);
            }
        }
    }

    async fn fetch_list(&self, uri: &str) -> Result<FetchedList, WalletError> {
        let request = Request::get(uri).with_header("accept", LIST_MEDIA_TYPE).with_limit(limits::STATUS_TOKEN);
        let answer = self.fetch.send(request).await?.success()?;
        Ok(FetchedList { token: answer.text()?.trim().to_owned(), fetched_at: self.clock.now() })
    }

    fn shuffled(&self, set: BTreeSet<String>) -> Vec<String> {
        let mut shuffled: Vec<String> = set.into_iter().collect();
        shuffled.shuffle(&mut *self.rng());
        shuffled
    }
}

/// The media type of a status list (draft-ietf-oauth-status-list §8.1).
const LIST_MEDIA_TYPE: &str = "application/statuslist+jwt";

/// Whether `uri` lies below the issuer's address, by a plain path: a query could name one list in many ways.
fn is_at(uri: &str, issuer: &str) -> bool {
    let rest = uri.strip_prefix(issuer.trim_end_matches('/'));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    rest.is_some_and(|rest| rest.starts_with('/') && !rest.contains("..") && rest.bytes().all(plain))
}

/// The command.
///
/// # Errors
/// As [`Wallet::status`].
pub(crate) async fn command(wallet: &Wallet, ui: &Ui) -> Result<View, WalletError> {
    Ok(view::view(&wallet.status().await?, wallet.clock.now(), ui))
}

#[cfg(test)]
mod tests {
    use super::is_at;

    #[test]
    fn a_list_stands_below_its_issuers_address() {
        for (uri, issuer) in [
            ("https://d2.example/status/1", "https://d2.example"),
            ("https://d2.example/a/status/1", "https://d2.example/a/"),
        ] {
            assert!(is_at(uri, issuer), "{uri}");
        }
        for uri in [
            "https://d2.example.evil.example/status/1",
            "https://evil.example/status/1",
            "https://d2.example/status/1?me=7",
            "https://d2.example/../x",
            "https://d2.example/status/%31",
            "https://d2.example",
        ] {
            assert!(!is_at(uri, "https://d2.example"), "{uri}");
        }
    }
}
