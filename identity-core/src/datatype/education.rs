//! Codes of higher education: GB/T 6864-2003 degrees, GB/T 4658-2006 levels of education.

use super::{Datum, Fault, InvalidDatum};
use std::str::FromStr;

/// A degree, by the first digit of GB/T 6864.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Degree {
    /// `2`, 博士.
    Doctor,
    /// `3`, 硕士.
    Master,
    /// `4`, 学士.
    Bachelor,
}

impl Degree {
    /// The one-digit code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Doctor => "2",
            Self::Master => "3",
            Self::Bachelor => "4",
        }
    }
}

impl FromStr for Degree {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        match text {
            "2" => Ok(Self::Doctor),
            "3" => Ok(Self::Master),
            "4" => Ok(Self::Bachelor),
            _ => Err(InvalidDatum::new(Datum::Degree, Fault::UnknownCode)),
        }
    }
}

/// A level of education that a certificate of higher education states, by GB/T 4658: graduated (毕业), or completed the
/// courses without graduating (结业).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Education {
    /// `11`, 博士研究生毕业.
    DoctorGraduated,
    /// `12`, 博士研究生结业.
    DoctorCompleted,
    /// `14`, 硕士研究生毕业.
    MasterGraduated,
    /// `15`, 硕士研究生结业.
    MasterCompleted,
    /// `21`, 大学本科毕业.
    BachelorGraduated,
    /// `22`, 大学本科结业.
    BachelorCompleted,
    /// `31`, 大学专科毕业.
    CollegeGraduated,
    /// `32`, 大学专科结业.
    CollegeCompleted,
}

impl Education {
    /// The two-digit code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DoctorGraduated => "11",
            Self::DoctorCompleted => "12",
            Self::MasterGraduated => "14",
            Self::MasterCompleted => "15",
            Self::BachelorGraduated => "21",
            Self::BachelorCompleted => "22",
            Self::CollegeGraduated => "31",
            Self::CollegeCompleted => "32",
        }
    }
}

impl FromStr for Education {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        match text {
            "11" => Ok(Self::DoctorGraduated),
            "12" => Ok(Self::DoctorCompleted),
            "14" => Ok(Self::MasterGraduated),
            "15" => Ok(Self::MasterCompleted),
            "21" => Ok(Self::BachelorGraduated),
            "22" => Ok(Self::BachelorCompleted),
            "31" => Ok(Self::CollegeGraduated),
            "32" => Ok(Self::CollegeCompleted),
            _ => Err(InvalidDatum::new(Datum::Education, Fault::UnknownCode)),
        }
    }
}
