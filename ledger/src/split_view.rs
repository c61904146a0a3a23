//! Two histories: certified checkpoints of one log, of one size, with different roots.
//!
//! Whoever holds both notes can show them to anybody: the keys that cosigned both have broken their one promise. Two
//! checkpoints of different sizes are compared by a consistency proof ([`crate::tree::verify_consistency`]) instead.

mod evidence;

use crate::trust_root::CertifiedCheckpoint;

pub use evidence::{Contradiction, MAX_BYTES, SplitEvidence, SplitEvidenceError};

/// Evidence that a log shows different histories to different people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitView {
    /// The size that both checkpoints have.
    pub size: u64,
    /// Witnesses, by their names in the policy, that cosigned both. With honest ones above two thirds there are none,
    /// and no split view.
    pub culprits: Vec<String>,
}

/// Compares two checkpoints that one trust root certified; nothing if they do not contradict each other at a glance.
#[must_use]
pub fn split_view(one: &CertifiedCheckpoint, other: &CertifiedCheckpoint) -> Option<SplitView> {
    let (a, b) = (one.checkpoint(), other.checkpoint());
    if a.origin != b.origin || a.size != b.size || a.root == b.root {
        return None;
    }
    let cosigned_both = |name: &&String| other.cosigned().iter().any(|cosigned| cosigned.witness == **name);
    let culprits = one.cosigned().iter().map(|cosigned| &cosigned.witness).filter(cosigned_both).cloned().collect();
    Some(SplitView { size: a.size, culprits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::sha256;
    use crate::trust_root::tests::{ORIGIN, Validators};

    fn certified(by: &[usize], size: u64, root: &str) -> CertifiedCheckpoint {
        let v = Validators::new(4);
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: sha256(root.as_bytes()) };
        let lines = by.iter().map(|by| v.cosignature(*by, &checkpoint, 1000));
        let note = checkpoint.to_note(std::iter::once(v.log_line(0, &checkpoint)).chain(lines)).unwrap();
        v.trust_root().verify_checkpoint(&note.to_string()).unwrap()
    }

    #[test]
    fn two_roots_of_one_size_name_those_who_cosigned_both() {
        let split = split_view(&certified(&[0, 1, 2], 9, "one"), &certified(&[1, 2, 3], 9, "other")).unwrap();
        assert_eq!(split, SplitView { size: 9, culprits: vec!["member-01".into(), "member-02".into()] });
    }

    #[test]
    fn one_history_is_no_split_view() {
        let seen = certified(&[0, 1, 2], 9, "one");
        assert_eq!(split_view(&seen, &certified(&[1, 2, 3], 9, "one")), None);
        assert_eq!(split_view(&seen, &certified(&[1, 2, 3], 10, "other")), None);
    }
}
