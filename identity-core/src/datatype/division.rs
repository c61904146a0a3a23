//! GB/T 2260 division codes, from the table in `schemas/code/division.tsv`.
//!
//! A citizen number keeps the code of the county that first registered the person, and counties are renamed, merged
//! and renumbered every year. So a code is *known* if any edition since 1981 has it, and *in force* only in its years.

use super::{Datum, Fault, InvalidDatum};
use std::{fmt, str::FromStr, sync::LazyLock};

/// One code in the years that it had one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DivisionEntry {
    /// The code.
    pub code: DivisionCode,
    /// The division's own name, without the names of those above it.
    pub name: &'static str,
    /// First year in force; 1981 means 1981 or before.
    pub from: u16,
    /// First year no longer in force; `None` if in force in the newest edition (end of 2024).
    pub until: Option<u16>,
}

/// Where a division stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DivisionLevel {
    /// Province, autonomous region, municipality, special administrative region.
    Province,
    /// Prefecture or prefecture-level city.
    Prefecture,
    /// County, county-level city, district.
    County,
}

/// A six-digit code that some edition of GB/T 2260 since 1981 has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DivisionCode(u32);

static TABLE: LazyLock<Vec<DivisionEntry>> =
    LazyLock::new(|| include_str!("../../../schemas/code/division.tsv").lines().filter_map(entry).collect());

/// The whole table, sorted by code, then by first year.
#[must_use]
pub fn divisions() -> &'static [DivisionEntry] {
    &TABLE
}

fn entry(line: &'static str) -> Option<DivisionEntry> {
    let mut columns = line.split('\t');
    let code = DivisionCode(columns.next()?.parse().ok()?);
    let from = columns.next()?.parse().ok()?;
    let until = match columns.next()? {
        "" => None,
        year => Some(year.parse().ok()?),
    };
    Some(DivisionEntry { code, name: columns.next()?, from, until })
}

impl DivisionCode {
    /// The code if the table has it, in whatever year.
    pub(super) fn known(number: u32) -> Option<Self> {
        let code = Self(number);
        TABLE.binary_search_by_key(&code, |entry| entry.code).ok().map(|_| code)
    }

    /// Its entries, oldest first; never empty.
    #[must_use]
    pub fn history(self) -> &'static [DivisionEntry] {
        let table = divisions();
        let start = table.partition_point(|entry| entry.code < self);
        let end = table.partition_point(|entry| entry.code <= self);
        table.get(start..end).unwrap_or_default()
    }

    /// Its entry in the newest edition, if it is still in force there.
    #[must_use]
    pub fn current(self) -> Option<&'static DivisionEntry> {
        self.history().iter().find(|entry| entry.until.is_none())
    }

    /// Province, prefecture or county, by its trailing zeros.
    #[must_use]
    pub fn level(self) -> DivisionLevel {
        if self.0.is_multiple_of(10_000) {
            DivisionLevel::Province
        } else if self.0.is_multiple_of(100) {
            DivisionLevel::Prefecture
        } else {
            DivisionLevel::County
        }
    }

    /// The names of the division and those above it in the newest edition, province first, such as
    /// 广东省 深圳市 南山区. `None` if the code is no longer in force.
    ///
    /// Counties right under a province, and districts of a municipality, have no name in the middle.
    #[must_use]
    pub fn full_name(self) -> Option<String> {
        let own = self.current()?;
        let province = Self(self.0 - self.0 % 10_000);
        let prefecture = Self(self.0 - self.0 % 100);
        let above = [province, prefecture].into_iter().filter(|above| *above != self);
        let mut name: String = above.filter_map(|above| Some(above.current()?.name)).collect();
        if prefecture == province && province != self {
            name = province.current()?.name.to_owned();
        }
        name.push_str(own.name);
        Some(name)
    }
}

impl FromStr for DivisionCode {
    type Err = InvalidDatum;

    fn from_str(text: &str) -> Result<Self, InvalidDatum> {
        let fault = |fault| InvalidDatum::new(Datum::DivisionCode, fault);
        if text.len() != 6 {
            return Err(fault(Fault::Length));
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(fault(Fault::Character));
        }
        let number = text.parse().map_err(|_| fault(Fault::Character))?;
        Self::known(number).ok_or_else(|| fault(Fault::UnknownCode))
    }
}

impl fmt::Display for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}
