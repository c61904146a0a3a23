//! A store whose every write fails, both ways: nothing acknowledged is lost, nothing is done twice.

use identity_core::status::{Bits, Change, Standing};
use service_kit::store::faulty::Fault;

use super::world::{World, asking, proofs};
use crate::store::{Page, Search};

#[actix_web::test]
async fn a_token_write_that_fails() {
    for fault in Fault::ALL {
        let world = World::new().await;
        let (code, tx_code) = world.offer().await;
        world.store.break_next(fault);
        let reply = world.post_token(&code, &tx_code).await;
        match fault {
            // Read back and found: the citizen gets the token.
            Fault::FailedYetSaved => assert_eq!(reply.status, 200),
            Fault::FailedNotSaved | Fault::Full => {
                assert!(reply.status >= 500, "{reply:?}");
                assert_eq!(world.post_token(&code, &tx_code).await.status, 200, "the code was not spent");
            }
        }
        assert_eq!(world.post_token(&code, &tx_code).await.refusal().2, "vci.token.code_used");
    }
}

#[actix_web::test]
async fn a_wrong_guess_whose_write_fails_is_not_free() {
    for fault in [Fault::FailedNotSaved, Fault::Full] {
        let world = World::new().await;
        let (code, _) = world.offer().await;
        world.store.break_next(fault);
        // Not told whether the guess was wrong.
        assert!(world.post_token(&code, "wrong").await.status >= 500);
    }
}

#[actix_web::test]
async fn a_credential_write_that_fails() {
    for fault in Fault::ALL {
        let world = World::new().await;
        let token = world.token().await;
        let body = asking(&proofs(&world.nonce().await, &[1, 2]));
        world.store.break_next(fault);
        let reply = world.post_credential(&token, &body).await;
        match fault {
            Fault::FailedYetSaved => assert_eq!(reply.status, 200),
            Fault::FailedNotSaved | Fault::Full => {
                assert!(reply.status >= 500, "{reply:?}");
                assert_eq!(world.post_credential(&token, &body).await.status, 200, "nothing was spent");
            }
        }
        let records = world.service.records.credentials(Search::All, Page { after: None, limit: 10 }).await.unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(world.service.records.pending(10).await.unwrap().len(), 2);
        assert_eq!(world.post_credential(&token, &body).await.refusal().2, "vci.request.already_issued");
    }
}

#[actix_web::test]
async fn a_change_of_standing_whose_write_fails() {
    for (fault, change) in Fault::ALL.into_iter().flat_map(|fault| [(fault, Change::Revoke), (fault, Change::Suspend)])
    {
        let world = World::new().await;
        world.issue(&[1]).await;
        let id =
            world.service.records.credentials(Search::All, Page { after: None, limit: 1 }).await.unwrap().remove(0).id;
        world.store.break_next(fault);
        let first = world.service.change_standing(super::world::act(), &id, change, None).await;
        assert_eq!(first.is_ok(), fault == Fault::FailedYetSaved);
        let record = world.service.change_standing(super::world::act(), &id, change, None).await.unwrap();
        assert_eq!(Ok(record.state), Standing::Valid.after(change, Bits::Two));
    }
}

#[actix_web::test]
async fn an_offer_whose_write_fails() {
    for fault in Fault::ALL {
        let world = World::new().await;
        world.store.break_next(fault);
        let request = actix_web::test::TestRequest::post()
            .uri("/admin/offers")
            .set_json(serde_json::json!({"subject": "s-1", "credential_configuration_id": super::world::KIND}));
        let made = world.admin(request).await;
        assert_eq!(made.status == 200, fault == Fault::FailedYetSaved, "{made:?}");
    }
}

#[actix_web::test]
async fn a_store_that_cannot_be_read_is_no_refusal() {
    let world = World::new().await;
    let (code, tx_code) = world.offer().await;
    world.store.break_reads(true);
    let reply = world.post_token(&code, &tx_code).await;
    assert_eq!((reply.status, reply.refusal().2.as_str()), (503, "store.broken"));
    world.store.break_reads(false);
    assert_eq!(world.post_token(&code, &tx_code).await.status, 200);
}
