//! An official reads what their department is to do as an issuer, and signs: or the wallet refuses to.

use identity_core::{
    duty::{Deed, IssuerAct, MAX_BASIS_CHARS, Order, UnverifiedOrder},
    registry::DutyHistory,
    trust,
};
use wallet_cli::{OrderDraft, ui::Ui};

use super::*;

/// A wallet whose credential's key holds a duty to issue, with what may be changed about it, and an order over a table.
fn on_duty(change: impl FnOnce(&mut Delegate)) -> (Wallet, Arc<World>, Order, tempfile::TempDir) {
    let mut scene = Scene::new();
    let mut given = Delegate {
        key: Jwk::new(holder().public_key().clone()),
        role: Role::Issuer,
        types: vec![VCT.to_owned()],
        claims: Vec::new(),
        purposes: Vec::new(),
        ..duty(&scene.world.asker)
    };
    change(&mut given);
    scene.world.ledger.act(&scene.world.asker, &Operation::Delegate(Box::new(given)));
    scene.world.ledger.seal(NOW.0 - 120);
    let order = Order {
        iss: scene.world.asker.did(),
        duty: DUTY.to_owned(),
        deed: Deed { act: IssuerAct::Import, vct: VCT.to_owned(), content: sha256(b"a table"), count: 1200 },
        basis: "Sample Act, article 1".to_owned(),
        case: None,
        nonce: "A".repeat(22),
        exp: NOW.plus(300),
    };
    let (wallet, world, _, dir) = scene.wallet();
    (wallet, world, order, dir)
}

async fn draft(wallet: &Wallet, handed_out: &Value) -> Result<OrderDraft, WalletError> {
    wallet.order_draft(handed_out.to_string().as_bytes(), 1).await
}

fn history(world: &World) -> DutyHistory {
    let proof = world.ledger.state_proof(&duty_key(&world.asker.did(), DUTY), NOW.0 - 60);
    trust::duty_history(&proof.verify(&world.ledger.trust_root()).unwrap(), &world.asker.did(), DUTY).unwrap()
}

#[tokio::test]
async fn an_official_reads_what_they_order_and_it_is_that() {
    let (mut wallet, world, said, dir) = on_duty(|_| {});
    let read = draft(&wallet, &json!({ "to_attest": said })).await.unwrap();
    assert_eq!(read, draft(&wallet, &json!(said)).await.unwrap(), "alone, or in the answer of the service");
    let did = world.asker.did();
    let expected = format!(
        "\
You are asked to order an act of your department. It stays on record that you answer for it.
  Department    Sample department
                {did}
  To be done    take over 1200 people into Resident identity
  SHA-256       {}
  Answered for  Sample counter, duty {DUTY}
  Legal basis   Sample Act, article 1
  Open until    2027-01-15 09:35 UTC
The table must have this SHA-256: name your copy of it with --content FILE, and it is compared.",
        sha256(b"a table").to_hex()
    );
    assert_eq!(read.lines(&Ui::new(identity_core::problem::Lang::En, false)).join("\n"), expected);

    let mut compared = draft(&wallet, &json!(said)).await.unwrap();
    compared.compare(b"a table").unwrap();
    let lines = compared.lines(&Ui::new(identity_core::problem::Lang::En, false));
    assert!(lines.last().unwrap().ends_with("it is what the order is about."), "{lines:?}");
    let other = compared.compare(b"another table").unwrap_err();
    assert_eq!((other.code(), other.exit()), (Code::WalletDutyContent, Exit::Refused));

    let signed = wallet.give_order(read).unwrap();
    let verified = UnverifiedOrder::parse(&signed).unwrap().verify(&history(&world), u64::MAX - 1).unwrap();
    assert_eq!(verified.check(&did, &said.deed, NOW), Ok(()));
    drop(wallet);
    let wallet = open(dir.path(), &world);
    let kept = wallet.holdings().orders().next().unwrap();
    assert_eq!((&kept.signed, kept.deed.count, kept.deed.title.0.as_str()), (&signed, 1200, "Sample counter"));
}

#[tokio::test]
async fn an_official_reads_the_legal_basis_to_its_end() {
    let (wallet, _, mut said, _dir) = on_duty(|_| {});
    said.basis = "法".repeat(MAX_BASIS_CHARS - 1) + "尾";
    let read = draft(&wallet, &json!(said)).await.unwrap();
    let lines = read.lines(&Ui::new(identity_core::problem::Lang::Zh, false));
    assert!(lines.iter().any(|line| line.ends_with(&said.basis)), "{lines:?}");
}

#[tokio::test]
async fn what_is_no_order_or_counts_no_more_is_refused() {
    let (wallet, _, said, _dir) = on_duty(|_| {});
    type Change = fn(&mut Order);
    let changes: [(Change, Code); 6] = [
        (|said| said.basis = "Act\u{1b}[31m".to_owned(), Code::WalletDutyDraft),
        (|said| said.nonce.clear(), Code::WalletDutyDraft),
        (|said| said.deed.vct.clear(), Code::WalletDutyDraft),
        (|said| said.duty = "no number".to_owned(), Code::WalletDutyDraft),
        (|said| said.exp = NOW, Code::DutyExpired),
        (|said| said.exp = NOW.plus(86_401), Code::DutyExpired),
    ];
    for (number, (change, code)) in changes.into_iter().enumerate() {
        let mut said = said.clone();
        change(&mut said);
        assert_eq!(draft(&wallet, &json!(said)).await.unwrap_err().code(), code, "change {number}");
    }
    for bytes in ["", "{}", r#"{"deed":{}}"#] {
        assert_eq!(wallet.order_draft(bytes.as_bytes(), 1).await.unwrap_err().code(), Code::WalletDutyDraft, "{bytes}");
    }
}

#[tokio::test]
async fn only_an_official_whose_duty_covers_it_orders() {
    type Change = fn(&mut Delegate);
    let cases: [(Change, Code); 4] = [
        (|given| given.key = Jwk::new(key(9, 5).public_key().clone()), Code::DutyUnknown),
        (|given| given.holder = DutyHolder::Service, Code::DutyHolder),
        (|given| given.types = vec!["urn:other".to_owned()], Code::DutyType),
        (|given| given.case_required = true, Code::DutyCase),
    ];
    for (change, code) in cases {
        let (wallet, _, said, _dir) = on_duty(change);
        let refused = draft(&wallet, &json!(said)).await.unwrap_err();
        assert_eq!((refused.code(), refused.exit()), (code, Exit::Refused));
    }
    let asks = |given: &mut Delegate| {
        (given.role, given.claims, given.purposes) =
            (Role::Verifier, vec![vec!["name".to_owned()]], vec!["housing-loan".to_owned()]);
    };
    let (wallet, _, said, _dir) = on_duty(asks);
    assert_eq!(
        draft(&wallet, &json!(said)).await.unwrap_err().code(),
        Code::DutyType,
        "a duty to ask is none to issue"
    );
}
