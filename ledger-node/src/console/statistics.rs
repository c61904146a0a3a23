//! How often services accepted an answer, by purpose and by department, day by day: what they told the ledger, and nothing
//! that they did not.
//!
//! Days are found by their keys in the state, so a page costs the same however long the log is: some values for each of the
//! departments on it, and no more departments than [`PER_PAGE`].

use std::cmp::Reverse;
use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use identity_core::did::Did;
use identity_core::problem::Code;
use identity_core::registry::{Role, TalliedDay, TalliedMonth, Tallies, tallied_month_key, tallies_key};
use identity_core::time::UtcDay;
use maud::{Markup, html};
use service_kit::console::frame::{self, Page};
use service_kit::console::visitor::Visitor;
use service_kit::reply::Problem;

use super::names::{Directory, Known, of_purpose};
use super::piece::{folded, narrow, who};
use super::place::STATISTICS;
use super::plot::{self, Amount, Bar};
use super::reading::{Console, Reading};

/// Departments whose counts are read for one page.
const PER_PAGE: usize = 20;
/// Purposes that are drawn on one page; what is beyond is said, and found on the pages of the departments.
const PLOTS: usize = 40;

/// How long a time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Week,
    Month,
    /// In whole weeks, so that each bar stands for as many days.
    Year,
}

impl Span {
    const ALL: [Self; 3] = [Self::Week, Self::Month, Self::Year];

    fn days(self) -> i64 {
        match self {
            Self::Week => 7,
            Self::Month => 30,
            Self::Year => 364,
        }
    }

    /// How many days are one bar.
    fn step(self) -> i64 {
        match self {
            Self::Week | Self::Month => 1,
            Self::Year => 7,
        }
    }

    /// The name in addresses.
    fn name(self) -> String {
        self.days().to_string()
    }

    fn text(self) -> &'static str {
        match self {
            Self::Week => "console-statistics-week",
            Self::Month => "console-statistics-month",
            Self::Year => "console-statistics-year",
        }
    }
}

/// The days that a page is about: the last ones that are over by the ledger's time.
struct Window {
    span: Span,
    first: UtcDay,
    last: UtcDay,
}

impl Window {
    fn ending(span: Span, last: UtcDay) -> Option<Self> {
        Some(Self { span, first: last.plus(1 - span.days())?, last })
    }

    /// The bar that a day belongs to.
    fn place(&self, day: UtcDay) -> Option<usize> {
        let within = (self.first..=self.last).contains(&day);
        let after = day.days_since_epoch() - self.first.days_since_epoch();
        within.then(|| usize::try_from(after / self.span.step()).ok()).flatten()
    }

    /// The first day of each bar.
    fn bars(&self) -> impl Iterator<Item = UtcDay> {
        (0..self.span.days() / self.span.step()).filter_map(|place| self.first.plus(place * self.span.step()))
    }

    fn months(&self) -> impl Iterator<Item = UtcDay> {
        let last = self.last.month();
        std::iter::successors(Some(self.first), |day| day.next_month()).take_while(move |day| day.month() <= last)
    }
}

/// The counts of some departments within a window.
#[derive(Default)]
struct Shared {
    purposes: BTreeMap<String, Vec<Amount>>,
    departments: Vec<(Did, Vec<Amount>)>,
    /// The newest day that any of them ever counted.
    newest: Option<UtcDay>,
}

/// `GET /console/statistics?days=…&from=…&did=…`.
pub(super) async fn show(console: web::Data<Console>, visitor: Visitor) -> HttpResponse {
    frame::answer(&visitor, STATISTICS, page(&console, &visitor).await)
}

async fn page(console: &Console, visitor: &Visitor) -> Result<Page, Problem> {
    let reading = console.reading()?;
    let directory = reading.directory().await?;
    let asked = visitor.asks("days");
    let span = Span::ALL.into_iter().find(|span| asked == Some(&span.name())).unwrap_or(Span::Month);
    let yesterday = UtcDay::of(reading.round.at).and_then(|today| today.plus(-1));
    let window = yesterday.and_then(|last| Window::ending(span, last));
    let window = window.ok_or_else(|| Problem::new(Code::LedgerUncertified))?;
    let all = who_may_ask(&directory);
    let one = visitor.asks("did").and_then(|did| Did::parse(did).ok()).filter(|did| all.contains(did));
    let from = visitor.asks("from").and_then(|from| from.parse().ok()).filter(|from| *from < all.len()).unwrap_or(0);
    let shown = match &one {
        Some(did) => std::slice::from_ref(did),
        None => all.get(from..).map(|rest| rest.get(..PER_PAGE).unwrap_or(rest)).unwrap_or_default(),
    };
    let shared = read(&reading, &window, shown).await?;
    let whose = Whose { one: one.as_ref(), from, shown: shown.len(), all: all.len() };
    let body = html! {
        (spans(visitor, span, whose.one))
        (departments(visitor, &directory, span, &whose))
        @if shared.departments.is_empty() { (why_empty(visitor, &window, &whose, shared.newest)) }
        @else { (plots(visitor, &directory, &window, &shared)) }
    };
    let lead = visitor.say("console-statistics-lead");
    Ok(Page::new(STATISTICS, visitor.say("console-statistics"), body).with_lead(lead))
}

/// Every member that was ever accredited to ask for a purpose, in the order of their admission.
fn who_may_ask(directory: &Directory) -> Vec<Did> {
    let may_ask = |known: &&Known| {
        let mut grants = known.grants.iter();
        grants.any(|grant| grant.role == Role::Verifier && grant.started.is_some() && !grant.purposes.is_empty())
    };
    directory.members.iter().filter(may_ask).map(|known| known.member.did.clone()).collect()
}

async fn read(reading: &Reading<'_>, window: &Window, departments: &[Did]) -> Result<Shared, Problem> {
    let mut shared = Shared::default();
    for did in departments {
        let Some(reach) = reading.value::<Tallies>(&tallies_key(did)).await? else { continue };
        shared.newest = shared.newest.max(Some(reach.last));
        let mut own = vec![Amount::default(); window.bars().count()];
        for month in window.months() {
            if month.month() < reach.first.month() || month.month() > reach.last.month() {
                continue;
            }
            let month: Option<TalliedMonth> = reading.value(&tallied_month_key(did, month)).await?;
            for (day, tallied) in month.unwrap_or_default().days {
                shared.add(window, day, &tallied, &mut own);
            }
        }
        if Amount::sum(&own).counts > 0 {
            shared.departments.push((did.clone(), own));
        }
    }
    Ok(shared)
}

impl Shared {
    fn add(&mut self, window: &Window, day: UtcDay, tallied: &TalliedDay, own: &mut [Amount]) {
        let Some(place) = window.place(day) else { return };
        for (purpose, count) in &tallied.counts {
            let amounts = self.purposes.entry(purpose.clone()).or_insert_with(|| vec![Amount::default(); own.len()]);
            for amounts in [&mut *own, amounts.as_mut_slice()] {
                if let Some(amount) = amounts.get_mut(place) {
                    amount.add(count.bounds());
                }
            }
        }
    }
}

/// Which departments a page is about.
struct Whose<'a> {
    one: Option<&'a Did>,
    from: usize,
    shown: usize,
    all: usize,
}

fn spans(visitor: &Visitor, chosen: Span, one: Option<&Did>) -> Markup {
    html! {
        nav.spans aria-label=(visitor.say("console-statistics-range")) {
            @for span in Span::ALL {
                a href=(address(visitor, span, one, 0)) aria-current=[(span == chosen).then_some("true")] {
                    (visitor.say(span.text()))
                }
            }
        }
    }
}

fn address(visitor: &Visitor, span: Span, one: Option<&Did>, from: usize) -> String {
    let (days, from) = (span.name(), from.to_string());
    let mut asked = vec![("days", days.as_str())];
    asked.extend(one.map(|did| ("did", did.as_str())));
    asked.extend((from != "0").then_some(("from", from.as_str())));
    visitor.link(STATISTICS.path(), &asked)
}

/// Whose counts these are, where it is not everybody's.
fn departments(visitor: &Visitor, directory: &Directory, span: Span, whose: &Whose<'_>) -> Markup {
    let end = whose.from.saturating_add(whose.shown);
    let values = [
        ("from", whose.from.saturating_add(1).to_string().into()),
        ("to", end.to_string().into()),
        ("count", whose.all.to_string().into()),
    ];
    html! {
        @if let Some(did) = whose.one {
            p { (who(visitor, directory, did)) " · " a href=(address(visitor, span, None, 0)) { (visitor.say("console-statistics-all")) } }
        } @else if whose.all > PER_PAGE {
            p { (visitor.fill("console-statistics-some", &values)) }
            nav.pages aria-label=(visitor.say("console-pages")) {
                @if whose.from > 0 { a rel="prev" href=(address(visitor, span, None, whose.from.saturating_sub(PER_PAGE))) { (visitor.say("console-statistics-before")) } }
                @if end < whose.all { a rel="next" href=(address(visitor, span, None, end)) { (visitor.say("console-statistics-next")) } }
            }
        }
    }
}

/// Why there is nothing to draw.
fn why_empty(visitor: &Visitor, window: &Window, whose: &Whose<'_>, newest: Option<UtcDay>) -> Markup {
    html! {
        @match newest {
            _ if whose.all == 0 => p.notice { (visitor.say("console-statistics-nobody")) },
            None => p.notice { (visitor.say("console-statistics-none-yet")) },
            Some(day) => p.notice {
                (visitor.fill("console-statistics-none-here", &[
                    ("from", window.first.to_string().into()),
                    ("to", window.last.to_string().into()),
                    ("day", day.to_string().into()),
                ]))
            },
        }
    }
}

fn plots(visitor: &Visitor, directory: &Directory, window: &Window, shared: &Shared) -> Markup {
    let mut purposes: Vec<(&String, &Vec<Amount>)> = shared.purposes.iter().collect();
    purposes.sort_by_key(|(_, amounts)| Reverse(Amount::sum(*amounts).least));
    let cut = purposes.len() > PLOTS;
    let values = [("from", window.first.to_string().into()), ("to", window.last.to_string().into())];
    html! {
        p { (visitor.fill(shown(window.span), &values)) }
        ul.legend.amounts {
            li.known { (visitor.say("console-statistics-known")) }
            li.open { (visitor.say("console-statistics-open")) }
        }
        p.note { (visitor.say("console-statistics-note")) }
        (plot::pattern())
        section aria-labelledby="by-purpose" {
            h2 #by-purpose { (visitor.say("console-statistics-by-purpose")) }
            @if cut { p.notice { (visitor.fill("console-statistics-cut", &[("count", PLOTS.to_string().into())])) } }
            div.plots {
                @for (code, amounts) in purposes.into_iter().take(PLOTS) {
                    @let name = of_purpose(code, visitor.lang());
                    (figure(visitor, window, &name, html! { bdi title=(code) { (name) } }, amounts))
                }
            }
        }
        section aria-labelledby="by-department" {
            h2 #by-department { (visitor.say("console-statistics-by-department")) }
            div.plots {
                @for (did, amounts) in &shared.departments {
                    @let name = directory.name(did, visitor.lang()).unwrap_or_else(|| did.to_string());
                    @let link = address(visitor, window.span, Some(did), 0);
                    (figure(visitor, window, &name, html! { a href=(link) title=(did) { bdi { (name) } } }, amounts))
                }
            }
        }
    }
}

/// A plot with its name, its sum and its numbers.
fn figure(visitor: &Visitor, window: &Window, name: &str, heading: Markup, amounts: &[Amount]) -> Markup {
    let bars: Vec<Bar> =
        window.bars().zip(amounts).map(|(day, amount)| Bar { when: day.to_string(), amount: *amount }).collect();
    let heads = [when_head(window.span), "console-statistics-count"].map(|id| visitor.say(id));
    let row = |bar: &Bar| vec![html! { time { (bar.when) } }, html! { span.number { (bar.amount.told()) } }];
    let rows: Vec<Vec<Markup>> = bars.iter().rev().map(row).collect();
    let sum = [("count", Amount::sum(amounts).told().into())];
    html! {
        figure.amounts {
            figcaption { h3 { (heading) } p.note { (visitor.fill("console-statistics-sum", &sum)) } }
            (plot::draw(&bars, name, &visitor.say("console-statistics-plot")))
            (folded(&visitor.say("console-statistics-numbers"), narrow(name, &heads, &rows)))
        }
    }
}

fn shown(span: Span) -> &'static str {
    match span {
        Span::Week | Span::Month => "console-statistics-shown-days",
        Span::Year => "console-statistics-shown-weeks",
    }
}

fn when_head(span: Span) -> &'static str {
    match span {
        Span::Week | Span::Month => "console-statistics-day",
        Span::Year => "console-statistics-week-of",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_has_one_bar_and_each_bar_its_days() {
        let last: UtcDay = "2028-03-01".parse().unwrap();
        for (span, bars, months) in [(Span::Week, 7, 2), (Span::Month, 30, 2), (Span::Year, 52, 13)] {
            let window = Window::ending(span, last).unwrap();
            assert_eq!((window.bars().count(), window.months().count()), (bars, months), "{span:?}");
            let places: Vec<usize> =
                (0..span.days()).map(|after| window.place(window.first.plus(after).unwrap()).unwrap()).collect();
            assert!(places.is_sorted() && places[0] == 0 && places.last() == Some(&(bars - 1)), "{places:?}");
            assert_eq!(window.place(last.next().unwrap()), None);
            assert_eq!(window.place(window.first.plus(-1).unwrap()), None);
            let begins: Vec<UtcDay> = window.bars().collect();
            assert!(begins.iter().enumerate().all(|(place, day)| window.place(*day) == Some(place)));
        }
        assert!(Window::ending(Span::Week, "0000-01-02".parse().unwrap()).is_none());
    }
}
