//! The console's pages, as a browser gets them.

use std::collections::BTreeSet;
use std::sync::Arc;

use identity_core::crypto::Signer as _;
use identity_core::encoding::base64url;
use identity_core::jose::Jwk;
use identity_core::problem::Lang;
use identity_core::registry::{
    Anchor, AnchorKind, CreatePayload, Delegate, DutyHolder, KeyEntry, KeyUse, Label, Operation, Role, ServiceEntry,
    ServiceType, make_create,
};
use ledger::sha256;
use service_kit::clock::ManualClock;
use service_kit::messages::Catalogue;
use service_kit::terminal::INVISIBLE;

use super::world::{Answer, Founded, NOW, Served, anchor, key, memory};
use crate::{Config, Ports, start};

const HOSTILE: &str = "<script>alert('x')</script>\"&<b>";

/// What a page must be, whatever it says: in its language, under its policy, and without anything that runs or comes
/// from elsewhere.
fn check_page(answer: &Answer, lang: &str) {
    let (head, text) = (answer.head.to_lowercase(), answer.text());
    assert!(head.contains("content-type: text/html; charset=utf-8"), "{head}");
    let policy = "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                  connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n";
    assert!(format!("{head}\r\n").contains(policy), "{head}");
    assert!(!head.contains("set-cookie"), "{head}");
    assert!(text.starts_with(&format!("<!DOCTYPE html><html lang=\"{lang}\">")), "{text}");
    // The check's script finds its words by their ids.
    let told = text.replace("data-text=\"console-", "");
    assert!(!told.contains(">console-") && !told.contains("\"console-"), "a text is missing: {text}");
    for script in text.split("<script").skip(1) {
        assert!(script.starts_with(" type=\"module\" src=\"/console/"), "{script}");
        assert!(script.contains("\"></script>"), "{script}");
    }
    for banned in [" style=", " onclick=", " onload=", "javascript:", "<style", "<iframe", "<base"] {
        assert!(!text.contains(banned), "{banned}: {text}");
    }
    for attribute in [" href=\"", " src=\"", " action=\""] {
        for address in text.split(attribute).skip(1) {
            let address = address.split('"').next().unwrap();
            assert!((address.starts_with('/') && !address.starts_with("//")) || address.starts_with('#'), "{address}");
        }
    }
}

pub(super) async fn page(served: &Served, path: &str) -> String {
    let mut texts = Vec::new();
    for (lang, tag) in [("en", "en"), ("zh", "zh-CN")] {
        let joint = if path.contains('?') { '&' } else { '?' };
        let answer = served.get(&format!("{path}{joint}lang={lang}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        check_page(&answer, tag);
        texts.push(answer.text().to_owned());
    }
    assert_ne!(texts[0], texts[1], "{path}");
    texts.remove(0)
}

fn duty() -> Operation {
    Operation::Delegate(Box::new(Delegate {
        duty: "desk-7".into(),
        holder: DutyHolder::Official,
        title: Label { en: "Sample desk".into(), zh: "样本窗口".into() },
        key: Jwk::new(key(99).public_key().clone()),
        role: Role::Verifier,
        types: vec!["urn:xinfu:credential:resident-identity:1".into()],
        claims: vec![vec!["name".into()]],
        purposes: vec!["age-check".into()],
        case_required: true,
        from: NOW.0,
        until: NOW.plus(3600).0,
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_stands_in_both_languages_and_under_its_policy() {
    let served = Served::new().await;
    let department = served.founded.department.did().clone();
    let given = served.submit(&served.founded.transaction(1, &duty())).await.json();
    let anchored = served.submit(&served.founded.transaction(2, &anchor(2))).await.json();

    let overview = page(&served, "/console/").await;
    assert!(overview.contains("Sample department") && overview.contains("Sample data bureau"), "{overview}");
    assert!(overview.contains(">up to date<") && overview.contains("data-live-part"), "{overview}");

    let all = page(&served, "/console/transactions").await;
    assert!(all.contains("Duty given") && all.contains("Sample desk") && all.contains("DID created"), "{all}");
    assert!(!all.contains("data-label=\"Kind\"><div>Seal of a block"), "{all}");
    let duties = page(&served, "/console/transactions?kind=delegate").await;
    assert!(duties.contains("Sample desk") && !duties.contains("1 digest(s)"), "{duties}");
    let seals = page(&served, "/console/transactions?kind=seal").await;
    assert!(seals.contains("block 2"), "{seals}");
    let older = page(&served, &format!("/console/transactions?before={}", given["index"])).await;
    assert!(!older.contains("Sample desk") && older.contains("DID created"), "{older}");

    let one = page(&served, &format!("/console/transactions/{}", given["index"])).await;
    for said in ["Duty given", "desk-7", "Resident identity", "Check of age", "Sample department", ">in the log<"] {
        assert!(one.contains(said), "{said}: {one}");
    }
    let digest = anchored["digest"].as_str().unwrap();
    let found = served.get(&format!("/console/transactions?find={digest}")).await;
    assert_eq!(found.status, 303);
    assert!(found.head.contains(&format!("/console/transactions/{}", anchored["index"])), "{}", found.head);
    page(&served, "/console/transactions/0").await;
    page(&served, "/console/transactions/2").await;

    assert!(page(&served, "/console/dids").await.contains("Sample department"));
    assert!(page(&served, "/console/dids?did=no+such+name").await.contains("Nobody is called so"));
    let did = page(&served, &format!("/console/dids?did={department}")).await;
    for said in ["#invoke-1", "https://d10.example", "The DID was created.", "desk-7", "did:xinfu:sample:"] {
        assert!(did.contains(said), "{said}: {did}");
    }
    let one = page(&served, &format!("/console/duty?did={department}&duty=desk-7")).await;
    assert!(one.contains("Sample desk") && one.contains("an official") && one.contains(">holds<"), "{one}");
    page(&served, "/console/accreditations?ended=1").await;
    let check = page(&served, "/console/check").await;
    let script = served.get("/console/check.js").await;
    assert!(check.contains(&sha256(&script.body).to_hex()), "the digest is that of the script that is served");
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_in_words() {
    let served = Served::new().await;
    for (path, status, said) in [
        ("/console/transactions/99", 404, "No certified checkpoint covers this index"),
        ("/console/transactions/x", 404, "No certified checkpoint covers this index"),
        ("/console/transactions?find=nonsense", 400, "digest"),
        ("/console/transactions?find=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 404, "no transaction"),
        ("/console/dids?did=did:xinfu:sample:nobody", 400, "DID"),
        ("/console/dids?did=did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", 404, "no such entry"),
        ("/console/duty", 404, "no such entry"),
        ("/console/no-such-file", 404, "nothing at this address"),
    ] {
        let answer = served.get(path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        check_page(&answer, "en");
        assert!(answer.text().contains(said), "{path}: {}", answer.text());
    }
    assert_eq!(served.get("/console").await.status, 308);
    for (file, kind) in [
        ("console.css", "text/css"),
        ("live.js", "text/javascript"),
        ("page.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let answer = served.get(&format!("/console/{file}")).await;
        assert_eq!(answer.status, 200, "{file}");
        assert!(answer.head.contains(kind), "{}", answer.head);
        assert!(!answer.text().contains("http:") || file == "icon.svg", "{file}");
    }
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_choose_is_escaped() {
    let served = Served::new().await;
    let entry = |id: &str, place: u8, key_use| KeyEntry::new(id, Jwk::new(key(place).public_key().clone()), key_use);
    let payload = CreatePayload {
        chain: "sample".into(),
        keys: vec![entry("invoke-1", 71, KeyUse::CapabilityInvocation)],
        recovery: base64url::encode(&[7; 32]),
        services: vec![ServiceEntry {
            id: "issuer".into(),
            kind: ServiceType::Issuer,
            url: "https://stranger.example".into(),
        }],
        salt: base64url::encode(&[7; 16]),
        label: Some(Label { en: HOSTILE.into(), zh: format!("{HOSTILE}\u{202e}") }),
    };
    let create = make_create(&payload, "invoke-1", &key(71)).unwrap();
    let placed = served.post("/relay", "application/jwt", create.as_str()).await.json();
    // Certified, because this is: one validator cosigns each block.
    served.submit(&served.founded.anchor(1)).await;
    for path in [
        "/console/transactions".to_owned(),
        format!("/console/transactions/{}", placed["index"]),
        format!("/console/dids?did={}", create.did()),
        "/console/dids?did=%3Cscript%3Ealert('x')%3C/script%3E%22%26%3Cb%3E".to_owned(),
        "/console/transactions?kind=%22%3E%3Cb%3E&before=%3Cb%3E".to_owned(),
    ] {
        let text = page(&served, &path).await;
        assert!(!text.contains("<script>") && !text.contains("<b>") && !text.contains('\u{202e}'), "{path}: {text}");
    }
    let text = page(&served, &format!("/console/dids?did={}", create.did())).await;
    assert!(text.contains("&lt;script&gt;alert('x')&lt;/script&gt;&quot;&amp;&lt;b&gt;"), "{text}");
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_serves_no_pages_if_it_is_told_not_to() {
    let founded = Founded::new();
    let config = Config { console: false, ..founded.config.clone() };
    let clock = Arc::new(ManualClock::at(NOW.plus(1)));
    let running = start(&config, Ports { store: memory(), clock: clock.clone() }).await.unwrap();
    let served = Served { founded, clock, running };
    for path in ["/console/", "/console", "/console/live.js", "/console/transactions"] {
        assert_eq!(served.get(path).await.code(), "http.not_found", "{path}");
    }
    assert_eq!(served.get("/status").await.status, 200);
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_anchor_of_a_receipt_is_found_by_its_number() {
    let served = Served::new().await;
    let department = served.founded.department.did().clone();
    let head = sha256(b"receipt 3");
    let (first, last) = (Some(1), Some(3));
    let anchor = Anchor { first, last, head: Some(head), ..Anchor::new(AnchorKind::Receipt, sha256(b"batch"), 3) };
    let placed = served.submit(&served.founded.transaction(1, &Operation::Anchor(anchor))).await.json();
    let ask =
        async |number: u64| served.get(&format!("/console/receipts?did={department}&number={number}")).await.json();
    for number in 1..=3 {
        let said = ask(number).await;
        assert_eq!((&said["known"], &said["last"]), (&true.into(), &3.into()), "{said}");
        let anchor = &said["anchor"];
        assert_eq!((&anchor["index"], &anchor["first"], &anchor["last"]), (&placed["index"], &1.into(), &3.into()));
        assert_eq!(anchor["head"], head.to_base64url());
    }
    assert_eq!(ask(4).await["anchor"], serde_json::Value::Null);
    let stranger = department_of_nobody();
    let said = served.get(&format!("/console/receipts?did={stranger}&number=1")).await.json();
    assert_eq!((&said["known"], &said["last"]), (&false.into(), &0.into()));
    assert_eq!(served.get("/console/receipts?did=x&number=1").await.status, 400);
    assert_eq!(served.get(&format!("/console/receipts?did={department}&number=x")).await.status, 404);
    served.running.stop().await;
}

fn department_of_nobody() -> identity_core::did::Did {
    super::world::department(200).did().clone()
}

/// Every text that a page names is in both catalogues, and the catalogues hold none that no page names.
#[test]
fn pages_and_catalogues_name_the_same_texts() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = BTreeSet::new();
    let rooms = ["src/console", "../service-kit/src/console"].map(|room| std::fs::read_dir(root.join(room)).unwrap());
    for file in rooms.into_iter().flatten() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let ids = text.split('"').filter(|part| part.starts_with("console-") && !part.ends_with('-'));
            named.extend(ids.filter(|id| id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')).map(str::to_owned));
        }
    }
    named.extend(crate::console::kinds());
    named.extend(crate::console::reasons());
    assert!(named.len() > 150, "{}", named.len());
    for lang in [Lang::En, Lang::Zh] {
        let catalogue = Catalogue::new(lang);
        for id in &named {
            assert_ne!(&catalogue.text(id, &[]), id, "{lang:?}");
        }
    }
    let messages = std::fs::read_to_string(root.join("../schemas/messages/en.ftl")).unwrap();
    let ids = messages.lines().filter_map(|line| line.split_once(" = ")).map(|(id, _)| id);
    for id in ids.filter(|id| id.starts_with("console-")) {
        assert!(named.contains(id), "no page says {id}");
    }
}

/// The page's script replaces the characters that terminals and the other pages replace.
#[test]
fn scripts_show_no_character_that_other_pages_hide() {
    let escaped = |c: char| {
        if u32::from(c) > 0xffff { format!("\\u{{{:x}}}", u32::from(c)) } else { format!("\\u{:04x}", u32::from(c)) }
    };
    let class = INVISIBLE.iter().map(|range| match range.start() == range.end() {
        true => escaped(*range.start()),
        false => format!("{}-{}", escaped(*range.start()), escaped(*range.end())),
    });
    let expected = format!("[\\p{{Cc}}{}]", class.collect::<String>());
    let script = include_str!("../console/page.js");
    assert!(script.contains(&expected), "{expected}");
}
