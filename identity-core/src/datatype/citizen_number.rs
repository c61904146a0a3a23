//! GB 11643-1999 citizen number: six digits of division, eight of birth date, three of order, one check character.

use super::{Date, Datum, DivisionCode, DivisionLevel, Fault, InvalidDatum, Sex};
use std::{fmt, str::FromStr};

/// Codes that open the numbers of residence permits of Hong Kong, Macao and Taiwan residents (in use since 2018).
/// The third is not in GB/T 2260; the other two stand there as provinces.
const RESIDENCE_PERMIT_CODES: [u32; 3] = [810_000, 820_000, 830_000];

/// Nobody alive when numbers were introduced (1984) was born earlier; the standard's own example is of 1880.
const FIRST_BIRTH_YEAR: u16 = 1850;

/// A citizen number whose division is known, whose birth date exists and whose check character fits.
///
/// `Debug` does not show it, and there is no `Display`: it is personal data, so whoever prints it says
/// [`CitizenNumber::as_str`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CitizenNumber {
    characters: [u8; 18],
    birth_date: Date,
}

impl CitizenNumber {
    /// Makes the number of an order code (0 to 999; odd for men) at a division and birth date.
    ///
    /// # Errors
    /// As parsing: an order above 999, or a division or date that citizen numbers cannot have.
    pub fn compose(division: DivisionCode, birth_date: Date, order: u16) -> Result<Self, InvalidDatum> {
        let (year, month, day) = (birth_date.year(), birth_date.month(), birth_date.day());
        let body = format!("{division}{year:04}{month:02}{day:02}{order:03}");
        let check = body.bytes().try_fold(0, |sum, byte| push(sum, value(byte)?)).and_then(check_character);
        let check = check.ok_or(InvalidDatum::new(Datum::CitizenNumber, Fault::Character))?;
        format!("{body}{}", char::from(check)).parse()
    }

    /// The number as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII passed the parser, so the fallback is never taken.
        str::from_utf8(&self.characters).unwrap_or_default()
    }

    /// The birth date inside.
    #[must_use]
    pub fn birth_date(&self) -> Date {
        self.birth_date
    }

    /// The sex inside: order codes are odd for men, even for women.
    #[must_use]
    pub fn sex(&self) -> Sex {
        let [.., order, _check] = self.characters;
        if order % 2 == 1 { Sex::Male } else { Sex::Female }
    }

    /// The six digits of the place that first registered the person.
    #[must_use]
    pub fn division_digits(&self) -> &str {
        self.as_str().get(..6).unwrap_or_default()
    }
}

impl FromStr for CitizenNumber {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        let fault = |fault| InvalidDatum::new(Datum::CitizenNumber, fault);
        let characters: [u8; 18] = text.as_bytes().try_into().map_err(|_| fault(Fault::Length))?;
        let [body @ .., last] = characters;
        let sum = body.iter().try_fold(0, |sum, byte| push(sum, value(*byte)?));
        let expected = sum.and_then(check_character).ok_or_else(|| fault(Fault::Character))?;
        if value(last).is_none() && last != b'X' {
            return Err(fault(Fault::Character));
        }
        if last != expected {
            return Err(fault(Fault::Checksum));
        }
        let (division, rest) = body.split_at(6);
        if !division_may_register(division) {
            return Err(fault(Fault::UnknownCode));
        }
        let birth_date = rest.get(..8).and_then(Date::from_basic).ok_or_else(|| fault(Fault::Date))?;
        if birth_date.year() < FIRST_BIRTH_YEAR {
            return Err(fault(Fault::Date));
        }
        Ok(Self { characters, birth_date })
    }
}

/// Counties register people, and so do the few prefecture-level cities without counties (东莞, 中山), which the table
/// does not tell from others. Whole provinces do not, but for residence permits.
fn division_may_register(digits: &[u8]) -> bool {
    let number = digits.iter().fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0'));
    let below_province = |code: DivisionCode| code.level() != DivisionLevel::Province;
    RESIDENCE_PERMIT_CODES.contains(&number) || DivisionCode::known(number).is_some_and(below_province)
}

/// One step of ISO 7064 MOD 11-2 in its recursive form: add, then double, modulo 11.
fn push(sum: u32, digit: u32) -> Option<u32> {
    Some((sum + digit) * 2 % 11)
}

/// The character that brings the sum to 1 modulo 11; ten is written X.
fn check_character(sum: u32) -> Option<u8> {
    match (12 - sum) % 11 {
        10 => Some(b'X'),
        digit => Some(b'0' + u8::try_from(digit).ok()?),
    }
}

fn value(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

impl fmt::Debug for CitizenNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CitizenNumber(..)")
    }
}
