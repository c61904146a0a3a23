//! Sample businesses, for the market regulation department.

use super::{Chance, Table, county, drawn, person_name};
use identity_core::datatype::{CreditCode, Date};

const COLUMNS: [&str; 14] = [
    "id",
    "credit_code",
    "name",
    "business_type",
    "legal_representative",
    "scope",
    "registered_capital.amount",
    "registered_capital.currency",
    "established",
    "address.division_code",
    "address.region",
    "address.detail",
    "registration_authority",
    "valid_from",
];

const TYPES: [&str; 4] = ["有限责任公司", "股份有限公司", "个人独资企业", "合伙企业"];
const TRADES: [&str; 6] = ["商贸", "科技", "咨询", "餐饮", "物流", "建筑"];
const SCOPE: [&str; 6] =
    ["样本商品零售", "样本技术咨询", "样本餐饮服务", "样本货物运输", "样本工程施工", "样本信息服务"];

/// `count` businesses with credit codes that all differ.
///
/// The organisation code counts rows in six digits, so `count` is at most 999 999.
#[must_use]
pub fn businesses(seed: u64, count: usize) -> Table {
    Table { columns: &COLUMNS, rows: drawn(seed, count, draw) }
}

fn draw(chance: &mut Chance, number: usize) -> Option<Vec<String>> {
    let seat = county(chance);
    let code = CreditCode::compose('9', '1', seat.code, &format!("YB{number:06}")).ok()?;
    let trade = chance.pick(&TRADES)?;
    let first = usize::from(chance.between(0, 3));
    let scope = SCOPE.get(first..=first + usize::from(chance.between(0, 2)))?.join(";");
    let (year, month, day) = (chance.between(1995, 2024), chance.between(1, 12), chance.between(1, 28));
    let established = Date::new(year, month.try_into().ok()?, day.try_into().ok()?)?;
    Some(vec![
        format!("business-{number:05}"),
        code.to_string(),
        format!("{}{trade}有限公司{number}(样本)", person_name(number)),
        (*chance.pick(&TYPES)?).to_owned(),
        person_name(number + 7),
        scope,
        format!("{}0000", chance.between(1, 9999)),
        "CNY".to_owned(),
        established.to_string(),
        seat.code.to_string(),
        seat.code.full_name()?,
        format!("样本大道{}号样本大厦{}层", chance.between(1, 999), chance.between(1, 60)),
        format!("{}市场监督管理局(样本)", seat.name),
        established.to_string(),
    ])
}
