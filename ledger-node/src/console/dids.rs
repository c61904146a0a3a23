//! DIDs: found by name or DID; each with its document now, its history, its accreditations and its duties.

use actix_web::{HttpResponse, web};
use identity_core::did::{Did, Resolution, resolve};
use identity_core::problem::Code;
use identity_core::registry::{DidHistory, Ending, Grant, KeyRecord, ServiceRecord};
use maud::{Markup, html};
use service_kit::console::frame::{self, Page};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;
use service_kit::terminal::harmless;

use super::names::{Directory, Known, of_label};
use super::overview::standing;
use super::piece::{Facts, badge, digest, folded, index, sealed, short, table, who};
use super::place;
use super::reading::{Console, Reading};
use super::told::{self, use_name};
use super::transactions::language;

/// Changes of a document that are shown with their time; the newest.
const CHANGES: usize = 64;
/// Accreditations of each list that are shown; the newest.
const GRANTS: usize = 100;

/// `GET /console/dids?did=…`: one DID, or those whose name has these words.
pub(super) async fn show(console: web::Data<Console>, visitor: Visitor) -> HttpResponse {
    frame::answer(&visitor, place::DIDS, page(&console, &visitor).await)
}

async fn page(console: &Console, visitor: &Visitor) -> Result<Page, Problem> {
    let reading = console.reading()?;
    let directory = reading.directory().await?;
    match visitor.asks("did") {
        Some(text) if text.starts_with("did:") => {
            let did = Did::parse(text).map_err(|error| Problem::new(error.code()))?;
            of_did(visitor, &reading, &directory, &did).await
        }
        words => Ok(search(visitor, &directory, words)),
    }
}

fn search(visitor: &Visitor, directory: &Directory, words: Option<&str>) -> Page {
    let wanted = words.unwrap_or_default().to_lowercase();
    let fits = |known: &Known| {
        let names = known.label.iter().flat_map(|label| [&label.en, &label.zh]).chain([&known.member.name]);
        names.into_iter().any(|name| name.to_lowercase().contains(&wanted))
    };
    let heads = ["console-member", "console-did", "console-member-standing"].map(|id| visitor.say(id));
    let rows: Vec<Vec<Markup>> = directory
        .members
        .iter()
        .filter(|known| fits(known))
        .map(|known| {
            let did = &known.member.did;
            vec![
                who(visitor, directory, did),
                html! { code.did { (short(did.as_str())) } },
                standing(visitor, &known.member),
            ]
        })
        .collect();
    let body = html! {
        (form(visitor, words.unwrap_or_default()))
        @if rows.is_empty() { p { (visitor.say("console-none-found")) } }
        @else { (table(&visitor.say("console-members"), &heads, &rows)) }
    };
    Page::new(place::DIDS, visitor.say("console-dids"), body).with_lead(visitor.say("console-dids-lead"))
}

fn form(visitor: &Visitor, words: &str) -> Markup {
    html! {
        div.tools {
            form method="get" action=(visitor.site().at(place::DIDS.path())) role="search" {
                label for="did" { (visitor.say("console-did-wanted")) }
                input #did name="did" value=(words) maxlength="512" autocomplete="off" spellcheck="false";
                (language(visitor))
                button type="submit" { (visitor.say("console-find-go")) }
            }
        }
    }
}

async fn of_did(visitor: &Visitor, reading: &Reading<'_>, directory: &Directory, did: &Did) -> Result<Page, Problem> {
    // Other methods spell their document out, and other chains are not ours to know.
    match resolve(did).map_err(|error| Problem::new(error.code()))? {
        Resolution::Fetch { chain, .. } if chain == reading.console.api.node.chain.genesis().chain => {}
        Resolution::Fetch { .. } | Resolution::Ready(_) => return Err(Problem::new(Code::LedgerEntryUnknown)),
    }
    let history = reading.did(did).await?.ok_or_else(|| Problem::new(Code::LedgerEntryUnknown))?;
    let known = directory.member(did);
    let name = known.map(|known| known.name(visitor.lang()));
    let name = name.or_else(|| history.label.as_ref().map(|label| of_label(label, visitor.lang())));
    let body = html! {
        (summary(visitor, reading, &history, known).show())
        (document(visitor, reading, &history))
        (changes(visitor, reading, &history).await?)
        (accreditations(visitor, reading, directory, did).await?)
        (duties(visitor, reading, did).await)
    };
    Ok(Page::new(place::DIDS, name.unwrap_or_else(|| short(did.as_str())), body))
}

fn summary(visitor: &Visitor, reading: &Reading<'_>, history: &DidHistory, known: Option<&Known>) -> Facts {
    let mut facts = Facts::default().with(visitor.say("console-did"), html! { code.digest { (history.did) } });
    let active = history.is_active_at(reading.last());
    let (tone, id) = if active { ("good", "console-did-active") } else { ("bad", "console-did-ended") };
    facts.add(visitor.say("console-did-standing"), badge(tone, &visitor.say(id)));
    if let Some(known) = known {
        facts.add(visitor.say("console-member-standing"), standing(visitor, &known.member));
    }
    facts
}

fn document(visitor: &Visitor, reading: &Reading<'_>, history: &DidHistory) -> Markup {
    let last = reading.last();
    let heads = ["console-key", "console-key-use", "console-key-since", "console-fact-thumbprint"];
    let keys: Vec<Vec<Markup>> = history
        .keys
        .iter()
        .filter(|key| key.holds_at(last))
        .map(|key| {
            vec![
                html! { code { "#" (harmless(&key.id)) } },
                html! { (visitor.say(use_name(key.key_use))) },
                index(visitor, key.from),
                digest(&key.jwk.thumbprint()),
            ]
        })
        .collect();
    let whole = history.document_at(last).map(|document| document.to_json());
    let whole = whole.and_then(|document| serde_json::to_string_pretty(&document).ok());
    html! {
        section aria-labelledby="now" {
            h2 #now { (visitor.say("console-document")) }
            @if keys.is_empty() { p { (visitor.say("console-no-keys")) } }
            @else { (table(&visitor.say("console-fact-keys"), &heads.map(|id| visitor.say(id)), &keys)) }
            @let services: Vec<&ServiceRecord> = history.services.iter().filter(|service| service.holds_at(last)).collect();
            @if !services.is_empty() {
                h3 { (visitor.say("console-fact-services")) }
                ul.plain {
                    @for service in services {
                        li { code { "#" (harmless(&service.id)) } " · " (service.kind.as_str()) " · " code.digest { (harmless(&service.url)) } }
                    }
                }
            }
            @if let Some(whole) = whole { (folded(&visitor.say("console-document-json"), html! { pre.bytes { (whole) } })) }
        }
    }
}

/// Every change with what it did, newest first.
async fn changes(visitor: &Visitor, reading: &Reading<'_>, history: &DidHistory) -> Result<Markup, Problem> {
    let all = history.changes();
    let shown: Vec<u64> = all.iter().rev().take(CHANGES).copied().collect();
    let blocks = reading.blocks(&shown).await?;
    let heads = ["console-index", "console-time", "console-change"].map(|id| visitor.say(id));
    let rows: Vec<Vec<Markup>> = shown
        .iter()
        .map(|place| {
            let said = happened(visitor, history, *place);
            vec![
                index(visitor, *place),
                sealed(visitor, blocks.get(place)),
                html! { ul.plain { @for line in said { li { (line) } } } },
            ]
        })
        .collect();
    let earlier = all.len().saturating_sub(shown.len());
    Ok(html! {
        section aria-labelledby="history" {
            h2 #history { (visitor.say("console-history")) }
            (table(&visitor.say("console-history"), &heads, &rows))
            @if earlier > 0 { p.note { (visitor.fill("console-earlier", &[("count", earlier.to_string().into())])) } }
        }
    })
}

fn happened(visitor: &Visitor, history: &DidHistory, place: u64) -> Vec<String> {
    let mut said = Vec::new();
    if history.created == place {
        said.push(visitor.say("console-change-created"));
    }
    if history.recovery.iter().any(|entry| entry.from == place && entry.from != history.created) {
        said.push(visitor.say("console-change-recovered"));
    }
    let of_key = |id: &str, key: &KeyRecord| {
        let values = [("key", harmless(&key.id).into()), ("use", visitor.say(use_name(key.key_use)).into())];
        visitor.fill(id, &values)
    };
    for key in &history.keys {
        let events = [
            (Some(key.from), "console-change-key-added"),
            (key.until, "console-change-key-ended"),
            (key.compromised, "console-change-key-stolen"),
        ];
        said.extend(events.into_iter().filter(|(at, _)| *at == Some(place)).map(|(_, id)| of_key(id, key)));
    }
    for service in &history.services {
        let events =
            [(Some(service.from), "console-change-service-added"), (service.until, "console-change-service-ended")];
        let values = [("service", harmless(&service.id).into()), ("url", harmless(&service.url).into())];
        said.extend(events.into_iter().filter(|(at, _)| *at == Some(place)).map(|(_, id)| visitor.fill(id, &values)));
    }
    if history.deactivated == Some(place) {
        said.push(visitor.say("console-change-deactivated"));
    }
    said
}

async fn accreditations(
    visitor: &Visitor,
    reading: &Reading<'_>,
    directory: &Directory,
    did: &Did,
) -> Result<Markup, Problem> {
    let held = reading.accreditations(did).await?.map(|history| history.grants).unwrap_or_default();
    let given = directory.members.iter().flat_map(|known| known.grants.iter().map(move |grant| (known, grant)));
    let given: Vec<(&Known, &Grant)> = given.filter(|(_, grant)| grant.by == *did).collect();
    let last = reading.last();
    Ok(html! {
        section aria-labelledby="accreditations" {
            h2 #accreditations { (visitor.say("console-accreditations-held")) }
            @if held.is_empty() { p { (visitor.say("console-none")) } }
            ul.cards {
                @for grant in held.iter().rev().take(GRANTS) {
                    li {
                        p { (index(visitor, grant.id)) " " (grant_standing(visitor, grant, last)) }
                        (told::grant(visitor, directory, grant).show())
                    }
                }
            }
            @if held.len() > GRANTS { p.note { (visitor.fill("console-earlier", &[("count", held.len().saturating_sub(GRANTS).to_string().into())])) } }
        }
        @if !given.is_empty() {
            section aria-labelledby="given" {
                h2 #given { (visitor.say("console-accreditations-given")) }
                (given_table(visitor, directory, &given, last))
            }
        }
    })
}

fn given_table(visitor: &Visitor, directory: &Directory, given: &[(&Known, &Grant)], last: u64) -> Markup {
    let heads =
        ["console-index", "console-fact-accredited", "console-fact-role", "console-fact-types", "console-standing"];
    let rows: Vec<Vec<Markup>> = given
        .iter()
        .rev()
        .take(GRANTS)
        .map(|(known, grant)| {
            vec![
                index(visitor, grant.id),
                who(visitor, directory, &known.member.did),
                html! { (super::piece::role(visitor, grant.role)) },
                super::piece::types(visitor, &grant.types),
                grant_standing(visitor, grant, last),
            ]
        })
        .collect();
    html! {
        (table(&visitor.say("console-accreditations-given"), &heads.map(|id| visitor.say(id)), &rows))
        @if given.len() > GRANTS {
            p.note { (visitor.fill("console-earlier", &[("count", given.len().saturating_sub(GRANTS).to_string().into())])) }
        }
    }
}

fn grant_standing(visitor: &Visitor, grant: &Grant, last: u64) -> Markup {
    standing_of(visitor, grant.holds_at(last), grant.ended.zip(grant.ending))
}

/// Whether something given holds, waits for its time, or ceased and why.
pub(super) fn standing_of(visitor: &Visitor, holds: bool, ended: Option<(u64, Ending)>) -> Markup {
    html! {
        @match ended {
            _ if holds => (badge("good", &visitor.say("console-holds"))),
            Some((at, why)) => { (badge("bad", &visitor.say(ending_name(why)))) " " (index(visitor, at)) }
            None => (badge("waiting", &visitor.say("console-begins-later"))),
        }
    }
}

fn ending_name(ending: Ending) -> &'static str {
    match ending {
        Ending::Lapsed => "console-ending-lapsed",
        Ending::Ended => "console-ending-ended",
        Ending::Chain => "console-ending-chain",
        Ending::Deactivated => "console-ending-deactivated",
        Ending::Expelled => "console-ending-expelled",
        Ending::Replaced => "console-ending-replaced",
    }
}

async fn duties(visitor: &Visitor, reading: &Reading<'_>, did: &Did) -> Markup {
    let follower = reading.follower().await;
    let numbers = follower.duties(did);
    html! {
        section aria-labelledby="duties" {
            h2 #duties { (visitor.say("console-duties")) }
            p { (visitor.say("console-duties-lead")) }
            @if numbers.is_empty() { p { (visitor.say("console-none")) } }
            ul.plain {
                @for number in &numbers {
                    li { a href=(visitor.link("/duty", &[("did", did.as_str()), ("duty", number)])) { code { (number) } } }
                }
            }
            (how_far(visitor, reading))
            form.inline method="get" action="/console/duty" {
                input type="hidden" name="did" value=(did);
                label for="duty" { (visitor.say("console-duty-wanted")) }
                input #duty name="duty" required maxlength="64" autocomplete="off" spellcheck="false";
                (language(visitor))
                button type="submit" { (visitor.say("console-find-go")) }
            }
        }
    }
}

/// How much of the log a list of duties is from.
pub(super) fn how_far(visitor: &Visitor, reading: &Reading<'_>) -> Markup {
    let follower = reading.console.follower();
    let (first, next, size) = (follower.first(), follower.next(), reading.round.head.size);
    let values = [("next", next.to_string().into()), ("size", size.to_string().into())];
    html! {
        @if next < size { p.note { (visitor.fill("console-still-reading", &values)) } }
        @if first > 0 { p.note { (visitor.fill("console-duties-from", &[("first", first.to_string().into())])) } }
    }
}
