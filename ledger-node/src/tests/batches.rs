//! Many transactions in one request.

use identity_core::registry::MAX_TRANSACTION_BYTES;
use ledger::Hash;

use super::world::{Answer, Founded, Served};

const PATH: &str = "/transactions/batch";

async fn post(served: &Served, path: &str, texts: &[String]) -> Answer {
    served.post(path, "text/plain", &texts.join("\n")).await
}

fn anchors(founded: &Founded, numbers: impl Iterator<Item = u64>) -> Vec<String> {
    numbers.map(|seq| founded.anchor(seq)).collect()
}

/// Leaf indices, or codes.
fn results(answer: &Answer) -> Vec<Result<u64, String>> {
    let answer = answer.json();
    let result = |result: &serde_json::Value| {
        result["index"].as_u64().ok_or_else(|| result["code"].as_str().unwrap_or_default().to_owned())
    };
    answer["results"].as_array().unwrap().iter().map(result).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_gets_its_places_in_order_and_a_checkpoint_over_them() {
    let served = Served::new().await;
    let texts = anchors(&served.founded, 1..=20);
    let answer = post(&served, "/transactions/batch?wait=certified", &texts).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let places: Vec<u64> = results(&answer).into_iter().collect::<Result<_, _>>().unwrap();
    assert!(places.is_sorted_by(|one, next| one < next), "{places:?}");
    let note = answer.json()["checkpoint"].as_str().unwrap().to_owned();
    let checkpoint = served.founded.trust_root().verify_checkpoint(&note).unwrap();
    assert!(checkpoint.checkpoint().size > *places.last().unwrap());
    // The same again, one of them alone, and some of them among new ones: the same places.
    let again = post(&served, PATH, &texts).await;
    assert_eq!(results(&again), results(&answer));
    assert!(again.json()["checkpoint"].is_null(), "nobody waited for it");
    assert_eq!(served.submit(&texts[7]).await.json()["index"].as_u64(), Some(places[7]));
    let more = post(&served, PATH, &anchors(&served.founded, 19..=22)).await;
    assert_eq!(results(&more)[..2], results(&answer)[18..]);
    assert!(results(&more).iter().all(Result::is_ok));
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_bad_in_a_batch_has_its_own_code_and_spoils_nothing_else() {
    let served = Served::new().await;
    let mut texts = anchors(&served.founded, 1..=6);
    let (input, signature) = texts[5].rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    texts[5] = format!("{input}.{first}{}", &signature[1..]);
    texts[2] = "hello".to_owned();
    texts.push("e".repeat(MAX_TRANSACTION_BYTES + 1));
    texts.push(texts[0].clone());
    let answer = post(&served, PATH, &texts).await;
    let results = results(&answer);
    let codes: Vec<_> = results.iter().map(|result| result.as_ref().err().map(String::as_str)).collect();
    let (malformed, gap) = (Some("registry.transaction.malformed"), Some("registry.transaction.sequence"));
    let (signature, too_large) = (Some("registry.transaction.signature"), Some("registry.transaction.too_large"));
    assert_eq!(codes, [None, None, malformed, gap, gap, signature, too_large, None]);
    assert_eq!(results[0], results[7], "the same transaction twice has one place");
    // What was bad has left nothing behind: the third number is still free.
    let next = post(&served, PATH, &anchors(&served.founded, 3..=3)).await;
    assert!(self::results(&next)[0].is_ok());
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_has_bounds() {
    let served = Served::new().await;
    for (body, kind, status, code) in [
        (String::new(), "text/plain", 400, "registry.transaction.malformed"),
        ("\n".repeat(1001), "text/plain", 400, "registry.transaction.malformed"),
        (served.founded.anchor(1), "application/jwt", 415, "http.content_type"),
    ] {
        let answer = served.post(PATH, kind, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
    let digest = Hash::from(<[u8; 32]>::default()).to_base64url();
    assert_eq!(served.get(&format!("/transactions/{digest}")).await.status, 404);
    served.running.stop().await;
}
