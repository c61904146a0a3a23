//! GB/T 3304-1991 nationalities of China, from the table in `schemas/code/ethnicity.tsv`.

use super::{Datum, Fault, InvalidDatum};
use std::{str::FromStr, sync::LazyLock};

/// One of the 56 nationalities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ethnicity {
    /// Two digits, `01` to `56`.
    pub code: &'static str,
    /// Two letters.
    pub letters: &'static str,
    /// Chinese name with 族, such as 汉族.
    pub name: &'static str,
    /// Romanised name, such as Han.
    pub romanised: &'static str,
}

static TABLE: LazyLock<Vec<Ethnicity>> =
    LazyLock::new(|| include_str!("../../../schemas/code/ethnicity.tsv").lines().filter_map(entry).collect());

/// All of them, by code.
#[must_use]
pub fn ethnicities() -> &'static [Ethnicity] {
    &TABLE
}

fn entry(line: &'static str) -> Option<Ethnicity> {
    let mut columns = line.split('\t');
    let code = columns.next().filter(|code| code.len() == 2)?;
    Some(Ethnicity { code, letters: columns.next()?, name: columns.next()?, romanised: columns.next()? })
}

/// From the two-digit code.
impl FromStr for Ethnicity {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        let found = ethnicities().iter().find(|entry| entry.code == text).copied();
        found.ok_or(InvalidDatum::new(Datum::Ethnicity, Fault::UnknownCode))
    }
}
