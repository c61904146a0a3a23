//! The known key that looks most like an unknown one.

/// The known path nearest to `unknown`, if any is near enough to be worth naming: at most a third of its letters
/// differ, or its last part is the same word in another section.
pub(super) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let last = |path: &'_ str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let wanted = last(unknown);
    known
        .map(|path| (distance(unknown, path).min(distance(&wanted, &last(path)).saturating_add(1)), path))
        .min()
        .filter(|(distance, _)| distance.saturating_mul(3) <= wanted.chars().count().max(3).saturating_add(2))
        .map(|(_, path)| path)
}

/// Edit distance (Levenshtein): insertions, removals and changes of one letter.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (row_number, letter) in left.chars().enumerate() {
        let mut before = row_number;
        let mut next = vec![row_number.saturating_add(1)];
        for (other, above) in right.iter().zip(row.iter().skip(1)) {
            let changed = before.saturating_add(usize::from(*other != letter));
            let removed = above.saturating_add(1);
            let inserted = next.last().copied().unwrap_or_default().saturating_add(1);
            before = *above;
            next.push(changed.min(removed).min(inserted));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn names_a_slip_but_nothing_far_fetched() {
        let known = ["http.listen", "http.tls_key", "log"];
        let near = |unknown| nearest(unknown, known.into_iter());
        assert_eq!(near("http.lisen"), Some("http.listen"));
        assert_eq!(near("listen"), Some("http.listen"));
        assert_eq!(near("logg"), Some("log"));
        assert_eq!(near("something_else"), None);
    }
}
