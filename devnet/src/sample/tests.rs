use super::*;
use identity_core::datatype::SubjectShape;
use serde_json::Value;
use std::collections::HashSet;

const RESIDENT: &str = include_str!("../../../schemas/credential/resident-identity.json");
const RESIDENT_SCHEMA: &str = include_str!("../../../schemas/credential/resident-identity.schema.json");
const LICENCE: &str = include_str!("../../../schemas/credential/business-licence.json");
const LICENCE_SCHEMA: &str = include_str!("../../../schemas/credential/business-licence.schema.json");

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The claims of every row, by the metadata; fails on the first row with a fault.
fn claims(table: &Table, metadata: &str) -> Vec<Value> {
    let shape = SubjectShape::from_metadata(&json(metadata)).unwrap();
    let row = |row: &Vec<String>| {
        let cells = table.columns().iter().copied().zip(row.iter().map(String::as_str)).skip(1);
        Value::Object(shape.claims(&cells.collect::<Vec<_>>()).unwrap())
    };
    table.rows().iter().map(row).collect()
}

fn assert_all_fit(schema: &str, claims: &[Value]) {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.enable_format_assertions();
    compiler.add_resource("urn:test", json(schema)).unwrap();
    let index = compiler.compile("urn:test", &mut schemas).unwrap();
    for claim in claims {
        schemas.validate(claim, index).unwrap();
    }
}

fn distinct(table: &Table, column: &str) -> usize {
    let at = table.columns().iter().position(|name| *name == column).unwrap();
    table.rows().iter().map(|row| &row[at]).collect::<HashSet<_>>().len()
}

#[test]
fn a_thousand_residents_are_valid_and_differ() {
    let table = residents(1, 1000);
    let claims = claims(&table, RESIDENT);
    assert_all_fit(RESIDENT_SCHEMA, &claims);
    assert_eq!(distinct(&table, "citizen_number"), 1000);
    assert_eq!(distinct(&table, "id"), 1000);
    for claim in &claims {
        assert!(claim["name"].as_str().unwrap().starts_with("样本"));
        assert!(claim["birth_date"].as_str().unwrap().starts_with("188"), "nobody alive");
    }
}

#[test]
fn a_thousand_businesses_are_valid_and_differ() {
    let table = businesses(1, 1000);
    let claims = claims(&table, LICENCE);
    assert_all_fit(LICENCE_SCHEMA, &claims);
    assert_eq!(distinct(&table, "credit_code"), 1000);
    assert!(claims.iter().all(|claim| claim["name"].as_str().unwrap().ends_with("(样本)")));
    assert!(claims.iter().all(|claim| claim["credit_code"].as_str().unwrap().get(8..10) == Some("YB")));
}

#[test]
fn the_seed_fixes_the_table_and_a_longer_one_begins_with_the_shorter() {
    assert_eq!(residents(7, 50), residents(7, 50));
    assert_eq!(residents(7, 50).rows(), &residents(7, 80).rows()[..50]);
    assert_ne!(residents(7, 50), residents(8, 50));
    assert_eq!(businesses(7, 50).rows(), &businesses(7, 80).rows()[..50]);
}

#[test]
fn csv_needs_no_quoting() {
    for table in [residents(3, 200), businesses(3, 200)] {
        let csv = table.to_csv();
        assert!(!csv.contains(['"', '\r']));
        assert_eq!(csv.lines().count(), 201);
        assert!(csv.lines().all(|line| line.split(',').count() == table.columns().len()));
    }
}

#[test]
fn the_json_schemas_refuse_what_the_type_does_not_have() {
    let mut claims = claims(&residents(1, 1), RESIDENT);
    claims[0]["salary"] = Value::from(1);
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("urn:test", json(RESIDENT_SCHEMA)).unwrap();
    let index = compiler.compile("urn:test", &mut schemas).unwrap();
    assert!(schemas.validate(&claims[0], index).is_err());
}
