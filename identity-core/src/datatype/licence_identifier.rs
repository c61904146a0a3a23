//! GB/T 36904-2018 identifiers of electronic licences (电子证照标识): the root of all of them, the licence's type, the
//! authority, a serial, a version and one check character, joined by dots.
//!
//! ```text
//! 1.2.156.3005.2 . 11100000000013338W009 . 11330105002500287C . 2025052201 . 002 . 0
//!                  defining body + 3       authority            serial       version
//! ```
//!
//! The check character is ISO 7064 MOD 37,36 over everything between root and check, without the dots; identifiers in
//! use by departments confirm it.

use super::{CreditCode, Datum, Fault, InvalidDatum};
use std::{fmt, str::FromStr};

/// The object identifier under which all of them stand.
const ROOT: &str = "1.2.156.3005.2.";

/// The 36 characters in value order.
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Longest serial, in characters. Those in use have up to 32: a random UUID in hexadecimal.
const MAX_SERIAL: usize = 32;

/// The type of an electronic licence (证照类型代码): the credit code of the body that defines it, and three digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LicenceType {
    body: CreditCode,
    number: u16,
}

impl LicenceType {
    /// The type that `body` defines under `number`, 0 to 999.
    ///
    /// # Errors
    /// A number of more than three digits.
    pub const fn new(body: CreditCode, number: u16) -> Result<Self, InvalidDatum> {
        if number > 999 {
            return Err(InvalidDatum::new(Datum::LicenceType, Fault::Length));
        }
        Ok(Self { body, number })
    }
}

impl fmt::Display for LicenceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:03}", self.body, self.number)
    }
}

impl FromStr for LicenceType {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        let fault = |fault| InvalidDatum::new(Datum::LicenceType, fault);
        let (body, number) =
            text.split_at_checked(18).filter(|(_, number)| number.len() == 3).ok_or_else(|| fault(Fault::Length))?;
        let body = body.parse::<CreditCode>().map_err(|invalid| fault(invalid.fault))?;
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(fault(Fault::Character));
        }
        Self::new(body, number.parse().map_err(|_| fault(Fault::Character))?)
    }
}

/// The identifier of one electronic licence, whose check character fits. `Debug` does not show it: it leads to a holder.
#[derive(Clone, PartialEq, Eq)]
pub struct LicenceIdentifier {
    kind: LicenceType,
    authority: CreditCode,
    text: String,
}

impl LicenceIdentifier {
    /// Makes the identifier of the licence that `authority` issued under `serial`, in its `version`, 1 to 999.
    ///
    /// # Errors
    /// As parsing.
    pub fn compose(kind: LicenceType, authority: CreditCode, serial: &str, version: u16) -> Result<Self, InvalidDatum> {
        let body = format!("{kind}.{authority}.{serial}.{version:03}");
        let check = check_character(&body).ok_or(InvalidDatum::new(Datum::LicenceIdentifier, Fault::Character))?;
        format!("{ROOT}{body}.{}", char::from(check)).parse()
    }

    /// The identifier as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What kind of licence it is of.
    #[must_use]
    pub const fn kind(&self) -> LicenceType {
        self.kind
    }

    /// Who issued the licence.
    #[must_use]
    pub const fn authority(&self) -> CreditCode {
        self.authority
    }
}

impl FromStr for LicenceIdentifier {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        let fault = |fault| InvalidDatum::new(Datum::LicenceIdentifier, fault);
        let rest = text.strip_prefix(ROOT).ok_or_else(|| fault(Fault::Character))?;
        let (body, check) = rest.rsplit_once('.').ok_or_else(|| fault(Fault::Length))?;
        let mut parts = body.split('.');
        let (Some(kind), Some(authority), Some(serial), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(fault(Fault::Length));
        };
        if serial.is_empty() || serial.len() > MAX_SERIAL || version.len() != 3 || check.len() != 1 {
            return Err(fault(Fault::Length));
        }
        let expected = check_character(body).ok_or_else(|| fault(Fault::Character))?;
        if !version.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(fault(Fault::Character));
        }
        if check.as_bytes() != [expected] {
            return Err(fault(Fault::Checksum));
        }
        let kind = kind.parse::<LicenceType>().map_err(|invalid| fault(invalid.fault))?;
        let authority = authority.parse::<CreditCode>().map_err(|invalid| fault(invalid.fault))?;
        Ok(Self { kind, authority, text: text.to_owned() })
    }
}

impl fmt::Debug for LicenceIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LicenceIdentifier(..)")
    }
}

/// ISO 7064 MOD 37,36 over the characters of `body` that are no dots.
fn check_character(body: &str) -> Option<u8> {
    let product = body.bytes().filter(|byte| *byte != b'.').try_fold(36, |product, byte| {
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        let sum = match (product + value) % 36 {
            0 => 36,
            sum => sum,
        };
        Some(sum * 2 % 37)
    })?;
    ALPHABET.get((37 - product) % 36).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Identifiers of licences of companies, as departments publish them.
    const REAL: [&str; 2] = [
        "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    ];

    #[test]
    fn identifiers_in_use_hold_and_no_changed_character_does() {
        for text in REAL {
            let identifier: LicenceIdentifier = text.parse().unwrap();
            assert!(text.contains(&format!(".{}.{}.", identifier.kind(), identifier.authority())));
            for at in ROOT.len()..text.len() {
                let mut other = text.as_bytes().to_vec();
                other[at] = if other[at] == b'7' { b'3' } else { b'7' };
                assert!(String::from_utf8(other).unwrap().parse::<LicenceIdentifier>().is_err(), "{at}");
            }
        }
    }

    #[test]
    fn each_breach_has_its_fault() {
        let [text, _] = REAL;
        for (from, to, fault) in [
            ("1.2.156.3005.2.", "1.2.156.3005.3.", Fault::Character),
            (".002.0", ".002.1", Fault::Checksum),
            (".002.0", ".02.0", Fault::Length),
            (".002.0", ".0020", Fault::Length),
            (".2025052201.", "..", Fault::Length),
            (".2025052201.", ".20a5052201.", Fault::Character),
            (".2025052201.", ".202505220100000000000000000000000.", Fault::Length),
        ] {
            let changed = text.replace(from, to);
            let expected = InvalidDatum::new(Datum::LicenceIdentifier, fault);
            assert_eq!(changed.parse::<LicenceIdentifier>(), Err(expected), "{changed}");
        }
    }

    #[test]
    fn what_is_composed_is_read_back() {
        let body: CreditCode = "11100000000013338W".parse().unwrap();
        let kind = LicenceType::new(body, 9).unwrap();
        assert_eq!("11100000000013338W009".parse(), Ok(kind));
        let authority = "11330105002500287C".parse().unwrap();
        assert_eq!(LicenceIdentifier::compose(kind, authority, "2025052201", 2).unwrap().as_str(), REAL[0]);
        assert!(LicenceType::new(body, 1000).is_err());
        for bad in ["11100000000013338W", "11100000000013338W0O9", "11100000000013338X009", ""] {
            assert!(bad.parse::<LicenceType>().is_err(), "{bad}");
        }
    }
}
