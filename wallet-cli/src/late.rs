//! Asking for proofs that were late: each address that is silent keeps the holder waiting once, not once for each proof.

use crate::wallet::Wallet;
use service_kit::fetch::{Answer, Request};
use std::collections::BTreeSet;

/// Base addresses at which nobody answered in this run.
#[derive(Debug, Default)]
pub(crate) struct Silent(BTreeSet<String>);

impl Silent {
    /// What is answered under `base`; `None` if nobody answers there, now or before.
    pub(crate) async fn ask(&mut self, wallet: &Wallet, base: &str, request: Request) -> Option<Answer> {
        if self.0.contains(base) {
            return None;
        }
        match wallet.fetch.send(request).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                if error.is_passing() {
                    self.0.insert(base.to_owned());
                }
                None
            }
        }
    }
}
