//! A period holds as it was written; whatever was done to it is refused by its own name.

use ledger::sha256;

use super::{Period, PeriodError};
use crate::receipt::ChainHead;
use crate::sample::period::Service;

#[test]
fn a_period_shows_all_that_the_service_did_in_it() {
    let service = Service::new();
    let root = service.ledger.trust_root();
    let checked = service.middle().check(&root).unwrap();
    let places: Vec<u64> = checked.entries().iter().map(crate::receipt::Entry::seq).collect();
    assert_eq!(places, [5, 6, 7, 8, 9]);
    assert!(checked.is_closed() && checked.waiting() == 0);
    assert_eq!(checked.anchored(), ChainHead { seq: 11, digest: Some(sha256(service.entries[10].as_bytes())) });

    let checked = service.open().check(&root).unwrap();
    assert_eq!((checked.entries().len(), checked.waiting(), checked.is_closed()), (4, 1, false));
    let whole = service.period(1, 12).check(&root).unwrap();
    assert_eq!((whole.entries().len(), whole.waiting()), (12, 1));
}

#[test]
fn a_period_in_which_nothing_happened_shows_that() {
    let service = Service::new();
    let checked = service.nothing().check(&service.ledger.trust_root()).unwrap();
    assert!(checked.entries().is_empty() && checked.is_closed());
}

#[test]
fn whatever_was_done_to_a_period_is_refused_by_its_own_name() {
    let service = Service::new();
    let mutations = service.mutations();
    assert!(mutations.len() >= 20);
    for mutation in mutations {
        let found = mutation.period.check(&service.ledger.trust_root());
        assert_eq!(found.err(), Some(mutation.expected), "{}", mutation.name);
    }
}

#[test]
fn a_file_is_read_as_it_was_written_and_no_other() {
    let service = Service::new();
    let period = service.middle();
    let text = period.to_text().unwrap();
    assert!(Period::is_one(text.as_bytes()));
    assert_eq!(Period::parse(text.as_bytes()).as_ref(), Ok(&period));
    for place in (0..text.len() - 60).step_by(97) {
        let mut bytes = text.clone().into_bytes();
        bytes[place] ^= 1;
        assert!(matches!(Period::parse(&bytes), Err(PeriodError::Changed | PeriodError::Malformed)), "byte {place}");
    }
    for other in ["", "{}", "{\"format\":\"xinfu-period-1\"}"] {
        assert_eq!(Period::parse(other.as_bytes()), Err(PeriodError::Malformed));
    }
}
