//! SD-JWT (RFC 9901), key binding, type metadata and queries over a held credential.

use std::sync::LazyLock;

use identity_core::crypto::{PublicKey, SecretKey, Signer as _};
use identity_core::dcql::Query;
use identity_core::encoding::base64url;
use identity_core::jose::{ExpectedTyp, SignHeader, sign_compact};
use identity_core::kb_jwt::{Confirmation, Window, verify_by};
use identity_core::sample::parties::key;
use identity_core::sample::world::{NONCE, NOW, World, holder};
use identity_core::sd_jwt::{
    ClaimPath, HeldSdJwt, JsonForm, SdJwtError, UnverifiedSdJwt, VerifiedSdJwt, compact_from_json, json_from_compact,
};
use identity_core::sd_jwt_vc::TypeMetadata;
use sd_jwt_payload as peer;
use serde_json::{Map, Value};

use crate::{Outcome, text as as_text};

static ISSUER: LazyLock<SecretKey> = LazyLock::new(|| key(31, 1));
static WORLD: LazyLock<World> = LazyLock::new(World::new);

fn verify<'t>(text: &'t str, issuer: &PublicKey) -> Result<VerifiedSdJwt<'t>, SdJwtError> {
    UnverifiedSdJwt::parse(text)?.verify(issuer, ExpectedTyp::Exactly("fuzz"))
}

/// The whole text as it comes from a stranger: nothing verifies that the issuer did not sign.
pub fn text(data: &[u8]) -> Outcome {
    let Some(text) = as_text(data) else { return Outcome::Refused };
    assert!(verify(text, ISSUER.public_key()).is_err(), "nobody signed this");
    let parsed = UnverifiedSdJwt::parse(text);
    if let Ok(sd_jwt) = &parsed {
        assert!(text.starts_with(sd_jwt.jws().compact()));
        assert_eq!(sd_jwt.has_key_binding(), !text.ends_with('~'));
    }
    let _ = HeldSdJwt::dangerous_reopen(text.to_owned());
    Outcome::of(&parsed)
}

/// Payload and disclosures as an issuer of bad will would make them: a line of JSON for the payload, then one for each
/// disclosure. `"#n"` stands for the digest of disclosure `n`, which no mutation would hit upon.
///
/// What we accept, `sd-jwt-payload` reads alike; where it accepts and we refuse, we are the stricter on purpose.
pub fn processing(data: &[u8]) -> Outcome {
    let Some(text) = as_text(data).and_then(assemble) else { return Outcome::Refused };
    let verified = verify(&text, ISSUER.public_key());
    if let Ok(verified) = &verified {
        agree_with_peer(&text, verified.claims());
        let held = HeldSdJwt::receive(verified);
        let all: Vec<_> = held.disclosable().cloned().collect();
        let shown = held.present(&all).expect("every disclosure can be shown");
        let shown = verify(shown.text(), ISSUER.public_key()).expect("what was shown of it holds");
        assert_eq!(shown.claims(), verified.claims());
        let least = held.present(&[]).expect("nothing can be shown");
        assert_eq!(verify(least.text(), ISSUER.public_key()).expect("it holds").disclosed().count(), 0);
    }
    Outcome::of(&verified)
}

fn assemble(lines: &str) -> Option<String> {
    let mut lines: Vec<String> = lines.lines().take(10).map(str::to_owned).collect();
    let mut digests: Vec<(usize, String)> = Vec::new();
    let mut disclosures = Vec::new();
    for place in (0..lines.len()).rev() {
        for (number, digest) in &digests {
            lines[place] = lines[place].replace(&format!("\"#{number}\""), &format!("\"{digest}\""));
        }
        if place > 0 {
            let disclosure = base64url::encode(lines[place].as_bytes());
            digests.push((place, base64url::encode(ledger::sha256(disclosure.as_bytes()).as_bytes())));
            disclosures.push(disclosure);
        }
    }
    disclosures.reverse();
    let jwt = sign_compact(SignHeader::new("fuzz"), lines.first()?.as_bytes(), &*ISSUER).ok()?;
    let parts: Vec<String> = std::iter::once(jwt).chain(disclosures).chain([String::new()]).collect();
    Some(parts.join("~"))
}

/// The peer loses an object that stands in an array and becomes empty, where RFC 9901 §7.1 step 3.e keeps `{}`; and it may
/// leave the place of an array element that is not disclosed, where step 3.d takes it out.
fn agree_with_peer(text: &str, ours: &Map<String, Value>) {
    let theirs =
        peer::SdJwt::parse(text).ok().and_then(|sd_jwt| sd_jwt.into_disclosed_object(&peer::Sha256Hasher::new()).ok());
    let is_like_ours = |theirs: &Map<String, Value>| {
        !holds_empty_object(&Value::Object(ours.clone())) && !holds_place(&Value::Object(theirs.clone()))
    };
    if let Some(theirs) = theirs.filter(is_like_ours) {
        let (ours, theirs) = (Value::Object(ours.clone()), Value::Object(theirs));
        assert!(are_alike(&ours, &theirs), "ours {ours}, theirs {theirs}");
    }
}

/// Equal, but for the last digits of fractions: the peer reads `2e-81` as 2.0000000000000002e-81.
fn are_alike(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let is_there = |(name, value)| theirs.get(name).is_some_and(|theirs| are_alike(value, theirs));
            ours.len() == theirs.len() && ours.iter().all(is_there)
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| are_alike(ours, theirs))
        }
        (Value::Number(one), Value::Number(other)) if one.is_f64() && other.is_f64() => one
            .as_f64()
            .zip(other.as_f64())
            .is_some_and(|(one, other)| (one - other).abs() <= (one.abs() * 1e-15).max(f64::MIN_POSITIVE)),
        _ => ours == theirs,
    }
}

fn holds_empty_object(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty() || members.values().any(holds_empty_object),
        Value::Array(elements) => elements.iter().any(holds_empty_object),
        _ => false,
    }
}

/// Whether the place of an element that is not disclosed stands in it.
fn holds_place(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.contains_key("...") || members.values().any(holds_place),
        Value::Array(elements) => elements.iter().any(holds_place),
        _ => false,
    }
}

/// The claims of a KB-JWT that the holder signed: it binds only if it names this occasion and this presentation.
/// `"#0"` stands for the right `sd_hash`, `"#1"` for the digest of the request's transaction data.
pub fn key_binding(data: &[u8]) -> Outcome {
    let Some(claims) = as_text(data) else { return Outcome::Refused };
    let held = HeldSdJwt::dangerous_reopen(WORLD.credential.clone()).unwrap();
    let presentation = held.present(&[]).unwrap();
    let sd_hash = base64url::encode(ledger::sha256(presentation.text().as_bytes()).as_bytes());
    let to_sign = WORLD.to_sign("id");
    let claims = claims.replace("\"#0\"", &format!("\"{sd_hash}\"")).replace("\"#1\"", &format!("\"{}\"", to_sign[0]));
    let kb_jwt = sign_compact(SignHeader::new("kb+jwt"), claims.as_bytes(), &holder()).unwrap();
    let shown = format!("{}{kb_jwt}", presentation.text());
    let sd_jwt = UnverifiedSdJwt::parse(&shown).unwrap();
    let sd_jwt = sd_jwt.verify(WORLD.issuer.asserter().public_key(), ExpectedTyp::Exactly("dc+sd-jwt")).unwrap();
    let occasion = WORLD.occasion(&to_sign);
    let window = Window { max_age: 300, leeway: 30 };
    let bound = verify_by(&sd_jwt, holder().public_key(), occasion, window, NOW);
    if bound.is_ok() {
        let claims: Value = serde_json::from_str(&claims).expect("claims are JSON");
        assert_eq!(claims["nonce"], NONCE);
        assert_eq!(claims["aud"], WORLD.request.client_id.as_str());
        assert_eq!(claims["transaction_data_hashes"], Value::from(to_sign));
        assert_eq!(claims["sd_hash"], sd_hash);
        assert!(claims["iat"].as_i64().is_some_and(|iat| (NOW.0 - 330..=NOW.0 + 30).contains(&iat)));
    }
    Outcome::of(&bound)
}

/// Type metadata, and the sample credential judged by it.
pub fn type_metadata(data: &[u8]) -> Outcome {
    let parsed = TypeMetadata::parse(data);
    if let Ok(metadata) = &parsed {
        let held = HeldSdJwt::dangerous_reopen(WORLD.credential.clone()).unwrap();
        let _ = metadata.check_issued(&held);
        let _ = (metadata.name("zh-CN"), metadata.name(""));
    }
    Outcome::of(&parsed)
}

/// A query: what the wallet would show for it is shown by the credential, and no more than the query names.
pub fn dcql(data: &[u8]) -> Outcome {
    let Ok(value) = serde_json::from_slice(data) else { return Outcome::Refused };
    let parsed = Query::from_json(&value);
    if let Ok(query) = &parsed {
        let held = HeldSdJwt::dangerous_reopen(WORLD.credential.clone()).unwrap();
        for credential in &query.credentials {
            let Some(paths) = credential.disclosures(&held) else { continue };
            let disclosed = held.disclosed_by(&paths).expect("the paths are the credential's own");
            let asked = |path: &ClaimPath| paths.iter().any(|wanted| path.covers(wanted) || wanted.covers(path));
            assert!(disclosed.iter().all(|path| asked(path)), "more than was asked for");
            let _ = held.present(&paths).expect("what answers can be shown");
        }
    }
    Outcome::of(&parsed)
}

/// The processed claims of a credential: how they name the holder's key reads the same when written down again.
pub fn confirmation(data: &[u8]) -> Outcome {
    let Ok(claims) = serde_json::from_slice(data) else { return Outcome::Refused };
    let named = Confirmation::read(&claims);
    if let Ok(named) = &named {
        let again = Map::from_iter([("cnf".to_owned(), serde_json::to_value(named).unwrap())]);
        assert_eq!(Confirmation::read(&again).as_ref().map(Confirmation::key), Ok(named.key()));
    }
    Outcome::of(&named)
}

/// An SD-JWT in a JSON serialisation: a compact form that comes of it goes back into both, and comes of them again.
pub fn serialisation(data: &[u8]) -> Outcome {
    let Some(text) = as_text(data) else { return Outcome::Refused };
    let compact = compact_from_json(text);
    if let Ok(compact) = &compact
        && UnverifiedSdJwt::parse(compact).is_ok()
    {
        for form in [JsonForm::Flattened, JsonForm::General] {
            let json = json_from_compact(compact, form).expect("it was parsed");
            assert_eq!(compact_from_json(&json).as_ref(), Ok(compact));
        }
    }
    Outcome::of(&compact)
}
