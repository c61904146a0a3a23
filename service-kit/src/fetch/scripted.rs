//! A fetcher for tests: answers by hand, and remembers what it was asked.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{Answer, Fetch, FetchError, Fetching, Request};

/// Answers each address as told; every other host is unreachable.
#[derive(Default)]
pub struct ScriptedFetch {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: BTreeMap<String, Answer>,
    asked: Vec<Request>,
}

impl ScriptedFetch {
    /// Nobody is reachable yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers `url`, from now on, with `status` and `body` of `kind`.
    pub fn answer(&self, url: &str, status: u16, kind: &str, body: impl Into<Vec<u8>>) {
        let host = url.split('/').nth(2).unwrap_or_default().to_owned();
        let answer = Answer { host, status, kind: kind.to_owned(), retry_after: None, body: body.into() };
        self.with_state(|state| state.answers.insert(url.to_owned(), answer));
    }

    /// Makes `url` unreachable again.
    pub fn forget(&self, url: &str) {
        self.with_state(|state| state.answers.remove(url));
    }

    /// Every request so far, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Request> {
        self.with_state(|state| state.asked.clone())
    }

    fn with_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Fetch for ScriptedFetch {
    fn send(&self, request: Request) -> Fetching<'_> {
        let host = request.url.split('/').nth(2).unwrap_or_default().to_owned();
        let answer = self.with_state(|state| {
            let answer = state.answers.get(&request.url).cloned();
            state.asked.push(request);
            answer
        });
        Box::pin(async move { answer.ok_or(FetchError::Unreachable { host, reason: "nobody answers for it" }) })
    }
}
