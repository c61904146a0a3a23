use super::*;
use identity_core::datatype::SubjectShape;
use identity_core::sd_jwt_vc::{BUILT_IN, BuiltInType};
use serde_json::Value;
use std::collections::HashSet;

/// A kind of sample, with the type it is of and the column that tells its rows apart.
type Kind = (&'static str, fn(u64, usize) -> Table, &'static str);

const KINDS: [Kind; 7] = [
    ("resident-identity", residents, "citizen_number"),
    ("residence-permit", permits, "id"),
    ("social-insurance", insured, "id"),
    ("degree", graduates, "graduation_number"),
    ("business-licence", businesses, "credit_code"),
    ("e-licence", licences, "identifier"),
    ("official-duty", officials, "staff_number"),
];

fn metadata(name: &str) -> &'static str {
    BuiltInType::of(name).unwrap().metadata
}

fn schema(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/credential");
    std::fs::read_to_string(format!("{folder}/{name}.schema.json")).unwrap()
}

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
fn a_thousand_of_each_kind_are_valid_differ_and_say_that_they_are_samples() {
    assert_eq!(KINDS.map(|(name, ..)| name).len(), BUILT_IN.len());
    for (name, make, key) in KINDS {
        let table = make(1, 1000);
        let claims = claims(&table, metadata(name));
        assert_all_fit(&schema(name), &claims);
        assert_eq!((distinct(&table, "id"), distinct(&table, key)), (1000, 1000), "{name}");
        assert!(claims.iter().all(|claim| claim.to_string().contains("样本")), "{name}");
    }
}

#[test]
fn nobody_is_met() {
    for claim in claims(&residents(1, 1000), metadata("resident-identity")) {
        assert!(claim["birth_date"].as_str().unwrap().starts_with("188"), "nobody alive");
    }
    for claim in claims(&businesses(1, 1000), metadata("business-licence")) {
        assert!(claim["name"].as_str().unwrap().ends_with("(样本)"));
        assert_eq!(claim["credit_code"].as_str().unwrap().get(8..10), Some("YB"));
    }
    for claim in claims(&graduates(1, 1000), metadata("degree")) {
        assert!(claim["graduation_number"].as_str().unwrap().starts_with("00000"));
    }
    for claim in claims(&licences(1, 1000), metadata("e-licence")) {
        assert_eq!(claim["identifier"].as_str().unwrap().matches("YB").count(), 3);
    }
    for claim in claims(&officials(1, 1000), metadata("official-duty")) {
        assert_eq!(claim["department_code"].as_str().unwrap().get(8..10), Some("YB"));
    }
}

#[test]
fn the_seed_fixes_the_table_and_a_longer_one_begins_with_the_shorter() {
    for (name, make, _) in KINDS {
        assert_eq!(make(7, 50), make(7, 50));
        assert_eq!(make(7, 50).rows(), &make(7, 80).rows()[..50], "{name}");
        assert_ne!(make(7, 50), make(8, 50), "{name}");
    }
}

#[test]
fn csv_needs_no_quoting() {
    for (_, make, _) in KINDS {
        let table = make(3, 200);
        let csv = table.to_csv();
        assert!(!csv.contains(['"', '\r']));
        assert_eq!(csv.lines().count(), 201);
        assert!(csv.lines().all(|line| line.split(',').count() == table.columns().len()));
    }
}

#[test]
fn the_json_schemas_refuse_what_the_type_does_not_have() {
    for (name, make, _) in KINDS {
        let mut claims = claims(&make(1, 1), metadata(name));
        claims[0]["salary"] = Value::from(1);
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        compiler.add_resource("urn:test", json(&schema(name))).unwrap();
        let index = compiler.compile("urn:test", &mut schemas).unwrap();
        assert!(schemas.validate(&claims[0], index).is_err(), "{name}");
    }
}

#[test]
fn a_mistyped_table_has_one_wrong_check_digit_where_it_says() {
    for (name, sample, _) in KINDS {
        let Some(Mistyped { table, line, column }) = sample(1, 3).mistyped() else {
            assert!(["social-insurance", "e-licence", "official-duty"].contains(&name), "{name}");
            continue;
        };
        assert_eq!((line, table.rows()[..2] == sample(1, 3).rows()[..2]), (4, true), "{name}");
        let shape = SubjectShape::from_metadata(&json(metadata(name))).unwrap();
        let cells = table.columns().iter().copied().zip(table.rows()[2].iter().map(String::as_str)).skip(1);
        let faults = shape.claims(&cells.collect::<Vec<_>>()).unwrap_err();
        assert!(
            format!("{faults:?}").contains("Checksum") && format!("{faults:?}").contains(column),
            "{name}: {faults:?}"
        );
    }
}
