//! The service as an operator starts it: what cannot work is refused by its name.

use std::fs;

use identity_core::crypto::Alg;
use identity_core::problem::Code;
use identity_core::sample::world::World;
use service_kit::chance::system_rng;
use service_kit::duties;
use service_kit::founding::Founding;
use service_kit::key_guard::KeyGuard;

use super::world::DESK;
use crate::config::{Config, DutyConfig};
use crate::{init, start_here};

const URL: &str = "https://verifier.example";

#[actix_web::test]
async fn a_service_account_without_a_key_is_missed_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("root"), World::new().ledger.trust_root_text()).unwrap();
    let mut config = Config { url: URL.to_owned(), data: at("data"), keys: at("keys"), ..Config::default() };
    config.admin_token = at("keys/admin.token");
    config.ledger.trust_root = at("root");
    (config.http.listen, config.http.plain) = ("127.0.0.1:0".to_owned(), true);
    config.duty = DutyConfig { service: DESK.to_owned() };
    let founding = Founding {
        chain: "sample".to_owned(),
        url: URL.to_owned(),
        name_en: "Sample".to_owned(),
        name_zh: "样本".to_owned(),
        algorithm: Alg::EdDsa,
    };
    init(&config.keys, &founding, &KeyGuard::plain(), &mut system_rng().unwrap()).unwrap();

    let missing = start_here(config.clone()).await.err().expect("nobody could answer for a request");
    assert_eq!(missing.code(), Code::ConfigInvalidValue);
    let said = missing.to_string();
    assert!(said.starts_with("`duty.service`") && said.contains("duties give --service"), "{said}");

    duties::service_key(&config.keys, &KeyGuard::plain(), &mut system_rng().unwrap()).unwrap();
    start_here(config).await.unwrap().stop().await;
}
