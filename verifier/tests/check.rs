//! `xinfu-verifier check` as people and scripts meet it: what it says in both languages, and its exit status.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use identity_core::bundle::Bundle;
use identity_core::problem::Code;
use identity_core::registry::{EndAccreditation, EndDelegation, Operation, Role, accreditation_key, duty_key};
use identity_core::sample::ledger::START;
use identity_core::sample::world::{DUTY, NOW, World, accredit};
use identity_core::trust;
use serde_json::{Value, json};

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
        self.world.bundle(refused, full)
    }

    fn write(&self, text: impl AsRef<[u8]>) {
        fs::write(self.path("evidence.json"), text).unwrap();
    }

    /// Exit status, standard output and standard error of the check.
    fn check(&self, lang: &str) -> (i32, String, String) {
        self.check_with(lang, &[])
    }

    /// The same, with how everybody stood at a time, whose proof is in a file.
    fn check_at(&self, lang: &str, time: &str) -> (i32, String, String) {
        self.check_with(lang, &["--at", time, "--time-proof", self.path("time").to_str().unwrap()])
    }

    /// Keeps the ledger's proof for so many seconds after the chain's beginning.
    fn keep_time_proof(&self, seconds: i64) {
        let time = u64::try_from((START + seconds) * 1000).unwrap();
        let proof = self.world.ledger.time_proof(time, START + seconds + 3600);
        fs::write(self.path("time"), serde_json::to_vec(&proof).unwrap()).unwrap();
    }

    fn check_with(&self, lang: &str, more: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_xinfu-verifier"))
            .arg("check")
            .arg(self.path("evidence.json"))
            .arg("--trust")
            .arg(self.path("root"))
            .args(["--lang", lang])
            .args(more)
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
    for part in ["证据成立。\n", "请求方：示例部门 (", "由工作人员负责：示例窗口", "保存期限：30 天\n", "尚未上链"]
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

/// A bundle of `conformance/vectors/bundle`, changed as a forger could, and checked under the trust root that stands there.
fn check_standing(lang: &str, change: impl FnOnce(&mut Value)) -> (i32, String) {
    let vectors = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance/vectors/bundle"));
    let scene = Scene::new();
    fs::copy(vectors.join("trust-root.txt"), scene.path("root")).unwrap();
    let mut bundle: Value = serde_json::from_slice(&fs::read(vectors.join("withdrawn.json")).unwrap()).unwrap();
    bundle.as_object_mut().unwrap().remove("sha256");
    change(&mut bundle);
    scene.write(serde_json::from_value::<Bundle>(bundle).unwrap().to_text());
    let (status, said, _) = scene.check(lang);
    (status, said)
}

#[test]
fn that_a_sharing_was_taken_back_is_told_with_what_came_of_it() {
    let (status, said) = check_standing("en", |_| ());
    assert_eq!(status, 0, "{said}");
    let told = said.lines().skip_while(|line| !line.contains("took this sharing back")).collect::<Vec<_>>().join("\n");
    assert_eq!(
        told,
        "\
The holder took this sharing back: signed 2027-01-15 10:16 UTC, by the same hand as an answer to this question
Leader (sample) (did:xinfu:sample:CnarhDXUzoyw32wHzCRVDkz55Toz3bjk3goyUpH3HiDc) had that noted on the ledger at log index 15, \
sealed by 2027-01-15 10:17 UTC at the latest: by then the withdrawal was there
The service signed 2027-01-15 10:17 UTC what it did (its entry 4); on the ledger at log index 17
Deleted, by its word: values of claims, the presentation, the holder's signatures, proofs of the credentials' anchors, \
what the holder's keys are recognised by
Kept, by its word, until 2027-01-16 10:17 UTC: the request (Sample Act)
Kept, by its word: the receipt (Sample Act)"
    );
    let (_, said) = check_standing("zh", |_| ());
    for part in ["持有人已撤回此次共享：签署于", "已将其存证上链", "据其所述已删除：信息项的值、出示内容、"]
    {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
}

#[test]
fn silence_is_told_with_the_day_by_which_an_answer_was_due() {
    fn silent(bundle: &mut Value) {
        let taken_back = bundle["withdrawal"].as_object_mut().unwrap();
        taken_back.remove("acknowledgement").unwrap();
        taken_back.remove("acknowledgement_proof").unwrap();
    }
    let (status, said) = check_standing("en", silent);
    let due = "can show one with a log index from before 2027-01-30 10:17 UTC\n";
    assert!(status == 0 && said.ends_with(due), "{said}");
    let (status, said) = check_standing("en", |bundle| {
        silent(bundle);
        bundle["withdrawal"].as_object_mut().unwrap().remove("notarised").unwrap();
    });
    assert!(status == 0 && said.ends_with("there is not shown\nNo acknowledgement is here\n"), "{said}");
    let (status, said) = check_standing("en", |bundle| {
        bundle["withdrawal"].as_object_mut().unwrap().remove("acknowledgement_proof").unwrap();
    });
    assert!(status == 0 && said.contains("(its entry 4); NOT yet on the ledger\n"), "{said}");
    let (status, said) = check_standing("en", |bundle| bundle["key_bindings"] = json!([]));
    assert!(
        status == 3 && said.contains("[evidence.withdrawal]\nBecause: ") && said.contains("[withdrawal.key]"),
        "{said}"
    );
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
fn a_past_day_is_told_with_what_changed_since() {
    let mut scene = Scene::new();
    let asker = scene.world.asker.did();
    let proof = scene.world.ledger.state_proof(&accreditation_key(&asker), NOW.0);
    let proven = proof.verify(&scene.world.ledger.trust_root()).unwrap();
    let accreditation = trust::accreditations(&proven, &asker).unwrap().grants[0].id;
    let end = EndAccreditation { subject: asker, accreditation };
    let ended = scene.world.ledger.act(&scene.world.authority, &Operation::EndAccreditation(end));
    scene.world.ledger.seal(START + 7200);
    let again = accredit(&scene.world.asker, Role::Verifier);
    scene.world.grant(again, START + 10_800);
    scene.write(scene.bundle(None, false).to_text());

    scene.keep_time_proof(5400);
    let (status, said, complaints) = scene.check_at("en", "2027-01-15T09:30");
    assert_eq!((status, complaints.as_str()), (0, ""), "{said}");
    for part in [
        "The evidence holds.\n".to_owned(),
        "As of 2027-01-15 09:30 UTC, by the ledger's clock log index".to_owned(),
        ") was accredited for this question\n".to_owned(),
        format!("ended, at log index {ended}: it was taken back\n"),
        format!("Duty {DUTY}, Sample counter, was delegated to the key that signed\n"),
        "Issuers and credentials are named only in a bundle with the presentation".to_owned(),
        "sealed by 2027-01-15 11:00 UTC; later changes this bundle cannot tell\n".to_owned(),
        "a later list tells that an entry changed, not when\n".to_owned(),
    ] {
        assert!(said.contains(&part), "{part} is not in:\n{said}");
    }
    // The same moment, in another zone and the other language.
    let (status, said, _) = scene.check_at("zh", "2027-01-15T17:30+08:00");
    assert!(status == 0 && said.contains("截至 2027-01-15 09:30 UTC") && said.contains("已被收回"), "{said}");

    scene.keep_time_proof(9000);
    let (status, said, _) = scene.check_at("en", "2027-01-15T10:30");
    assert!(
        status == 3 && said.contains("was NOT accredited for this question: no accreditation that covers"),
        "{said}"
    );

    // Nothing followed that would close it.
    scene.keep_time_proof(14_400);
    let (status, said, _) = scene.check_at("en", "2027-01-15T12:00");
    assert!(status == 0 && said.contains("(no later block closes that time yet)"), "{said}");
    assert!(said.contains("None of this has changed since\n"), "{said}");

    // With the answer, issuer and credential are named; this one came without its anchor proof.
    scene.write(scene.bundle(None, true).to_text());
    let (status, said, _) = scene.check_at("en", "2027-01-15T12:00");
    assert!(status == 3 && said.contains("was accredited to issue urn:sample:credential:resident:1\n"), "{said}");
    assert!(said.contains("this bundle does not tell: it has no anchor proof\n"), "{said}");
}

#[test]
fn a_time_that_is_not_proven_is_no_verdict() {
    let mut scene = Scene::new();
    scene.write(scene.bundle(None, false).to_text());
    scene.keep_time_proof(1800);
    let (status, said, complaint) = scene.check_at("en", "2027-01-15T09:30");
    assert!((status, said.as_str()) == (1, "") && complaint.contains("does not lie between the seals"), "{complaint}");
    let (status, _, complaint) = scene.check_at("zh", "三月三日");
    assert!(status == 1 && complaint.contains("时间无法识别"), "{complaint}");
    fs::write(scene.path("time"), "{}").unwrap();
    assert_eq!(scene.check_at("en", "2027-01-15T08:30").0, 1);
    let alone = scene.check_with("en", &["--at", "2027-01-15"]);
    assert!(alone.0 == 2 && alone.2.contains("--time-proof"), "{alone:?}");
    // A bundle that was made before that day cannot know it.
    scene.world.ledger.seal(START + 7200);
    scene.keep_time_proof(7200);
    let (status, said, _) = scene.check_at("en", "2027-01-15T10:00");
    assert!(status == 3 && said.contains("[evidence.behind_moment]"), "{said}");
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
