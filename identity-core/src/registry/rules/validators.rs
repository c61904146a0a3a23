//! Naming validators, convicting them, and putting the next set in force at the end of an epoch.

use std::collections::BTreeSet;

use ledger::policy::MAX_VALIDATORS;
use ledger::sha256;
use ledger::split_view::{SplitEvidence, SplitEvidenceError};

use super::super::apply::Act;
use super::super::block::Block;
use super::super::genesis::{GenesisValidator, has_repetition};
use super::super::state::{Overlay, RULES, StateUnreadable, VALIDATORS, policy_key, validator_key};
use super::super::validators::{Rules, SetRecord, ValidatorHistory, ValidatorKeys, Validators, validator_set};
use super::super::{NotApplied, Refused};
use super::membership;
use crate::did::Did;

/// Writes what genesis says: the rules and the first set, which the first seal, at `seal_index`, names.
pub(in super::super) fn found(
    state: &mut Overlay<'_>,
    block: &Block,
    rules: Rules,
    mut first: Vec<GenesisValidator>,
    seal_index: u64,
) -> Result<(), NotApplied> {
    first.sort_by(|a, b| a.name.cmp(&b.name));
    for validator in &first {
        let keys = vec![ValidatorKeys::new(validator, seal_index)];
        state.write(validator_key(&validator.name), &ValidatorHistory { member: validator.member.clone(), keys })?;
    }
    state.write(RULES.to_owned(), &rules)?;
    let validators = Validators { sets: Vec::new(), in_force: first, next: None };
    put_in_force(state, block, validators, 0, seal_index)
}

/// Names a member's validator in the next set, in place of the one it had. Its keys are new, and its name is its own.
pub(super) fn appoint(
    state: &mut Overlay<'_>,
    act: &Act<'_>,
    member: &Did,
    validator: &GenesisValidator,
) -> Result<(), NotApplied> {
    let alone = validator_set(&act.block.origin, std::slice::from_ref(validator));
    let stranger = validator.member.as_ref().is_some_and(|stated| stated != member);
    if !validator.is_sound() || alone.is_none() || stranger || has_repetition(validator.keys()) {
        return Err(Refused::ValidatorMalformed.into());
    }
    let key = validator_key(&validator.name);
    let mut history: ValidatorHistory = state.read(&key)?.unwrap_or_default();
    if history.member.as_ref().is_some_and(|owner| owner != member) {
        return Err(Refused::ValidatorNameTaken.into());
    }
    let mut validators = Validators::of(state)?;
    let used = |key| {
        let now = validators.in_force.iter().chain(validators.next()).flat_map(GenesisValidator::keys);
        history.keys.iter().any(|earlier| earlier.has(key)) || now.into_iter().any(|other| other == key)
    };
    let keys = ValidatorKeys::new(validator, act.index);
    if validator.keys().any(used) || is_mistaken_for_another(&history, &keys, act, &validator.name) {
        return Err(Refused::ValidatorKeyUsed.into());
    }
    history.member = Some(member.clone());
    history.keys.push(keys);
    state.write(key, &history)?;

    let others = validators.next().iter().filter(|other| other.name != validator.name && !is_of(other, member));
    let own = GenesisValidator { member: Some(member.clone()), ..validator.clone() };
    let next: Vec<GenesisValidator> = others.cloned().chain([own]).collect();
    // Either all order together, or nobody does.
    if next.iter().any(|one| one.peer.is_some()) && next.iter().any(|one| one.peer.is_none()) {
        return Err(Refused::ValidatorMalformed.into());
    }
    validators.change_to(next)?;
    // Each is sound by itself; together, two log keys may have one key id.
    if validator_set(&act.block.origin, validators.next()).is_none() {
        return Err(Refused::ValidatorKeyUsed.into());
    }
    state.write(VALIDATORS.to_owned(), &validators)
}

/// Whether a line by the new witness key would claim to be by one that this name had before: evidence against one of them
/// would then hold under neither.
fn is_mistaken_for_another(history: &ValidatorHistory, keys: &ValidatorKeys, act: &Act<'_>, name: &str) -> bool {
    let id = |keys: &ValidatorKeys| keys.witness_key(&act.block.origin, name).map(|key| key.id());
    let new = id(keys);
    history.keys.iter().any(|earlier| id(earlier) == new)
}

/// Takes a member's validator out of the next set; gives whether there was one.
pub(super) fn retire(state: &mut Overlay<'_>, member: &Did) -> Result<bool, NotApplied> {
    remove(state, |validator| is_of(validator, member))
}

/// Takes evidence: each validator that cosigned two histories leaves the next set, and its member is suspended.
///
/// One pair of keys is convicted once, so no evidence counts twice; a readmitted member's validator has new ones.
pub(in super::super) fn convict(
    state: &mut Overlay<'_>,
    act: &Act<'_>,
    evidence: &SplitEvidence,
) -> Result<(), NotApplied> {
    let contradiction = evidence.read().map_err(Refused::Evidence)?;
    let origin = &act.block.origin;
    if contradiction.origin() != origin {
        return Err(Refused::Evidence(SplitEvidenceError::OtherOrigin).into());
    }
    let named = |signer: &str| Some(signer.strip_prefix(origin.as_str())?.strip_prefix('/')?.to_owned());
    let names: BTreeSet<String> = contradiction.signers().filter_map(named).collect();
    let (mut known, mut guilty) = (false, false);
    for name in names {
        let Some(mut history) = state.read::<ValidatorHistory>(&validator_key(&name))? else { continue };
        let mut convicted = false;
        for keys in &mut history.keys {
            let Some(key) = keys.witness_key(origin, &name) else { continue };
            if contradiction.is_cosigned_by(&key).map_err(Refused::Evidence)? {
                known |= keys.convicted.is_some();
                convicted |= keys.convicted.is_none();
                keys.convicted.get_or_insert(act.index);
            }
        }
        if convicted {
            guilty = true;
            state.write(validator_key(&name), &history)?;
            remove(state, |validator| validator.name == name)?;
            history.member.map_or(Ok(()), |member| membership::suspend(state, act.index, &member))?;
        }
    }
    match (guilty, known) {
        (true, _) => Ok(()),
        (false, true) => Err(Refused::ConvictedBefore.into()),
        (false, false) => Err(Refused::Evidence(SplitEvidenceError::Nobody).into()),
    }
}

/// Ends an epoch, if it ends with this block: the next set is in force after the seal at `seal_index`.
pub(in super::super) fn turn(state: &mut Overlay<'_>, block: &Block, seal_index: u64) -> Result<(), NotApplied> {
    let rules = Rules::of(state)?;
    if !rules.is_last_of_epoch(block.height) {
        return Ok(());
    }
    let mut validators = Validators::of(state)?;
    let Some(next) = validators.next.take() else { return Ok(()) };
    validators.in_force = next;
    let epoch = rules.epoch_of(block.height.saturating_add(1));
    put_in_force(state, block, validators, epoch, seal_index)
}

fn put_in_force(
    state: &mut Overlay<'_>,
    block: &Block,
    mut validators: Validators,
    epoch: u64,
    from: u64,
) -> Result<(), NotApplied> {
    let set = validator_set(&block.origin, &validators.in_force);
    let set = set.ok_or_else(|| StateUnreadable("the validators of the state make no set".into()))?;
    let text = set.to_policy_text();
    let policy = sha256(text.as_bytes());
    validators.sets.push(SetRecord { epoch, from, policy });
    state.write(policy_key(&policy), &text)?;
    state.write(VALIDATORS.to_owned(), &validators)
}

/// Takes validators out of the next set; gives whether there were any. The last one stays: nobody could certify.
fn remove(state: &mut Overlay<'_>, leaves: impl Fn(&GenesisValidator) -> bool) -> Result<bool, NotApplied> {
    let mut validators = Validators::of(state)?;
    let staying: Vec<GenesisValidator> = validators.next().iter().filter(|v| !leaves(v)).cloned().collect();
    if staying.len() == validators.next().len() {
        return Ok(false);
    }
    validators.change_to(staying)?;
    state.write(VALIDATORS.to_owned(), &validators)?;
    Ok(true)
}

fn is_of(validator: &GenesisValidator, member: &Did) -> bool {
    validator.member.as_ref() == Some(member)
}

impl Validators {
    fn change_to(&mut self, mut next: Vec<GenesisValidator>) -> Result<(), Refused> {
        next.sort_by(|a, b| a.name.cmp(&b.name));
        if next.is_empty() {
            return Err(Refused::LastValidator);
        }
        if next.len() > MAX_VALIDATORS {
            return Err(Refused::TooManyValidators);
        }
        self.next = Some(next).filter(|next| *next != self.in_force);
        Ok(())
    }
}
