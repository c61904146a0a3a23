//! Sample residents, for the public security department.

use super::{Chance, Table, citizen, person_name};
use identity_core::datatype::{CitizenNumber, Date, Ethnicity, ethnicities};
use std::collections::HashSet;

const COLUMNS: [&str; 14] = [
    "id",
    "name",
    "sex",
    "ethnicity",
    "birth_date",
    "address.division_code",
    "address.region",
    "address.detail",
    "citizen_number",
    "issuing_authority",
    "valid_from",
    "valid_until",
    "photo_digest",
    "age_over_18",
];

/// `count` residents with citizen numbers that all differ.
#[must_use]
pub fn residents(seed: u64, count: usize) -> Table {
    let mut used = HashSet::new();
    let rows = (0_u64..).map(|row| draw(seed, row)).filter(|drawn| used.insert(drawn.number)).take(count);
    let rows = rows.zip(1..).map(|(drawn, number)| drawn.row(number)).collect();
    Table { columns: &COLUMNS, rows }
}

struct Resident {
    number: CitizenNumber,
    ethnicity: &'static Ethnicity,
    region: String,
    division_code: String,
    detail: String,
    authority: String,
    valid_from: Date,
}

fn draw(seed: u64, row: u64) -> Resident {
    let mut chance = Chance::of_row(seed, row);
    loop {
        if let Some(resident) = try_draw(&mut chance) {
            return resident;
        }
    }
}

/// `None` for a day that the calendar does not have.
fn try_draw(chance: &mut Chance) -> Option<Resident> {
    let (number, home) = citizen(chance)?;
    let (street, house, room) = (chance.between(1, 99), chance.between(1, 300), chance.between(101, 2808));
    Some(Resident {
        number,
        ethnicity: chance.pick(ethnicities())?,
        region: home.code.full_name()?,
        division_code: home.code.to_string(),
        detail: format!("样本路{street}号样本小区{house}栋{room}室"),
        authority: format!("{}公安局(样本)", home.name),
        valid_from: Date::new(chance.between(2015, 2024), chance.between(1, 12).try_into().ok()?, 1)?,
    })
}

impl Resident {
    fn row(self, number: usize) -> Vec<String> {
        let valid_until = Date::new(self.valid_from.year() + 20, self.valid_from.month(), 1);
        vec![
            format!("resident-{number:05}"),
            person_name(number),
            self.number.sex().code().to_owned(),
            self.ethnicity.code.to_owned(),
            self.number.birth_date().to_string(),
            self.division_code,
            self.region,
            self.detail,
            self.number.as_str().to_owned(),
            self.authority,
            self.valid_from.to_string(),
            valid_until.map(|date| date.to_string()).unwrap_or_default(),
            ledger::sha256(format!("sample photo {number}").as_bytes()).to_base64url(),
            "true".to_owned(),
        ]
    }
}
