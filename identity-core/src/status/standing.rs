//! Whether a credential is in force, as its issuer keeps it, and which changes that allows.
//!
//! ```text
//!            suspend
//!   valid ────────────► suspended
//!     │  ◄────────────     │
//!     │     reinstate      │
//!     └────► revoked ◄─────┘     and never back
//! ```

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::list::{Bits, Status};
use crate::problem::Code;

/// Whether a credential is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// In force.
    Valid,
    /// Not in force for the time being.
    Suspended,
    /// Not in force, for good.
    Revoked,
}

/// What an issuer may do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Ends it for good.
    Revoke,
    /// Takes it out of force for the time being.
    Suspend,
    /// Puts a suspended one back in force.
    Reinstate,
}

/// Why a change is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChangeRefusal {
    /// The credential is revoked: verifiers may have told its holder so, and nothing takes that back.
    #[error("the credential is revoked, which is final")]
    Final,
    /// The credential's list has one bit for each, which says revoked or not and nothing more.
    #[error("the credential's status list has no room for a suspension")]
    NotSuspendable,
}

impl ChangeRefusal {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Final => Code::StatusChangeFinal,
            Self::NotSuspendable => Code::StatusChangeNotSuspendable,
        }
    }
}

impl Standing {
    /// What `change` makes of it in a list of `bits`. What holds already stays: asking twice is asking once.
    ///
    /// # Errors
    /// [`ChangeRefusal`].
    pub const fn after(self, change: Change, bits: Bits) -> Result<Self, ChangeRefusal> {
        match (self, change) {
            (Self::Valid | Self::Suspended | Self::Revoked, Change::Revoke) => Ok(Self::Revoked),
            (Self::Revoked, Change::Suspend | Change::Reinstate) => Err(ChangeRefusal::Final),
            (Self::Valid | Self::Suspended, Change::Suspend) => match bits {
                Bits::One => Err(ChangeRefusal::NotSuspendable),
                Bits::Two | Bits::Four | Bits::Eight => Ok(Self::Suspended),
            },
            (Self::Valid | Self::Suspended, Change::Reinstate) => Ok(Self::Valid),
        }
    }

    /// What the status list says of it.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Valid => Status::Valid,
            Self::Suspended => Status::Suspended,
            Self::Revoked => Status::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Standing; 3] = [Standing::Valid, Standing::Suspended, Standing::Revoked];

    #[test]
    fn revoked_is_final_and_everything_else_can_be_undone() {
        let after = |standing: Standing, change| standing.after(change, Bits::Two);
        assert_eq!(ALL.map(|standing| after(standing, Change::Revoke)), [Ok(Standing::Revoked); 3]);
        let suspended = Ok(Standing::Suspended);
        assert_eq!(
            ALL.map(|standing| after(standing, Change::Suspend)),
            [suspended, suspended, Err(ChangeRefusal::Final)]
        );
        let valid = Ok(Standing::Valid);
        assert_eq!(ALL.map(|standing| after(standing, Change::Reinstate)), [valid, valid, Err(ChangeRefusal::Final)]);
    }

    #[test]
    fn one_bit_has_no_room_for_a_suspension() {
        assert_eq!(Standing::Valid.after(Change::Suspend, Bits::One), Err(ChangeRefusal::NotSuspendable));
        assert_eq!(Standing::Valid.after(Change::Revoke, Bits::One), Ok(Standing::Revoked));
        for bits in [Bits::Two, Bits::Four, Bits::Eight] {
            assert_eq!(Standing::Valid.after(Change::Suspend, bits), Ok(Standing::Suspended));
        }
    }
}
