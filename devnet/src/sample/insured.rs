//! Sample insured people, for the department of social security.

use super::{Chance, Table, citizen, county, drawn, person_name};
use identity_core::datatype::{CreditCode, Date, Insurance};

const COLUMNS: [&str; 13] = [
    "id",
    "name",
    "social_security_number",
    "insurances",
    "place.division_code",
    "place.region",
    "employer.name",
    "employer.credit_code",
    "insured_since",
    "pension_months",
    "paid_last_12_months",
    "stated_on",
    "agency",
];

/// `count` insured people, with all five insurances or with the two that the self-employed have.
#[must_use]
pub fn insured(seed: u64, count: usize) -> Table {
    Table { columns: &COLUMNS, rows: drawn(seed, count, draw) }
}

fn draw(chance: &mut Chance, number: usize) -> Option<Vec<String>> {
    let (citizen, place) = citizen(chance)?;
    let is_employed = chance.between(0, 3) > 0;
    let insurances: Vec<&str> = Insurance::ALL.iter().take(if is_employed { 5 } else { 2 }).map(|i| i.code()).collect();
    let seat = county(chance);
    let code = CreditCode::compose('9', '1', seat.code, &format!("YB{number:06}")).ok()?;
    let since = Date::new(chance.between(1998, 2023), chance.between(1, 12).try_into().ok()?, 1)?;
    let months = (2024 - since.year()) * 12;
    let of_employer = |text: String| if is_employed { text } else { String::new() };
    Some(vec![
        format!("insured-{number:05}"),
        person_name(number),
        citizen.as_str().to_owned(),
        insurances.join(";"),
        place.code.to_string(),
        place.code.full_name()?,
        of_employer(format!("{}样本有限公司{number}（样本）", person_name(number + 3))),
        of_employer(code.to_string()),
        since.to_string(),
        months.to_string(),
        (chance.between(0, 4) > 0).to_string(),
        Date::new(2024, 12, 31)?.to_string(),
        format!("{}社会保险事业管理中心（样本）", place.name),
    ])
}
