//! One file per check. Each answers one question and refuses in its own words.

pub(super) mod anchor;
pub(super) mod answer;
pub(super) mod asker;
pub(super) mod credential_type;
pub(super) mod duty;
pub(super) mod issuer;
pub(super) mod status;

/// The log index as of which issuer, accreditation and type are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// When the credential was anchored, which is proven.
    AnchoredAt(u64),
    /// Nothing shows when it was made: as of the newest that is known, each history as far as it goes. One that is behind
    /// the others is still fresh, and what a newer one says is over is over.
    Newest,
}

impl Moment {
    /// The log index that counts in a history that is known up to `until`.
    pub(super) const fn index(self, until: u64) -> u64 {
        match self {
            Self::AnchoredAt(index) => index,
            Self::Newest => until,
        }
    }
}
