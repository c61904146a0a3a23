//! Taking a sharing back: what is sent, what comes, and what stays when nothing does.

use identity_core::{
    bundle::Bundle,
    receipt::ChainHead,
    withdrawal::{ANSWER_DAYS, Acknowledgement, Answered, Kept as Stays, Kind, Shared, UnverifiedWithdrawal},
};
use service_kit::{clock::Clock as _, private_file};
use std::process::{Command, Stdio};
use wallet_cli::{holdings::WithdrawalAnswer, ui::Ui};

use super::{receipt::shared, *};

fn receipt_of(wallet: &Wallet) -> String {
    match wallet.holdings().receipts().next() {
        Some((_, _, wallet_cli::holdings::Kept::Holds { text, .. }, _)) => text.clone(),
        other => panic!("no receipt: {other:?}"),
    }
}

/// What the service acknowledges, with one thing changed, signed by a key of its own.
fn acknowledgement(
    world: &World,
    (withdrawal, receipt): (&str, &str),
    signer: &SecretKey,
    change: impl FnOnce(&mut Acknowledgement),
) -> String {
    let (service, holders) = (world.asker.did(), [Jwk::new(holder().public_key().clone()).thumbprint()]);
    let shared = Shared { service: &service, receipt: sha256(receipt.as_bytes()), given: NOW, holders: &holders };
    let withdrawal = UnverifiedWithdrawal::parse(withdrawal).unwrap().verify(&shared, NOW).unwrap();
    let kept = vec![Stays { what: Kind::Receipt, basis: "Sample Act, article 9".to_owned(), until: None }];
    let deleted = vec![Kind::Claims, Kind::Presentation];
    let answered = Answered { service: &service, withdrawal: &withdrawal, deleted, kept, passed_on: true, at: NOW };
    let mut said = Acknowledgement::following(ChainHead::after(1, receipt), answered);
    change(&mut said);
    said.sign(&DidUrl::parse(&world.asker.key_name("auth-1")).unwrap(), signer).unwrap()
}

fn honest(world: &World, withdrawal: &str, receipt: &str) -> (u16, Value) {
    let text = acknowledgement(world, (withdrawal, receipt), &world.asker.authenticator(), |_| {});
    (200, json!({ "acknowledgement": text }))
}

/// How a service answers a withdrawal that is over a receipt.
pub(super) type Service = fn(&World, &str, &str) -> (u16, Value);

/// A wallet that has shared, and whose service answers withdrawals in this way; none: it is not there.
async fn facing(service: Option<Service>) -> (Wallet, Arc<World>, tempfile::TempDir) {
    let (wallet, world, dir) = shared().await;
    drop(wallet);
    let mut world = alone(world);
    world.withdrawals = service;
    let world = Arc::new(world);
    (open(dir.path(), &world), world, dir)
}

async fn withdraw(wallet: &mut Wallet) -> Result<WithdrawalAnswer, WalletError> {
    let asking = wallet.asking(1)?;
    wallet.withdraw(&asking).await
}

async fn history(wallet: &mut Wallet) -> String {
    wallet.history(&Ui::new(identity_core::problem::Lang::En, false)).await.unwrap().lines.join("\n")
}

#[tokio::test]
async fn a_sharing_is_taken_back_and_the_acknowledgement_kept() {
    let (mut wallet, world, dir) = facing(Some(honest)).await;
    let answer = withdraw(&mut wallet).await.unwrap();
    let WithdrawalAnswer::Acknowledged { seq: 2, text } = &answer else { panic!("{answer:?}") };
    let sent = world.withdrawn.lock().unwrap().clone();
    let asked = wallet.holdings().withdrawal(1).unwrap();
    assert_eq!((&sent[0], sent.len(), asked.is_acknowledged()), (&asked.text, 1, true));
    let told = history(&mut wallet).await;
    assert!(told.contains("withdrawn on") && told.contains("values of claims") && told.contains("article 9"), "{told}");
    assert!(told.contains("handed to the department's own systems"), "{told}");
    assert_eq!(wallet.asking(1).unwrap_err().code(), Code::WalletWithdrawalAcknowledged);
    drop(wallet);

    // Its proof comes late, as a receipt's does, and what is of something else is none.
    let (first, digest) = (sha256(receipt_of(&open(dir.path(), &world)).as_bytes()), sha256(text.as_bytes()));
    let mut world = alone(world);
    let tree = BatchTree::new(&[first, digest]).unwrap();
    let range = Anchor::new(AnchorKind::Receipt, tree.root(), 2);
    let range = Anchor { first: Some(1), last: Some(2), head: Some(digest), ..range };
    let index = world.ledger.act(&world.asker, &Operation::Anchor(range));
    world.ledger.seal(NOW.0 - 80);
    let proof_at = |place: u64| {
        let batch = BatchPath { index: place, count: 2, path: tree.path(place).unwrap() };
        let proof = world.ledger.log_proof(index, NOW.0 - 60);
        json!(AnchorProof { batch, transaction: world.ledger.leaf(index).to_owned(), proof })
    };
    let (wrong, right) = (proof_at(0), proof_at(1));
    world.receipt_proofs = Some(BTreeMap::from([(digest.to_base64url(), wrong)]));
    let world = Arc::new(world);
    let mut wallet = open(dir.path(), &world);
    assert!(history(&mut wallet).await.contains("acknowledgement 2, not yet on the ledger"));
    drop(wallet);
    let mut world = alone(world);
    world.receipt_proofs = Some(BTreeMap::from([(digest.to_base64url(), right)]));
    let world = Arc::new(world);
    let mut wallet = open(dir.path(), &world);
    assert!(history(&mut wallet).await.contains("acknowledgement 2, proven to stand on the ledger"));

    let bundle = wallet.evidence(1, false).await.unwrap();
    let checked = bundle.check(&world.ledger.trust_root()).unwrap();
    let acknowledged = checked.withdrawn().unwrap().acknowledged().unwrap();
    assert_eq!((acknowledged.said.seq, acknowledged.taken.map(|(at, _)| at)), (2, Some(index)));
}

/// The program itself, with nobody at its terminal.
#[tokio::test]
async fn whoever_is_asked_sees_what_would_be_withdrawn_also_where_a_script_gets_the_result() {
    let (wallet, world, dir) = facing(Some(honest)).await;
    drop(wallet);
    let passphrase = dir.path().join("passphrase");
    private_file::create(&passphrase, b"a sample passphrase\n").unwrap();
    for (options, asked, declined) in [
        (
            &["--json"][..],
            "will be asked, at https://d3.example",
            "Nothing was withdrawn: there is no terminal to ask at.",
        ),
        (&["--json", "--lang", "zh"], "将要求示例部门（https://d3.example", "未撤回任何内容：没有可供询问的终端。"),
        (&[], "will be asked, at https://d3.example", "Nothing was withdrawn: there is no terminal to ask at."),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_xinfu-wallet"))
            .args(["withdraw", "1", "--vault"])
            .arg(dir.path())
            .arg("--passphrase-file")
            .arg(&passphrase)
            .args(options)
            .env("LC_ALL", "C.UTF-8")
            .env("XDG_STATE_HOME", dir.path().join("state"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(5), "{said}");
        assert!(said.contains(asked) && said.contains(declined), "{said}");
    }
    assert!(world.withdrawn.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_does_not_hold_is_kept_and_told_on_and_the_same_goes_again() {
    fn other(world: &World, sent: (&str, &str), change: fn(&mut Acknowledgement)) -> (u16, Value) {
        let text = acknowledgement(world, sent, &world.asker.authenticator(), change);
        (200, json!({ "acknowledgement": text }))
    }
    let cases: [(Service, Code); 9] = [
        (|_, _, _| (200, json!({})), Code::WithdrawalAckMissing),
        (|_, _, _| (200, json!([1, 2])), Code::WithdrawalAckMissing),
        (|_, _, _| (200, json!({ "acknowledgement": "nonsense" })), Code::WithdrawalAckMalformed),
        (|_, sent, _| (200, json!({ "acknowledgement": sent })), Code::WithdrawalAckMalformed),
        (
            |world, sent, receipt| {
                let text = acknowledgement(world, (sent, receipt), &key(5, 2), |_| {});
                (200, json!({ "acknowledgement": text }))
            },
            Code::WithdrawalAckSignature,
        ),
        (
            |world, sent, receipt| other(world, (sent, receipt), |said| said.withdrawal = sha256(b"another")),
            Code::WithdrawalAckOtherWithdrawal,
        ),
        (
            |world, sent, receipt| other(world, (sent, receipt), |said| said.receipt = sha256(b"another")),
            Code::WithdrawalAckOtherReceipt,
        ),
        (
            |world, sent, receipt| other(world, (sent, receipt), |said| said.iat = NOW.plus(3600)),
            Code::WithdrawalAckTime,
        ),
        (|_, _, _| (404, json!({ "code": "withdrawal.receipt_unknown" })), Code::WithdrawalReceiptUnknown),
    ];
    for (service, code) in cases {
        let (mut wallet, world, dir) = facing(Some(service)).await;
        let answer = withdraw(&mut wallet).await.unwrap();
        let told = match &answer {
            WithdrawalAnswer::Fault { code, .. } | WithdrawalAnswer::Refused { code: Some(code) } => code.clone(),
            other => panic!("{code}: {other:?}"),
        };
        assert_eq!(told, code.as_str());
        let told = history(&mut wallet).await;
        assert!(told.contains(code.title(identity_core::problem::Lang::En)), "{code}: {told}");
        drop(wallet);
        let mut world = alone(world);
        world.withdrawals = Some(honest);
        let world = Arc::new(world);
        let mut wallet = open(dir.path(), &world);
        assert!(matches!(withdraw(&mut wallet).await, Ok(WithdrawalAnswer::Acknowledged { .. })), "{code}");
        let sent = world.withdrawn.lock().unwrap().clone();
        assert!(sent.len() == 2 && sent[0] == sent[1], "{code}: the same withdrawal");
    }
}

#[tokio::test]
async fn silence_is_seen_and_past_the_deadline_called_overdue() {
    let (mut wallet, world, dir) = facing(None).await;
    let error = withdraw(&mut wallet).await.unwrap_err();
    assert_eq!((error.code(), error.exit()), (Code::WalletWithdrawalUnanswered, Exit::Unreachable));
    assert!(wallet.holdings().withdrawal(1).is_some(), "it is written down before it leaves");
    let told = history(&mut wallet).await;
    assert!(told.contains("unanswered") && !told.contains("OVERDUE"), "{told}");
    let checked = wallet.evidence(1, false).await.unwrap().check(&world.ledger.trust_root()).unwrap();
    let withdrawn = checked.withdrawn().unwrap();
    assert!(withdrawn.signed() == NOW && withdrawn.acknowledged().is_none());
    assert_eq!(withdrawn.answer_due(), None, "by when it was there, nobody says");
    drop(wallet);
    let clock = Arc::new(ManualClock::at(NOW));
    let mut wallet = open_at(dir.path(), &world, &clock);
    clock.advance(ANSWER_DAYS * 86_400);
    assert!(!history(&mut wallet).await.contains("OVERDUE"));
    clock.advance(1);
    assert!(history(&mut wallet).await.contains("OVERDUE"), "{}", clock.now().0);
}

#[tokio::test]
async fn what_was_sent_can_be_notarised_and_only_that() {
    let (mut wallet, world, dir) = facing(None).await;
    assert_eq!(wallet.notarise(1).await.unwrap_err().code(), Code::WalletWithdrawalUnsent);
    withdraw(&mut wallet).await.unwrap_err();
    let digest = sha256(wallet.holdings().withdrawal(1).unwrap().text.as_bytes());
    drop(wallet);
    let anchored = |world: &mut World, kind, digest, at| {
        let tree = BatchTree::new(&[sha256(b"another's"), digest]).unwrap();
        let index = world.ledger.act(&world.issuer, &Operation::Anchor(Anchor::new(kind, tree.root(), 2)));
        world.ledger.seal(NOW.0 - at);
        let batch = BatchPath { index: 1, count: 2, path: tree.path(1).unwrap() };
        let proof = world.ledger.log_proof(index, NOW.0 - 60);
        json!(AnchorProof { batch, transaction: world.ledger.leaf(index).to_owned(), proof })
    };
    let mut world = alone(world);
    // A member that answers with the proof of something else has notarised nothing.
    let other = anchored(&mut world, AnchorKind::Notarised, sha256(b"x"), 90);
    let credential = anchored(&mut world, AnchorKind::Credential, digest, 80);
    let good = anchored(&mut world, AnchorKind::Notarised, digest, 70);
    let mut world = Arc::new(world);
    for wrong in [other, credential] {
        let mut changed = alone(world);
        changed.notarised = Some(wrong);
        world = Arc::new(changed);
        let mut wallet = open(dir.path(), &world);
        assert_eq!(wallet.notarise(1).await.unwrap_err().code(), Code::LedgerProofInvalid);
        assert!(wallet.holdings().withdrawal(1).unwrap().notarised.is_none());
    }
    let mut changed = alone(world);
    changed.notarised = Some(good);
    let world = Arc::new(changed);
    let mut wallet = open(dir.path(), &world);
    let index = wallet.notarise(1).await.unwrap();
    let kept = wallet.holdings().withdrawal(1).unwrap().notarised.clone().unwrap();
    let proof = AnchorProof::from_value(&kept).unwrap();
    let held = proof.verify(&digest, AnchorKind::Notarised, &world.ledger.trust_root()).unwrap();
    assert_eq!(held.index(), index);
    assert!(history(&mut wallet).await.contains("notarised"));

    // Whoever is shown the evidence sees by when it was asked, also after the validators that said so are gone.
    let shown = |bundle: Bundle| {
        let checked = bundle.check(&world.ledger.trust_root()).unwrap();
        let withdrawn = checked.withdrawn().unwrap();
        assert!(withdrawn.acknowledged().is_none());
        withdrawn.notarised().unwrap().clone()
    };
    let noted = shown(wallet.evidence(1, false).await.unwrap());
    assert_eq!((noted.index, noted.by.did), (index, world.issuer.did()));
    drop(wallet);
    let stale =
        proof.proof.lines().filter(|line| !line.starts_with('—')).fold(String::new(), |kept, line| kept + line + "\n");
    let stale = json!(AnchorProof { proof: stale, ..proof });
    let passphrase = Passphrase::new("a sample passphrase".into());
    let mut holdings = Holdings::read(Vault::open(dir.path(), &passphrase).unwrap()).unwrap();
    holdings.add_notarised(1, stale, &mut StdRng::seed_from_u64(3)).unwrap();
    drop(holdings);
    let mut wallet = open(dir.path(), &world);
    assert_eq!(shown(wallet.evidence(1, false).await.unwrap()).index, index);
}

#[tokio::test]
async fn without_receipt_or_keys_there_is_nothing_to_withdraw_with() {
    let (wallet, world, dir) = facing(Some(honest)).await;
    assert_eq!(wallet.asking(2).unwrap_err().code(), Code::WalletWithdrawalNoReceipt);
    drop(wallet);
    let passphrase = Passphrase::new("a sample passphrase".into());
    let mut holdings = Holdings::read(Vault::open(dir.path(), &passphrase).unwrap()).unwrap();
    assert!(holdings.remove_credential(1, NOW, &mut StdRng::seed_from_u64(2)).unwrap());
    drop(holdings);
    let wallet = open(dir.path(), &world);
    assert_eq!(wallet.asking(1).unwrap_err().code(), Code::WalletWithdrawalKey);
    assert!(world.withdrawn.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_ledger_that_cannot_be_asked_holds_it_back() {
    let (wallet, world, dir) = facing(Some(honest)).await;
    drop(wallet);
    let mut world = alone(world);
    world.ledger_reachable = false;
    let world = Arc::new(world);
    let mut wallet = open(dir.path(), &world);
    assert_eq!(withdraw(&mut wallet).await.unwrap_err().code(), Code::WalletAskerUndetermined);
    assert!(world.withdrawn.lock().unwrap().is_empty() && wallet.holdings().withdrawal(1).is_none());
}
