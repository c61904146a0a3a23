//! From a table's row to the claims about one subject, as a type's metadata wants them.
//!
//! A column's name is the claim's path joined with dots (`address.division_code`). A column of a list (`scope`) holds
//! its items separated by `;`. An empty cell is an absent claim.

use super::contradiction::contradictions;
use super::{Datum, Fault};
use crate::problem::Code;
use serde_json::{Map, Value};

/// The leaf claims that a credential type has, each with its kind.
#[derive(Debug, Clone)]
pub struct SubjectShape {
    leaves: Vec<Leaf>,
}

#[derive(Debug, Clone)]
struct Leaf {
    /// Object keys from the top.
    path: Vec<String>,
    /// The cell holds several, separated by `;`.
    list: bool,
    mandatory: bool,
    datum: Datum,
}

/// What is wrong with one cell of a row. Carries no part of the cell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}` {fault}")]
pub struct CellFault {
    /// The column's name.
    pub column: String,
    /// What is wrong.
    pub fault: Fault,
}

impl CellFault {
    /// The stable code of this fault.
    #[must_use]
    pub fn code(&self) -> Code {
        self.fault.code()
    }
}

impl SubjectShape {
    /// Reads the `claims` of type metadata that carry a `datum` member.
    ///
    /// Returns `None` if the metadata is not such a document, or describes paths that no row can fill (an index, or a
    /// list that is not last).
    #[must_use]
    pub fn from_metadata(metadata: &Value) -> Option<Self> {
        let claims = metadata.get("claims")?.as_array()?;
        // A list is mandatory if the claim that is the list is; its items have no count.
        let mandatory_paths: Vec<&Value> = claims.iter().filter(|claim| is_mandatory(claim)).map(path_of).collect();
        let leaves = claims.iter().filter(|claim| claim.get("datum").is_some());
        let leaves = leaves.map(|claim| Leaf::read(claim, &mandatory_paths)).collect::<Option<_>>()?;
        Some(Self { leaves })
    }

    /// The names of the columns that a row may have, in the metadata's order.
    pub fn columns(&self) -> impl Iterator<Item = String> + '_ {
        self.leaves.iter().map(Leaf::column)
    }

    /// The claims of one row, from (column, cell) pairs.
    ///
    /// # Errors
    /// Every fault of the row, in the metadata's order: a cell not of its kind, a mandatory claim missing, a column
    /// the type does not have, and cells that contradict each other.
    pub fn claims(&self, row: &[(&str, &str)]) -> Result<Map<String, Value>, Vec<CellFault>> {
        let mut claims = Map::new();
        let mut faults = Vec::new();
        for leaf in &self.leaves {
            let column = leaf.column();
            let cell = row.iter().find(|(name, _)| *name == column).map_or("", |(_, cell)| cell);
            match leaf.value(cell) {
                Ok(Some(value)) => insert(&mut claims, &leaf.path, value),
                Ok(None) => {}
                Err(fault) => faults.push(CellFault { column, fault }),
            }
        }
        faults.extend(contradictions(&claims));
        let unknown = row.iter().filter(|(name, _)| self.leaves.iter().all(|leaf| leaf.column() != *name));
        faults.extend(unknown.map(|(name, _)| CellFault { column: (*name).to_owned(), fault: Fault::Unexpected }));
        if faults.is_empty() { Ok(claims) } else { Err(faults) }
    }
}

fn is_mandatory(claim: &Value) -> bool {
    claim.get("mandatory").and_then(Value::as_bool).unwrap_or(false)
}

fn path_of(claim: &Value) -> &Value {
    claim.get("path").unwrap_or(&Value::Null)
}

impl Leaf {
    fn read(claim: &Value, mandatory_paths: &[&Value]) -> Option<Self> {
        let (last, parents) = path_of(claim).as_array()?.split_last()?;
        let list = last.is_null();
        let keys = if list { parents } else { path_of(claim).as_array()? };
        let path = keys.iter().map(|key| key.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
        let datum = Datum::from_name(claim.get("datum")?.as_str()?)?;
        let mandatory = mandatory_paths.iter().any(|known| known.as_array().is_some_and(|known| known == keys));
        (!path.is_empty()).then_some(Self { path, list, mandatory, datum })
    }

    fn column(&self) -> String {
        self.path.join(".")
    }

    fn value(&self, cell: &str) -> Result<Option<Value>, Fault> {
        if cell.is_empty() {
            return if self.mandatory { Err(Fault::Missing) } else { Ok(None) };
        }
        let value = |text| self.datum.value(text).map_err(|invalid| invalid.fault);
        if self.list { Ok(Some(cell.split(';').map(value).collect::<Result<_, _>>()?)) } else { value(cell).map(Some) }
    }
}

fn insert(claims: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => drop(claims.insert(key.clone(), value)),
        [key, rest @ ..] => {
            let inner = claims.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Some(inner) = inner.as_object_mut() {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(metadata: &str) -> SubjectShape {
        SubjectShape::from_metadata(&serde_json::from_str(metadata).unwrap()).unwrap()
    }

    fn resident() -> SubjectShape {
        shape(include_str!("../../../schemas/credential/resident-identity.json"))
    }

    const ROW: [(&str, &str); 11] = [
        ("name", "样本甲"),
        ("sex", "2"),
        ("ethnicity", "01"),
        ("birth_date", "1949-12-31"),
        ("address.division_code", "110105"),
        ("address.region", "北京市朝阳区"),
        ("address.detail", "样本路 1 号"),
        ("citizen_number", "11010519491231002X"),
        ("issuing_authority", "样本市公安局"),
        ("valid_from", "2020-01-01"),
        ("age_over_18", "true"),
    ];

    fn with(column: &'static str, cell: &'static str) -> Vec<(&'static str, &'static str)> {
        ROW.into_iter().filter(|(name, _)| *name != column).chain([(column, cell)]).collect()
    }

    #[test]
    fn a_row_becomes_nested_claims() {
        let claims = resident().claims(&ROW).unwrap();
        assert_eq!(claims["address"]["division_code"], "110105");
        assert_eq!(claims["age_over_18"], true);
        assert!(!claims.contains_key("valid_until"));
    }

    #[test]
    fn each_bad_cell_is_named_with_its_fault() {
        for (column, cell, fault) in [
            ("name", "", Fault::Missing),
            ("name", "a\u{1b}[2J", Fault::Character),
            ("sex", "3", Fault::UnknownCode),
            ("sex", "1", Fault::Contradiction),
            ("birth_date", "1949-12-30", Fault::Contradiction),
            ("birth_date", "1949-13-31", Fault::Date),
            ("citizen_number", "110105194912310021", Fault::Checksum),
            ("age_over_18", "yes", Fault::UnknownCode),
            ("photo_digest", "AAAA", Fault::Length),
            ("salary", "1", Fault::Unexpected),
        ] {
            let expected = vec![CellFault { column: column.to_owned(), fault }];
            assert_eq!(resident().claims(&with(column, cell)), Err(expected), "{column}");
        }
    }

    #[test]
    fn a_list_column_is_split() {
        let shape = shape(include_str!("../../../schemas/credential/business-licence.json"));
        assert!(shape.columns().any(|column| column == "scope"));
        let faults = shape.claims(&[("scope", "样本零售;样本咨询")]).unwrap_err();
        assert!(faults.iter().all(|cell| cell.fault == Fault::Missing && cell.column != "scope"));
        let faults = shape.claims(&[("scope", "样本零售;")]).unwrap_err();
        assert!(faults.contains(&CellFault { column: "scope".to_owned(), fault: Fault::Length }));
    }

    #[test]
    fn amounts_are_decimal_texts() {
        for good in ["0", "0.5", "1000000", "999999999999999.99"] {
            assert!(Datum::Decimal.value(good).is_ok(), "{good}");
        }
        for bad in ["", ".5", "1.", "01", "-1", "1e3", "1.234", "1000000000000000"] {
            assert!(Datum::Decimal.value(bad).is_err(), "{bad}");
        }
    }
}
