//! The kinds of leaf value that the type metadata in `schemas/credential/` names in each claim's `datum` member.

use super::{
    CitizenNumber, CreditCode, Date, Degree, DegreeNumber, DivisionCode, Education, Ethnicity, Fault, GraduationNumber,
    Insurance, InvalidDatum, LicenceIdentifier, LicenceType, Sex,
};
use serde_json::Value;

/// What kind of value a claim has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Datum {
    /// `text`: 1 to 200 characters, no control characters.
    Text,
    /// `boolean`: `true` or `false`.
    Boolean,
    /// `date`: a calendar date, `YYYY-MM-DD`.
    Date,
    /// `citizen-number`: GB 11643.
    CitizenNumber,
    /// `credit-code`: GB 32100.
    CreditCode,
    /// `division-code`: GB/T 2260.
    DivisionCode,
    /// `ethnicity`: GB/T 3304.
    Ethnicity,
    /// `sex`: GB/T 2261.1.
    Sex,
    /// `sha256`: a SHA-256 digest, base64url without padding.
    Sha256,
    /// `decimal`: no sign, at most 15 digits and two places after the point, no leading zeros.
    Decimal,
    /// `currency`: three capital letters, GB/T 12406 (ISO 4217).
    Currency,
    /// `count`: a whole number of at most six digits, a JSON number.
    Count,
    /// `insurance`: one of the five of the Social Insurance Law.
    Insurance,
    /// `degree`: GB/T 6864, one digit.
    Degree,
    /// `education`: GB/T 4658, two digits, of higher education.
    Education,
    /// `degree-number`: the number of a degree certificate.
    DegreeNumber,
    /// `graduation-number`: the registered number of a graduation certificate.
    GraduationNumber,
    /// `licence-type`: the type code of electronic licences in GB/T 36904.
    LicenceType,
    /// `licence-identifier`: GB/T 36904.
    LicenceIdentifier,
}

impl Datum {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::Text,
        Self::Boolean,
        Self::Date,
        Self::CitizenNumber,
        Self::CreditCode,
        Self::DivisionCode,
        Self::Ethnicity,
        Self::Sex,
        Self::Sha256,
        Self::Decimal,
        Self::Currency,
        Self::Count,
        Self::Insurance,
        Self::Degree,
        Self::Education,
        Self::DegreeNumber,
        Self::GraduationNumber,
        Self::LicenceType,
        Self::LicenceIdentifier,
    ];

    /// The name it has in type metadata.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::CitizenNumber => "citizen-number",
            Self::CreditCode => "credit-code",
            Self::DivisionCode => "division-code",
            Self::Ethnicity => "ethnicity",
            Self::Sex => "sex",
            Self::Sha256 => "sha256",
            Self::Decimal => "decimal",
            Self::Currency => "currency",
            Self::Count => "count",
            Self::Insurance => "insurance",
            Self::Degree => "degree",
            Self::Education => "education",
            Self::DegreeNumber => "degree-number",
            Self::GraduationNumber => "graduation-number",
            Self::LicenceType => "licence-type",
            Self::LicenceIdentifier => "licence-identifier",
        }
    }

    /// The kind with that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|datum| datum.name() == name)
    }

    /// The claim value that a text of this kind stands for: a JSON boolean or number, or the text itself.
    ///
    /// # Errors
    /// The text is not of this kind. The error carries no part of it.
    pub fn value(self, text: &str) -> Result<Value, InvalidDatum> {
        let fault = |fault| InvalidDatum { datum: self, fault };
        match self {
            Self::Text => check_text(text).map_err(fault)?,
            Self::Date => drop(text.parse::<Date>()?),
            Self::CitizenNumber => drop(text.parse::<CitizenNumber>()?),
            Self::CreditCode => drop(text.parse::<CreditCode>()?),
            Self::DivisionCode => drop(text.parse::<DivisionCode>()?),
            Self::Ethnicity => drop(text.parse::<Ethnicity>()?),
            Self::Sex => drop(text.parse::<Sex>()?),
            Self::Sha256 => check_sha256(text).map_err(fault)?,
            Self::Decimal => check_decimal(text).map_err(fault)?,
            Self::Currency => check_currency(text).map_err(fault)?,
            Self::Insurance => drop(text.parse::<Insurance>()?),
            Self::Degree => drop(text.parse::<Degree>()?),
            Self::Education => drop(text.parse::<Education>()?),
            Self::DegreeNumber => drop(text.parse::<DegreeNumber>()?),
            Self::GraduationNumber => drop(text.parse::<GraduationNumber>()?),
            Self::LicenceType => drop(text.parse::<LicenceType>()?),
            Self::LicenceIdentifier => drop(text.parse::<LicenceIdentifier>()?),
            Self::Count => return read_count(text).map(Value::from).map_err(fault),
            Self::Boolean => {
                return text.parse().map(Value::Bool).map_err(|_| fault(Fault::UnknownCode));
            }
        }
        Ok(Value::String(text.to_owned()))
    }
}

fn check_text(text: &str) -> Result<(), Fault> {
    if !(1..=200).contains(&text.chars().count()) {
        return Err(Fault::Length);
    }
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err(Fault::Character);
    }
    Ok(())
}

fn check_sha256(text: &str) -> Result<(), Fault> {
    if text.len() != 43 {
        return Err(Fault::Length);
    }
    // 43 characters hold 258 bits, so the last two bits of the last character are always zero.
    let last_fits = text.bytes().next_back().is_some_and(|last| b"AEIMQUYcgkosw048".contains(&last));
    let all_fit = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if all_fit && last_fits { Ok(()) } else { Err(Fault::Character) }
}

fn check_decimal(text: &str) -> Result<(), Fault> {
    let (whole, places) = text.split_once('.').map_or((text, None), |(whole, places)| (whole, Some(places)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !places.is_none_or(digits) || (whole.starts_with('0') && whole.len() > 1) {
        return Err(Fault::Character);
    }
    if whole.len() > 15 || places.is_some_and(|places| places.len() > 2) {
        return Err(Fault::Length);
    }
    Ok(())
}

fn read_count(text: &str) -> Result<u32, Fault> {
    if !(1..=6).contains(&text.len()) {
        return Err(Fault::Length);
    }
    let whole = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| whole).ok_or(Fault::Character)
}

fn check_currency(text: &str) -> Result<(), Fault> {
    if text.len() != 3 {
        return Err(Fault::Length);
    }
    if text.bytes().all(|byte| byte.is_ascii_uppercase()) { Ok(()) } else { Err(Fault::Character) }
}
