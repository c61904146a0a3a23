//! `application/x-www-form-urlencoded` bodies, read strictly: a repeated parameter is refused (RFC 6749 §3.2).

use std::collections::BTreeMap;

/// Parameters a form may have. More than any request here uses; beyond it a body is a flood, not a request.
pub const MAX_PARAMETERS: usize = 64;

/// Why a body is not a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormRefusal {
    /// Not ASCII, an escape that is none, no text when decoded, or more than [`MAX_PARAMETERS`] parameters.
    #[error("the body is not a form")]
    Malformed,
    /// A parameter stands twice.
    #[error("a parameter stands twice")]
    Repeated,
}

/// A form whose parameters each stand once.
#[derive(Debug, Default)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a form from the bytes of a body.
    ///
    /// # Errors
    /// [`FormRefusal`] when the bytes are no form or a parameter stands twice.
    pub fn parse(body: &[u8]) -> Result<Self, FormRefusal> {
        if !body.is_ascii() || !escapes_are_whole(body) {
            return Err(FormRefusal::Malformed);
        }
        let mut parameters = BTreeMap::new();
        for (name, value) in ::url::form_urlencoded::parse(body) {
            // The decoder puts U+FFFD for what is no UTF-8: two different values could then look alike.
            let foreign = name.contains('\u{fffd}') || value.contains('\u{fffd}');
            if foreign || parameters.len() == MAX_PARAMETERS {
                return Err(FormRefusal::Malformed);
            }
            if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(FormRefusal::Repeated);
            }
        }
        Ok(Self(parameters))
    }

    /// The parameter `name`. One sent without a value counts as left out (RFC 6749 §3.2).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Whether each `%` has its two digits: the decoder would let others pass as they stand.
fn escapes_are_whole(body: &[u8]) -> bool {
    let mut after = body.split(|byte| *byte == b'%').skip(1);
    after.all(|rest| rest.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_parameter_once() {
        let form = Form::parse(b"grant_type=urn%3Aietf&tx_code=12+34&empty=").unwrap();
        assert_eq!(form.get("grant_type"), Some("urn:ietf"));
        assert_eq!(form.get("tx_code"), Some("12 34"));
        assert_eq!(form.get("empty"), None);
        assert_eq!(form.get("absent"), None);
    }

    #[test]
    fn refuses_repeats_floods_and_bytes_that_are_no_text() {
        assert_eq!(Form::parse(b"a=1&a=2").unwrap_err(), FormRefusal::Repeated);
        assert_eq!(Form::parse(b"a=%ff").unwrap_err(), FormRefusal::Malformed);
        assert_eq!(Form::parse(b"a=\xff").unwrap_err(), FormRefusal::Malformed);
        assert_eq!(Form::parse("a=é".as_bytes()).unwrap_err(), FormRefusal::Malformed);
        for broken in [b"a=%".as_slice(), b"a=%4", b"a=%zz", b"%=1", b"a=%ff"] {
            assert_eq!(Form::parse(broken).unwrap_err(), FormRefusal::Malformed);
        }
        let flood: String = (0..=MAX_PARAMETERS).map(|n| format!("p{n}=1&")).collect();
        assert_eq!(Form::parse(flood.as_bytes()).unwrap_err(), FormRefusal::Malformed);
    }
}
