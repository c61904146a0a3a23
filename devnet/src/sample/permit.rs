//! Sample holders of residence permits, for the public security department.

use super::{Chance, Table, citizen, county, drawn, person_name};
use identity_core::datatype::{Date, ethnicities};

const COLUMNS: [&str; 15] = [
    "id",
    "name",
    "sex",
    "ethnicity",
    "birth_date",
    "citizen_number",
    "registered_address.division_code",
    "registered_address.region",
    "registered_address.detail",
    "address.division_code",
    "address.region",
    "address.detail",
    "issuing_authority",
    "issued_on",
    "endorsed_until",
];

/// `count` holders of residence permits, registered in one place and at home in another.
#[must_use]
pub fn permits(seed: u64, count: usize) -> Table {
    Table { columns: &COLUMNS, rows: drawn(seed, count, draw) }
}

fn draw(chance: &mut Chance, number: usize) -> Option<Vec<String>> {
    let (citizen, registered) = citizen(chance)?;
    let home = county(chance);
    let year = chance.between(2018, 2024);
    let issued_on = Date::new(year, chance.between(1, 12).try_into().ok()?, chance.between(1, 28).try_into().ok()?)?;
    let endorsed_until = Date::new(year + 1, issued_on.month(), issued_on.day())?;
    Some(vec![
        format!("permit-{number:05}"),
        person_name(number),
        citizen.sex().code().to_owned(),
        chance.pick(ethnicities())?.code.to_owned(),
        citizen.birth_date().to_string(),
        citizen.as_str().to_owned(),
        registered.code.to_string(),
        registered.code.full_name()?,
        format!("样本村{}组{}号", chance.between(1, 12), chance.between(1, 99)),
        home.code.to_string(),
        home.code.full_name()?,
        format!("样本路{}号样本公寓{}室", chance.between(1, 99), chance.between(101, 2808)),
        format!("{}公安局（样本）", home.name),
        issued_on.to_string(),
        endorsed_until.to_string(),
    ])
}
