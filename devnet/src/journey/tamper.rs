//! Somebody on the way who changes what passes: one character of the last disclosure of a presentation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use service_kit::fetch::{Fetch, Fetching, Request};

/// Fetches like another, but changes answers to the service at `target`.
pub(super) struct Tampering {
    honest: Arc<dyn Fetch>,
    target: String,
    changed: AtomicBool,
}

impl Tampering {
    pub(super) fn new(honest: Arc<dyn Fetch>, target: &str) -> Self {
        Self { honest, target: format!("{target}/responses/"), changed: AtomicBool::new(false) }
    }

    /// Whether an answer was changed.
    pub(super) fn has_changed_something(&self) -> bool {
        self.changed.load(Ordering::SeqCst)
    }
}

impl Fetch for Tampering {
    fn send(&self, mut request: Request) -> Fetching<'_> {
        if request.url.starts_with(&self.target)
            && let Some((_, body)) = &mut request.body
            && let Some(other) = with_one_character_changed(body)
        {
            *body = other;
            self.changed.store(true, Ordering::SeqCst);
        }
        self.honest.send(request)
    }
}

/// The form with one character in the middle of the last disclosure changed; the key binding follows after the last
/// tilde, which a form writes as `~` or `%7E`.
fn with_one_character_changed(form: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(form).ok()?;
    let tilde = if text.contains("%7E") { "%7E" } else { "~" };
    let end = text.rfind(tilde)?;
    let start = text.get(..end)?.rfind(tilde)?.checked_add(tilde.len())?;
    let middle = start.checked_add(end.checked_sub(start)? / 2)?;
    let mut other = form.to_vec();
    let letter = other.get_mut(middle).filter(|letter| letter.is_ascii_alphanumeric())?;
    *letter = if *letter == b'A' { b'B' } else { b'A' };
    Some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_of_the_last_disclosure_changes() {
        let changed = with_one_character_changed(b"vp_token=a.b.c~one~twoo~k.b.j&state=x").unwrap();
        assert_eq!(changed, b"vp_token=a.b.c~one~twAo~k.b.j&state=x");
        let changed = with_one_character_changed(b"vp_token=a.b.c%7Eone%7EtwAo%7Ek.b.j").unwrap();
        assert_eq!(changed, b"vp_token=a.b.c%7Eone%7EtwBo%7Ek.b.j");
        assert_eq!(with_one_character_changed(b"error=x"), None);
    }
}
