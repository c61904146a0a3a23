//! The status lists of the specification's own test vectors, with one and two bits per entry.

use conformance::json_vectors;
use identity_core::encoding::base64url;
use identity_core::status::{Bits, Status, StatusList};
use serde_json::Value;

const FILE: &str = "token-status-list/one-and-two-bit.json";

struct Case {
    list: StatusList,
    byte_len: usize,
    /// Either every entry, or every entry that is not zero.
    stated: Vec<(usize, Status)>,
}

fn cases() -> Vec<Case> {
    let Some(file) = json_vectors(FILE) else { return Vec::new() };
    file.as_array().into_iter().flatten().filter_map(read).collect()
}

fn read(case: &Value) -> Option<Case> {
    let bits = Bits::from_count(case["bits"].as_u64()?)?;
    let compressed = base64url::decode(case["lst"].as_str()?).ok()?;
    let status = |value: &Value| u8::try_from(value.as_u64()?).ok().map(Status::from_value);
    let stated = case["nonzero_or_all"].as_object()?.iter();
    Some(Case {
        list: StatusList::decompress(bits, &compressed).ok()?,
        byte_len: usize::try_from(case["byte_len"].as_u64()?).ok()?,
        stated: stated.map(|(index, value)| Some((index.parse().ok()?, status(value)?))).collect::<Option<_>>()?,
    })
}

#[test]
fn all_four_lists_are_read() {
    assert!(json_vectors(FILE).is_none() || cases().len() == 4);
    for case in cases() {
        assert_eq!(case.list.as_bytes().len(), case.byte_len);
        let mut other = 0;
        for index in 0..case.list.entries() {
            let stated = case.stated.iter().find(|(at, _)| *at == index).map(|(_, status)| *status);
            assert_eq!(case.list.get(index), Ok(stated.unwrap_or(Status::Valid)), "entry {index}");
            other += usize::from(stated.is_none());
        }
        assert_eq!(other + case.stated.len(), case.list.entries());
        assert!(case.list.get(case.list.entries()).is_err());
    }
}

#[test]
fn setting_the_stated_entries_builds_the_same_lists() {
    for case in cases() {
        let mut built = StatusList::from_bytes(case.list.bits(), vec![0; case.byte_len]).expect("within the limit");
        for (index, status) in &case.stated {
            built.set(*index, *status).expect("within the list");
        }
        assert_eq!(built, case.list);
        let again = StatusList::decompress(built.bits(), &built.compress().expect("memory")).expect("our own");
        assert_eq!(again, case.list);
    }
}
