//! Sample officials and their duties, for the department that keeps staff.

use super::{Chance, Table, county, drawn, person_name};
use identity_core::datatype::{CreditCode, Date};

const COLUMNS: [&str; 11] = [
    "id",
    "name",
    "staff_number",
    "department",
    "department_code",
    "duty_number",
    "duty_title",
    "issuing_authority",
    "issued_on",
    "valid_from",
    "valid_until",
];

/// `count` officials, each with a duty of their own for three years.
#[must_use]
pub fn officials(seed: u64, count: usize) -> Table {
    Table { columns: &COLUMNS, rows: drawn(seed, count, draw) }
}

fn draw(chance: &mut Chance, number: usize) -> Option<Vec<String>> {
    let seat = county(chance);
    let code = CreditCode::compose('1', '1', seat.code, &format!("YB{number:06}")).ok()?;
    let counter = chance.between(1, 40);
    let from = Date::new(chance.between(2023, 2025), chance.between(1, 12).try_into().ok()?, 1)?;
    Some(vec![
        format!("official-{number:05}"),
        person_name(number),
        format!("YB{number:05}"),
        format!("{}住房公积金管理中心（样本）", seat.name),
        code.to_string(),
        format!("counter-{counter}"),
        format!("贷款窗口{counter}号（样本）"),
        format!("{}人力资源和社会保障局（样本）", seat.name),
        from.to_string(),
        from.to_string(),
        Date::new(from.year() + 3, from.month(), from.day())?.to_string(),
    ])
}
