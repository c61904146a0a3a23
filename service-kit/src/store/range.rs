//! A stretch of keys to scan.

/// Keys from `start` (inclusive) to `end` (exclusive), ascending unless [`Range::descending`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
    descending: bool,
}

impl Range {
    /// Every key.
    #[must_use]
    pub fn all() -> Self {
        Self { start: Vec::new(), end: None, descending: false }
    }

    /// Every key that begins with `prefix`.
    #[must_use]
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        let start = prefix.into();
        let end = successor_of_prefix(&start);
        Self { start, end, descending: false }
    }

    /// Keys from `start` (inclusive) to `end` (exclusive).
    #[must_use]
    pub fn between(start: impl Into<Vec<u8>>, end: impl Into<Vec<u8>>) -> Self {
        Self { start: start.into(), end: Some(end.into()), descending: false }
    }

    /// The same keys, but only those after `key`: the next page of an ascending scan.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        let mut next = key.to_vec();
        next.push(0);
        if next > self.start {
            self.start = next;
        }
        self
    }

    /// The same keys, but only those before `key`: the next page of a descending scan.
    #[must_use]
    pub fn before(mut self, key: &[u8]) -> Self {
        if self.end.as_deref().is_none_or(|end| key < end) {
            self.end = Some(key.to_vec());
        }
        self
    }

    /// The same keys, largest first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// First key of the range.
    #[must_use]
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// First key after the range, if it has an end.
    #[must_use]
    pub fn end(&self) -> Option<&[u8]> {
        self.end.as_deref()
    }

    /// Whether the largest key comes first.
    #[must_use]
    pub fn is_descending(&self) -> bool {
        self.descending
    }

    /// Whether no key can lie in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }
}

/// The least key greater than every key with this prefix; none if the prefix is all 0xff (or empty).
fn successor_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut next = prefix.to_vec();
    while let Some(last) = next.pop() {
        if let Some(up) = last.checked_add(1) {
            next.push(up);
            return Some(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_its_successor() {
        assert_eq!(Range::prefix("a/").end(), Some(b"a0".as_slice()));
        assert_eq!(Range::prefix([1, 0xff]).end(), Some([2].as_slice()));
        assert_eq!(Range::prefix([0xff, 0xff]).end(), None);
        assert_eq!(Range::prefix("").end(), None);
    }

    #[test]
    fn paging_narrows_and_never_widens() {
        let page = Range::prefix("a/").after(b"a/3");
        assert_eq!(page.start(), b"a/3\0");
        assert_eq!(Range::prefix("a/").after(b"A").start(), b"a/");
        assert_eq!(Range::prefix("a/").before(b"b").end(), Some(b"a0".as_slice()));
        assert!(Range::between("b", "a").is_empty());
    }
}
