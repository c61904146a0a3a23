//! Submitting transactions: from their texts to their places.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use identity_core::registry::{self, NotApplied, Refused, Transaction, sequence_key};
use ledger::Hash;
use service_kit::store::StoreError;
use tokio::sync::oneshot;

use crate::engine::NotTaken;
use crate::executor::Outcome;
use crate::node::Node;
use crate::store::{Place, value_at};

/// Why a submission got no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SubmitError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    #[error("the validators have not certified a checkpoint yet")]
    Uncertified,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotApplied> for SubmitError {
    fn from(error: NotApplied) -> Self {
        match error {
            NotApplied::Refused(refused) => Self::Refused(refused),
            NotApplied::State(unreadable) => Self::Store(StoreError::Corrupt(unreadable.to_string())),
        }
    }
}

/// What became of one of many.
pub(crate) type Placed = Result<(Hash, Place), SubmitError>;

/// One of many on its way.
enum Underway {
    /// Nothing has to be waited for: it stands already, or will not stand.
    Known(Placed),
    Sound(Transaction),
    Waiting(Hash, oneshot::Receiver<Outcome>),
}

impl Underway {
    fn sound(&mut self) -> Option<&mut Transaction> {
        match self {
            Self::Sound(transaction) => Some(transaction),
            Self::Known(_) | Self::Waiting(..) => None,
        }
    }
}

impl Node {
    /// Takes a transaction and waits for its place. The same transaction again gets the same place.
    pub(crate) async fn submit(&self, text: &str) -> Placed {
        let mut transaction = Transaction::parse(text)?;
        let digest = transaction.digest();
        if let Some(place) = self.place(&digest).await? {
            return Ok((digest, place));
        }
        self.authenticate_all(&mut [&mut transaction]).await?.pop().unwrap_or(Ok(()))?;
        let place = placed(self.desk.submit(transaction)?).await?;
        Ok((digest, place))
    }

    /// Takes many, in their order, and waits for the places of all: the answers are in the same order. What is bad among
    /// them spoils nothing for the others, but where one finds no room, those after it are not tried: they may count on
    /// its sequence number.
    pub(crate) async fn submit_all(self: Arc<Self>, texts: Vec<String>) -> Vec<Placed> {
        let (node, runtime, count) = (Arc::clone(&self), self.runtime.clone(), texts.len());
        let checking = runtime.clone().spawn_blocking(move || {
            runtime.block_on(async {
                let checked = node.check_all(&texts).await;
                checked.unwrap_or_else(|error| texts.iter().map(|_| Underway::Known(Err(error.clone()))).collect())
            })
        });
        let Ok(checked) = checking.await else { return vec![Err(NotTaken::Stopping.into()); count] };
        let mut answers = Vec::with_capacity(checked.len());
        for one in self.hand_in(checked) {
            answers.push(match one {
                Underway::Known(known) => known,
                Underway::Waiting(digest, answer) => placed(answer).await.map(|place| (digest, place)),
                Underway::Sound(_) => Err(NotTaken::Stopping.into()),
            });
        }
        answers
    }

    async fn check_all(&self, texts: &[String]) -> Result<Vec<Underway>, SubmitError> {
        let parse = |text: &String| match Transaction::parse(text) {
            Ok(transaction) => Underway::Sound(transaction),
            Err(refused) => Underway::Known(Err(refused.into())),
        };
        let mut all: Vec<_> = texts.iter().map(parse).collect();
        let parsed: Vec<_> = all.iter_mut().filter_map(Underway::sound).map(|transaction| &*transaction).collect();
        let places = self.places(&parsed).await?;
        let to_place = all.iter_mut().filter(|one| matches!(one, Underway::Sound(_)));
        for (one, place) in to_place.zip(places) {
            if let (Some(transaction), Some(place)) = (one.sound(), place) {
                *one = Underway::Known(Ok((transaction.digest(), place)));
            }
        }
        let mut parsed: Vec<_> = all.iter_mut().filter_map(Underway::sound).collect();
        let verdicts = self.authenticate_all(&mut parsed).await?;
        let to_judge = all.iter_mut().filter(|one| matches!(one, Underway::Sound(_)));
        for (one, verdict) in to_judge.zip(verdicts) {
            if let Err(error) = verdict {
                *one = Underway::Known(Err(error.into()));
            }
        }
        Ok(all)
    }

    fn hand_in(&self, checked: Vec<Underway>) -> Vec<Underway> {
        let mut full = None;
        let hand_in = |one| match (one, full) {
            (Underway::Sound(_), Some(reason)) => Underway::Known(Err(SubmitError::NotTaken(reason))),
            (Underway::Sound(transaction), None) => {
                let digest = transaction.digest();
                match self.desk.submit(transaction) {
                    Ok(answer) => Underway::Waiting(digest, answer),
                    Err(reason) => {
                        full = Some(reason);
                        Underway::Known(Err(reason.into()))
                    }
                }
            }
            (known, _) => known,
        };
        checked.into_iter().map(hand_in).collect()
    }

    /// Checks ledger, expiry, sender, key and signature before anything is ordered or written: what fails here costs
    /// strangers nothing but our time, and never a durable write. Many take milliseconds: not on a thread that serves
    /// others meanwhile.
    pub(crate) async fn authenticate_all(
        &self,
        transactions: &mut [&mut Transaction],
    ) -> Result<Vec<Result<(), NotApplied>>, SubmitError> {
        let round = self.round().ok_or(SubmitError::Uncertified)?;
        let keys = registry::keys_to_authenticate(transactions.iter().map(|transaction| &**transaction));
        let state = self.values(keys, &round).await?;
        let mut memory = std::mem::take(&mut *self.memory.lock().unwrap_or_else(PoisonError::into_inner));
        let verdicts = registry::authenticate_all(&state, &self.next_block(&round), transactions, &mut memory);
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = memory;
        Ok(verdicts)
    }

    /// Where each stands already, if it does. Numbers are taken in turn, so only what has a number that is taken is
    /// looked for.
    pub(crate) async fn places(&self, transactions: &[&Transaction]) -> Result<Vec<Option<Place>>, StoreError> {
        let height = self.executed().height;
        let mut taken: HashMap<&str, u64> = HashMap::new();
        let mut places = Vec::with_capacity(transactions.len());
        for transaction in transactions {
            let key = transaction.key_url();
            let last = match taken.get(key) {
                Some(last) => *last,
                None => {
                    let last = value_at(self.store.as_ref(), &sequence_key(key), height).await?;
                    let last = last.map_or(Ok(0), |last| serde_json::from_slice(&last));
                    last.map_err(|_| StoreError::Corrupt("a sequence number is malformed".into()))?
                }
            };
            taken.insert(key, last);
            let stands = transaction.envelope().seq <= last;
            places.push(if stands { self.place(&transaction.digest()).await? } else { None });
        }
        Ok(places)
    }
}

/// Waits for what becomes of a transaction that was handed in.
async fn placed(answer: oneshot::Receiver<Outcome>) -> Result<Place, SubmitError> {
    match answer.await.map_err(|_| NotTaken::Stopping)? {
        Outcome::Accepted(place) => Ok(place),
        Outcome::Refused(refused) => Err(refused.into()),
        Outcome::NotSaved(error) => Err(error.into()),
    }
}
