//! The service as an operator starts it: real ports, real store, one process at a time.

use identity_core::crypto::Alg;
use service_kit::chance::system_rng;
use service_kit::founding::Founding;
use service_kit::key_guard::KeyGuard;

use super::world::URL;
use crate::{AtTheMachine, Config, DutyConfig, OpenError, Ports, init, start};

fn config(directory: &std::path::Path) -> Config {
    let mut config = Config { url: URL.to_owned(), ..Config::default() };
    config.data = directory.join("data");
    config.keys = directory.join("keys");
    config.admin_token = directory.join("keys/admin.token");
    config.http.listen = "127.0.0.1:0".to_owned();
    config.http.plain = true;
    config
}

fn founding() -> Founding {
    Founding {
        chain: "test".to_owned(),
        url: URL.to_owned(),
        name_en: "Sample".to_owned(),
        name_zh: "样本".to_owned(),
        algorithm: Alg::Es256,
    }
}

#[actix_web::test]
async fn a_second_process_on_the_same_data_is_refused_until_the_first_stops() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let founded = init(&config.keys, &founding(), &KeyGuard::plain(), &mut system_rng().unwrap()).unwrap();
    let running = start(config.clone(), Ports::open(&config).unwrap()).await.unwrap();
    assert_eq!(running.identity, founded.identity);
    assert!(running.url.starts_with("http://127.0.0.1:"));
    assert!(matches!(Ports::open(&config), Err(OpenError::Lock(_))));
    running.stop().await;
    drop(Ports::open(&config).unwrap());
}

#[actix_web::test]
async fn while_an_operator_works_at_the_machine_the_service_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    init(&config.keys, &founding(), &KeyGuard::plain(), &mut system_rng().unwrap()).unwrap();
    let department = AtTheMachine::open(&config).await.unwrap();
    assert!(matches!(Ports::open(&config), Err(OpenError::Lock(_))));
    drop(department);
    drop(Ports::open(&config).unwrap());
}

#[actix_web::test]
async fn a_service_account_without_its_key_is_missed_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    init(&config.keys, &founding(), &KeyGuard::plain(), &mut system_rng().unwrap()).unwrap();
    config.duty = DutyConfig { service: "desk".to_owned(), basis: "Sample Act, article 1".to_owned() };
    let missing = start(config.clone(), Ports::open(&config).unwrap()).await.err().unwrap();
    assert!(missing.to_string().contains("duties give --service"), "{missing}");
}

#[actix_web::test]
async fn what_cannot_work_is_refused_at_the_start_by_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let good = config(directory.path());
    type Change = fn(&mut Config);
    let cases: [(&str, Change); 12] = [
        ("url", |config| config.url = format!("{URL}/")),
        ("url", |config| config.url = "ftp://issuer.example".to_owned()),
        ("credentials", |config| config.credentials = vec!["driving-licence".to_owned()]),
        ("credentials", |config| config.credentials.clear()),
        ("offers.tx_code_digits", |config| config.offers.tx_code_digits = 3),
        ("offers.batch_size", |config| config.offers.batch_size = 1),
        ("status.ttl", |config| config.status.ttl = 0),
        ("status.size", |config| config.status.size = 131_071),
        ("status.bits", |config| config.status.bits = [("resident-identity".to_owned(), 3)].into()),
        ("duty.service", |config| config.duty.service = "no number".to_owned()),
        ("duty.basis", |config| config.duty.service = "desk".to_owned()),
        ("status.bits", |config| config.status.bits = [("nothing".to_owned(), 2)].into()),
    ];
    for (key, change) in cases {
        let mut bad = good.clone();
        change(&mut bad);
        let error = bad.check().unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{key}`")), "{error}");
    }
    let missing = start(good.clone(), Ports::open(&good).unwrap()).await.err().unwrap();
    assert!(missing.to_string().contains("xinfu-issuer init"), "{missing}");
}
