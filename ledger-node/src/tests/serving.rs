//! Submitting, reading the log and the state, errands: what an honest client sees.

use identity_core::registry::{Accredit, DidHistory, Operation, Role, did_key};
use identity_core::trust;
use ledger::tile::read_bundle;
use ledger::tree::leaf_hash;
use ledger::{LogProof, Seal, StateProof, TimeProof, sha256};
use serde_json::json;

use std::sync::Arc;

use service_kit::clock::ManualClock;

use super::world::{Founded, NOW, Served, department};
use crate::{Ports, open_store, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_submitter_gets_a_place_and_a_proof() {
    let served = Served::new().await;
    let transaction = served.founded.anchor(1);
    let answer = served.submit(&transaction).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    // Two creations and the first seal stand before it.
    assert_eq!((answer["index"].as_u64(), answer["height"].as_u64()), (Some(3), Some(1)));
    let proof = LogProof::parse(answer["proof"].as_str().unwrap()).unwrap();
    let leaf = proof.verify(&served.founded.trust_root(), transaction.as_bytes()).unwrap();
    assert_eq!((leaf.index(), leaf.checkpoint().size()), (3, 5));
    let again = served.get("/proofs/log/3").await;
    assert_eq!(LogProof::parse(again.text()).unwrap().index, 3);
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn submitting_is_idempotent_also_with_many_at_once() {
    let served = Served::new().await;
    let transaction = served.founded.anchor(1);
    let path = "/transactions";
    let (a, b, c) = tokio::join!(
        served.post(path, "application/jwt", &transaction),
        served.post(path, "application/jwt", &transaction),
        served.post(path, "application/jwt", &transaction),
    );
    let first = a.json();
    assert_eq!((&first, &first), (&b.json(), &c.json()));
    let later = served.post(path, "application/jwt", &transaction).await;
    assert_eq!(later.json(), first);
    let found = served.get(&format!("/transactions/{}", first["digest"].as_str().unwrap())).await.json();
    assert_eq!((found["state"].as_str(), &found["index"]), (Some("accepted"), &first["index"]));
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_is_proven_present_and_absent() {
    let served = Served::new().await;
    let did = served.founded.department.did().clone();
    let proof = served.get(&format!("/proofs/state?key=did/{did}")).await;
    let proven = StateProof::parse(&proof.body).unwrap().verify(&served.founded.trust_root()).unwrap();
    let history: DidHistory = trust::did_history(&proven, &did).unwrap();
    assert_eq!(history.created, 1);
    let proof = served.get("/proofs/state?key=did/did:xinfu:sample:nobody").await;
    let proven = StateProof::parse(&proof.body).unwrap().verify(&served.founded.trust_root()).unwrap();
    assert_eq!(proven.value(), None);
    // Later blocks do not disturb it: the proof is of the newest head each time.
    served.submit(&served.founded.anchor(1)).await;
    let proof = served.get(&format!("/proofs/state?key={}", did_key(&did))).await;
    let proven = StateProof::parse(&proof.body).unwrap().verify(&served.founded.trust_root()).unwrap();
    assert_eq!(proven.seal().height, 1);
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_and_checkpoint_agree() {
    let served = Served::new().await;
    for seq in 1..=130 {
        assert_eq!(served.post("/transactions", "application/jwt", &served.founded.anchor(seq)).await.status, 200);
    }
    // 3 entries of genesis, then a transaction and a seal for each block.
    let size = 3 + 2 * 130;
    let bundle = served.get("/tile/entries/000").await;
    let entries = read_bundle(&bundle.body).unwrap();
    assert_eq!(entries.len(), 256);
    let hashes = served.get("/tile/0/000").await;
    for (entry, hash) in entries.iter().zip(hashes.body.chunks(32)) {
        assert_eq!(leaf_hash(entry).as_bytes().as_slice(), hash);
    }
    let partial = served.get(&format!("/tile/entries/001.p/{}", size - 256)).await;
    assert_eq!(read_bundle(&partial.body).unwrap().len(), size - 256);
    assert_eq!(served.get("/tile/1/000.p/1").await.body.len(), 32);
    // Narrower than what is there was there once; wider never was.
    assert_eq!(served.get("/tile/0/001.p/1").await.body.len(), 32);
    for path in ["/tile/0/001", "/tile/0/001.p/200", "/tile/2/000", "/tile/entries/002", "/tile/x/000", "/tile/"] {
        assert_eq!(served.get(path).await.code(), "ledger.tile.unknown", "{path}");
    }
    let proof = served.get("/proofs/log/200").await;
    let proof = LogProof::parse(proof.text()).unwrap();
    assert!(proof.verify(&served.founded.trust_root(), entries[200]).is_ok());
    assert_eq!(served.get(&format!("/proofs/log/{size}")).await.code(), "ledger.index.unknown");
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn registry_queries_answer_plainly() {
    let served = Served::new().await;
    let did = served.founded.department.did();
    let members = served.get("/registry/members").await.json();
    assert_eq!(members.as_array().unwrap().len(), 2);
    assert_eq!((&members[0]["authority"], &members[1]["did"]), (&json!(true), &json!(did)));

    let accredit = Operation::Accredit(Accredit {
        subject: did.clone(),
        role: Role::Issuer,
        types: vec!["urn:sample:type".into()],
        claims: Vec::new(),
        purposes: Vec::new(),
        from: NOW.0,
        until: NOW.plus(1000).0,
        delegable: false,
    });
    let operator = &served.founded.done.operator;
    let accredit = served.founded.signed(operator, "invoke-1", &served.founded.operator, 1, &accredit);
    let index = served.submit(&accredit).await.json()["index"].clone();
    let history = served.get(&format!("/registry/accreditations/{did}")).await.json();
    assert_eq!(history["grants"][0]["started"], index);
    assert_eq!(served.get(&format!("/registry/accreditations/{operator}")).await.json()["grants"], json!([]));
    assert_eq!(served.get("/registry/schemas/urn:sample:type").await.code(), "ledger.entry.unknown");
    let next = served.get(&format!("/registry/sequences?key={operator}%23invoke-1")).await.json();
    assert_eq!(next["next"], 2);
    assert_eq!(served.get("/registry/sequences").await.code(), "ledger.key.missing");
    assert_eq!(
        served.get("/trust-root").await.text(),
        std::fs::read_to_string(&served.founded.done.trust_root).unwrap()
    );
    assert_eq!(served.get("/genesis").await.body, std::fs::read(&served.founded.done.genesis).unwrap());
    let openapi = served.get("/openapi.json").await.json();
    assert!(openapi["paths"]["/transactions"].is_object());
    assert!(served.get("/metrics").await.text().contains("ledger_height 1"));
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errands_are_done_and_limited() {
    let served = Served::new().await;
    let digest = sha256(b"a withdrawal");
    let body = json!({"digest": digest}).to_string();
    let notarised = served.post("/notarise", "application/json", &body).await.json();
    let anchor = serde_json::to_vec(&notarised["anchor"]).unwrap();
    let proof = identity_core::anchor::AnchorProof::parse(&anchor).unwrap();
    let kind = identity_core::registry::AnchorKind::Notarised;
    let anchored = proof.verify(&digest, kind, &served.founded.trust_root()).unwrap();
    assert_eq!((anchored.sender(), anchored.key_id()), (&served.founded.done.operator, "relay-1"));

    let stranger = department(100);
    let relayed = served.post("/relay", "application/jwt", stranger.as_str()).await;
    assert_eq!(relayed.json()["did"], json!(stranger.did()), "{}", relayed.text());
    let again = served.post("/relay", "application/jwt", stranger.as_str()).await;
    assert_eq!(again.code(), "registry.did.exists");
    // Three a minute are allowed; what is refused at the door does not count.
    assert_eq!(served.post("/notarise", "application/json", &body).await.status, 200);
    let limited = served.post("/notarise", "application/json", &body).await;
    assert_eq!((limited.status, limited.code().as_str()), (429, "ledger.rate_limited"));
    // A third of a minute for one of three a minute.
    assert!(limited.head.contains("retry-after: 20"), "{}", limited.head);
    served.clock.advance(60);
    assert_eq!(served.post("/notarise", "application/json", &body).await.status, 200);
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_goes_on_where_it_stopped() {
    let mut founded = Founded::new();
    let clock = Arc::new(ManualClock::at(NOW));
    let mut sizes = Vec::new();
    for seq in 1..=2 {
        let (lock, store) = open_store(&founded.config).unwrap();
        assert!(open_store(&founded.config).is_err(), "one process, one node");
        let running = start(&founded.config, Ports { store, clock: clock.clone() }).await.unwrap();
        let served = Served { founded, clock: clock.clone(), running };
        assert_eq!(served.submit(&served.founded.anchor(seq)).await.status, 200);
        sizes.push(served.running.node().round().unwrap().head.size);
        served.running.stop().await;
        founded = served.founded;
        drop(lock);
    }
    assert_eq!(sizes, [5, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_when_to_come_back() {
    let served = Served::new().await;
    served.running.node().desk.close();
    let answer = served.submit(&served.founded.anchor(1)).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "ledger.busy"));
    assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
    let digest = json!({"digest": sha256(b"a withdrawal")}).to_string();
    for (path, kind, body) in [
        ("/transactions/batch", "text/plain", served.founded.anchor(2)),
        ("/notarise", "application/json", digest),
        ("/relay", "application/jwt", department(100).as_str().to_owned()),
    ] {
        let answer = served.post(path, kind, &body).await;
        if path.ends_with("batch") {
            assert_eq!(answer.json()["results"][0]["code"], "ledger.busy");
            continue;
        }
        assert_eq!((answer.status, answer.code().as_str()), (503, "ledger.busy"), "{path}");
        assert!(answer.head.contains("retry-after: 1"), "{path}: {}", answer.head);
    }
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_head_is_cosigned_again() {
    let served = Served::new().await;
    let trust_root = served.founded.trust_root();
    let time = |note: &str| trust_root.verify_checkpoint(note).unwrap().cosigned_at();
    let first = served.get("/checkpoint").await;
    served.clock.advance(31);
    served.running.node().tick().await;
    let second = served.get("/checkpoint").await;
    assert_eq!(time(second.text()), time(first.text()) + 31);
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_that_is_read_says_how_old_its_head_is() {
    let served = Served::new().await;
    let digest = served.submit(&served.founded.anchor(1)).await.json()["digest"].as_str().unwrap().to_owned();
    served.running.node().tick().await;
    served.clock.advance(12);
    let policy = served.founded.trust_root().digest().to_base64url();
    let did = served.founded.department.did().to_string();
    let head = format!("xinfu-head: size=5, height=1, at={}, age=12", NOW.plus(1).0);
    let paths = [
        ("/status".to_owned(), 200),
        ("/checkpoint".into(), 200),
        ("/tile/entries/000.p/6".into(), 404),
        ("/proofs/log/3".into(), 200),
        ("/proofs/log/9".into(), 404),
        (format!("/proofs/state?key=did/{did}"), 200),
        (format!("/1.0/identifiers/{did}"), 200),
        (format!("/transactions/{digest}"), 200),
        ("/registry/members".into(), 200),
        (format!("/registry/accreditations/{did}"), 200),
        ("/registry/schemas/urn:sample:type".into(), 404),
        (format!("/registry/sequences?key={did}%23invoke-1"), 200),
        ("/registry/proposals".into(), 200),
        ("/registry/validators".into(), 200),
        ("/genesis".into(), 200),
        ("/trust-root".into(), 200),
        (format!("/trust/policies/{digest}"), 404),
        (format!("/trust/walk?from={policy}"), 200),
        (format!("/proofs/time?at={}", NOW.to_millis().0), 200),
        ("/console/".into(), 200),
        (format!("/console/receipts?did={did}&number=1"), 200),
    ];
    let openapi = served.get("/openapi.json").await.json();
    let described = openapi["paths"].as_object().unwrap().values();
    let described = described.filter(|path| path["get"]["responses"]["200"]["headers"]["Xinfu-Head"].is_object());
    // One answer of each path; a log proof is asked for twice, once found and once not, and what never changes is not found.
    assert_eq!(described.count(), paths.len() - 3, "what the description promises is what is looked at here");
    for (path, status) in paths {
        let answer = served.get(&path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(answer.head.to_lowercase().contains(&head), "{path}: {}", answer.head);
    }
    // A cache shows these for a year: no age in them would be true.
    for path in ["/tile/entries/000.p/5".to_owned(), "/tile/0/000.p/5".into(), format!("/trust/policies/{policy}")] {
        let answer = served.get(&path).await;
        let said = answer.head.to_lowercase();
        assert!(answer.status == 200 && said.contains("immutable") && !said.contains("xinfu-head"), "{path}: {said}");
    }
    let status = served.get("/status").await.json();
    assert_eq!(status["head"], json!({"size": 5, "height": 1, "at": NOW.plus(1).0, "age": 12}));
    assert_eq!((&status["executed"]["size"], &status["halted"]), (&json!(5), &json!(false)));
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_is_shown_by_the_seals_around_it() {
    let served = Served::new().await;
    let trust_root = served.founded.trust_root();
    let genesis = u64::try_from(NOW.to_millis().0).unwrap();
    // Blocks of many transactions and of one, a minute apart.
    let mut sent = 0..;
    for (minute, count) in (1..).zip([1, 50, 1, 2, 40, 1]) {
        served.clock.set(NOW.plus(60 * minute));
        let lines: Vec<String> = sent.by_ref().take(count).map(|before| served.founded.anchor(before + 1)).collect();
        let answer = served.post("/transactions/batch?wait=certified", "text/plain", &lines.join("\n")).await;
        assert!(answer.json()["checkpoint"].is_string(), "{}", answer.text());
    }
    let size = served.running.node().executed().size;
    let entries = served.get(&format!("/tile/entries/000.p/{size}")).await;
    let entries = read_bundle(&entries.body).unwrap();
    let sealed = (0_u64..).zip(&entries).filter_map(|(index, entry)| Some((index, Seal::parse(entry).ok()?.time)));
    let sealed: Vec<(u64, u64)> = sealed.collect();
    assert_eq!((sealed[0], sealed.len() > 6), ((2, genesis), true));
    for pair in sealed.windows(2) {
        let [(index, from), (_, until)] = pair else { unreachable!() };
        for time in [*from, (from + until) / 2, until - 1] {
            let answer = served.get(&format!("/proofs/time?at={time}")).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let moment = TimeProof::parse(&answer.body).unwrap().verify(&trust_root, time).unwrap();
            assert_eq!((moment.index(), moment.sealed(), moment.next()), (*index, *from, Some(*until)));
        }
    }
    let (last, newest) = sealed[sealed.len() - 1];
    for (at, code) in [
        (format!("{}", genesis - 1), "ledger.time.before_genesis"),
        (format!("{newest}"), "ledger.time.not_yet_known"),
        (format!("{}", u64::MAX), "ledger.time.not_yet_known"),
        ("-1".to_owned(), "ledger.time.malformed"),
        ("2026-03-03".to_owned(), "ledger.time.malformed"),
    ] {
        assert_eq!(served.get(&format!("/proofs/time?at={at}")).await.code(), code, "{at}");
    }
    assert_eq!(served.get("/proofs/time").await.code(), "ledger.time.malformed");
    // An idle head that is cosigned again tells in time that nothing followed.
    served.clock.set(NOW.plus(60 * 6 + 120));
    served.running.node().tick().await;
    let answer = served.get(&format!("/proofs/time?at={}", newest + 30_000)).await;
    let moment = TimeProof::parse(&answer.body).unwrap().verify(&trust_root, newest + 30_000).unwrap();
    assert_eq!((moment.index(), moment.is_closed()), (last, false));
    served.running.stop().await;
}
