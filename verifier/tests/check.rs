//! `xinfu-verifier check` as people and scripts meet it: what it says in both languages, and its exit status.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use identity_core::bundle::{Bundle, Full};
use identity_core::did::DidUrl;
use identity_core::duty::UnverifiedAttestation;
use identity_core::jose::{SignHeader, sign_compact, typ};
use identity_core::problem::Code;
use identity_core::receipt::{ChainHead, Processed, Receipt, shown};
use identity_core::registry::{DutyHolder, EndDelegation, Operation, duty_key};
use identity_core::sample::world::{DUTY, NOW, World};
use identity_core::trust;

/// A world in which something was asked and answered, and a directory for the files of it.
struct Scene {
    world: World,
    directory: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { world: World::new(), directory: tempfile::tempdir().unwrap() };
        fs::write(scene.path("root"), scene.world.ledger.trust_root_text()).unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn bundle(&self, refused: Option<Code>, full: bool) -> Bundle {
        let world = &self.world;
        let name = DidUrl::parse(&world.asker.key_name("auth-1")).unwrap();
        let signed_by = name.to_string();
        let header = SignHeader::new(typ::REQUEST_OBJECT).kid(&signed_by);
        let payload = world.request.to_json().to_string();
        let request = sign_compact(header, payload.as_bytes(), &world.asker.authenticator()).unwrap();
        let attestation = UnverifiedAttestation::parse(world.request.duty.as_deref().unwrap()).unwrap();
        let shown = |texts: &Vec<String>| texts.iter().map(|text| shown(text)).collect();
        let presentations = world.token.iter().map(|(id, texts)| (id.clone(), shown(texts))).collect();
        let (service, holder) = (world.asker.did(), DutyHolder::Official);
        let processed =
            Processed { service: &service, attestation: &attestation, holder, presentations, refused, at: NOW };
        let receipt = Receipt::following(ChainHead::default(), processed);
        let receipt = receipt.sign(&name, &world.asker.authenticator()).unwrap();
        let key_bindings = world.token.values().flatten().map(|text| text.rsplit('~').next().unwrap().to_owned());
        let trust_root = world.ledger.trust_root();
        let full = full.then(|| Full::new(world.token.clone(), std::collections::BTreeMap::new(), &trust_root));
        let mut bundle = Bundle::of(request, receipt, None, key_bindings.collect(), full);
        while let Ok(missing) = bundle.missing(&trust_root) {
            if missing.is_empty() {
                break;
            }
            missing.iter().for_each(|key| bundle.add_state(world.ledger.state_proof(key, NOW.0 + 10)));
        }
        bundle
    }

    fn write(&self, text: impl AsRef<[u8]>) {
        fs::write(self.path("evidence.json"), text).unwrap();
    }

    /// Exit status, standard output and standard error of the check.
    fn check(&self, lang: &str) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_xinfu-verifier"))
            .arg("check")
            .arg(self.path("evidence.json"))
            .arg("--trust")
            .arg(self.path("root"))
            .args(["--lang", lang])
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

#[test]
fn evidence_that_holds_is_told_in_both_languages() {
    let scene = Scene::new();
    scene.write(scene.bundle(None, false).to_text());
    let (asker, authority) = (scene.world.asker.did(), scene.world.authority.did());
    let (status, said, complaints) = scene.check("en");
    assert_eq!((status, complaints.as_str()), (0, ""), "{said}");
    for part in [
        "The evidence holds.\n".to_owned(),
        format!("Who asked: Sample department ({asker})\n"),
        format!("Answered for by an official: Sample counter, duty {DUTY}, delegated at log index 6\n"),
        format!("On whose word: Sample department ({asker}) was accredited by Sample department ({authority}) at"),
        format!("Authority of genesis: Sample department ({authority})\n"),
        "urn:sample:credential:resident:1: address, name\n".to_owned(),
        "legal basis: Sample Act, article 1\nKept for: 30 days\nVerdict of the service: accepted\n".to_owned(),
        "Receipt 1, dated 2027-01-15 09:30 UTC by the service\nNOT yet on the ledger".to_owned(),
        "only a bundle with the presentation (--full) shows\n".to_owned(),
    ] {
        assert!(said.contains(&part), "{part} is not in:\n{said}");
    }
    let (status, said, _) = scene.check("zh");
    assert_eq!(status, 0);
    for part in ["证据成立。\n", "请求方：示例部门 (", "负责的工作人员：示例窗口", "保存期限：30 天\n", "尚未上链"]
    {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
}

#[test]
fn with_the_presentation_the_holder_signed() {
    let scene = Scene::new();
    scene.write(scene.bundle(None, true).to_text());
    let (status, said, _) = scene.check("en");
    assert!(status == 0 && said.ends_with("The holder signed this answer, and what it is wanted for\n"), "{said}");
    assert!(!said.contains("样本甲"), "names of claims, never values");
    scene.write(scene.bundle(Some(Code::CredentialStatusRevoked), true).to_text());
    let (_, said, _) = scene.check("en");
    assert!(said.contains("Verdict of the service: refused: "), "{said}");
}

#[test]
fn evidence_that_does_not_hold_is_refused_by_name_with_its_own_status() {
    let mut scene = Scene::new();
    let text = scene.bundle(None, false).to_text();
    let mut changed = text.clone().into_bytes();
    changed[text.len() / 2] ^= 1;
    scene.write(changed);
    let (status, said, _) = scene.check("en");
    assert!(status == 3 && said.contains("[evidence.changed]"), "{said}");

    let (asker, state) = (scene.world.asker.did(), duty_key(&scene.world.asker.did(), DUTY));
    let proven = scene.world.ledger.state_proof(&state, NOW.0).verify(&scene.world.ledger.trust_root()).unwrap();
    let given = trust::duty_history(&proven, &asker, DUTY).unwrap().delegations[0].id;
    let end = EndDelegation { duty: DUTY.to_owned(), delegation: given };
    scene.world.ledger.act(&scene.world.asker, &Operation::EndDelegation(end));
    scene.world.ledger.seal(NOW.0 + 5);
    scene.write(scene.bundle(None, false).to_text());
    let (status, said, _) = scene.check("en");
    assert!(status == 3 && said.contains("[evidence.duty]\nBecause: ") && said.contains("[duty.ended]"), "{said}");
    let (status, said, _) = scene.check("zh");
    assert!(status == 3 && said.starts_with("证据不成立：") && said.contains("原因："), "{said}");
}

#[test]
fn what_cannot_be_read_is_no_verdict() {
    let scene = Scene::new();
    let (status, said, complaint) = scene.check("en");
    assert!((status, said.as_str()) == (1, "") && complaint.contains("cannot be read"), "{complaint}");
    scene.write("{}");
    let (status, said, complaint) = scene.check("zh");
    assert!((status, said.as_str()) == (1, "") && complaint.contains("这不是证据包"), "{complaint}");
    scene.write(scene.bundle(None, false).to_text());
    fs::write(scene.path("root"), "nothing").unwrap();
    assert_eq!(scene.check("en").0, 1, "whom to believe is not known");
}
