use super::*;

const HTTPS: Transport = Transport::HttpsOnly;

fn sample() -> CredentialOffer {
    CredentialOffer::pre_authorized(
        "https://issuer.example/a b".replace(' ', "-").as_str(),
        "id",
        "c+d e".to_owned(),
        Some(TxCodeHint::digits(6)),
    )
}

#[test]
fn a_link_reads_back_as_it_was_written() {
    let by_value = OfferLink::ByValue(sample());
    assert_eq!(OfferLink::parse(&by_value.to_link(), HTTPS).unwrap(), by_value);
    let by_reference = OfferLink::ByReference(Url::parse("https://issuer.example/offers/1?x=%20").unwrap());
    assert_eq!(OfferLink::parse(&by_reference.to_link(), HTTPS).unwrap(), by_reference);
}

#[test]
fn an_empty_tx_code_object_still_demands_a_code() {
    let text = br#"{"credential_issuer":"https://i.example","credential_configuration_ids":["a"],"unknown":1,
        "grants":{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"x","tx_code":{}}}}"#;
    let offer = CredentialOffer::parse(text, HTTPS).unwrap();
    assert_eq!(offer.grants.pre_authorized.unwrap().tx_code, Some(TxCodeHint::default()));
}

#[test]
fn debug_text_leaves_the_code_out() {
    assert!(!format!("{:?}", sample()).contains("c+d"));
}

#[test]
fn hostile_links_are_refused_by_name() {
    let json = serde_json::to_string(&sample()).unwrap();
    let encoded: String = ::url::form_urlencoded::byte_serialize(json.as_bytes()).collect();
    let long =
        format!("openid-credential-offer://?credential_offer_uri=https://i.example/{}", "a".repeat(MAX_LINK_BYTES));
    let cases = [
        ("not a link".to_owned(), OfferRefusal::NotALink),
        (long, OfferRefusal::NotALink),
        ("openid-credential-offer://".to_owned(), OfferRefusal::Nothing),
        ("openid-credential-offer://?other=1".to_owned(), OfferRefusal::Nothing),
        (
            format!("openid-credential-offer://?credential_offer={encoded}&credential_offer_uri=https://i.example"),
            OfferRefusal::MoreThanOnce,
        ),
        (
            format!("openid-credential-offer://?credential_offer={encoded}&credential_offer={encoded}"),
            OfferRefusal::MoreThanOnce,
        ),
        ("openid-credential-offer://?credential_offer_uri=http://169.254.169.254/".to_owned(), OfferRefusal::Reference),
        ("openid-credential-offer://?credential_offer_uri=file:///etc/passwd".to_owned(), OfferRefusal::Reference),
        (
            "openid-credential-offer://?credential_offer=%7B".to_owned(),
            OfferRefusal::Json(JsonError::Malformed { at: 1 }),
        ),
    ];
    for (link, expected) in cases {
        assert_eq!(OfferLink::parse(&link, HTTPS).unwrap_err(), expected, "{link:.80}");
    }
}

#[test]
fn hostile_offers_are_refused_by_name() {
    let grant = r#"{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"x"}}"#;
    let offer = |issuer: &str, ids: &str, grants: &str| {
        format!(r#"{{"credential_issuer":"{issuer}","credential_configuration_ids":{ids},"grants":{grants}}}"#)
    };
    let long = "d".repeat(301);
    let hint = |hint: &str| {
        format!(
            r#"{{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{{"pre-authorized_code":"x","tx_code":{hint}}}}}"#
        )
    };
    let cases = [
        (offer("http://i.example", r#"["a"]"#, grant), OfferRefusal::Issuer),
        (offer("https://i.example?x", r#"["a"]"#, grant), OfferRefusal::Issuer),
        (offer("https://i.example", "[]", grant), OfferRefusal::Configurations),
        (offer("https://i.example", r#"["a","a"]"#, grant), OfferRefusal::Configurations),
        (offer("https://i.example", r#""a""#, grant), OfferRefusal::Json(JsonError::Shape)),
        (offer("https://i.example", r#"["a"]"#, "{}"), OfferRefusal::Grant),
        (offer("https://i.example", r#"["a"]"#, r#"{"authorization_code":{}}"#), OfferRefusal::Grant),
        (offer("https://i.example", r#"["a"]"#, &hint(r#"{"length":0}"#)), OfferRefusal::TxCodeHint),
        (
            offer("https://i.example", r#"["a"]"#, &hint(&format!(r#"{{"description":"{long}"}}"#))),
            OfferRefusal::TxCodeHint,
        ),
        (
            offer("https://i.example", r#"["a"]"#, &hint(r#"{"input_mode":"emoji"}"#)),
            OfferRefusal::Json(JsonError::Shape),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(CredentialOffer::parse(text.as_bytes(), HTTPS).unwrap_err(), expected, "{text:.120}");
    }
}

#[test]
fn an_offer_that_names_two_issuers_is_refused() {
    let text = br#"{"credential_issuer":"https://a.example","credential_issuer":"https://b.example"}"#;
    let refusal = CredentialOffer::parse(text, HTTPS).unwrap_err();
    assert!(matches!(refusal, OfferRefusal::Json(JsonError::DuplicateKey { .. })));
}
