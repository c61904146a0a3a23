use serde_json::{Map, Value, json};

use super::{ClaimError, Times, numeric_date, string};
use crate::time::UnixSeconds;

fn exp(value: Value) -> Map<String, Value> {
    json!({ "exp": value }).as_object().cloned().unwrap()
}

#[test]
fn a_time_is_an_integer_or_its_own_refusal() {
    let claim = "exp";
    let read = |value: Value| numeric_date(&exp(value), claim);
    assert_eq!(read(json!(1_700_000_000)), Ok(Some(UnixSeconds(1_700_000_000))));
    assert_eq!(read(json!(0)), Ok(Some(UnixSeconds(0))));
    assert_eq!(read(json!(253_402_300_799_i64)), Ok(Some(UnixSeconds::MAX)));
    assert_eq!(numeric_date(&Map::new(), claim), Ok(None));
    for value in [json!("1700000000"), json!(null), json!(true), json!([1]), json!({})] {
        assert_eq!(read(value), Err(ClaimError::TimeNotANumber { claim }));
    }
    for value in [json!(1.5), json!(1_700_000_000.0), json!(-0.0), json!(1e18)] {
        assert_eq!(read(value), Err(ClaimError::TimeFractional { claim }));
    }
    assert_eq!(read(json!(-1)), Err(ClaimError::TimeNegative { claim }));
    for value in [json!(1_u64 << 63), json!(u64::MAX), json!(i64::MAX), json!(253_402_300_800_i64)] {
        assert_eq!(read(value), Err(ClaimError::TimeTooLarge { claim }));
    }
}

#[test]
fn leeway_has_exact_edges() {
    let times = Times {
        issued_at: Some(UnixSeconds(100)),
        not_before: Some(UnixSeconds(100)),
        expires: Some(UnixSeconds(200)),
    };
    assert_eq!(times.check(UnixSeconds(94), 5), Err(ClaimError::NotYetValid));
    assert_eq!(times.check(UnixSeconds(95), 5), Ok(()));
    assert_eq!(times.check(UnixSeconds(204), 5), Ok(()));
    assert_eq!(times.check(UnixSeconds(205), 5), Err(ClaimError::Expired));
    assert_eq!(times.check(UnixSeconds(199), 0), Ok(()));
    assert_eq!(times.check(UnixSeconds(200), 0), Err(ClaimError::Expired));
    let issued = Times { not_before: None, ..times };
    assert_eq!(issued.check(UnixSeconds(94), 5), Err(ClaimError::IssuedInFuture));
    assert_eq!(Times::default().check(UnixSeconds(0), 0), Ok(()));
}

#[test]
fn freshness_has_a_window_on_both_sides() {
    let times = Times { issued_at: Some(UnixSeconds(1000)), ..Times::default() };
    assert_eq!(times.check_fresh(UnixSeconds(994), 60, 5), Err(ClaimError::IssuedInFuture));
    assert_eq!(times.check_fresh(UnixSeconds(995), 60, 5), Ok(()));
    assert_eq!(times.check_fresh(UnixSeconds(1065), 60, 5), Ok(()));
    assert_eq!(times.check_fresh(UnixSeconds(1066), 60, 5), Err(ClaimError::IssuedTooLongAgo));
    let none = Times::default();
    assert_eq!(none.check_fresh(UnixSeconds(0), 60, 5), Err(ClaimError::Missing { claim: "iat" }));
}

#[test]
fn string_claims_are_strings() {
    let claims = json!({"iss": "a", "aud": ["b"]}).as_object().cloned().unwrap();
    assert_eq!(string(&claims, "iss"), Ok("a"));
    assert_eq!(string(&claims, "aud"), Err(ClaimError::WrongType { claim: "aud" }));
    assert_eq!(string(&claims, "sub"), Err(ClaimError::Missing { claim: "sub" }));
}
