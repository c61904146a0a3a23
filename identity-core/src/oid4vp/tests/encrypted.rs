//! Answers under `direct_post.jwt`.

use super::*;
use crate::encoding::base64url;
use crate::jose::jwe::{self, DecryptionKey, Enc, JweError};
use crate::oid4vp::verifier::accept;

const JWE_LIMIT: usize = 64 * 1024;

/// A world whose request demands an encrypted answer, and the private key for it.
fn encrypted_world() -> (World, DecryptionKey) {
    let mut world = world();
    let key = DecryptionKey::generate(&mut StdRng::seed_from_u64(3)).unwrap();
    world.session.parameters.mode = ResponseMode::DirectPostJwt(Box::new(Encryption::to(key.public().clone())));
    (world, key)
}

fn token() -> VpToken {
    VpToken([("resident", "a~b~c"), ("licence", "d~")].map(|(id, one)| (id.to_owned(), vec![one.to_owned()])).into())
}

fn anchors() -> Anchors {
    Anchors(["resident", "licence"].map(|id| (id.to_owned(), vec![json!({ "n": 1 })])).into())
}

fn response(token: &str) -> Vec<u8> {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("response", token).finish().into_bytes()
}

fn sealed(world: &World, key: &DecryptionKey, content: &Value) -> Result<Answer, ResponseError> {
    let token = jwe::encrypt(content.to_string().as_bytes(), key.public(), Enc::A128Gcm).unwrap();
    accept(&world.session, Some(key), &response(&token), NOW)
}

#[test]
fn what_the_wallet_encrypts_arrives() {
    let (world, key) = encrypted_world();
    let request = world.verify(&world.signed(|_| ())).unwrap();
    assert_eq!(request.parameters(), &world.session.parameters);
    let body = request.answer(&token(), &anchors()).unwrap();
    assert!(!body.contains("vp_token") && !body.contains("state"), "{body}");
    let answer = accept(&world.session, Some(&key), body.as_bytes(), NOW).unwrap();
    assert_eq!(answer, Answer::Presented { token: token(), anchors: Some(anchors()) });
    let body = request.refusal(OAuthError::AccessDenied).unwrap();
    let declined = accept(&world.session, Some(&key), body.as_bytes(), NOW);
    assert_eq!(declined, Ok(Answer::Declined(WalletError::AccessDenied)));
}

#[test]
fn the_wallet_takes_the_best_method_that_is_offered() {
    let (world, key) = encrypted_world();
    let enc = |offered: Option<Value>| {
        let jwt = world.signed(|payload| {
            let metadata = payload["client_metadata"].as_object_mut().unwrap();
            match offered {
                Some(offered) => metadata.insert("encrypted_response_enc_values_supported".to_owned(), offered),
                None => metadata.remove("encrypted_response_enc_values_supported"),
            };
        });
        let body = world.verify(&jwt)?.answer(&token(), &anchors()).unwrap();
        let token = body.strip_prefix("response=").unwrap();
        assert!(jwe::decrypt(token, &key, JWE_LIMIT).is_ok());
        let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        Ok::<_, RequestError>(header["enc"].as_str().unwrap().to_owned())
    };
    assert_eq!(enc(Some(json!(["A128GCM", "A256GCM"]))).unwrap(), "A256GCM");
    assert_eq!(enc(Some(json!(["A128CBC-HS256", "A128GCM"]))).unwrap(), "A128GCM");
    assert_eq!(enc(None).unwrap(), "A128GCM", "the default of the specification");
    for none_of_ours in [json!(["A128CBC-HS256"]), json!([]), json!("A256GCM"), json!([7])] {
        assert_eq!(enc(Some(none_of_ours)), Err(RequestError::EncryptionMethod));
    }
}

#[test]
fn a_request_without_a_usable_key_is_refused() {
    let (world, key) = encrypted_world();
    let verify = |keys: Value| {
        let jwt = world.signed(|payload| payload["client_metadata"]["jwks"] = json!({ "keys": keys }));
        world.verify(&jwt).map(|request| request.parameters().mode.clone())
    };
    let good = key.public().to_jwk();
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        jwk
    };
    let others = [with("kty", json!("RSA")), with("alg", json!("ECDH-ES+A128KW")), with("use", json!("sig"))];
    for keys in [json!([]), json!(null), json!(others), json!([with("y", good["x"].clone())])] {
        assert_eq!(verify(keys.clone()), Err(RequestError::EncryptionKey), "{keys}");
    }
    let [rsa, wrapped, signing] = others;
    assert_eq!(verify(json!([rsa, wrapped, signing, good])), Ok(world.session.parameters.mode.clone()));
}

#[test]
fn plain_for_encrypted_and_encrypted_for_plain_are_refused() {
    let (world, key) = encrypted_world();
    let state = world.session.parameters.state.clone().unwrap();
    let plain = format!("state={state}&vp_token=%7B%7D");
    let of = |body: &str| accept(&world.session, Some(&key), body.as_bytes(), NOW);
    assert_eq!(of(&plain), Err(ResponseError::NotEncrypted));
    assert_eq!(of(&format!("state={state}")), Err(ResponseError::NotEncrypted));
    assert_eq!(of(&format!("response=a.b.c.d.e&{plain}")), Err(ResponseError::Malformed));
    // A wallet that cannot encrypt may say why, in plain (section 8.3.1).
    let declined = of(&format!("state={state}&error=access_denied"));
    assert_eq!(declined, Ok(Answer::Declined(WalletError::AccessDenied)));
    assert_eq!(of("state=another&error=access_denied"), Err(ResponseError::State));

    let mut plain_world = world;
    plain_world.session.parameters.mode = ResponseMode::DirectPost;
    let token = jwe::encrypt(b"{}", key.public(), Enc::A256Gcm).unwrap();
    assert_eq!(accept(&plain_world.session, None, &response(&token), NOW), Err(ResponseError::Encrypted));
}

#[test]
fn what_is_inside_is_held_to_the_same_rules() {
    let (world, key) = encrypted_world();
    let state = world.session.parameters.state.clone().unwrap();
    let good = json!({ "state": state, "vp_token": token().to_json(), "xinfu_anchor": anchors().to_json() });
    let with = |name: &str, value: Value| {
        let mut content = good.clone();
        content[name] = value;
        content
    };
    assert!(sealed(&world, &key, &with("unknown", json!({}))).is_ok());
    let cases = [
        (with("state", json!("another")), ResponseError::State),
        (with("state", json!(7)), ResponseError::State),
        (with("error", json!("access_denied")), ResponseError::Nothing),
        (json!({ "state": state }), ResponseError::Nothing),
        // As text it would be a second way to say the same.
        (with("vp_token", json!(token().to_json().to_string())), ResponseError::VpToken),
        (with("vp_token", json!(null)), ResponseError::VpToken),
        (with("xinfu_anchor", json!("{}")), ResponseError::Anchors),
        (json!({ "state": state, "vp_token": token().to_json() }), ResponseError::AnchorsMissing),
        (json!([good]), ResponseError::Malformed),
        (json!("eyJhbGciOiJub25lIn0.e30."), ResponseError::Malformed),
    ];
    for (content, refusal) in cases {
        assert_eq!(sealed(&world, &key, &content), Err(refusal), "{content}");
    }
}

#[test]
fn after_its_time_nothing_is_decrypted() {
    let (world, key) = encrypted_world();
    let body = response("not.even.a.token.");
    let expires = world.session.parameters.expires;
    assert_eq!(accept(&world.session, Some(&key), &body, expires), Err(ResponseError::Expired));
    assert_eq!(accept(&world.session, None, &body, NOW), Err(ResponseError::Expired), "the key is gone");
    let before = accept(&world.session, Some(&key), &body, expires.plus(-1));
    assert!(matches!(before, Err(ResponseError::Jwe(JweError::Encoding(_) | JweError::Json(_)))), "{before:?}");
}

#[test]
fn a_session_for_an_encrypted_answer_survives_its_store() {
    let (world, _) = encrypted_world();
    let Value::Object(stored) = world.session.to_json() else { panic!() };
    assert_eq!(Session::from_json(&stored, Transport::HttpsOnly).unwrap(), world.session);
}
