//! The five insurances of the Social Insurance Law (社会保险法, article 2), by words of ours: no national code table for
//! them could be verified.

use super::{Datum, Fault, InvalidDatum};
use std::str::FromStr;

/// A kind of social insurance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Insurance {
    /// `pension`, 基本养老保险.
    Pension,
    /// `medical`, 基本医疗保险.
    Medical,
    /// `work-injury`, 工伤保险.
    WorkInjury,
    /// `unemployment`, 失业保险.
    Unemployment,
    /// `maternity`, 生育保险.
    Maternity,
}

impl Insurance {
    /// All five, in the order of the law.
    pub const ALL: [Self; 5] = [Self::Pension, Self::Medical, Self::WorkInjury, Self::Unemployment, Self::Maternity];

    /// The word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pension => "pension",
            Self::Medical => "medical",
            Self::WorkInjury => "work-injury",
            Self::Unemployment => "unemployment",
            Self::Maternity => "maternity",
        }
    }
}

impl FromStr for Insurance {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        let known = Self::ALL.into_iter().find(|kind| kind.code() == text);
        known.ok_or(InvalidDatum::new(Datum::Insurance, Fault::UnknownCode))
    }
}
