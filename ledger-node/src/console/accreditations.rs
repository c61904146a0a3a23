//! Who may do what on whose word: the chains from the authorities down to the duties, as a picture and as a list.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use identity_core::did::Did;
use identity_core::registry::{Delegation, Grant};
use maud::{Markup, html};
use service_kit::console::frame::{self, Page};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;

use super::dids::how_far;
use super::names::{Directory, of_label, of_type};
use super::picture;
use super::piece::role;
use super::place;
use super::reading::{Console, Reading};
use super::told::{holder_name, role_tone};

/// Duties that are looked up for one picture.
const DUTIES: usize = 500;
/// Boxes of one picture and items of its list; what is beyond is said, and found on the pages of the members.
const BOXES: usize = 400;
/// Levels of the picture: the longest chain there can be, its authority and its duties.
const LEVELS: usize = 10;

/// Somebody, or something given.
pub(super) struct Branch {
    /// Its look: `authority`, `issuer`, `verifier` or `duty`; and whether it is over.
    pub(super) tone: &'static str,
    pub(super) over: bool,
    pub(super) name: String,
    pub(super) about: String,
    pub(super) address: String,
    pub(super) branches: Vec<Branch>,
}

/// `GET /console/accreditations?ended=1`.
pub(super) async fn show(console: web::Data<Console>, visitor: Visitor) -> HttpResponse {
    frame::answer(&visitor, place::ACCREDITATIONS, page(&console, &visitor).await)
}

async fn page(console: &Console, visitor: &Visitor) -> Result<Page, Problem> {
    let reading = console.reading()?;
    let directory = reading.directory().await?;
    let with_ended = visitor.asks("ended").is_some();
    let duties = duties(&reading).await?;
    let mut planter = Planter { visitor, directory: &directory, duties, last: reading.last(), with_ended, left: BOXES };
    let roots = planter.plant();
    let is_whole = planter.left > 0;
    let (switch, other) = match with_ended {
        true => ("console-tree-now", visitor.link(place::ACCREDITATIONS.path(), &[])),
        false => ("console-tree-ended", visitor.link(place::ACCREDITATIONS.path(), &[("ended", "1")])),
    };
    let body = html! {
        p { a href=(other) { (visitor.say(switch)) } }
        @if !is_whole { p.notice { (visitor.fill("console-tree-cut", &[("count", BOXES.to_string().into())])) } }
        (how_far(visitor, &reading))
        @if roots.is_empty() { p { (visitor.say("console-none")) } }
        @else {
            (legend(visitor))
            div.picture tabindex="0" role="region" aria-label=(visitor.say("console-tree-picture")) {
                (picture::draw(&roots, &visitor.say("console-tree-picture"), &visitor.say("console-tree-description")))
            }
            section aria-labelledby="as-list" {
                h2 #as-list { (visitor.say("console-tree-list")) }
                div.tree { (list(&roots)) }
            }
        }
    };
    let lead = visitor.say("console-accreditations-lead");
    Ok(Page::new(place::ACCREDITATIONS, visitor.say("console-accreditations"), body).with_lead(lead))
}

/// The newest delegation of every duty that the log names, by member.
async fn duties(reading: &Reading<'_>) -> Result<BTreeMap<Did, Vec<(String, Delegation)>>, Problem> {
    let mut found: BTreeMap<Did, Vec<(String, Delegation)>> = BTreeMap::new();
    let named = reading.follower().await.all_duties();
    let named =
        named.into_iter().flat_map(|(did, numbers)| numbers.into_iter().map(move |number| (did.clone(), number)));
    for (did, number) in named.take(DUTIES) {
        let history = reading.duty(&did, &number).await?;
        let Some(history) = history else { continue };
        let holding = history.at(reading.last()).or(history.delegations.last()).cloned();
        found.entry(did).or_default().extend(holding.map(|delegation| (number, delegation)));
    }
    Ok(found)
}

fn legend(visitor: &Visitor) -> Markup {
    let tones = [
        ("authority", "console-member-authority"),
        ("issuer", "console-role-issuer"),
        ("verifier", "console-role-verifier"),
        ("duty", "console-tree-duty"),
    ];
    html! { ul.legend { @for (tone, id) in tones { li.(tone) { (visitor.say(id)) } } } }
}

fn list(branches: &[Branch]) -> Markup {
    html! {
        ul {
            @for branch in branches {
                li.(branch.tone) {
                    a href=(branch.address) { bdi { (branch.name) } }
                    span.faint { " " (branch.about) }
                    @if !branch.branches.is_empty() { (list(&branch.branches)) }
                }
            }
        }
    }
}

/// Makes branches, as many as there is room for.
struct Planter<'a> {
    visitor: &'a Visitor,
    directory: &'a Directory,
    duties: BTreeMap<Did, Vec<(String, Delegation)>>,
    last: u64,
    with_ended: bool,
    left: usize,
}

impl Planter<'_> {
    /// One root for each member whose word begins a chain.
    fn plant(&mut self) -> Vec<Branch> {
        let directory = self.directory;
        let begins = |did: &Did| {
            let mut grants = directory.members.iter().flat_map(|known| &known.grants);
            grants.any(|grant| grant.by == *did && grant.under.is_none())
        };
        let roots = directory.members.iter().filter(|known| known.member.authority || begins(&known.member.did));
        let mut planted = Vec::new();
        for known in roots {
            let did = &known.member.did;
            if !self.takes_one() {
                break;
            }
            let branches = self.grants(LEVELS, &|grant| grant.by == *did && grant.under.is_none());
            planted.push(Branch {
                tone: "authority",
                over: known.member.until.is_some(),
                name: known.name(self.visitor.lang()),
                about: self.visitor.say("console-member-authority"),
                address: self.address_of(did),
                branches,
            });
        }
        planted
    }

    fn grants(&mut self, levels: usize, wanted: &dyn Fn(&Grant) -> bool) -> Vec<Branch> {
        let directory = self.directory;
        let mut planted = Vec::new();
        if levels == 0 {
            return planted;
        }
        for known in &directory.members {
            for grant in known.grants.iter().filter(|grant| wanted(grant)) {
                let over = !grant.holds_at(self.last);
                if (over && !self.with_ended) || !self.takes_one() {
                    continue;
                }
                let did = &known.member.did;
                let mut branches = self.grants(levels.saturating_sub(1), &|below| below.under == Some(grant.id));
                branches.extend(self.duties_under(did, grant));
                let lang = self.visitor.lang();
                let types: Vec<String> = grant.types.iter().map(|vct| of_type(vct, lang)).collect();
                planted.push(Branch {
                    tone: role_tone(grant.role),
                    over,
                    name: known.name(lang),
                    about: format!("{} · {}", role(self.visitor, grant.role), types.join(", ")),
                    address: self.address_of(did),
                    branches,
                });
            }
        }
        planted
    }

    /// The duties of a member that this accreditation is the first to allow anything of.
    fn duties_under(&mut self, did: &Did, grant: &Grant) -> Vec<Branch> {
        let (last, with_ended) = (self.last, self.with_ended);
        let fits = |delegation: &Delegation| {
            let is_wanted = with_ended || delegation.holds_at(last);
            is_wanted && delegation.types.iter().any(|vct| grant.is_for(delegation.role, vct))
        };
        let Some(known) = self.duties.get_mut(did) else { return Vec::new() };
        let (taken, rest) = std::mem::take(known).into_iter().partition(|(_, delegation)| fits(delegation));
        *known = rest;
        let taken: Vec<(String, Delegation)> = taken;
        taken.into_iter().filter_map(|(number, delegation)| self.duty(did, &number, &delegation)).collect()
    }

    fn duty(&mut self, did: &Did, number: &str, delegation: &Delegation) -> Option<Branch> {
        let holder = self.visitor.say(holder_name(delegation.holder));
        self.takes_one().then(|| Branch {
            tone: "duty",
            over: !delegation.holds_at(self.last),
            name: of_label(&delegation.title, self.visitor.lang()),
            about: format!("{number} · {holder}"),
            address: self.visitor.link("/duty", &[("did", did.as_str()), ("duty", number)]),
            branches: Vec::new(),
        })
    }

    fn address_of(&self, did: &Did) -> String {
        self.visitor.link(place::DIDS.path(), &[("did", did.as_str())])
    }

    fn takes_one(&mut self) -> bool {
        let there_is_room = self.left > 0;
        self.left = self.left.saturating_sub(1);
        there_is_room
    }
}
