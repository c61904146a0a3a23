//! The suite every implementation passes. Each check starts from an empty store.
//!
//! It panics on the first breach, as tests do; it is compiled for tests only.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: a breach of the contract must fail the test"
)]

use std::sync::Arc;

use super::{Batch, MAX_KEY_BYTES, Range, Store, StoreError};

/// Runs the whole suite; `empty` makes a fresh, empty store each time.
///
/// # Panics
/// On the first breach of the contract.
pub async fn check<S: Store + 'static>(empty: impl Fn() -> Arc<S>) {
    reads_what_was_written(&*empty()).await;
    overwrites_and_deletes(&*empty()).await;
    a_failed_precondition_writes_nothing(&*empty()).await;
    names_the_first_failed_precondition(&*empty()).await;
    preconditions_see_the_state_before_the_batch(&*empty()).await;
    refuses_misuse(&*empty()).await;
    scans_in_order_with_limit(&*empty()).await;
    pages_through_everything_once(&*empty()).await;
    keeps_bytes_exactly(&*empty()).await;
    exactly_one_of_many_takes(empty()).await;
    counters_lose_no_increment(empty()).await;
}

async fn reads_what_was_written(store: &dyn Store) {
    assert_eq!(store.get(b"a").await.unwrap(), None);
    store.commit(Batch::new().put("a", "1").put("b", "")).await.unwrap();
    assert_eq!(store.get(b"a").await.unwrap().as_deref(), Some(b"1".as_slice()));
    assert_eq!(store.get(b"b").await.unwrap().as_deref(), Some(b"".as_slice()), "an empty value is a value");
    store.commit(Batch::new()).await.unwrap();
}

async fn overwrites_and_deletes(store: &dyn Store) {
    store.commit(Batch::new().put("a", "1")).await.unwrap();
    store.commit(Batch::new().put("a", "2").delete("never-there")).await.unwrap();
    assert_eq!(store.get(b"a").await.unwrap().as_deref(), Some(b"2".as_slice()));
    store.commit(Batch::new().delete("a")).await.unwrap();
    assert_eq!(store.get(b"a").await.unwrap(), None);
    store.commit(Batch::new().put_new("a", "3")).await.unwrap();
}

async fn a_failed_precondition_writes_nothing(store: &dyn Store) {
    store.commit(Batch::new().put("a", "1")).await.unwrap();
    let refused = store.commit(Batch::new().put("b", "2").delete("a").require_absent("a")).await;
    assert_eq!(refused, Err(StoreError::Precondition { which: 0, key: b"a".to_vec() }));
    assert_eq!(store.get(b"b").await.unwrap(), None);
    assert!(store.get(b"a").await.unwrap().is_some());
    let absent = store.commit(Batch::new().require_equals("c", "").put("c", "x")).await;
    assert!(absent.unwrap_err().is_precondition(), "absent is not the same as empty");
}

async fn names_the_first_failed_precondition(store: &dyn Store) {
    store.commit(Batch::new().put("a", "1")).await.unwrap();
    let batch = Batch::new().require_equals("a", "1").require_equals("a", "2").require_absent("a");
    let refused = store.commit(batch).await;
    assert_eq!(refused, Err(StoreError::Precondition { which: 1, key: b"a".to_vec() }));
}

async fn preconditions_see_the_state_before_the_batch(store: &dyn Store) {
    store.commit(Batch::new().put("a", "1")).await.unwrap();
    store.commit(Batch::new().put("a", "2").require_equals("a", "1")).await.unwrap();
    store.commit(Batch::new().replace("a", "2", "3")).await.unwrap();
    assert_eq!(store.get(b"a").await.unwrap().as_deref(), Some(b"3".as_slice()));
}

async fn refuses_misuse(store: &dyn Store) {
    let misused = [
        Batch::new().put("", "1"),
        Batch::new().delete(vec![b'k'; MAX_KEY_BYTES + 1]),
        Batch::new().put("a", "1").put("a", "1"),
        Batch::new().put("a", "1").delete("a"),
        Batch::new().put("b", "1").require_absent(""),
    ];
    for batch in misused {
        let refused = store.commit(batch).await;
        assert!(matches!(refused, Err(StoreError::Misused(_))), "{refused:?}");
    }
    assert_eq!(store.scan(Range::all(), 10).await.unwrap(), vec![]);
}

async fn scans_in_order_with_limit(store: &dyn Store) {
    store.commit(Batch::new().put("b/2", "").put("a/1", "").put("b/1", "").put("c", "").put("b", "")).await.unwrap();
    let keys = async |range: Range, limit| -> Vec<String> {
        let found = store.scan(range, limit).await.unwrap();
        found.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
    };
    assert_eq!(keys(Range::all(), 100).await, ["a/1", "b", "b/1", "b/2", "c"]);
    assert_eq!(keys(Range::prefix("b/"), 100).await, ["b/1", "b/2"]);
    assert_eq!(keys(Range::prefix("b/"), 1).await, ["b/1"]);
    assert_eq!(keys(Range::prefix("b/").descending(), 1).await, ["b/2"]);
    assert_eq!(keys(Range::between("b", "b/2"), 100).await, ["b", "b/1"]);
    assert_eq!(keys(Range::between("c", "b"), 100).await, [""; 0]);
    assert_eq!(keys(Range::all(), 0).await, [""; 0]);
}

async fn pages_through_everything_once(store: &dyn Store) {
    let all: Vec<Vec<u8>> = (0..50_u8).map(|number| vec![b'p', number]).collect();
    let batch = all.iter().fold(Batch::new(), |batch, key| batch.put(key.clone(), "v"));
    store.commit(batch).await.unwrap();
    let mut seen = Vec::new();
    let mut range = Range::prefix("p");
    loop {
        let page = store.scan(range.clone(), 7).await.unwrap();
        let Some((last, _)) = page.last().cloned() else { break };
        seen.extend(page.into_iter().map(|(key, _)| key));
        range = range.after(&last);
    }
    assert_eq!(seen, all);
}

async fn keeps_bytes_exactly(store: &dyn Store) {
    let key: Vec<u8> = (0..=255).collect();
    let value: Vec<u8> = key.iter().cycle().take(300_000).copied().collect();
    store.commit(Batch::new().put(key.clone(), value.clone()).put([0xff, 0xff], "end")).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap(), Some(value));
    let last = store.scan(Range::prefix([0xff]), 5).await.unwrap();
    assert_eq!(last[0].1, b"end");
}

async fn exactly_one_of_many_takes<S: Store + 'static>(store: Arc<S>) {
    store.commit(Batch::new().put("code", "open")).await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.commit(Batch::new().require_equals("code", "open").delete("code")).await })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => taken += 1,
            Err(StoreError::Precondition { which: 0, .. }) => {}
            Err(other) => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!(taken, 1);
}

async fn counters_lose_no_increment<S: Store + 'static>(store: Arc<S>) {
    store.commit(Batch::new().put("n", "0")).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { increment(&*store, 5).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.get(b"n").await.unwrap().unwrap(), b"40");
}

async fn increment(store: &dyn Store, times: usize) {
    let mut done = 0;
    while done < times {
        let found = store.get(b"n").await.unwrap().unwrap();
        let number: u32 = String::from_utf8(found.clone()).unwrap().parse().unwrap();
        match store.commit(Batch::new().replace("n", found, (number + 1).to_string())).await {
            Ok(()) => done += 1,
            Err(error) => assert!(error.is_precondition(), "{error:?}"),
        }
    }
}
