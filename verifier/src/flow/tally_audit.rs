//! Holding the counts of days that the ledger has against the receipts they were counted from.

use std::collections::BTreeMap;

use identity_core::did::Did;
use identity_core::problem::Code;
use identity_core::receipt::Entry;
use identity_core::registry::{Count, TalliedDay, Tallies, tallied_month_key, tallies_key};
use identity_core::time::{UnixSeconds, UtcDay};
use identity_core::trust;
use service_kit::ledger_client::LedgerClient;
use service_kit::messages::Catalogue;

use super::receipt_audit::Unasked;
use crate::job::tally::days_waiting;

/// What the ledger has of a service's counts.
#[derive(Debug, Default)]
pub(crate) struct Told {
    reach: Option<Tallies>,
    days: BTreeMap<UtcDay, TalliedDay>,
}

/// Accepted answers by day and purpose, as the receipts say.
#[derive(Debug, Default)]
pub(crate) struct Accepted(BTreeMap<UtcDay, BTreeMap<String, u64>>);

/// Where counts and receipts part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TallyFault {
    /// A count is not what the receipts come to.
    #[error("the ledger's count of {day} for {purpose} is not what the receipts come to")]
    Differs {
        /// The day.
        day: UtcDay,
        /// The purpose's code.
        purpose: String,
    },
    /// A day was left out.
    #[error("{day} was left out: the ledger has counts of later days and none of this one")]
    Missing {
        /// The day.
        day: UtcDay,
    },
}

impl TallyFault {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Differs { .. } => Code::TallyDiffers,
            Self::Missing { .. } => Code::TallyMissing,
        }
    }
}

/// Counts that are what the receipts come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TalliesRead {
    /// Days that were counted.
    pub days: u64,
    /// Days that are over and not counted yet.
    pub waiting: u64,
}

impl TalliesRead {
    /// For the operator.
    #[must_use]
    pub fn told(self, messages: &Catalogue) -> String {
        let id = if self.waiting == 0 { "tallies-hold" } else { "tallies-hold-waiting" };
        let values = [("days", self.days.to_string().into()), ("waiting", self.waiting.to_string().into())];
        messages.text(id, &values)
    }
}

/// What the ledger proves of a service's counts, month by month.
///
/// # Errors
/// [`Unasked`].
pub(crate) async fn ask(ledger: &LedgerClient, service: &Did) -> Result<Told, Unasked> {
    let (state, _) = ledger.state(&tallies_key(service)).await?;
    let Some(reach) = trust::tallies(&state, service)? else { return Ok(Told::default()) };
    let mut told = Told { reach: Some(reach), days: BTreeMap::new() };
    let mut day = Some(reach.first);
    while let Some(in_month) = day.filter(|day| day.month() <= reach.last.month()) {
        let (state, _) = ledger.state(&tallied_month_key(service, in_month)).await?;
        told.days.extend(trust::tallied_month(&state, service, in_month)?.days);
        day = in_month.next_month();
    }
    Ok(told)
}

impl Accepted {
    /// Counts an entry of the chain.
    pub(crate) fn add(&mut self, entry: &Entry) {
        if let (Some(purpose), Some(day)) = (entry.accepted_for(), UtcDay::of(entry.at())) {
            *self.0.entry(day).or_default().entry(purpose.to_owned()).or_default() += 1;
        }
    }

    /// Compares with what the ledger has; the first day on which they part is named.
    ///
    /// # Errors
    /// [`TallyFault`].
    pub(crate) fn agree(&self, told: &Told, now: UnixSeconds) -> Result<TalliesRead, TallyFault> {
        let Some(reach) = told.reach else {
            let waiting = self.0.keys().next().map_or(0, |first| days_waiting(*first, now));
            return Ok(TalliesRead { days: 0, waiting });
        };
        let mut day = Some(self.0.keys().next().map_or(reach.first, |first| reach.first.min(*first)));
        while let Some(this) = day.filter(|day| *day <= reach.last) {
            self.agree_on(this, told.days.get(&this), reach)?;
            day = this.next();
        }
        let waiting = reach.last.next().map_or(0, |next| days_waiting(next, now));
        Ok(TalliesRead { days: u64::try_from(told.days.len()).unwrap_or(u64::MAX), waiting })
    }

    fn agree_on(&self, day: UtcDay, told: Option<&TalliedDay>, reach: Tallies) -> Result<(), TallyFault> {
        let accepted = self.0.get(&day);
        let Some(told) = told else {
            // Before the first count nothing is owed but for days on which something was shared.
            return if day > reach.first || accepted.is_some() { Err(TallyFault::Missing { day }) } else { Ok(()) };
        };
        let number = |purpose: &String| accepted.and_then(|counts| counts.get(purpose)).copied().unwrap_or_default();
        let differs = told.counts.iter().find(|(purpose, count)| Count::of(number(purpose)) != **count);
        let unlisted = || accepted.into_iter().flat_map(BTreeMap::keys).find(|code| !told.counts.contains_key(*code));
        match differs.map(|(purpose, _)| purpose).or_else(unlisted) {
            Some(purpose) => Err(TallyFault::Differs { day, purpose: purpose.clone() }),
            None => Ok(()),
        }
    }
}
