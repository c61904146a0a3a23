//! GB/T 2261.1-2003 sex codes.

use super::{Datum, Fault, InvalidDatum};
use std::str::FromStr;

/// Sex as registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sex {
    /// `0`, 未知的性别.
    Unknown,
    /// `1`, 男性.
    Male,
    /// `2`, 女性.
    Female,
    /// `9`, 未说明的性别.
    NotStated,
}

impl Sex {
    /// The one-digit code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "0",
            Self::Male => "1",
            Self::Female => "2",
            Self::NotStated => "9",
        }
    }
}

impl FromStr for Sex {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        match text {
            "0" => Ok(Self::Unknown),
            "1" => Ok(Self::Male),
            "2" => Ok(Self::Female),
            "9" => Ok(Self::NotStated),
            _ => Err(InvalidDatum::new(Datum::Sex, Fault::UnknownCode)),
        }
    }
}
