//! Registering digests of credential types' metadata.

use super::super::accreditation::{AccreditationHistory, Role, is_token};
use super::super::apply::Act;
use super::super::history::{Member, SchemaHistory, SchemaRecord};
use super::super::state::{Overlay, accreditation_key, member_key, schema_key};
use super::super::transaction::Schema;
use super::super::{MAX_SCHEMA_DIGESTS, NotApplied, Refused};

/// The first registration is for an authority or a type's accredited issuer; later ones for the registrant or an
/// authority, so that one issuer of a shared type cannot change it under the others.
pub(in super::super) fn register(state: &mut Overlay<'_>, act: &Act<'_>, schema: &Schema) -> Result<(), NotApplied> {
    if !is_token(&schema.vct) {
        return Err(Refused::SchemaMalformed("vct").into());
    }
    let key = schema_key(&schema.vct);
    let mut history: SchemaHistory = state.read(&key)?.unwrap_or_default();
    let authority = is_authority(state, act)?;
    let entitled = match history.digests.last() {
        Some(last) => authority || last.by == *act.sender,
        None => authority || is_issuer_of(state, act, &schema.vct)?,
    };
    if !entitled {
        return Err(Refused::SchemaNotEntitled.into());
    }
    // A registrant must not be able to make its digest the last one of a shared type for ever.
    let room = if authority { MAX_SCHEMA_DIGESTS } else { MAX_SCHEMA_DIGESTS / 4 * 3 };
    if history.digests.len() >= room {
        return Err(Refused::TooManySchemas.into());
    }
    let record = SchemaRecord { digest: schema.digest.to_base64url(), by: act.sender.clone(), from: act.index };
    history.digests.push(record);
    state.write(key, &history)
}

pub(super) fn is_authority(state: &Overlay<'_>, act: &Act<'_>) -> Result<bool, NotApplied> {
    let member: Option<Member> = state.read(&member_key(act.sender))?;
    Ok(member.is_some_and(|member| member.authority && member.until.is_none()))
}

fn is_issuer_of(state: &Overlay<'_>, act: &Act<'_>, vct: &str) -> Result<bool, NotApplied> {
    let own: Option<AccreditationHistory> = state.read(&accreditation_key(act.sender))?;
    Ok(own
        .is_some_and(|own| own.grants.iter().any(|grant| grant.holds_at(act.index) && grant.is_for(Role::Issuer, vct))))
}
