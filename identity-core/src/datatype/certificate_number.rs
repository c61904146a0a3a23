//! Numbers of certificates of higher education.
//!
//! A degree's number (学位证书编号) follows the notice of the State Council's degree committee of 2005-08-25: the
//! institution's five digits, the degree's level, four digits of the year, six characters of the institution's own, the
//! first of which may be a letter; a letter before all of that marks degrees of continuing education (C), of equivalent
//! achievement (T) and professional ones (Z).
//!
//! A graduation's number (学历证书电子注册号) follows the ministry's rules for registering certificates: five digits of
//! the institution, one of the kind of study, four of the year, two of the level, six of the institution's own. Neither
//! has a check digit, and whether an institution has these digits no table here knows.

use super::{Datum, Degree, Education, Fault, InvalidDatum};
use std::{fmt, str::FromStr};

/// The first year in which numbers of this kind were given out.
const FIRST_DEGREE_YEAR: u16 = 2005;
/// Certificates are registered electronically since this year.
const FIRST_GRADUATION_YEAR: u16 = 2001;

/// The number of a degree certificate. `Debug` does not show it: it leads to a person.
#[derive(Clone, PartialEq, Eq)]
pub struct DegreeNumber {
    degree: Degree,
    year: u16,
    text: String,
}

impl DegreeNumber {
    /// The degree inside.
    #[must_use]
    pub const fn degree(&self) -> Degree {
        self.degree
    }

    /// The year of the degree inside.
    #[must_use]
    pub const fn year(&self) -> u16 {
        self.year
    }

    /// The number as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for DegreeNumber {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        let fault = |fault| InvalidDatum::new(Datum::DegreeNumber, fault);
        let number = text.strip_prefix(['C', 'T', 'Z']).unwrap_or(text);
        let Some((fixed, own)) = number.split_at_checked(10).filter(|(_, own)| own.len() == 6) else {
            return Err(fault(Fault::Length));
        };
        let own_digits = own.strip_prefix(|first: char| first.is_ascii_uppercase()).unwrap_or(own);
        if !all_digits(fixed) || !all_digits(own_digits) {
            return Err(fault(Fault::Character));
        }
        let degree = fixed.get(5..6).unwrap_or_default().parse().map_err(|_| fault(Fault::UnknownCode))?;
        let year = read_year(fixed.get(6..10), FIRST_DEGREE_YEAR).ok_or_else(|| fault(Fault::Date))?;
        Ok(Self { degree, year, text: text.to_owned() })
    }
}

impl fmt::Debug for DegreeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DegreeNumber(..)")
    }
}

/// The registered number of a graduation. `Debug` does not show it: it leads to a person.
#[derive(Clone, PartialEq, Eq)]
pub struct GraduationNumber {
    level: Level,
    year: u16,
    text: String,
}

/// What was studied for (培养层次).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Doctor,
    Master,
    Bachelor,
    College,
}

impl GraduationNumber {
    /// Whether a certificate of this number can state `education`.
    #[must_use]
    pub const fn states(&self, education: Education) -> bool {
        let level = match education {
            Education::DoctorGraduated | Education::DoctorCompleted => Level::Doctor,
            Education::MasterGraduated | Education::MasterCompleted => Level::Master,
            Education::BachelorGraduated | Education::BachelorCompleted => Level::Bachelor,
            Education::CollegeGraduated | Education::CollegeCompleted => Level::College,
        };
        matches!(
            (self.level, level),
            (Level::Doctor, Level::Doctor)
                | (Level::Master, Level::Master)
                | (Level::Bachelor, Level::Bachelor)
                | (Level::College, Level::College)
        )
    }

    /// The year of the graduation inside.
    #[must_use]
    pub const fn year(&self) -> u16 {
        self.year
    }

    /// The number as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for GraduationNumber {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        let fault = |fault| InvalidDatum::new(Datum::GraduationNumber, fault);
        if text.len() != 18 {
            return Err(fault(Fault::Length));
        }
        if !all_digits(text) {
            return Err(fault(Fault::Character));
        }
        let year = read_year(text.get(6..10), FIRST_GRADUATION_YEAR).ok_or_else(|| fault(Fault::Date))?;
        let level = match text.get(10..12) {
            Some("01") => Level::Doctor,
            Some("02") => Level::Master,
            Some("04" | "05") => Level::Bachelor,
            Some("06") => Level::College,
            Some(_) | None => return Err(fault(Fault::UnknownCode)),
        };
        Ok(Self { level, year, text: text.to_owned() })
    }
}

impl fmt::Debug for GraduationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GraduationNumber(..)")
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A year that a certificate can be of: not before numbers were given out, nor so far ahead that it must be a slip.
fn read_year(digits: Option<&str>, first: u16) -> Option<u16> {
    digits?.parse().ok().filter(|year| (first..=2199).contains(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degree_numbers_say_level_and_year() {
        // The examples of the notice, and those of universities.
        for (text, degree, year) in [
            ("1024642008000001", Degree::Bachelor, 2008),
            ("1049732016000001", Degree::Master, 2016),
            ("1075522008000001", Degree::Doctor, 2008),
            ("1048642006S00001", Degree::Bachelor, 2006),
            ("C1048642006000001", Degree::Bachelor, 2006),
            ("C1048642006Z00001", Degree::Bachelor, 2006),
            ("Z1075532008000001", Degree::Master, 2008),
        ] {
            let number: DegreeNumber = text.parse().unwrap();
            assert_eq!((number.degree(), number.year()), (degree, year), "{text}");
        }
        for (text, fault) in [
            ("102464200800001", Fault::Length),
            ("X1024642008000001", Fault::Length),
            ("1024612008000001", Fault::UnknownCode),
            ("1024641988000001", Fault::Date),
            ("10246420080000AB", Fault::Character),
            ("1024a42008000001", Fault::Character),
        ] {
            assert_eq!(text.parse::<DegreeNumber>().unwrap_err().fault, fault, "{text}");
        }
    }

    #[test]
    fn graduation_numbers_say_level_and_year() {
        let number: GraduationNumber = "102231201605000001".parse().unwrap();
        assert_eq!(number.year(), 2016);
        assert!(number.states(Education::BachelorGraduated) && number.states(Education::BachelorCompleted));
        assert!(!number.states(Education::MasterGraduated) && !number.states(Education::CollegeGraduated));
        for (text, fault) in [
            ("10223120160500000", Fault::Length),
            ("102231201603000001", Fault::UnknownCode),
            ("102231199005000001", Fault::Date),
            ("10223120160500000X", Fault::Character),
        ] {
            assert_eq!(text.parse::<GraduationNumber>().unwrap_err().fault, fault, "{text}");
        }
    }
}
