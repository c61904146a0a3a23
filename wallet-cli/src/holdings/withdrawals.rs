//! Sharings being taken back, as the account has them.

use super::{Entry, Holdings, HoldingsError, Kept, Sharing, at};
use identity_core::{crypto::SecretKey, time::UnixSeconds};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a service answered to a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum WithdrawalAnswer {
    /// An acknowledgement that held when it came.
    Acknowledged {
        /// Its place in the service's chain of receipts.
        seq: u64,
        /// The acknowledgement.
        text: String,
    },
    /// None, or one that does not hold.
    Fault {
        /// The dotted code of what is wrong.
        code: String,
        /// What came, if anything did.
        text: Option<String>,
    },
    /// A refusal.
    Refused {
        /// The dotted code, if it gave one of ours.
        code: Option<String>,
    },
}

/// A sharing being taken back, and what was learnt of it since.
#[derive(Debug, Clone, PartialEq)]
pub struct Withdrawing {
    /// When the holder signed, in seconds.
    pub time: i64,
    /// What was signed.
    pub text: String,
    /// What the service answered; nothing yet, or it may not have got it.
    pub answer: Option<WithdrawalAnswer>,
    /// That the acknowledgement stands on the ledger.
    pub proof: Option<Value>,
    /// That the withdrawal's digest does.
    pub notarised: Option<Value>,
}

impl Holdings {
    pub(super) fn withdrawing(&mut self, sharing: usize) -> Option<&mut Withdrawing> {
        at(&mut self.sharings, sharing)?.withdrawal.as_mut()
    }

    /// Stores what the holder signed to take a sharing back.
    ///
    /// # Errors
    /// As [`Vault::append`](crate::vault::Vault::append); then nothing may leave.
    pub fn add_withdrawal(
        &mut self,
        sharing: usize,
        now: UnixSeconds,
        text: String,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HoldingsError> {
        self.add(Entry::Withdrawal { sharing, time: now.0, text }, rng)
    }

    /// Stores what the service answered to a withdrawal.
    ///
    /// # Errors
    /// As [`Vault::append`](crate::vault::Vault::append).
    pub fn add_withdrawal_answer(
        &mut self,
        sharing: usize,
        answer: WithdrawalAnswer,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HoldingsError> {
        self.add(Entry::WithdrawalAnswer { sharing, answer }, rng)
    }

    /// Stores the proof that the acknowledgement of a withdrawal stands on the ledger.
    ///
    /// # Errors
    /// As [`Vault::append`](crate::vault::Vault::append).
    pub fn add_withdrawal_proof(
        &mut self,
        sharing: usize,
        proof: Value,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HoldingsError> {
        self.add(Entry::WithdrawalProof { sharing, proof }, rng)
    }

    /// Stores the proof that the digest of a withdrawal stands on the ledger.
    ///
    /// # Errors
    /// As [`Vault::append`](crate::vault::Vault::append).
    pub fn add_notarised(
        &mut self,
        sharing: usize,
        proof: Value,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HoldingsError> {
        self.add(Entry::Notarised { sharing, proof }, rng)
    }

    /// The sharings that were taken back, by number.
    pub fn withdrawals(&self) -> impl Iterator<Item = (usize, &Sharing, &Withdrawing)> {
        self.sharings
            .iter()
            .zip(1..)
            .filter_map(|(shared, number)| Some((number, &shared.sharing, shared.withdrawal.as_ref()?)))
    }

    /// How a sharing was taken back, if it was.
    #[must_use]
    pub fn withdrawal(&self, number: usize) -> Option<&Withdrawing> {
        self.sharings.get(number.checked_sub(1)?)?.withdrawal.as_ref()
    }

    /// The keys that can sign the withdrawal of a sharing, with the numbers of their credentials: those of what was shown,
    /// as far as it is here still.
    pub(crate) fn keys_of<'a>(&'a self, sharing: &'a Sharing) -> impl Iterator<Item = (usize, SecretKey)> + 'a {
        let shown = |number: usize| sharing.credentials.iter().any(|shared| shared.credential == number);
        let held = self.credentials().filter(move |(number, ..)| shown(*number));
        held.filter_map(|(number, credential, _)| Some((number, credential.holder_key()?)))
    }

    /// The sharings, by number, that were not taken back yet and that the key of this credential alone can take back.
    #[must_use]
    pub fn withdrawable_only_with(&self, credential: usize) -> Vec<usize> {
        let only_with = |sharing: &Sharing| {
            let keys: Vec<usize> = self.keys_of(sharing).map(|(number, _)| number).collect();
            keys == [credential]
        };
        let open = self
            .receipts()
            .filter(|(number, _, kept, _)| matches!(kept, Kept::Holds { .. }) && self.withdrawal(*number).is_none());
        open.filter(|(_, sharing, ..)| only_with(sharing)).map(|(number, ..)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use identity_core::crypto::Alg;
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::super::tests::{empty, sharing};
    use super::super::{Credential, SharedCredential};
    use super::*;

    #[test]
    fn what_only_one_key_can_take_back_is_known_before_it_goes() {
        let (_dir, mut holdings) = empty();
        let mut rng = StdRng::seed_from_u64(2);
        for name in ["first", "second"] {
            let key = SecretKey::generate(Alg::Es256, &mut rng).unwrap();
            let issuer = "https://i.example".into();
            let credential = Credential::new(name.into(), issuer, UnixSeconds(1), "jwt~".into(), &key);
            holdings.add_credential(credential, &mut rng).unwrap();
        }
        let receipt = || Kept::Holds { seq: 1, text: "receipt".into() };
        let fault = Kept::Fault { code: "receipt.missing".into(), text: None };
        // What was shown each time, and what the service gave for it.
        for (shown, kept) in [
            (vec![1], Some(receipt())),
            (vec![1, 2], Some(receipt())),
            (vec![2], Some(receipt())),
            (vec![1], None),
            (vec![1], Some(fault)),
            (vec![1], Some(receipt())),
        ] {
            let credentials = shown.into_iter().map(|credential| SharedCredential { credential, claims: Vec::new() });
            let number = holdings.add_sharing(Sharing { credentials: credentials.collect(), ..sharing() }, &mut rng);
            let number = number.unwrap();
            kept.into_iter().for_each(|kept| holdings.add_receipt(number, kept, &mut rng).unwrap());
        }
        assert_eq!((holdings.withdrawable_only_with(1), holdings.withdrawable_only_with(2)), (vec![1, 6], vec![3]));
        assert!(holdings.withdrawable_only_with(3).is_empty());
        // What was signed once can be sent again without the key.
        holdings.add_withdrawal(6, UnixSeconds(7), "withdrawal".into(), &mut rng).unwrap();
        assert_eq!(holdings.withdrawable_only_with(1), [1]);
        assert!(holdings.remove_credential(1, UnixSeconds(9), &mut rng).unwrap());
        assert_eq!(holdings.withdrawable_only_with(2), [2, 3]);
        let (_, first, ..) = holdings.receipts().next().unwrap();
        assert_eq!(holdings.keys_of(first).count(), 0);
    }
}
