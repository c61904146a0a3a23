//! Nothing is issued, changed or taken over without somebody who answers for it.

use std::future::poll_fn;
use std::task::Poll;

use actix_web::test::TestRequest;
use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::duty::{Deed, IssuerAct, Order};
use identity_core::jose::Jwk;
use identity_core::registry::{Delegation, DutyHolder, Ending};
use ledger::sha256;
use serde_json::{Map, Value, json};
use service_kit::store::faulty::Fault;

use super::world::{BASIS, DESK, KIND, NOW, Reply, TABLE, World, act, delegation};
use crate::flow::order::Ordered;
use crate::kind::Kind;
use crate::store::{Outcome, Page, ROWS_PER_COMMIT, Records, Search};

/// The duty of the sample official.
const WINDOW: &str = "window-3";

fn official() -> SecretKey {
    SecretKey::from_bytes(Alg::Es256, &[77; 32]).unwrap()
}

/// The department's official, with a duty that differs from a good one by `change`.
fn give(world: &World, change: impl FnOnce(&mut Delegation)) {
    let mut given = delegation(DutyHolder::Official, Jwk::new(official().public_key().clone()));
    change(&mut given);
    world.ledger.delegate(given, &world.service.config.keys, WINDOW);
}

fn wanted() -> String {
    json!({"subject": "s-1", "credential_configuration_id": KIND}).to_string()
}

fn deed(act: IssuerAct, content: &[u8]) -> Deed {
    Deed { act, vct: Kind::vct_of(KIND).unwrap(), content: sha256(content), count: 1 }
}

/// The draft that the service makes for the official, over this deed.
async fn drafted(world: &World, deed: &Deed) -> Order {
    let body = json!({"official": WINDOW, "basis": BASIS, "deed": deed});
    let draft = world.admin(TestRequest::post().uri("/admin/orders").set_json(body)).await;
    assert_eq!(draft.status, 200, "{draft:?}");
    serde_json::from_value(draft.json()["to_attest"].clone()).unwrap()
}

async fn offer_under(world: &World, order: &str) -> Reply {
    let request = TestRequest::post().uri("/admin/offers").insert_header(("content-type", "application/json"));
    world.admin(request.insert_header(("Xinfu-Order", order)).set_payload(wanted())).await
}

async fn import(world: &World, table: &str, query: &str, order: Option<&str>) -> Reply {
    let mut request = TestRequest::post()
        .uri(&format!("/admin/import?credential_configuration_id={KIND}{query}"))
        .insert_header(("content-type", "text/csv"));
    if let Some(order) = order {
        request = request.insert_header(("Xinfu-Order", order));
    }
    world.admin(request.set_payload(table.to_owned())).await
}

async fn audit(world: &World) -> Vec<Value> {
    let lines = String::from_utf8(world.admin(TestRequest::get().uri("/admin/audit")).await.body).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn credential(world: &World) -> crate::store::CredentialRecord {
    world.service.records.credentials(Search::All, Page { after: None, limit: 1 }).await.unwrap().remove(0)
}

#[actix_web::test]
async fn without_an_order_and_without_a_service_account_nothing_is_done() {
    let world = World::with(|config| config.duty.service.clear()).await;
    assert_eq!(import(&world, TABLE, "", None).await.refusal(), (403, String::new(), "duty.missing".to_owned()));
    assert_eq!(world.admin(TestRequest::get().uri("/admin/subjects")).await.json(), json!([]));
    let line = audit(&world).await.pop().unwrap();
    assert_eq!((&line["what"], &line["outcome"]), (&"POST /admin/import".into(), &"refused 403".into()));
}

#[actix_web::test]
async fn an_official_orders_an_offer_and_is_named_with_all_that_comes_of_it() {
    let world = World::new().await;
    give(&world, |_| {});
    let signed = drafted(&world, &deed(IssuerAct::Offer, wanted().as_bytes())).await.sign(&official()).unwrap();
    let digest = sha256(signed.as_bytes());
    let made = offer_under(&world, &signed).await;
    assert_eq!(made.status, 200, "{made:?}");
    let line = audit(&world).await.pop().unwrap();
    assert_eq!(line["under"], json!({"duty": WINDOW, "order": digest}));

    let id = made.json()["offer_id"].as_str().unwrap().to_owned();
    let offers = world.admin(TestRequest::get().uri("/admin/offers")).await.json();
    let offer = offers.as_array().unwrap().iter().find(|offer| offer["id"] == id).unwrap();
    assert_eq!(offer["order"], json!(digest));
    let kept = world.admin(TestRequest::get().uri(&format!("/admin/orders/{}", digest.to_base64url()))).await;
    assert_eq!(kept.body, signed.as_bytes());
    assert!(world.service.records.is_pending(&digest).await.unwrap(), "it waits for the ledger");

    // The same order again does nothing more.
    assert_eq!(offer_under(&world, &signed).await.refusal().2, "duty.used");
    let unknown =
        world.admin(TestRequest::get().uri(&format!("/admin/orders/{}", sha256(b"none").to_base64url()))).await;
    assert_eq!(unknown.refusal().2, "duty.order_unknown");
}

#[actix_web::test]
async fn a_credential_names_the_order_it_was_offered_under() {
    let world = World::new().await;
    world.issue(&[1]).await;
    let order = credential(&world).await.order.unwrap();
    let text = world.service.records.order(&order).await.unwrap().unwrap();
    let said = identity_core::duty::UnverifiedOrder::parse(&text).unwrap();
    assert_eq!(said.who().1, DESK);
    assert!(!world.service.records.is_pending(&order).await.unwrap(), "the department's own word is not anchored");
}

#[actix_web::test]
async fn an_order_is_over_one_deed_and_counts_once_and_for_a_while() {
    let world = World::new().await;
    give(&world, |_| {});
    let good = drafted(&world, &deed(IssuerAct::Offer, wanted().as_bytes())).await;
    let signed = |change: fn(&mut Order)| {
        let mut order = good.clone();
        change(&mut order);
        order.sign(&official()).unwrap()
    };
    let other_key = good.sign(&SecretKey::from_bytes(Alg::Es256, &[78; 32]).unwrap()).unwrap();
    let refused = [
        (signed(|order| order.deed.act = IssuerAct::Revoke), "duty.other_deed"),
        (signed(|order| order.deed.content = sha256(b"another")), "duty.other_deed"),
        (signed(|order| order.deed.count = 2), "duty.other_deed"),
        (signed(|order| order.deed.vct.push('x')), "duty.other_deed"),
        (signed(|order| order.exp = NOW), "duty.expired"),
        (signed(|order| order.exp = NOW.plus(86_401)), "duty.expired"),
        (signed(|order| order.duty = "window-4".to_owned()), "duty.unknown"),
        (signed(|order| order.duty = DESK.to_owned()), "duty.unknown"),
        (signed(|order| order.basis.clear()), "duty.malformed"),
        (signed(|order| order.nonce.clear()), "duty.malformed"),
        (signed(|order| order.iss = "did:web:other.example".parse().unwrap()), "duty.department"),
        (other_key, "duty.unknown"),
        ("nonsense".to_owned(), "duty.malformed"),
        ("x".repeat(5000), "duty.malformed"),
        ("\u{e9}".to_owned(), "duty.malformed"),
    ];
    for (order, code) in refused {
        let reply = offer_under(&world, &order).await;
        assert_eq!(reply.refusal().2, code, "{order}");
    }
    assert_eq!(world.admin(TestRequest::get().uri("/admin/offers")).await.json(), json!([]));
}

#[actix_web::test]
async fn two_orders_at_once_are_none() {
    let world = World::new().await;
    let request = TestRequest::post().uri("/admin/offers").insert_header(("content-type", "application/json"));
    let twice = request.append_header(("Xinfu-Order", "a")).append_header(("Xinfu-Order", "b"));
    assert_eq!(world.admin(twice.set_payload(wanted())).await.refusal().2, "duty.malformed");
}

#[actix_web::test]
async fn the_ledger_says_what_a_duty_covers_and_whose_it_is() {
    type Change = fn(&mut Delegation);
    let changes: [(Change, &str); 6] = [
        (|given| given.types = vec!["urn:sample:another".to_owned()], "duty.type"),
        (|given| given.holder = DutyHolder::Service, "duty.holder"),
        (|given| given.case_required = true, "duty.case"),
        (|given| given.started = None, "duty.not_yet"),
        (|given| (given.ended, given.ending) = (Some(5), Some(Ending::Ended)), "duty.ended"),
        (|given| given.id = 11, "duty.unknown"),
    ];
    for (change, code) in changes {
        let world = World::new().await;
        give(&world, change);
        let order = drafted(&world, &deed(IssuerAct::Offer, wanted().as_bytes())).await;
        assert_eq!(offer_under(&world, &order.sign(&official()).unwrap()).await.refusal().2, code);
    }
}

#[actix_web::test]
async fn an_official_counts_only_by_what_the_ledger_says_now() {
    let world = World::new().await;
    give(&world, |_| {});
    let signed = drafted(&world, &deed(IssuerAct::Offer, wanted().as_bytes())).await.sign(&official()).unwrap();
    *world.ledger.silent.lock().unwrap() = true;
    let reply = offer_under(&world, &signed).await;
    assert_eq!((reply.status, reply.refusal().2.as_str()), (503, "duty.undetermined"));
    *world.ledger.silent.lock().unwrap() = false;
    assert_eq!(offer_under(&world, &signed).await.status, 200);
}

#[actix_web::test]
async fn the_service_account_goes_on_without_the_ledger_and_not_without_its_duty() {
    let world = World::new().await;
    *world.ledger.silent.lock().unwrap() = true;
    world.clock.advance(3600);
    world.offer().await;
    *world.ledger.silent.lock().unwrap() = false;
    world.ledger.duties.lock().unwrap()[0].delegations[0].ended = Some(5);
    world.clock.advance(61);
    let request = TestRequest::post().uri("/admin/offers").insert_header(("content-type", "application/json"));
    assert_eq!(world.admin(request.set_payload(wanted())).await.refusal().2, "duty.ended");
    // Given again, it counts at once.
    world.ledger.duties.lock().unwrap()[0].delegations[0].ended = None;
    world.offer().await;
}

#[actix_web::test]
async fn an_official_orders_a_revocation() {
    let world = World::new().await;
    give(&world, |_| {});
    world.issue(&[1]).await;
    let id = credential(&world).await.id;
    let body = json!({"official": WINDOW, "basis": BASIS, "case": "2026-1", "act": "revoke", "credential": id});
    let draft = world.admin(TestRequest::post().uri("/admin/orders").set_json(body)).await.json();
    let salted = format!("{}{}", draft["case"]["salt"].as_str().unwrap(), draft["case"]["number"].as_str().unwrap());
    let order: Order = serde_json::from_value(draft["to_attest"].clone()).unwrap();
    assert_eq!(order.case, Some(sha256(salted.as_bytes())));
    let signed = order.sign(&official()).unwrap();
    let change = |act: &str| {
        let request = TestRequest::post().uri(&format!("/admin/credentials/{id}/{act}"));
        request.insert_header(("Xinfu-Order", signed.as_str()))
    };
    assert_eq!(world.admin(change("suspend")).await.refusal().2, "duty.other_deed");
    assert_eq!(world.admin(change("revoke")).await.json()["state"], "revoked");
    assert_eq!(world.admin(change("revoke")).await.json()["state"], "revoked", "twice is once");
    let done: Vec<_> = audit(&world).await.into_iter().filter(|line| line["under"]["duty"] == WINDOW).collect();
    assert_eq!(done.len(), 1);
    let unknown = json!({"official": WINDOW, "basis": BASIS, "act": "revoke", "credential": "none"});
    let unknown = world.admin(TestRequest::post().uri("/admin/orders").set_json(unknown)).await;
    assert_eq!(unknown.refusal().2, "vci.credential.unknown");
}

#[actix_web::test]
async fn a_draft_says_one_thing_and_nothing_unknown() {
    let world = World::new().await;
    let deed = deed(IssuerAct::Offer, wanted().as_bytes());
    let body = |more: Value| {
        let mut body = json!({"official": WINDOW, "basis": BASIS});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        TestRequest::post().uri("/admin/orders").set_json(body)
    };
    for (more, code) in [
        (json!({}), "duty.malformed"),
        (json!({"act": "revoke"}), "duty.malformed"),
        (json!({"deed": deed, "act": "revoke", "credential": "x"}), "duty.malformed"),
        (json!({"deed": deed, "case": ""}), "duty.malformed"),
        (json!({"deed": deed, "basis": ""}), "duty.malformed"),
        (json!({"act": "import", "credential": "x"}), "json.shape"),
        (json!({"deed": deed, "cse": "2026-1"}), "json.shape"),
    ] {
        assert_eq!(world.admin(body(more.clone())).await.refusal().2, code, "{more}");
    }
    assert_eq!(world.admin(body(json!({"deed": deed}))).await.json()["case"], Value::Null);
}

/// A table of so many rows.
fn table(rows: usize) -> String {
    let (header, row) = TABLE.split_once('\n').unwrap();
    let rows = (0..rows).map(|n| row.replace("s-1", &format!("t-{n}")));
    std::iter::once(format!("{header}\n")).chain(rows).collect()
}

/// The official's order over all of a table.
async fn ordered_import(world: &World, table: &str) -> String {
    let checked = import(world, table, "&check=true", None).await.json();
    let deed: Deed = serde_json::from_value(checked["deed"].clone()).unwrap();
    drafted(world, &deed).await.sign(&official()).unwrap()
}

/// How many commits stand in the log under the official's orders.
async fn parts_done(world: &World) -> usize {
    audit(world).await.iter().filter(|line| line["under"]["duty"] == WINDOW && line["outcome"] == "done").count()
}

#[actix_web::test]
async fn an_import_that_is_ordered_once_is_carried_out_once_also_by_two_at_once() {
    for (rows, parts) in [(1, 1), (2 * ROWS_PER_COMMIT + 1, 3)] {
        let world = World::new().await;
        give(&world, |_| {});
        let table = table(rows);
        let signed = ordered_import(&world, &table).await;
        let (one, other) =
            tokio::join!(import(&world, &table, "", Some(&signed)), import(&world, &table, "", Some(&signed)));
        let (done, refused) = if one.status == 200 { (one, other) } else { (other, one) };
        assert_eq!((done.status, refused.refusal().2.as_str()), (200, "duty.used"));
        assert_eq!(parts_done(&world).await, parts, "no part twice");
        assert_eq!(import(&world, &table, "", Some(&signed)).await.refusal().2, "duty.used", "it is over");
    }
}

#[actix_web::test]
async fn an_import_that_another_process_overtakes_does_not_come_open_again() {
    let world = World::new().await;
    let [one, other] = [(); 2].map(|()| Records::new(world.store.clone(), world.clock.clone()));
    let subjects: Vec<_> = (0..=2 * ROWS_PER_COMMIT).map(|n| (format!("t-{n}"), Map::new())).collect();
    let (duty, holder, text) = (WINDOW.to_owned(), DutyHolder::Official, "as it was signed".to_owned());
    let order = Ordered { duty, holder, digest: sha256(text.as_bytes()), text };
    let act = act();
    // One stands still after its first part, and the other one comes to the end.
    let mut first = Box::pin(one.import_subjects(&act, KIND, &subjects, &order));
    while other.subject(KIND, "t-0").await.unwrap().is_none() {
        assert!(!poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_ready())).await);
    }
    assert_eq!(other.import_subjects(&act, KIND, &subjects, &order).await.unwrap(), Outcome::Done);
    assert_eq!(first.await.unwrap(), Outcome::OrderUsed);
    assert_eq!(parts_done(&world).await, 3);
    assert!(other.is_order_used(&order.digest).await.unwrap());
}

#[actix_web::test]
async fn an_import_is_ordered_as_a_whole_and_goes_on_under_its_order_until_it_is_over() {
    let table = table(ROWS_PER_COMMIT + 1);
    let world = World::new().await;
    give(&world, |_| {});
    let checked = import(&world, &table, "&check=true", None).await.json();
    assert_eq!(checked["deed"]["count"], ROWS_PER_COMMIT + 1);
    assert_eq!(world.admin(TestRequest::get().uri("/admin/subjects")).await.json(), json!(["s-1"]), "only checked");
    let deed: Deed = serde_json::from_value(checked["deed"].clone()).unwrap();
    let signed = drafted(&world, &deed).await.sign(&official()).unwrap();
    let less = table.replace("t-7,", "t-x,");
    assert_eq!(import(&world, &less, "", Some(&signed)).await.refusal().2, "duty.other_deed");

    // The second of two parts fails; the import is repeated under the same order.
    world.store.break_after(1, Fault::FailedNotSaved);
    assert!(import(&world, &table, "", Some(&signed)).await.status >= 500);
    let digest = sha256(signed.as_bytes());
    assert!(!world.service.records.is_pending(&digest).await.unwrap());
    assert_eq!(import(&world, &table, "", Some(&signed)).await.json()["imported"], ROWS_PER_COMMIT + 1);
    assert_eq!(parts_done(&world).await, 2, "it went on where it had ended");
    assert!(world.service.records.is_pending(&digest).await.unwrap());
    assert_eq!(import(&world, &table, "", Some(&signed)).await.refusal().2, "duty.used");
}
