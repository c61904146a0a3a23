//! An official hands over a key, reads what a department's service hands out, and signs: or the wallet refuses to.

use identity_core::{registry::DutyHistory, trust};
use wallet_cli::{Accreditation, ui::Ui};

use super::*;

/// A wallet whose credential's key holds the duty, with what may be changed about it, and what is handed out to be signed.
fn on_duty(change: impl FnOnce(&mut Delegate)) -> (Wallet, Arc<World>, Attestation, tempfile::TempDir) {
    let mut scene = Scene::new();
    let mut given = Delegate { key: Jwk::new(holder().public_key().clone()), ..duty(&scene.world.asker) };
    change(&mut given);
    scene.world.ledger.act(&scene.world.asker, &Operation::Delegate(Box::new(given)));
    scene.world.ledger.seal(NOW.0 - 120);
    let draft = to_attest(&session(&scene.world.asker, name_query(), None), &scene.world.asker);
    let (wallet, world, _, dir) = scene.wallet();
    (wallet, world, draft, dir)
}

async fn draft(wallet: &Wallet, handed_out: &Value) -> Result<wallet_cli::Draft, WalletError> {
    wallet.draft(handed_out.to_string().as_bytes(), 1).await
}

/// What the ledger holds of the duty.
fn history(world: &World) -> DutyHistory {
    let proof = world.ledger.state_proof(&duty_key(&world.asker.did(), DUTY), NOW.0 - 60);
    trust::duty_history(&proof.verify(&world.ledger.trust_root()).unwrap(), &world.asker.did(), DUTY).unwrap()
}

#[tokio::test]
async fn the_key_of_a_duty_is_a_credentials_own() {
    let (wallet, _, _, _dir) = Scene::new().wallet();
    assert_eq!(wallet.duty_key(1).unwrap().key(), holder().public_key());
    let refused = wallet.duty_key(2).unwrap_err();
    assert_eq!((refused.code(), refused.exit()), (Code::WalletCredentialUnknown, Exit::Usage));
}

#[tokio::test]
async fn an_official_reads_what_they_sign_and_it_is_that() {
    let (mut wallet, world, said, dir) = on_duty(|_| {});
    let answer = json!({ "id": "1", "state": "unattested", "to_attest": said });
    let read = draft(&wallet, &answer).await.unwrap();
    assert_eq!(read, draft(&wallet, &json!(said)).await.unwrap(), "alone, or in the answer of the service");
    assert_eq!(wallet.holdings().approvals().count(), 0, "reading signs nothing");
    let did = world.asker.did();
    let expected = format!(
        "\
You are asked to sign for a request. Citizens will read that you answer for it.
  Department     Sample department
                 {did}
  By the ledger  accredited to ask for all of this, as of 2027-01-15 09:29 UTC
  Answered for   Sample counter, duty {DUTY}
  What for       housing-loan
  Legal basis    Sample Act, article 1
  Kept for       30 days
  Goes to        https://d3.example
  Open until     2027-01-15 09:35 UTC
  Asks for Resident identity: Name"
    );
    assert_eq!(read.lines(&Ui::new(identity_core::problem::Lang::En, false)).join("\n"), expected);

    let signed = wallet.approve(read).unwrap();
    let verified = UnverifiedAttestation::parse(&signed).unwrap().verify(&history(&world), u64::MAX - 1).unwrap();
    assert_eq!(verified.attestation(), &said);
    drop(wallet);
    let wallet = open(dir.path(), &world);
    let approval = wallet.holdings().approvals().next().unwrap();
    assert_eq!((&approval.signed, approval.department.as_str()), (&signed, did.as_ref()));
    assert_eq!((approval.word.duty.as_str(), approval.word.title.0.as_str()), (DUTY, "Sample counter"));
}

#[tokio::test]
async fn what_is_no_request_to_sign_for_is_refused() {
    let (wallet, _, said, _dir) = on_duty(|_| {});
    type Change = fn(&mut Attestation);
    let changes: [Change; 7] = [
        |said| said.basis = "Act\u{1b}[31m".to_owned(),
        |said| said.retention_days = u32::MAX,
        |said| said.receiver = Party::new(2, ServiceType::Issuer).did(),
        |said| said.dcql_query = json!({ "credentials": [] }),
        |said| said.client_id = "redirect_uri:https://d3.example".to_owned(),
        |said| said.response_uri = "http://d3.example/responses/1".to_owned(),
        |said| said.nonce = "short".to_owned(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut said = said.clone();
        change(&mut said);
        assert_eq!(draft(&wallet, &json!(said)).await.unwrap_err().code(), Code::WalletDutyDraft, "change {number}");
    }
    let text = json!(said).to_string();
    for bytes in
        ["", "{}", "[1]", r#"{"to_attest":null}"#, &text[..text.len() - 1], &text.replacen('{', r#"{"more":1,"#, 1)]
    {
        let refused = wallet.draft(bytes.as_bytes(), 1).await.unwrap_err();
        assert_eq!((refused.code(), refused.exit()), (Code::WalletDutyDraft, Exit::Usage), "{bytes}");
    }
}

#[tokio::test]
async fn an_expired_request_is_not_signed_nor_one_that_expires_meanwhile() {
    let (wallet, world, mut said, dir) = on_duty(|_| {});
    drop(wallet);
    let clock = Arc::new(ManualClock::at(NOW));
    let mut wallet = open_at(dir.path(), &world, &clock);
    let read = draft(&wallet, &json!(said)).await.unwrap();
    clock.advance(300);
    assert_eq!(wallet.approve(read).unwrap_err().code(), Code::VpRequestExpired);
    assert_eq!(wallet.holdings().approvals().count(), 0);
    said.exp = clock.now();
    let refused = draft(&wallet, &json!(said)).await.unwrap_err();
    assert_eq!((refused.code(), refused.exit()), (Code::VpRequestExpired, Exit::Refused));
}

#[tokio::test]
async fn what_sends_data_elsewhere_or_asks_for_another_is_refused() {
    let (wallet, world, said, _dir) = on_duty(|_| {});
    let elsewhere = Attestation { response_uri: "https://elsewhere.example/responses/1".to_owned(), ..said.clone() };
    assert_eq!(draft(&wallet, &json!(elsewhere)).await.unwrap_err().code(), Code::VpRequestResponseUri);
    let client_id = ClientId::of_did(&world.issuer.did()).as_str().to_owned();
    let another = Attestation { client_id, ..said.clone() };
    assert_eq!(draft(&wallet, &json!(another)).await.unwrap_err().code(), Code::DutyDepartment);
    let certified = Attestation { client_id: ClientId::of_certificate(&sha256(b"leaf")).as_str().to_owned(), ..said };
    assert!(draft(&wallet, &json!(certified)).await.is_ok(), "the service may ask under its certificate");
}

#[tokio::test]
async fn only_an_official_whose_duty_covers_it_signs() {
    type Change = fn(&mut Delegate);
    let cases: [(Change, Code); 7] = [
        (|given| given.key = Jwk::new(key(9, 5).public_key().clone()), Code::DutyUnknown),
        (|given| given.duty = "counter-2".to_owned(), Code::DutyUnknown),
        (|given| given.holder = DutyHolder::Service, Code::DutyHolder),
        (|given| given.claims = vec![vec!["sex".to_owned()]], Code::DutyClaims),
        (|given| given.types = vec!["urn:other".to_owned()], Code::DutyType),
        (|given| given.purposes = vec!["other".to_owned()], Code::DutyPurpose),
        (|given| given.case_required = true, Code::DutyCase),
    ];
    for (change, code) in cases {
        let (wallet, _, said, _dir) = on_duty(change);
        let refused = draft(&wallet, &json!(said)).await.unwrap_err();
        assert_eq!((refused.code(), refused.exit()), (code, Exit::Refused));
    }
    let (wallet, _, said, _dir) = on_duty(|given| given.from = NOW.0 + 1);
    assert_eq!(draft(&wallet, &json!(said)).await.unwrap_err().code(), Code::DutyNotYet);
    assert_eq!(
        wallet.draft(json!(said).to_string().as_bytes(), 2).await.unwrap_err().code(),
        Code::WalletCredentialUnknown
    );
}

#[tokio::test]
async fn a_duty_that_was_taken_back_signs_nothing() {
    let (wallet, world, said, dir) = on_duty(|_| {});
    drop(wallet);
    let given = history(&world).delegations.last().unwrap().id;
    let mut world = alone(world);
    let end = EndDelegation { duty: DUTY.to_owned(), delegation: given };
    world.ledger.act(&world.asker, &Operation::EndDelegation(end));
    world.ledger.seal(NOW.0 - 100);
    let wallet = open(dir.path(), &Arc::new(world));
    assert_eq!(draft(&wallet, &json!(said)).await.unwrap_err().code(), Code::DutyEnded);
}

#[tokio::test]
async fn without_the_ledger_nobody_signs() {
    let (wallet, world, said, dir) = on_duty(|_| {});
    drop(wallet);
    let mut world = alone(world);
    world.ledger_reachable = false;
    let wallet = open(dir.path(), &Arc::new(world));
    let refused = draft(&wallet, &json!(said)).await.unwrap_err();
    assert_eq!((refused.code(), refused.exit()), (Code::WalletAskerUndetermined, Exit::Unreachable));
}

#[tokio::test]
async fn that_the_department_may_not_ask_this_is_said() {
    let (wallet, world, _, _dir) = on_duty(|_| {});
    let query = json!({ "credentials": [{ "id": "id", "format": "dc+sd-jwt", "meta": { "vct_values": [VCT] },
        "claims": [{ "path": ["sex"] }] }] });
    let said = to_attest(&session(&world.asker, query, None), &world.asker);
    let read = draft(&wallet, &json!(Attestation { holder_signs: false, ..said })).await.unwrap();
    assert!(matches!(read.accreditation, Accreditation::Beyond(_)));
    let text = read.lines(&Ui::new(identity_core::problem::Lang::Zh, false)).join("\n");
    for expected in
        ["账本记载  该部门未获授权请求全部这些内容：公民的钱包将会拒绝", "未签署    公民的签名不涵盖数据用途", "性别"]
    {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}
