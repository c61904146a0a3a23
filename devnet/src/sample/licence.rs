//! Sample electronic licences: food business licences, for the market regulation department.

use super::{Chance, Table, county, drawn, person_name};
use identity_core::datatype::{CreditCode, Date, DivisionCode, LicenceIdentifier, LicenceType};

const COLUMNS: [&str; 12] = [
    "id",
    "identifier",
    "licence_name",
    "type_code",
    "licence_number",
    "holder.name",
    "holder.credit_code",
    "issuing_authority",
    "issuing_authority_code",
    "issued_on",
    "valid_from",
    "valid_until",
];

/// `count` food business licences. Type, authority and holder have codes that no office assigns.
#[must_use]
pub fn licences(seed: u64, count: usize) -> Table {
    Table { columns: &COLUMNS, rows: drawn(seed, count, draw) }
}

fn draw(chance: &mut Chance, number: usize) -> Option<Vec<String>> {
    let seat = county(chance);
    let defining: DivisionCode = "110000".parse().ok()?;
    let kind = LicenceType::new(CreditCode::compose('1', '1', defining, "YB000000").ok()?, 1).ok()?;
    let authority = CreditCode::compose('1', '1', seat.code, "YB000001").ok()?;
    let identifier = LicenceIdentifier::compose(kind, authority, &format!("YB{number:08}"), 1).ok()?;
    let holder = CreditCode::compose('9', '2', seat.code, &format!("YB{number:06}")).ok()?;
    let issued_on = Date::new(chance.between(2020, 2024), chance.between(1, 12).try_into().ok()?, 1)?;
    Some(vec![
        format!("licence-{number:05}"),
        identifier.as_str().to_owned(),
        "食品经营许可证（样本）".to_owned(),
        kind.to_string(),
        format!("JY0{number:013}"),
        format!("{}样本餐馆{number}（样本）", person_name(number)),
        holder.to_string(),
        format!("{}市场监督管理局（样本）", seat.name),
        authority.to_string(),
        issued_on.to_string(),
        issued_on.to_string(),
        Date::new(issued_on.year() + 5, issued_on.month(), 1)?.to_string(),
    ])
}
