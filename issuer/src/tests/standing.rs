//! Revoked, suspended, reinstated: what the published lists say of it, and in which list a credential stands.

use std::future::poll_fn;
use std::task::Poll;

use actix_web::test::TestRequest;
use identity_core::crypto::Signer as _;
use identity_core::sd_jwt::UnverifiedSdJwt;
use identity_core::sd_jwt_vc::Credential;
use identity_core::status::{Bits, Reference, Status, StatusListToken};
use serde_json::{Value, json};
use service_kit::store::{Batch, Store as _};

use super::journey::credentials;
use super::world::{KIND, NOW, Reply, URL, World, asking, proofs};
use crate::store::{Page, Search};

/// A department with two copies of a credential in the hands of their holder.
struct Issued {
    world: World,
    ids: Vec<String>,
    references: Vec<Reference>,
}

impl Issued {
    async fn with_bits(bits: u8) -> Self {
        let world = World::with(|config| config.status.bits = [(KIND.to_owned(), bits)].into()).await;
        let texts = credentials(&world.issue(&[1, 2]).await);
        let listed = world.admin(TestRequest::get().uri("/admin/credentials?subject=s-1")).await.json();
        let listed = listed.as_array().unwrap();
        let id_of = |text: &String| {
            let digest = ledger::sha256(text.split('~').next().unwrap().as_bytes()).to_base64url();
            listed.iter().find(|one| one["digest"] == digest).unwrap()["id"].as_str().unwrap().to_owned()
        };
        let key = world.service.keys.assertion.public_key();
        let reference = |text: &String| {
            let credential = Credential::verify_issued(UnverifiedSdJwt::parse(text).unwrap(), key).unwrap();
            credential.status().unwrap().clone()
        };
        let (ids, references) = texts.iter().map(|text| (id_of(text), reference(text))).unzip();
        Self { world, ids, references }
    }

    async fn change(&self, which: usize, act: &str) -> Reply {
        let path = format!("/admin/credentials/{}/{act}", self.ids[which]);
        self.world.admin(TestRequest::post().uri(&path)).await
    }

    async fn list(&self, which: usize) -> StatusListToken {
        let reference = &self.references[which];
        let reply = self.world.get(reference.uri.strip_prefix(URL).unwrap()).await;
        assert_eq!(reply.headers["content-type"], "application/statuslist+jwt");
        let token = String::from_utf8(reply.body).unwrap();
        let key = self.world.service.keys.assertion.public_key();
        StatusListToken::verify(&token, key, reference, NOW, 0).unwrap()
    }

    async fn status(&self, which: usize) -> Status {
        self.list(which).await.status(self.references[which].index).unwrap()
    }
}

#[actix_web::test]
async fn each_change_is_published_before_it_is_answered_and_touches_nobody_else() {
    for bits in [2, 4, 8] {
        let issued = Issued::with_bits(bits).await;
        assert_eq!(issued.list(0).await.list().bits().count(), bits);
        let steps = [
            ("suspend", "suspended", Status::Suspended),
            ("suspend", "suspended", Status::Suspended),
            ("reinstate", "valid", Status::Valid),
            ("reinstate", "valid", Status::Valid),
            ("suspend", "suspended", Status::Suspended),
            ("revoke", "revoked", Status::Invalid),
            ("revoke", "revoked", Status::Invalid),
        ];
        for (act, state, status) in steps {
            let reply = issued.change(0, act).await;
            assert_eq!((reply.status, &reply.json()["state"]), (200, &Value::from(state)), "{act}");
            assert_eq!(issued.status(0).await, status, "{act}");
            assert_eq!(issued.status(1).await, Status::Valid, "{act}");
        }
    }
}

#[actix_web::test]
async fn a_list_that_was_read_before_a_change_is_not_published_after_it() {
    // Wherever a reader's request is when the change comes, step by step until it would have its answer.
    for steps in 0.. {
        let issued = Issued::with_bits(2).await;
        let mut reading = Box::pin(issued.world.service.status_token(1));
        for _ in 0..steps {
            if poll_fn(|context| Poll::Ready(reading.as_mut().poll(context).is_ready())).await {
                assert!(steps > 2, "it reads the list and its bits");
                return;
            }
        }
        // It goes on when the change would be over.
        let late = async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            reading.await.unwrap();
        };
        tokio::join!(issued.change(0, "revoke"), late);
        assert_eq!(issued.status(0).await, Status::Invalid, "after {steps} steps");
    }
}

#[actix_web::test]
async fn what_may_not_change_is_refused_and_stays() {
    let issued = Issued::with_bits(2).await;
    issued.change(0, "revoke").await;
    for act in ["suspend", "reinstate"] {
        let reply = issued.change(0, act).await;
        assert_eq!((reply.status, reply.refusal().2.as_str()), (409, "status.change.final"));
        assert_eq!(issued.status(0).await, Status::Invalid);
    }
    let one_bit = Issued::with_bits(1).await;
    let reply = one_bit.change(0, "suspend").await;
    assert_eq!((reply.status, reply.refusal().2.as_str()), (409, "status.change.not_suspendable"));
    assert_eq!(one_bit.status(0).await, Status::Valid);
    assert_eq!(one_bit.change(0, "revoke").await.status, 200);
    assert_eq!(one_bit.status(0).await, Status::Invalid);
}

#[actix_web::test]
async fn a_list_is_long_names_all_others_and_is_served_as_a_jwt_only() {
    let issued = Issued::with_bits(2).await;
    assert!(issued.list(0).await.list().entries() >= 131_072);
    let path = issued.references[0].uri.strip_prefix(URL).unwrap().to_owned();
    let all = issued.world.get("/status").await;
    assert_eq!(all.json(), json!({"status_lists": [issued.references[0].uri]}));
    let payload = String::from_utf8(issued.world.get(&path).await.body).unwrap();
    let payload = identity_core::encoding::base64url::decode(payload.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["status_list"]["aggregation_uri"], format!("{URL}/status"));
    assert_eq!((claims["ttl"].as_i64(), claims["exp"].as_i64()), (Some(60), Some(NOW.0 + 86_400)));
    let asked = |accept: &str| issued.world.send(TestRequest::get().uri(&path).insert_header(("Accept", accept)));
    let taken = asked("application/statuslist+jwt").await;
    assert_eq!((taken.status, taken.headers["cache-control"].as_str()), (200, "public, max-age=60"));
    assert_eq!(taken.headers["access-control-allow-origin"], "*");
    let refused = asked("application/statuslist+cwt").await;
    assert_eq!((refused.status, refused.refusal().2.as_str()), (406, "vci.status.not_acceptable"));
}

#[actix_web::test]
async fn a_list_is_signed_anew_when_its_time_is_over_and_not_before() {
    let issued = Issued::with_bits(2).await;
    let path = issued.references[0].uri.strip_prefix(URL).unwrap().to_owned();
    let first = issued.world.get(&path).await.body;
    issued.world.clock.advance(59);
    assert_eq!(issued.world.get(&path).await.body, first);
    issued.world.clock.advance(1);
    assert_ne!(issued.world.get(&path).await.body, first);
}

#[actix_web::test]
async fn a_full_list_is_followed_by_another_and_no_place_is_given_twice() {
    let world = World::new().await;
    let taken: Vec<u32> = (0..131_072).collect();
    for indices in taken.chunks(8192) {
        let batch = indices.iter().fold(Batch::new(), |batch, index| {
            batch.put_new(format!("status-index/0000000001/{index:010}"), "somebody's")
        });
        world.store.commit(batch).await.unwrap();
    }
    for round in 0..3_u8 {
        let (token, nonce) = (world.token().await, world.nonce().await);
        let reply = world.post_credential(&token, &asking(&proofs(&nonce, &[round * 2 + 1, round * 2 + 2]))).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let records = world.service.records.credentials(Search::All, Page { after: None, limit: 100 }).await.unwrap();
    let places: std::collections::BTreeSet<_> = records.iter().map(|record| (record.list, record.index)).collect();
    assert_eq!((places.len(), places.iter().all(|(list, _)| *list == 2)), (6, true));
    assert_eq!(world.service.status_uris().await.unwrap().len(), 2);
    // After a restart the newest list is the one that is drawn from.
    let world = world.restarted().await;
    world.issue(&[9]).await;
    assert_eq!(world.service.status_uris().await.unwrap().len(), 2);
}

#[actix_web::test]
async fn types_of_other_bits_stand_in_other_lists_and_old_lists_keep_theirs() {
    let world = World::with(|config| {
        config.credentials.push("business-licence".to_owned());
        config.status.bits.insert("business-licence".to_owned(), 1);
    })
    .await;
    let lists = world.service.records.status_lists().await.unwrap();
    assert_eq!(lists.into_iter().collect::<Vec<_>>(), [(1, Bits::One), (2, Bits::Two)]);
    // A store of before there was a choice names no bits.
    world.store.commit(Batch::new().delete("status-bits/0000000001")).await.unwrap();
    let world = world.restarted().await;
    let lists = world.service.records.status_lists().await.unwrap();
    assert_eq!(lists.into_iter().collect::<Vec<_>>(), [(1, Bits::One), (2, Bits::Two)]);
}
