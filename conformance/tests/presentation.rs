//! A presentation with everything that an offline check of it needs, made from fixed seeds: a ledger of four
//! validators, two departments, one credential. The files stand in `vectors/presentation`; here they are made again and
//! compared byte by byte, and `verdict` judges them. `verify.py` and `mutate.py` read the same files.
//!
//! `XINFU_BLESS=files cargo test -p conformance --test presentation` writes them anew around the standing credential,
//! `credential.txt`; `XINFU_BLESS=credential` issues that anew as well.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a world that cannot be made fails its test")]

mod bundle;
mod presentation {
    pub(crate) mod files;
    pub(crate) mod ledger;
    pub(crate) mod parties;
    pub(crate) mod twist;
}

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use identity_core::jose::UnverifiedJws;
use identity_core::kb_jwt::Window;
use identity_core::oauth::url::Transport;
use identity_core::oid4vp::{Anchors, ClientName, Parameters, RequestError, VpToken};
use identity_core::problem::Code;
use identity_core::sd_jwt_vc::{TypeError, TypeMetadata};
use identity_core::time::UnixSeconds;
use identity_core::verdict::{
    AcceptedType, AnchorRule, Asked, Evidence, Freshness, OnUndetermined, Policy, Presentation, Refusal, judge,
};
use ledger::TrustRoot;
use presentation::files::{NOW, TYPE, folder, make, make_certified, make_twisted};
use presentation::twist::{Refused, Twist, refused};

#[test]
fn the_files_are_the_ones_that_stand_here() {
    for (name, bytes) in make() {
        let file = folder().join(name);
        if std::env::var_os("XINFU_BLESS").is_some() {
            fs::write(&file, &bytes).unwrap();
        }
        let standing = fs::read(&file).unwrap_or_default();
        assert!(standing == bytes, "{name} differs from what the code makes today");
    }
}

#[test]
fn the_verdict_accepts_them() {
    let name = verdict(&make()).unwrap();
    assert_eq!(name, "样本一");
}

/// The request is the verifier's own and reaches the verdict parsed, so it is not changed here.
#[test]
fn the_verdict_refuses_changed_bytes() {
    let files = make();
    for name in ["vp_token.json", "anchors.json", "evidence.json", "trust-root.txt", "type.json"] {
        let exempt = exempt(name, &files[name]);
        for (start, bit) in [(0, 0x01), (13, 0x20), (26, 0x80)] {
            let places = (start..files[name].len()).step_by(40).filter(|at| !exempt.contains(at));
            for at in places {
                let mut changed = files.clone();
                changed.get_mut(name).unwrap()[at] ^= bit;
                assert!(verdict(&changed).is_err(), "byte {at} of {name} changed by {bit:#04x}");
            }
        }
    }
}

/// What `docs/formats.md` exempts in these files, under "Bytes that may change".
fn exempt(name: &str, data: &[u8]) -> Range<usize> {
    let between = |before: &str, after: char| {
        let text = std::str::from_utf8(data).unwrap();
        let start = text.find(before).unwrap() + before.len();
        start..start + text[start..].find(after).unwrap()
    };
    match name {
        "evidence.json" => between("\"fetched_at\":", '}'),
        "trust-root.txt" => between("group validators ", ' '),
        _ => 0..0,
    }
}

/// The name in the credential, or why the files are refused.
fn verdict(files: &BTreeMap<&'static str, Vec<u8>>) -> Result<String, Box<dyn Error>> {
    let text = |name: &str| std::str::from_utf8(&files[name]);
    let evidence: Evidence = serde_json::from_slice(&files["evidence.json"])?;
    let evidence = evidence.prepare(TrustRoot::parse(text("trust-root.txt")?)?)?;
    let request = UnverifiedJws::parse(text("request.jwt")?)?;
    let request = Parameters::from_json(&serde_json::from_slice(request.dangerous_payload())?, Transport::HttpsOnly)?;
    let ClientName::Did(asker) = request.client_id.name() else { return Err("the sample's client is a DID".into()) };
    let asked = Asked { request: &request, asker, certificate: None };
    let token = VpToken::parse(text("vp_token.json")?, &request.query)?;
    let anchors = Anchors::parse(text("anchors.json")?, &token)?;
    let presentation = Presentation { asked, token: &token.0, anchors: Some(&anchors.0) };
    let verified = judge(&presentation, &evidence, &policy(&files["type.json"])?, UnixSeconds(NOW))?;
    Ok(verified.credentials()["resident"][0].claims.as_map()["name"].as_str().unwrap().to_owned())
}

fn policy(metadata: &[u8]) -> Result<Policy, TypeError> {
    Ok(Policy {
        evidence: Freshness { max_age: 86_400, leeway: 60 },
        holder: Window { max_age: 300, leeway: 60 },
        leeway: 60,
        anchor: AnchorRule::Required,
        undetermined: OnUndetermined::Refuse,
        undetermined_for: BTreeMap::new(),
        types: vec![AcceptedType::parse(metadata)?],
    })
}

/// Runs a script on the files that stand here, where Python with its one package is there; says so where it is not.
fn python(script: &str, arguments: &[&str]) -> Option<(bool, String)> {
    python_on(folder(), script, arguments)
}

fn python_on(folder: &Path, script: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let there = Command::new("python3").args(["-c", "import cryptography"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        conformance::ignored("no python3 with the package cryptography here; the independent verifier was not run");
        return None;
    }
    let mut command = Command::new("python3");
    command.arg("-B").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script)).arg(folder).args(arguments);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn the_independent_verifier_accepts_them_while_they_are_fresh() {
    let verify = |now: i64| python("verify.py", &["--now", &now.to_string()]);
    let Some((accepted, said)) = verify(NOW) else { return };
    assert!(accepted, "{said}");
    for other in [NOW + 600, NOW - 600, NOW + 7 * 86_400] {
        assert!(!verify(other).is_some_and(|(accepted, _)| accepted), "at {other}");
    }
}

/// Both verdicts refuse, each for its reason, whatever does not fit the official's word.
#[test]
fn what_no_official_answers_for_is_refused_by_both() {
    for Refused { what, twist, code, said } in refused() {
        let files = make_twisted(twist);
        let refusal = verdict(&files).expect_err(what);
        assert_eq!(code_of(refusal.as_ref()).map(Code::as_str), Some(code), "{what}: {refusal}");
        let Some((accepted, words)) = independent(&files) else { continue };
        assert!(!accepted && words.contains(said), "{what}: {words}");
    }
}

/// Both hold a credential that states a digest of its type's metadata to the bytes that the ledger registered.
#[test]
fn another_version_of_the_type_than_the_credential_states_is_refused_by_both() {
    let stating = |integrity| make_twisted(Twist { integrity: Some(integrity), ..Twist::default() });
    let right = stating(|| TypeMetadata::integrity_of(TYPE));
    assert_eq!(verdict(&right).unwrap(), "样本一");
    assert!(independent(&right).is_none_or(|(accepted, _)| accepted));
    let wrong: [(fn() -> String, Code); 3] = [
        (|| TypeMetadata::integrity_of(b"{}"), Code::CredentialTypeIntegrity),
        (|| format!("{} sha384-AA==", TypeMetadata::integrity_of(TYPE)), Code::CredentialTypeIntegrity),
        (|| "md5-AA==".to_owned(), Code::CredentialTypeIntegrityMalformed),
    ];
    for (integrity, code) in wrong {
        let files = stating(integrity);
        let refusal = verdict(&files).unwrap_err();
        assert_eq!(code_of(refusal.as_ref()), Some(code));
        let Some((accepted, words)) = independent(&files) else { continue };
        assert!(!accepted && words.contains("another version of the type"), "{words}");
    }
}

/// Both go on accepting where the official says that the holder need not sign.
#[test]
fn wallets_that_cannot_sign_it_may_be_let_off_by_the_official_alone() {
    let let_off = Twist {
        word: |said| said.holder_signs = false,
        request: |payload| drop(payload.as_object_mut().unwrap().remove("transaction_data")),
        ..Twist::default()
    };
    let files = make_twisted(let_off);
    assert_eq!(verdict(&files).unwrap(), "样本一");
    assert!(independent(&files).is_none_or(|(accepted, _)| accepted));
    let signed_all_the_same = Twist { hashes: |hashes| hashes.push("x".to_owned()), ..let_off };
    let refusal = verdict(&make_twisted(signed_all_the_same)).unwrap_err();
    assert_eq!(code_of(refusal.as_ref()), Some(Code::KbJwtTransactionData));
    assert!(independent(&make_twisted(signed_all_the_same)).is_none_or(|(accepted, _)| !accepted));
}

fn code_of(error: &(dyn Error + 'static)) -> Option<Code> {
    let judged = error.downcast_ref::<Refusal>().map(Refusal::code);
    judged.or_else(|| error.downcast_ref::<RequestError>().map(RequestError::code))
}

/// What `verify.py` says of these files.
fn independent(files: &BTreeMap<&'static str, Vec<u8>>) -> Option<(bool, String)> {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| fs::write(folder.path().join(name), bytes).unwrap());
    python_on(folder.path(), "verify.py", &["--now", &NOW.to_string()])
}

/// Every byte is for `mutate.py` alone, a minute's work; here every fortieth.
#[test]
fn the_independent_verifier_refuses_changed_bytes() {
    let Some((held, said)) = python("mutate.py", &["--now", &NOW.to_string(), "--every", "40"]) else { return };
    assert!(held, "{said}");
}

/// One of four validators may lie about the time of its cosignature: it shifts nothing, in either direction.
#[test]
fn a_minority_makes_no_old_evidence_fresh_and_no_fresh_evidence_old() {
    let now = u64::try_from(NOW).unwrap();
    let two_days_ago = now - 2 * 86_400;
    for (certified, lie, fresh) in [
        (two_days_ago, now, false),
        (two_days_ago, u64::MAX >> 1, false),
        (now - 200, 0, true),
        (now - 200, now * 2, true),
    ] {
        let files = make_certified(certified, Some(lie));
        let judged = verdict(&files).map_err(|error| error.to_string());
        assert_eq!(judged.is_ok(), fresh, "{judged:?}");
        let Some((accepted, said)) = independent(&files) else { continue };
        assert_eq!(accepted, fresh, "{said}");
        assert_eq!(said.contains("stale"), !fresh, "{said}");
    }
}

/// Three of four validators certify; two do not.
#[test]
fn two_cosignatures_of_four_certify_nothing() {
    let whole = make();
    let certified = ["evidence.json", "anchors.json"].map(|name| {
        let text = std::str::from_utf8(&whole[name]).unwrap();
        let is_other = |line: &&str| !line.contains("/civil-affairs ");
        let lines: Vec<&str> = text.split("\\n— ").filter(is_other).collect();
        assert!(lines.len() < text.split("\\n— ").count(), "{name} has a cosignature less");
        (name, lines.join("\\n— ").into_bytes())
    });
    let files: BTreeMap<&'static str, Vec<u8>> = whole.into_iter().chain(certified).collect();
    let refused = verdict(&files).unwrap_err().to_string();
    assert!(refused.contains("make no quorum"), "{refused}");
    let Some((accepted, said)) = independent(&files) else { return };
    assert!(!accepted && said.contains("the checkpoint is not certified"), "{said}");
}
