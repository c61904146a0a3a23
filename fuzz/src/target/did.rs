//! DIDs, DID URLs, and the documents behind them.

use identity_core::did::method::{jwk, key};
use identity_core::did::{Did, DidUrl, Document, Resolution, resolve};

use crate::{Outcome, text};

/// A DID and a DID URL read the same when written down; the key in a `did:key` or `did:jwk` makes the same DID again.
pub fn did(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    if let Ok(url) = DidUrl::parse(text) {
        assert_eq!(url.to_string(), text);
        assert_eq!(DidUrl::new(url.did().clone(), url.fragment()).as_ref(), Ok(&url));
    }
    let Ok(did) = Did::parse(text) else { return Outcome::Refused };
    assert_eq!(did.as_str(), text);
    let resolution = resolve(&did);
    if let Ok(Resolution::Ready(document)) = &resolution {
        let method = document.methods().first().expect("such a DID is a key");
        let again = if did.method() == key::NAME { key::did_of(method.jwk().key()) } else { jwk::did_of(method.jwk()) };
        // A did:jwk may write the same key in several ways; the one we would write resolves to the same key.
        let Ok(Resolution::Ready(ours)) = resolve(&again.expect("the key is writable")) else { panic!("not ours") };
        assert_eq!(ours.methods().first().map(|method| method.jwk().key()), Some(method.jwk().key()));
        let _ = Document::parse(document.to_json().to_string().as_bytes(), &did).expect("our own document");
    }
    Outcome::of(&resolution)
}

/// A document is about the DID that was asked for, and reads the same when written down.
pub fn document(data: &[u8]) -> Outcome {
    let expected = Did::parse("did:example:sample").unwrap();
    let parsed = Document::parse(data, &expected);
    if let Ok(document) = &parsed {
        assert_eq!(*document.id(), expected);
        assert_eq!(Document::parse(document.to_json().to_string().as_bytes(), &expected).as_ref(), Ok(document));
    }
    Outcome::of(&parsed)
}
