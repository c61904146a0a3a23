//! Sample subjects: tables that departments import, every row plainly marked as a sample (样本), every value passing the
//! checks of `identity_core::datatype`.
//!
//! The same seed makes the same table, row by row: a longer table begins with the shorter one.
//!
//! No row can be mistaken for, or collide with, somebody real. People are born 1880 to 1889, like the example in
//! GB 11643 itself, so their numbers are formally valid and belong to nobody alive. Organisation codes begin with `YB`,
//! which no office assigns, and the sample university has the digits 00000.

mod business;
mod chance;
mod graduate;
mod insured;
mod licence;
mod official;
mod permit;
mod resident;

pub use business::businesses;
pub use graduate::graduates;
pub use insured::insured;
pub use licence::licences;
pub use official::officials;
pub use permit::permits;
pub use resident::residents;

use chance::Chance;
use identity_core::datatype::{CitizenNumber, Date, DivisionEntry, DivisionLevel, divisions};

/// A table as `schemas/README.md` describes it: column `id`, then one column per claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// The names of the columns, in order.
    #[must_use]
    pub fn columns(&self) -> &'static [&'static str] {
        self.columns
    }

    /// The rows, each with one cell per column.
    #[must_use]
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// The table as CSV with a line of column names. No cell needs quoting: none has a comma, a quote or a line end.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let rows = self.rows.iter().map(|row| format!("{}\n", row.join(",")));
        std::iter::once(format!("{}\n", self.columns.join(","))).chain(rows).collect()
    }
}

/// A table in which one number is mistyped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistyped {
    /// The table.
    pub table: Table,
    /// The line of the file in which it is, counted from 1.
    pub line: u64,
    /// Its column.
    pub column: &'static str,
}

impl Table {
    /// The same table with the check digit of its last citizen number or credit code changed; none, if its subjects have
    /// neither.
    #[must_use]
    pub fn mistyped(&self) -> Option<Mistyped> {
        let has_check_digit = |column: &&str| ["citizen_number", "credit_code"].contains(column);
        let (place, column) = self.columns.iter().enumerate().find(|(_, column)| has_check_digit(column))?;
        let mut table = self.clone();
        // The line of the column names comes first.
        let line = u64::try_from(table.rows.len()).ok()? + 1;
        let number = table.rows.last_mut()?.get_mut(place)?;
        let other = if number.pop()? == '0' { '1' } else { '0' };
        number.push(other);
        Some(Mistyped { table, line, column })
    }
}

const STEMS: [&str; 10] = ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸"];
const BRANCHES: [&str; 12] = ["子", "丑", "寅", "卯", "辰", "巳", "午", "未", "申", "酉", "戌", "亥"];

/// A person's name that says what it is: 样本 and a place in the cycle of sixty.
fn person_name(number: usize) -> String {
    let place = |list: &[&'static str]| list.get(number % list.len()).copied().unwrap_or_default();
    format!("样本{}{}", place(&STEMS), place(&BRANCHES))
}

/// A county in force today.
fn county(chance: &mut Chance) -> &'static DivisionEntry {
    loop {
        let entry = chance.pick(divisions());
        if let Some(entry) = entry.filter(|entry| entry.until.is_none() && entry.code.level() == DivisionLevel::County)
        {
            return entry;
        }
    }
}

/// A citizen number of the years 1880 to 1889, and the county in it; `None` for a day that the calendar does not have.
fn citizen(chance: &mut Chance) -> Option<(CitizenNumber, &'static DivisionEntry)> {
    let home = county(chance);
    let (year, month, day) = (chance.between(1880, 1889), chance.between(1, 12), chance.between(1, 31));
    let birth_date = Date::new(year, month.try_into().ok()?, day.try_into().ok()?)?;
    Some((CitizenNumber::compose(home.code, birth_date, chance.between(1, 999)).ok()?, home))
}

/// `count` rows, each drawn again until it can be.
fn drawn(seed: u64, count: usize, draw: fn(&mut Chance, usize) -> Option<Vec<String>>) -> Vec<Vec<String>> {
    let row = |number: usize| {
        let mut chance = Chance::of_row(seed, number.try_into().unwrap_or(u64::MAX));
        loop {
            if let Some(row) = draw(&mut chance, number) {
                return row;
            }
        }
    };
    (1..=count).map(row).collect()
}

#[cfg(test)]
mod tests;
