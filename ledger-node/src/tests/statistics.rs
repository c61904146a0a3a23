//! The page that draws how often services shared: what stands on the ledger, no less and no more.

use std::collections::BTreeMap;

use identity_core::crypto::SecretKey;
use identity_core::did::Did;
use identity_core::registry::{Accredit, Count, Operation, Role, Tally};
use identity_core::time::UtcDay;

use super::console::page;
use super::world::{Founded, NOW, Served, department, key, memory};

const PURPOSES: [&str; 3] = ["age-check", "housing-fund-loan", "unregistered"];

fn verifier(subject: &Did) -> Operation {
    Operation::Accredit(Accredit {
        subject: subject.clone(),
        role: Role::Verifier,
        types: vec!["urn:xinfu:credential:resident-identity:1".into()],
        claims: vec![vec!["name".into()]],
        purposes: PURPOSES.map(str::to_owned).to_vec(),
        from: NOW.0,
        until: NOW.plus(1_000_000).0,
        delegable: false,
    })
}

/// So many days before today.
fn before(days: i64) -> UtcDay {
    UtcDay::of(NOW).unwrap().plus(-days).unwrap()
}

fn tally(day: UtcDay, counts: [u64; 3]) -> Operation {
    let counts = PURPOSES.into_iter().zip(counts).map(|(code, number)| (code.to_owned(), Count::of(number)));
    Operation::Tally(Tally { day, counts: counts.collect::<BTreeMap<_, _>>() })
}

async fn accepted(served: &Served, transaction: &str) {
    let answer = served.submit(transaction).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn accredit(served: &Served, seq: u64, subject: &Did) {
    let founded = &served.founded;
    let operator = &founded.done.operator;
    accepted(served, &founded.signed(operator, "invoke-1", &founded.operator, seq, &verifier(subject))).await;
}

/// The table of the plot with this name: days and what was counted, newest first.
fn table<'a>(page: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let caption = format!("<caption class=\"unseen\">{name}</caption>");
    let (_, table) = page.split_once(&caption).unwrap_or_else(|| panic!("no table of {name}: {page}"));
    let (table, _) = table.split_once("</table>").unwrap();
    let rows = table.split("<time>").skip(1).map(|row| {
        let (day, rest) = row.split_once("</time>").unwrap();
        let (_, number) = rest.split_once("<span class=\"number\">").unwrap();
        (day, number.split_once("</span>").unwrap().0)
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_counts_says_why() {
    let served = Served::new().await;
    let said = page(&served, "/console/statistics").await;
    assert!(said.contains("No member has been accredited") && !said.contains("<figure"), "{said}");
    let did = served.founded.department.did().clone();
    accredit(&served, 1, &did).await;
    let said = page(&served, "/console/statistics").await;
    assert!(said.contains("No day has been counted yet") && !said.contains("<figure"), "{said}");
    accepted(&served, &served.founded.transaction(1, &tally(before(20), [12, 0, 0]))).await;
    let said = page(&served, "/console/statistics?days=7").await;
    assert!(said.contains("the newest that was is 2026-12-26") && !said.contains("<figure"), "{said}");
    assert!(page(&served, "/console/statistics?days=30").await.contains("<figure"));
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_drawn_is_what_stands_on_the_ledger() {
    let other = department(60);
    let served = Served::of(Founded::with(&[("Second bureau".to_owned(), other.clone())]), memory()).await;
    let founded = &served.founded;
    let (first, second) = (founded.department.did().clone(), other.did().clone());
    accredit(&served, 1, &first).await;
    accredit(&served, 2, &second).await;
    let days = [(200, [400, 0, 0]), (29, [11, 0, 0]), (3, [25, 3, 0]), (2, [0, 0, 0]), (1, [31, 5, 17])];
    for (seq, (ago, counts)) in (1..).zip(days) {
        accepted(&served, &founded.transaction(seq, &tally(before(ago), counts))).await;
    }
    accepted(&served, &founded.signed(&second, "invoke-1", &key(63), 1, &tally(before(1), [2, 10, 0]))).await;

    let week = page(&served, "/console/statistics?days=7").await;
    let newest = before(1).to_string();
    let age = table(&week, "Check of age");
    assert_eq!(age.len(), 7);
    assert_eq!(age[0], (newest.as_str(), "31–40"), "of the second it is not known");
    assert_eq!((age[1].1, age[2].1, age[3].1), ("&lt;10", "25", "–"));
    assert_eq!(table(&week, "Housing fund loan")[0].1, "10–19");
    assert_eq!(table(&week, "unregistered")[0].1, "17–26");
    assert_eq!(table(&week, "Second bureau")[0].1, "10–28");
    assert_eq!(table(&week, "Sample department")[0].1, "48–57");
    assert_eq!(week.matches("<svg class=\"plot\"").count(), 5);
    assert!(week.contains("patternTransform") && week.contains("fill=\"url(#hatch)\""), "{week}");
    assert!(week.contains("From 2027-01-08 to 2027-01-14"), "today is not over: {week}");

    let month = page(&served, "/console/statistics").await;
    assert_eq!(table(&month, "Check of age").last(), Some(&("2026-12-16", "–")));
    assert_eq!(table(&month, "Check of age")[28].1, "11");
    let year = page(&served, "/console/statistics?days=364").await;
    let weeks = table(&year, "Check of age");
    assert_eq!((weeks.len(), weeks[0].1), (52, "56–74"), "25, twice fewer than ten, and 31");
    assert!(weeks.iter().any(|(_, count)| *count == "400"), "{weeks:?}");

    let alone = page(&served, &format!("/console/statistics?days=7&did={second}")).await;
    assert_eq!(table(&alone, "Check of age")[0].1, "&lt;10");
    assert!(!alone.contains("Sample department</bdi>") && alone.contains("all departments"), "{alone}");
    // A small number is nowhere, neither written nor by the height of what is drawn.
    assert_eq!(alone.matches("class=\"known\" x=").count(), 2, "ten of one purpose, and of the department: {alone}");
    for nonsense in ["days=0", "days=-1", "days=%3Cb%3E&from=-7", "from=99", "did=did:xinfu:sample:nobody", "did=%22"] {
        let said = page(&served, &format!("/console/statistics?{nonsense}")).await;
        assert_eq!(table(&said, "Check of age").len(), 30, "{nonsense}");
    }
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_departments_come_page_by_page() {
    let others: Vec<_> = (0_u8..24).map(|place| (format!("Bureau {place:02}"), department(40 + 5 * place))).collect();
    let served = Served::of(Founded::with(&others), memory()).await;
    let founded = &served.founded;
    accredit(&served, 1, &founded.department.did().clone()).await;
    for (seq, (place, (_, create))) in (2..).zip((0_u8..).zip(&others)) {
        accredit(&served, seq, create.did()).await;
        let invoker: SecretKey = key(40 + 5 * place + 3);
        let told = tally(before(1), [0, 0, 100]);
        accepted(&served, &founded.signed(create.did(), "invoke-1", &invoker, 1, &told)).await;
    }
    let first = page(&served, "/console/statistics?days=7").await;
    assert!(first.contains("Departments 1 to 20 of 25") && first.contains("Bureau 18"), "{first}");
    assert!(
        !first.contains("Bureau 19") && first.contains("rel=\"next\"") && !first.contains("rel=\"prev\""),
        "{first}"
    );
    assert_eq!(table(&first, "unregistered")[0].1, "1900", "one of the twenty has counted nothing");
    let second = page(&served, "/console/statistics?days=7&from=20").await;
    assert!(second.contains("Departments 21 to 25 of 25") && second.contains("rel=\"prev\""), "{second}");
    assert_eq!(table(&second, "unregistered")[0].1, "500");
    served.running.stop().await;
}
