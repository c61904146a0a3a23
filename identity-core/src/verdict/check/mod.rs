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
    /// Nothing shows when it was made: as of the newest index that the issuer's history knows.
    Newest(u64),
}

impl Moment {
    pub(super) const fn index(self) -> u64 {
        match self {
            Self::AnchoredAt(index) | Self::Newest(index) => index,
        }
    }
}
