//! The first page: where the ledger stands, who certifies it and who is behind, and who its members are.

use actix_web::{HttpResponse, web};
use identity_core::registry::{GenesisValidator, Member, VALIDATORS, Validators};
use ledger::note::Note;
use ledger::policy::quorum_of;
use maud::{Markup, html};
use service_kit::console::frame::{self, Page};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;

use super::names::Directory;
use super::piece::{Facts, age, badge, digest, index, live, moment, table, who};
use super::place;
use super::reading::{Console, Reading};
use crate::certifier::Cosignature;

/// Seconds above which a head is old: an idle one is cosigned again every thirty.
const OLD: i64 = 90;

/// Milliseconds between two looks of a page that is open.
const EVERY: u32 = 5000;

/// `GET /console/`.
pub(super) async fn show(console: web::Data<Console>, visitor: Visitor) -> HttpResponse {
    frame::answer(&visitor, place::OVERVIEW, page(&console, &visitor).await)
}

async fn page(console: &Console, visitor: &Visitor) -> Result<Page, Problem> {
    let reading = console.reading()?;
    let directory = reading.directory().await?;
    let validators: Option<Validators> = reading.value(VALIDATORS).await?;
    let validators = validators.map(|validators| validators.in_force).unwrap_or_default();
    let body = html! {
        (live(visitor, EVERY, html! {
            div data-live-part="head" {
                (warnings(visitor, &reading))
                (head(visitor, &reading))
                (certifiers(visitor, &reading, &directory, &validators))
            }
        }))
        (members(visitor, &directory, &validators))
    };
    let lead =
        visitor.fill("console-overview-lead", &[("chain", console.api.node.chain.genesis().chain.clone().into())]);
    Ok(Page::new(place::OVERVIEW, visitor.say("console-overview"), body).with_lead(lead))
}

fn warnings(visitor: &Visitor, reading: &Reading<'_>) -> Markup {
    let node = &reading.console.api.node;
    let old = head_age(reading);
    html! {
        @if node.is_halted() { p.warning role="alert" { (visitor.say("console-halted")) } }
        @if node.is_stranded() { p.warning role="alert" { (visitor.say("console-stranded")) } }
        @if old > OLD {
            p.warning role="alert" { (visitor.fill("console-head-old", &[("age", age(visitor, old).into())])) }
        }
    }
}

fn head(visitor: &Visitor, reading: &Reading<'_>) -> Markup {
    let (round, node) = (&reading.round, &reading.console.api.node);
    let (head, executed) = (&round.head, node.executed());
    let part = if node.is_validating() { "console-node-validates" } else { "console-node-follows" };
    let mut facts = Facts::default()
        .with(visitor.say("console-head-root"), digest(&head.root))
        .with(visitor.say("console-head-state"), digest(&head.state))
        .with(visitor.say("console-head-origin"), html! { code.digest { (node.chain.origin()) } })
        .with(visitor.say("console-head-cosigned"), moment(visitor, round.at.0))
        .with(visitor.say("console-node"), html! { (visitor.say(part)) });
    let waiting = executed.size.saturating_sub(head.size);
    if waiting > 0 {
        let text = visitor.fill("console-head-waiting", &[("count", waiting.to_string().into())]);
        facts.add(visitor.say("console-head-executed"), html! { (text) });
    }
    let kept_from = reading.console.kept_from();
    if kept_from > 0 {
        facts.add(visitor.say("console-kept-from"), html! { (kept_from) });
    }
    html! {
        section aria-labelledby="head" {
            h2 #head { (visitor.say("console-head")) }
            div.numbers {
                (number(&visitor.say("console-head-entries"), &head.size.to_string()))
                (number(&visitor.say("console-head-block"), &head.height.to_string()))
                (number(&visitor.say("console-head-age"), &age(visitor, head_age(reading))))
            }
            (facts.show())
            p.note { a href="/checkpoint" { (visitor.say("console-head-note")) } " · " a href="/trust-root" { (visitor.say("console-head-trust-root")) } }
        }
    }
}

fn number(label: &str, value: &str) -> Markup {
    html! { div { span.value { (value) } span.label { (label) } } }
}

fn certifiers(
    visitor: &Visitor,
    reading: &Reading<'_>,
    directory: &Directory,
    validators: &[GenesisValidator],
) -> Markup {
    let heads = ["console-validator", "console-validator-member", "console-validator-note", "console-validator-newest"];
    let heads = heads.map(|id| visitor.say(id));
    let heard = reading.console.api.node.heard();
    let rows: Vec<Vec<Markup>> = validators
        .iter()
        .map(|validator| {
            let member = validator.member.as_ref();
            let last = heard.as_ref().map(|heard| of(heard, &validator.name));
            vec![
                html! { code { (validator.name) } },
                html! { @if let Some(did) = member { (who(visitor, directory, did)) } @else { "–" } },
                in_note(visitor, reading, &validator.name),
                newest(visitor, reading, last),
            ]
        })
        .collect();
    let values =
        [("quorum", quorum_of(validators.len()).to_string().into()), ("count", validators.len().to_string().into())];
    html! {
        section aria-labelledby="validators" {
            h2 #validators { (visitor.say("console-validators")) }
            p { (visitor.fill("console-validators-quorum", &values)) }
            (table(&visitor.say("console-validators"), &heads, &rows))
        }
    }
}

fn of<'a>(heard: &'a [(String, Option<Cosignature>)], name: &str) -> Option<&'a Cosignature> {
    heard.iter().find(|(validator, _)| validator == name).and_then(|(_, said)| said.as_ref())
}

/// Whether a validator's cosignature stands in the published note, which has exactly as many as a quorum wants.
fn in_note(visitor: &Visitor, reading: &Reading<'_>, name: &str) -> Markup {
    let name = format!("{}/{name}", reading.console.api.node.chain.origin());
    let note = Note::parse(&reading.round.note);
    let lines = note.iter().flat_map(|note| note.signatures());
    // The note was verified when it was made; what stands in it is only read here.
    let time = lines.filter(|line| line.name == name).find_map(|line| line.bytes.first_chunk().copied());
    let time = time.and_then(|time| i64::try_from(u64::from_be_bytes(time)).ok());
    html! {
        @match time {
            Some(time) => { (badge("good", &visitor.say("console-cosigned"))) " " (moment(visitor, time)) }
            None => span.faint { (visitor.say("console-not-needed")) },
        }
    }
}

/// How far a validator is, as this one has heard; nobody tells that to a node that only follows.
fn newest(visitor: &Visitor, reading: &Reading<'_>, heard: Option<Option<&Cosignature>>) -> Markup {
    let size = reading.round.head.size;
    match heard {
        None => html! { span.faint { (visitor.say("console-not-told")) } },
        Some(None) => badge("bad", &visitor.say("console-silent")),
        Some(Some(said)) if said.size >= size => badge("good", &visitor.say("console-up-to-date")),
        Some(Some(said)) => {
            let behind = size.saturating_sub(said.size).to_string();
            badge("waiting", &visitor.fill("console-behind", &[("count", behind.into())]))
        }
    }
}

fn members(visitor: &Visitor, directory: &Directory, validators: &[GenesisValidator]) -> Markup {
    let heads = ["console-member", "console-member-standing", "console-member-since", "console-member-validator"];
    let heads = heads.map(|id| visitor.say(id));
    let rows: Vec<Vec<Markup>> = directory
        .members
        .iter()
        .map(|known| {
            let did = &known.member.did;
            let validator = validators.iter().find(|validator| validator.member.as_ref() == Some(did));
            vec![
                who(visitor, directory, did),
                standing(visitor, &known.member),
                index(visitor, known.member.from),
                html! { @if let Some(validator) = validator { code { (validator.name) } } @else { "–" } },
            ]
        })
        .collect();
    html! {
        section aria-labelledby="members" {
            h2 #members { (visitor.say("console-members")) }
            (table(&visitor.say("console-members"), &heads, &rows))
        }
    }
}

/// Whether somebody is a member, suspended or expelled, and whether chains of trust end there.
pub(super) fn standing(visitor: &Visitor, member: &Member) -> Markup {
    html! {
        @if member.until.is_some() { (badge("bad", &visitor.say("console-member-expelled"))) }
        @else if !member.is_in_good_standing() { (badge("bad", &visitor.say("console-member-suspended"))) }
        @else { (badge("good", &visitor.say("console-member-good"))) }
        @if member.authority { " " (badge("plain", &visitor.say("console-member-authority"))) }
    }
}

fn head_age(reading: &Reading<'_>) -> i64 {
    reading.console.api.node.clock.now().since(reading.round.at).max(0)
}
