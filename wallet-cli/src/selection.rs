//! Which credentials answer a request: the asker's order of preference, and the holder's choice above it.
//!
//! The holder chooses by naming a credential for a query (`--select query=number`). That also chooses the option of a
//! required credential set that has the query. An optional set is answered only where that takes nothing that was neither
//! named nor needed: one of which only a part was named stays unanswered. Where nothing is chosen, the asker's first
//! option that can be answered counts, optional sets stay unanswered, and one credential answers a query, also one that
//! would take several.

use crate::error::WalletError;
use identity_core::{
    dcql::{Candidate, Matches, Need, Query},
    sd_jwt::HeldSdJwt,
};
use service_kit::terminal::harmless;
use std::collections::BTreeSet;

/// A credential of the vault that may be shown.
pub(crate) struct Held {
    pub(crate) number: usize,
    pub(crate) held: HeldSdJwt,
    /// Whether its anchor proof is here.
    pub(crate) anchored: bool,
}

/// A credential that answers a query.
#[derive(Clone)]
pub(crate) struct Chosen {
    pub(crate) query: String,
    pub(crate) number: usize,
    pub(crate) held: HeldSdJwt,
    pub(crate) candidate: Candidate,
    /// Others that would answer too, by number.
    pub(crate) others: Vec<usize>,
    /// Whether the query takes several.
    pub(crate) multiple: bool,
}

/// What would be sent, and what could be.
#[derive(Default)]
pub(crate) struct Selection {
    /// What is sent if the holder agrees.
    pub(crate) chosen: Vec<Chosen>,
    /// What the asker would like and does not need.
    pub(crate) optional: Vec<Vec<Chosen>>,
    /// Other ways to meet what it does need.
    pub(crate) instead: Vec<Vec<Chosen>>,
}

/// Selects from `held` what answers `query`.
///
/// # Errors
/// [`WalletError::NothingFits`]; [`WalletError::Selection`] for a choice that does not fit.
pub(crate) fn select(query: &Query, held: &[Held], wish: &[(String, usize)]) -> Result<Selection, WalletError> {
    let texts: Vec<&HeldSdJwt> = held.iter().map(|held| &held.held).collect();
    let matches = query.matches(&texts).map_err(|_| WalletError::NothingFits)?;
    let picker = Picker { query, held, matches: &matches, wish };
    let named = picker.named()?;
    let mut selection = Selection::default();
    let (required, optional): (Vec<&Need>, Vec<&Need>) = matches.needs.iter().partition(|need| need.required);
    let needed: BTreeSet<usize> =
        required.iter().filter_map(|need| preferred(&need.options, &named)).flatten().copied().collect();
    let wanted: BTreeSet<usize> = needed.union(&named).copied().collect();
    let mut asked = needed;
    for need in optional {
        let taken = need.options.iter().filter(|option| !option.is_disjoint(&named) && option.is_subset(&wanted));
        asked.extend(preferred(taken, &named).into_iter().flatten().copied());
    }
    if let Some(stray) = named.difference(&asked).next() {
        return Err(picker.misfit(*stray));
    }
    selection.chosen = picker.pick(&asked)?;
    for need in &matches.needs {
        let open = |option: &&BTreeSet<usize>| !option.is_subset(&asked);
        let fresh = |option: &BTreeSet<usize>| picker.pick(&option.difference(&asked).copied().collect());
        if need.required {
            let taken = preferred(&need.options, &named);
            let others = need.options.iter().filter(|option| Some(*option) != taken).filter(open);
            for option in others {
                selection.instead.push(picker.pick(option)?);
            }
        } else if !need.options.iter().any(|option| option.is_subset(&asked)) {
            selection.optional.extend(need.options.first().map(fresh).transpose()?);
        }
    }
    Ok(selection)
}

/// The option that has most of what the holder named, else the asker's first.
fn preferred<'n>(
    options: impl IntoIterator<Item = &'n BTreeSet<usize>, IntoIter: DoubleEndedIterator>,
    named: &BTreeSet<usize>,
) -> Option<&'n BTreeSet<usize>> {
    // `max_by_key` takes the last of equals; the first is the asker's favourite.
    options.into_iter().rev().max_by_key(|option| option.intersection(named).count())
}

struct Picker<'a> {
    query: &'a Query,
    held: &'a [Held],
    matches: &'a Matches,
    wish: &'a [(String, usize)],
}

impl Picker<'_> {
    /// The queries that the holder named.
    fn named(&self) -> Result<BTreeSet<usize>, WalletError> {
        let position = |(id, _): &(String, usize)| {
            let position = self.query.credentials.iter().position(|asked| asked.id == *id);
            position.ok_or_else(|| WalletError::Selection { query: harmless(id) })
        };
        self.wish.iter().map(position).collect()
    }

    /// The credentials that answer these queries.
    fn pick(&self, queries: &BTreeSet<usize>) -> Result<Vec<Chosen>, WalletError> {
        let answers = queries.iter().map(|query| self.answer(*query));
        Ok(answers.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// The credentials that answer one query: those that the holder named, else the newest that has its anchor
    /// proof, else the newest.
    fn answer(&self, query: usize) -> Result<Vec<Chosen>, WalletError> {
        let misfit = || self.misfit(query);
        let asked = self.query.credentials.get(query).ok_or_else(misfit)?;
        let candidates = self.matches.candidates.get(query).ok_or_else(misfit)?;
        let numbered = candidates.iter().filter_map(|found| Some((self.held.get(found.credential)?, found)));
        let mut numbered: Vec<(&Held, &Candidate)> = numbered.collect();
        numbered.sort_by_key(|(held, _)| (held.anchored, held.number));
        let wanted: BTreeSet<usize> =
            self.wish.iter().filter(|(id, _)| *id == asked.id).map(|(_, number)| *number).collect();
        let wanted = match numbered.last() {
            Some((newest, _)) if wanted.is_empty() => BTreeSet::from([newest.number]),
            _ => wanted,
        };
        let (taken, left): (Vec<_>, Vec<_>) = numbered.into_iter().partition(|(held, _)| wanted.contains(&held.number));
        if taken.len() != wanted.len() || taken.is_empty() || (taken.len() > 1 && !asked.multiple) {
            return Err(misfit());
        }
        let others: Vec<usize> = left.iter().map(|(held, _)| held.number).collect();
        let chosen = |(held, candidate): (&Held, &Candidate)| Chosen {
            query: asked.id.clone(),
            number: held.number,
            held: held.held.clone(),
            candidate: candidate.clone(),
            others: others.clone(),
            multiple: asked.multiple,
        };
        Ok(taken.into_iter().map(chosen).collect())
    }

    fn misfit(&self, query: usize) -> WalletError {
        let id = self.query.credentials.get(query).map_or("", |asked| asked.id.as_str());
        WalletError::Selection { query: harmless(id) }
    }
}

#[cfg(test)]
mod tests;
