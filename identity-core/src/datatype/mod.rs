//! National data types that credentials carry: shapes, check characters and code tables.
//!
//! | type | standard |
//! |---|---|
//! | [`CitizenNumber`] | GB 11643-1999, check character ISO 7064 MOD 11-2 |
//! | [`CreditCode`] | GB 32100-2015 (modulo 31) around GB 11714-1997 (modulo 11) |
//! | [`DivisionCode`] | GB/T 2260, every code in force since 1981 |
//! | [`Ethnicity`] | GB/T 3304-1991 |
//! | [`Sex`] | GB/T 2261.1-2003 |
//! | [`Date`] | GB/T 7408 extended calendar date (ISO 8601) |
//!
//! A value of one of these types has passed every check that needs no register. None of them says that a person or a
//! company with that number exists. `Debug` never shows a citizen number: it is personal data.

mod citizen_number;
mod credit_code;
mod date;
mod division;
mod ethnicity;
mod sex;

pub use citizen_number::CitizenNumber;
pub use credit_code::CreditCode;
pub use date::Date;
pub use division::{DivisionCode, DivisionEntry, DivisionLevel, divisions};
pub use ethnicity::{Ethnicity, ethnicities};
pub use sex::Sex;

/// Which datum a text was meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Datum {
    /// A GB 11643 citizen number.
    CitizenNumber,
    /// A GB 32100 unified social credit code.
    CreditCode,
    /// A GB/T 2260 division code.
    DivisionCode,
    /// A GB/T 3304 nationality.
    Ethnicity,
    /// A GB/T 2261.1 sex code.
    Sex,
    /// A calendar date.
    Date,
}

impl Datum {
    /// The datum's name for messages, in English.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CitizenNumber => "citizen number",
            Self::CreditCode => "unified social credit code",
            Self::DivisionCode => "division code",
            Self::Ethnicity => "ethnicity",
            Self::Sex => "sex",
            Self::Date => "date",
        }
    }
}

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

impl InvalidDatum {
    const fn new(datum: Datum, fault: Fault) -> Self {
        Self { datum, fault }
    }
}

#[cfg(test)]
mod tests;
