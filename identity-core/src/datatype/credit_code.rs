//! GB 32100-2015 unified social credit code: registering department, kind, division, the nine characters of the
//! GB 11714 organisation code, and one check character.

use super::{Datum, DivisionCode, Fault, InvalidDatum};
use std::{fmt, str::FromStr};

/// The 31 characters in value order; I, O, S, V and Z are left out because they look like digits or each other.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Registering departments of GB 32100 table 1 and its later supplements.
const DEPARTMENTS: &[u8] = b"123456789ANY";

/// Weights of the eight characters of a GB 11714 body.
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// A unified social credit code whose two check characters fit and whose province is known.
///
/// The division is checked to the province only: registration offices of development zones and free-trade zones use
/// codes below it that no edition of GB/T 2260 has, and `100000` stands for the national office.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode([u8; 18]);

impl CreditCode {
    /// Makes a code: department (such as `'9'`, market regulation), kind (such as `'1'`, enterprise), the registration
    /// office's division, and the eight characters of the organisation code's body.
    ///
    /// # Errors
    /// As parsing: a character outside the alphabet, or an unknown department.
    pub fn compose(
        department: char,
        kind: char,
        division: DivisionCode,
        organisation: &str,
    ) -> Result<Self, InvalidDatum> {
        let fault = InvalidDatum::new(Datum::CreditCode, Fault::Character);
        let organisation_check = organisation_check(organisation.as_bytes()).ok_or(fault)?;
        let body = format!("{department}{kind}{division}{organisation}{}", char::from(organisation_check));
        let check = check_character(body.as_bytes()).ok_or(fault)?;
        format!("{body}{}", char::from(check)).parse()
    }

    /// The code as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII passed the parser, so the fallback is never taken.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for CreditCode {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        let fault = |fault| InvalidDatum::new(Datum::CreditCode, fault);
        let characters: [u8; 18] = text.as_bytes().try_into().map_err(|_| fault(Fault::Length))?;
        if !characters.iter().all(|byte| ALPHABET.contains(byte)) {
            return Err(fault(Fault::Character));
        }
        let [department, _kind, d1, d2, d3, d4, d5, d6, organisation @ .., last] = characters;
        if ![d1, d2, d3, d4, d5, d6].iter().all(u8::is_ascii_digit) {
            return Err(fault(Fault::Character));
        }
        let [organisation_body @ .., organisation_last] = organisation;
        let [body @ .., _] = characters;
        let fits =
            check_character(&body) == Some(last) && organisation_check(&organisation_body) == Some(organisation_last);
        if !fits {
            return Err(fault(Fault::Checksum));
        }
        if !DEPARTMENTS.contains(&department) || !registration_office_known([d1, d2, d3, d4, d5, d6]) {
            return Err(fault(Fault::UnknownCode));
        }
        Ok(Self(characters))
    }
}

fn registration_office_known(digits: [u8; 6]) -> bool {
    let [d1, d2, ..] = digits;
    let province = u32::from(d1 - b'0') * 100_000 + u32::from(d2 - b'0') * 10_000;
    digits == *b"100000" || DivisionCode::known(province).is_some()
}

/// GB 32100: weights are powers of 3 modulo 31, and the check brings the sum to 0 modulo 31.
fn check_character(body: &[u8]) -> Option<u8> {
    let start = (0_usize, 1_usize);
    let (sum, _) = body.iter().try_fold(start, |(sum, weight), byte| {
        let value = ALPHABET.iter().position(|known| known == byte)?;
        Some(((sum + value * weight) % 31, weight * 3 % 31))
    })?;
    ALPHABET.get((31 - sum) % 31).copied()
}

/// GB 11714: letters count from A = 10, and the check brings the sum to 0 modulo 11; ten is written X.
fn organisation_check(body: &[u8]) -> Option<u8> {
    let body: &[u8; 8] = body.try_into().ok()?;
    let terms = body.iter().zip(ORGANISATION_WEIGHTS);
    let sum = terms.map(|(byte, weight)| Some(char::from(*byte).to_digit(36)? * weight)).sum::<Option<u32>>()?;
    match (11 - sum % 11) % 11 {
        10 => Some(b'X'),
        digit => Some(b'0' + u8::try_from(digit).ok()?),
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreditCode({self})")
    }
}
