//! Tables good and bad.

use actix_web::test::TestRequest;
use service_kit::store::faulty::Fault;

use super::world::{KIND, TABLE, World, act};
use crate::store::ROWS_PER_COMMIT;

fn row(change: impl Fn(&str) -> String) -> String {
    let (header, good) = TABLE.split_once('\n').unwrap();
    format!("{header}\n{}", change(good))
}

async fn import(world: &World, table: impl Into<Vec<u8>>) -> super::world::Reply {
    let request = TestRequest::post()
        .uri(&format!("/admin/import?credential_configuration_id={KIND}"))
        .insert_header(("content-type", "text/csv"))
        .set_payload(table.into());
    world.admin(request).await
}

#[actix_web::test]
async fn bad_rows_are_listed_and_good_ones_kept() {
    let world = World::new().await;
    let good = TABLE.lines().nth(1).unwrap();
    let table = [
        TABLE.lines().next().unwrap(),
        &good.replace("s-1", "s-2"),
        &good.replace("s-1", "s-3").replace("1002X", "10021"),
        "s-4,only two",
        &good.replace("s-1", ""),
        &good.replace("s-1", "s-5").replace("110105,", "999999,"),
        &good.replace("s-1", "s-2"),
        &good.replace("s-1", "s-6").replace(",2,01", ",1,01"),
    ]
    .join("\n");
    let report = import(&world, table).await;
    let text = String::from_utf8(report.body.clone()).unwrap();
    let report = report.json();
    assert_eq!((&report["imported"], &report["refused"]), (&1.into(), &6.into()));
    let faults: Vec<_> = report["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["line"].as_u64().unwrap(), fault["column"].as_str().unwrap_or("-").to_owned()))
        .collect();
    let expected = [(3, "citizen_number"), (4, "-"), (5, "id"), (6, "address.division_code"), (7, "id"), (8, "sex")];
    assert_eq!(faults, expected.map(|(line, column)| (line, column.to_owned())));
    assert_eq!(report["faults"][0]["reason_zh"], "数据校验码不符");
    for secret in ["11010519491231", "999999", "样本甲"] {
        assert!(!text.contains(secret), "a value stands in the report");
    }
    let ids = world.admin(TestRequest::get().uri("/admin/subjects")).await.json();
    assert_eq!(ids, serde_json::json!(["s-1", "s-2"]));
    let page = world.admin(TestRequest::get().uri("/admin/subjects?after=s-1&limit=1")).await.json();
    assert_eq!(page, serde_json::json!(["s-2"]));
}

#[actix_web::test]
async fn tables_of_another_shape_are_refused_whole() {
    let world = World::new().await;
    let cases: [(Vec<u8>, &str); 5] = [
        (Vec::new(), "vci.import.header"),
        (b"name,sex\n".to_vec(), "vci.import.header"),
        (b"id,id\n".to_vec(), "vci.import.header"),
        (b"id,name,shoe_size\n".to_vec(), "vci.import.column"),
        (b"\xff\xfe\n".to_vec(), "vci.import.header"),
    ];
    for (table, code) in cases {
        assert_eq!(import(&world, table).await.refusal().2, code);
    }
    let kind = TestRequest::post()
        .uri("/admin/import?credential_configuration_id=x")
        .insert_header(("content-type", "text/csv"));
    assert_eq!(world.admin(kind.set_payload("id\n")).await.refusal().2, "vci.request.configuration_unknown");
    let json = TestRequest::post().uri("/admin/import").set_json("x");
    assert_eq!(world.admin(json).await.refusal().2, "http.content_type");
}

#[actix_web::test]
async fn a_spreadsheets_mark_and_line_ends_are_taken() {
    let world = World::new().await;
    let table = format!("\u{feff}{}", row(|good| good.replace("s-1", "s-7")).replace('\n', "\r\n"));
    assert_eq!(import(&world, table).await.json()["imported"], 1);
}

#[actix_web::test]
async fn a_newer_table_replaces_what_a_credential_will_say() {
    let world = World::new().await;
    import(&world, row(|good| good.replace("样本路 1 号", "样本路 2 号"))).await;
    let claims = world.service.records.subject(KIND, "s-1").await.unwrap().unwrap();
    assert_eq!(claims["address"]["detail"], "样本路 2 号");
}

#[actix_web::test]
async fn importing_again_changes_nothing_and_a_newer_row_replaces_the_older() {
    let world = World::new().await;
    let before = world.service.records.subject(KIND, "s-1").await.unwrap();
    assert_eq!(import(&world, TABLE).await.json()["imported"], 1);
    assert_eq!(world.service.records.subject(KIND, "s-1").await.unwrap(), before);
    assert_eq!(import(&world, row(|good| good.replace("样本甲", "样本乙"))).await.json()["imported"], 1);
    let after = world.service.records.subject(KIND, "s-1").await.unwrap().unwrap();
    assert_eq!(after["name"], "样本乙");
    assert_eq!(world.admin(TestRequest::get().uri("/admin/subjects")).await.json(), serde_json::json!(["s-1"]));
}

#[actix_web::test]
async fn an_import_that_breaks_at_any_write_keeps_whole_steps_and_importing_again_ends_it() {
    const STEPS: usize = 3;
    let (header, good) = TABLE.split_once('\n').unwrap();
    let name = |number: usize| format!("s-{number:05}");
    let names: Vec<String> = (0..(STEPS - 1) * ROWS_PER_COMMIT + 1).map(name).collect();
    let rows: String = names.iter().map(|name| good.replace("s-1", name)).collect();
    let table = format!("{header}\n{rows}");
    for (fault, step) in Fault::ALL.into_iter().flat_map(|fault| (0..STEPS).map(move |step| (fault, step))) {
        let world = World::new().await;
        let records = &world.service.records;
        let there = async || {
            let ids = records.subject_ids(KIND, Some("s-0"), usize::MAX).await.unwrap();
            ids.into_iter().filter(|id| id.len() > "s-1".len()).collect::<Vec<_>>()
        };
        let lines = records.audit.verify().await.unwrap().lines;
        world.store.break_after(step, fault);
        assert!(world.service.import(&act(), KIND, table.as_bytes(), None).await.is_err(), "{fault:?} {step}");
        let saved = step + usize::from(fault == Fault::FailedYetSaved);
        assert_eq!(there().await, names[..names.len().min(saved * ROWS_PER_COMMIT)], "{fault:?} {step}");
        let after = records.audit.verify().await.unwrap().lines;
        assert_eq!(after, lines + u64::try_from(saved).unwrap(), "a step and its line are one: {fault:?} {step}");

        let report = world.service.import(&act(), KIND, table.as_bytes(), None).await.unwrap();
        assert_eq!((report.imported, report.refused), (names.len(), 0));
        assert_eq!(there().await, names);
    }
}
