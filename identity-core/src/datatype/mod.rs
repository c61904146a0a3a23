//! National data types that credentials carry: shapes, check characters and code tables.
//!
//! | type | standard |
//! |---|---|
//! | [`CitizenNumber`] | GB 11643-1999, check character ISO 7064 MOD 11-2 |
//! | [`CreditCode`] | GB 32100-2015 (modulo 31) around GB 11714-1997 (modulo 11) |
//! | [`DivisionCode`] | GB/T 2260, every code in force since 1981 |
//! | [`Ethnicity`] | GB/T 3304-1991 |
//! | [`Sex`] | GB/T 2261.1-2003 |
//! | [`Degree`], [`Education`] | GB/T 6864-2003, GB/T 4658-2006 |
//! | [`LicenceType`], [`LicenceIdentifier`] | GB/T 36904-2018, check character ISO 7064 MOD 37,36 |
//! | [`DegreeNumber`], [`GraduationNumber`] | rules of the degree committee and the ministry of education |
//! | [`Insurance`] | article 2 of the Social Insurance Law |
//! | [`Date`] | GB/T 7408 extended calendar date (ISO 8601) |
//!
//! A value of one of these types has passed every check that needs no register. None of them says that a person or a
//! company with that number exists. `Debug` never shows a number that leads to a person.

mod certificate_number;
mod citizen_number;
mod contradiction;
mod credit_code;
mod date;
mod datum;
mod division;
mod education;
mod ethnicity;
mod insurance;
mod licence_identifier;
mod sex;
mod subject;

pub use certificate_number::{DegreeNumber, GraduationNumber};
pub use citizen_number::CitizenNumber;
pub use credit_code::CreditCode;
pub use date::Date;
pub use datum::Datum;
pub use division::{DivisionCode, DivisionEntry, DivisionLevel, divisions};
pub use education::{Degree, Education};
pub use ethnicity::{Ethnicity, ethnicities};
pub use insurance::Insurance;
pub use licence_identifier::{LicenceIdentifier, LicenceType};
pub use sex::Sex;
pub use subject::{CellFault, SubjectShape};

use crate::problem::Code;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    /// Too short or too long.
    #[error("has the wrong length")]
    Length,
    /// A character outside the alphabet, or at a place where another kind belongs.
    #[error("has a character that does not belong there")]
    Character,
    /// The check character does not fit the rest.
    #[error("fails its check character")]
    Checksum,
    /// No such day in the calendar, or one outside the years that make sense here.
    #[error("has a date that does not exist")]
    Date,
    /// The code stands in no edition of its table.
    #[error("is, or contains, a code that its table does not have")]
    UnknownCode,
    /// Fits by itself, but contradicts another datum of the same subject.
    #[error("contradicts another datum of the same subject")]
    Contradiction,
    /// Must be there and is not.
    #[error("is missing")]
    Missing,
    /// Stands where the type has no such claim.
    #[error("is not a claim of this type")]
    Unexpected,
}

/// A text that is not what it was meant to be. Carries no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{} {fault}", .datum.name())]
pub struct InvalidDatum {
    /// Which datum.
    pub datum: Datum,
    /// What is wrong with it.
    pub fault: Fault,
}

impl Fault {
    /// The stable code of this fault.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Length => Code::CredentialDatumLength,
            Self::Character => Code::CredentialDatumCharacter,
            Self::Checksum => Code::CredentialDatumChecksum,
            Self::Date => Code::CredentialDatumDate,
            Self::UnknownCode => Code::CredentialDatumUnknownCode,
            Self::Contradiction => Code::CredentialDatumContradiction,
            Self::Missing => Code::CredentialDatumMissing,
            Self::Unexpected => Code::CredentialDatumUnexpected,
        }
    }
}

impl InvalidDatum {
    /// The stable code of its fault.
    #[must_use]
    pub fn code(&self) -> Code {
        self.fault.code()
    }

    const fn new(datum: Datum, fault: Fault) -> Self {
        Self { datum, fault }
    }
}

#[cfg(test)]
mod tests;
