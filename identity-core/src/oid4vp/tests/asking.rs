use super::*;

#[test]
fn a_link_survives_its_text() {
    let link = world().link;
    let text = link.to_string();
    assert!(
        text.starts_with(
            "openid4vp://?client_id=decentralized_identifier%3Adid%3Axinfu%3Atest%3Averifier&request_uri="
        )
    );
    assert_eq!(RequestLink::parse(&text, Transport::HttpsOnly), Ok(link));
}

#[test]
fn every_broken_link_is_refused_by_its_name() {
    let client = "client_id=decentralized_identifier:did:a:b";
    let uri = "request_uri=https://v.example/r";
    let cases = [
        (format!("openid4vp:?{client}&{uri}"), LinkError::Scheme),
        (format!("https://?{client}&{uri}"), LinkError::Scheme),
        (format!("openid4vp://?{client}&{uri}&{uri}"), LinkError::Malformed),
        (format!("openid4vp://?{client}&{uri}&request=a.b.c"), LinkError::ByValue),
        (format!("openid4vp://?{uri}"), LinkError::Missing { parameter: "client_id" }),
        (format!("openid4vp://?{client}"), LinkError::Missing { parameter: "request_uri" }),
        (format!("openid4vp://?{client}&request_uri=http://v.example/r"), LinkError::RequestUri),
        (format!("openid4vp://?{client}&request_uri=file:///etc/passwd"), LinkError::RequestUri),
        (format!("openid4vp://?{client}&request_uri=https://u:p@v.example/r"), LinkError::RequestUri),
        (format!("openid4vp://?{client}&{uri}&request_uri_method=PUT"), LinkError::Method),
        (format!("openid4vp://?{client}&{uri}&x={}", "x".repeat(5000)), LinkError::TooLong),
        (
            format!("openid4vp://?client_id=origin:https://v.example&{uri}"),
            LinkError::ClientId(client_id::ClientIdError::Unsupported(client_id::UnsupportedPrefix::Origin)),
        ),
    ];
    for (text, refusal) in cases {
        assert_eq!(RequestLink::parse(&text, Transport::HttpsOnly), Err(refusal), "{text}");
    }
}

#[test]
fn a_genuine_request_is_verified() {
    let world = world();
    let jwt = world.session.request_object(None, SignedBy::Key(&world.key_id), &world.key).unwrap();
    let verified = world.verify(&jwt).unwrap();
    assert_eq!(verified.parameters(), &world.session.parameters);
    assert_eq!(verified.key_id(), &world.key_id);
    assert_eq!(verified.jwt(), jwt);
}

#[test]
fn the_wallets_nonce_comes_back() {
    let world = world();
    let jwt = world.session.request_object(Some("wallet-nonce"), SignedBy::Key(&world.key_id), &world.key).unwrap();
    assert!(world.verify_with(&jwt, Some("wallet-nonce"), NOW).is_ok());
    assert_eq!(world.verify_with(&jwt, Some("another"), NOW), Err(RequestError::WalletNonce));
    let without = world.session.request_object(None, SignedBy::Key(&world.key_id), &world.key).unwrap();
    assert_eq!(world.verify_with(&without, Some("wallet-nonce"), NOW), Err(RequestError::WalletNonce));
}

#[test]
fn each_broken_parameter_is_refused_by_its_name() {
    use RequestError as E;
    let world = world();
    let missing = |parameter| E::Missing { parameter };
    let cases: Vec<(&str, Option<Value>, RequestError)> = vec![
        ("client_id", Some(json!("decentralized_identifier:did:a:b")), E::ClientIdMismatch),
        ("client_id", Some(json!("did:xinfu:test:verifier")), E::ClientIdMismatch),
        ("client_id", None, E::ClientIdMismatch),
        ("aud", Some(json!("https://verifier.example")), E::Audience),
        ("aud", Some(json!(["https://self-issued.me/v2"])), E::Audience),
        ("aud", None, E::Audience),
        ("response_type", Some(json!("code")), E::ResponseType),
        ("response_mode", Some(json!("direct_post.jwt")), E::EncryptionKey),
        ("response_mode", Some(json!("dc_api")), E::ResponseMode),
        ("response_mode", None, missing("response_mode")),
        ("response_uri", None, missing("response_uri")),
        ("response_uri", Some(json!("http://verifier.example:8443/vp")), E::ResponseUri),
        ("response_uri", Some(json!("https://verifier.example:8443/vp#x")), E::ResponseUri),
        ("response_uri", Some(json!(7)), E::NotText { parameter: "response_uri" }),
        ("response_uri", Some(json!("https://elsewhere.example/vp")), E::ForeignResponseUri),
        ("response_uri", Some(json!("https://verifier.example/vp")), E::ForeignResponseUri),
        ("response_uri", Some(json!("https://issuer.example/vp")), E::ForeignResponseUri),
        ("redirect_uri", Some(json!("https://verifier.example:8443/cb")), E::RedirectUri),
        ("scope", Some(json!("openid")), E::Scope),
        ("nonce", Some(json!("n-0S6_WzA2Mj")), E::Nonce),
        ("nonce", Some(json!("x".repeat(513))), E::Nonce),
        ("nonce", Some(json!("spaces are not URL-safe at all")), E::Nonce),
        ("nonce", None, missing("nonce")),
        ("state", Some(json!("a b")), E::State),
        ("dcql_query", None, missing("dcql_query")),
        ("client_metadata", None, missing("client_metadata")),
        ("client_metadata", Some(json!({})), E::ClientMetadata),
        ("client_metadata", Some(json!({ "vp_formats_supported": { "mso_mdoc": {} } })), E::Formats),
        (
            "client_metadata",
            Some(json!({ "vp_formats_supported": { "dc+sd-jwt": { "sd-jwt_alg_values": [] } } })),
            E::ClientMetadata,
        ),
        ("xinfu_anchor", Some(json!("maybe")), E::AnchorWish),
        ("xinfu_purpose", Some(json!("two words")), E::Purpose),
        ("transaction_data", Some(json!(["e30"])), E::TransactionData),
        ("transaction_data", Some(json!([])), E::TransactionData),
        ("exp", None, missing("exp")),
        ("exp", Some(json!(NOW.0)), E::Expired),
    ];
    for (name, value, refusal) in cases {
        let jwt = world.signed(|payload| {
            match &value {
                Some(value) => payload.insert(name.to_owned(), value.clone()),
                None => payload.remove(name),
            };
        });
        let got = world.verify(&jwt).unwrap_err();
        assert_eq!(got, refusal, "{name} = {value:?}");
        assert!(!got.oauth().as_str().is_empty() && !got.code().as_str().is_empty());
    }
    for exp in [json!("1790000300"), json!(1_790_000_300.5), json!(-1)] {
        let jwt = world.signed(|payload| drop(payload.insert("exp".to_owned(), exp.clone())));
        assert!(matches!(world.verify(&jwt), Err(E::Time(_))), "{exp}");
    }
}

#[test]
fn unknown_parameters_and_iss_are_ignored() {
    let world = world();
    let jwt = world.signed(|payload| {
        payload.insert("iss".to_owned(), json!("https://somebody.example"));
        payload.insert("unknown".to_owned(), json!({ "x": 1 }));
    });
    assert!(world.verify(&jwt).is_ok());
}

#[test]
fn only_the_clients_authentication_key_signs_requests() {
    let world = world();
    let did = world.key_id.did();
    let of = |kid: &str| world.verify(&world.signed_as(typ::REQUEST_OBJECT, kid, |_| ()));
    assert_eq!(of(&other_key(did).to_string()), Err(RequestError::Key));
    assert_eq!(of("did:xinfu:test:verifier#auth-9"), Err(RequestError::Key));
    assert_eq!(of("did:xinfu:test:somebody#auth-1"), Err(RequestError::KeyId));
    assert_eq!(of("../../etc/passwd"), Err(RequestError::KeyId));
    let foreign = Document::new(Did::parse("did:a:b").unwrap(), Vec::new(), Vec::new());
    let jwt = world.signed(|_| ());
    let unverified = UnverifiedRequest::parse(&world.link, &jwt, &TrustAnchors::none(), NOW).unwrap();
    assert_eq!(unverified.verify(&foreign, None, Transport::HttpsOnly, NOW), Err(RequestError::Document));
}

#[test]
fn other_types_and_changed_bytes_are_no_request() {
    let world = world();
    for typ in ["JWT", "kb+jwt", "oauth-authz-req+JWT"] {
        let jwt = world.signed_as(typ, &world.key_id.to_string(), |_| ());
        assert!(matches!(world.verify(&jwt), Err(RequestError::Jws(_))), "{typ}");
    }
    let jwt = world.signed(|_| ());
    for at in (0..jwt.len()).step_by(7) {
        let mut bytes = jwt.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(changed == jwt || world.verify(&changed).is_err(), "byte {at}");
    }
    let large = format!("{jwt}{}", "A".repeat(wallet::MAX_REQUEST_BYTES));
    assert!(matches!(world.verify(&large), Err(RequestError::Jws(_))));
}

#[test]
fn a_session_survives_its_store() {
    let world = world();
    let Value::Object(stored) = world.session.to_json() else { panic!() };
    assert_eq!(Session::from_json(&stored, Transport::HttpsOnly).unwrap(), world.session);
    assert_eq!(Session::from_json(&Map::new(), Transport::HttpsOnly), Err(RequestError::Stored));
}

#[test]
fn sessions_share_nothing() {
    let mut rng = StdRng::seed_from_u64(2);
    let parameters = world().session.parameters;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..100 {
        let ask = Ask {
            client_id: parameters.client_id.clone(),
            dcql_query: query(),
            purpose: None,
            anchor: None,
            encrypt_to: None,
            lifetime: 1,
        };
        let session = Session::make(ask, |_| parameters.response_uri.clone(), NOW, &mut rng).unwrap();
        assert!(session.parameters.nonce.len() >= request::MIN_NONCE_CHARS);
        for text in [session.id, session.parameters.nonce, session.parameters.state.unwrap()] {
            assert!(request::is_url_safe(&text) && seen.insert(text));
        }
    }
}
