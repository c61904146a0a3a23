//! What pages are made of: lists of facts, tables that fold on narrow screens, times, small words about a standing.

use ledger::Hash;
use maud::{Markup, html};

use super::visitor::Visitor;
use crate::calendar::utc;

/// Something that is called something.
struct Fact {
    label: String,
    value: Markup,
}

/// A list of facts, in the order of reading.
#[derive(Default)]
pub struct Facts(Vec<Fact>);

impl Facts {
    /// One more.
    pub fn add(&mut self, label: String, value: Markup) {
        self.0.push(Fact { label, value });
    }

    /// The list with one more.
    #[must_use]
    pub fn with(mut self, label: String, value: Markup) -> Self {
        self.add(label, value);
        self
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The list as it is read.
    #[must_use]
    pub fn show(&self) -> Markup {
        html! { dl.facts { @for fact in &self.0 { div { dt { (fact.label) } dd { (fact.value) } } } } }
    }
}

/// A table whose rows become blocks of facts on a narrow screen.
#[must_use]
pub fn table(caption: &str, heads: &[String], rows: &[Vec<Markup>]) -> Markup {
    table_that("folds", caption, heads, rows)
}

/// The same for rows that explain themselves.
#[must_use]
pub fn log(caption: &str, heads: &[String], rows: &[Vec<Markup>]) -> Markup {
    table_that("folds log", caption, heads, rows)
}

/// The same for rows that fit on a phone as they are.
#[must_use]
pub fn narrow(caption: &str, heads: &[String], rows: &[Vec<Markup>]) -> Markup {
    table_that("narrow", caption, heads, rows)
}

/// Roles are said, because a browser forgets them where a style makes blocks of rows.
fn table_that(looks: &str, caption: &str, heads: &[String], rows: &[Vec<Markup>]) -> Markup {
    html! {
        table class=(looks) role="table" {
            caption.unseen { (caption) }
            thead role="rowgroup" { tr role="row" { @for head in heads { th role="columnheader" scope="col" { (head) } } } }
            tbody role="rowgroup" {
                @for row in rows {
                    tr role="row" {
                        @for (head, cell) in heads.iter().zip(row) { td role="cell" data-label=(head) { div { (cell) } } }
                    }
                }
            }
        }
    }
}

/// A digest, whole.
#[must_use]
pub fn digest(hash: &Hash) -> Markup {
    html! { code.digest { (hash.to_base64url()) } }
}

/// A point in time, to the minute.
#[must_use]
pub fn moment(visitor: &Visitor, seconds: i64) -> Markup {
    let text = utc(seconds);
    let machine = format!("{}Z", text.replace(' ', "T"));
    html! { time datetime=(machine) { (visitor.fill("console-utc", &[("time", text.into())])) } }
}

/// How long ago, in words.
#[must_use]
pub fn age(visitor: &Visitor, seconds: i64) -> String {
    let (id, count) = match seconds {
        ..60 => ("console-age-seconds", seconds.max(0)),
        60..3600 => ("console-age-minutes", seconds / 60),
        3600..86_400 => ("console-age-hours", seconds / 3600),
        _ => ("console-age-days", seconds / 86_400),
    };
    visitor.fill(id, &[("count", count.to_string().into())])
}

/// A small word about a standing: `good`, `waiting`, `bad`, or nothing special.
#[must_use]
pub fn badge(tone: &str, text: &str) -> Markup {
    html! { span.badge.(tone) { (text) } }
}

/// The way through a list that does not fit on one page: to its newest part, and to what is older.
#[must_use]
pub fn pages(visitor: &Visitor, newest: Option<&str>, older: Option<&str>) -> Markup {
    html! {
        @if newest.is_some() || older.is_some() {
            nav.pages aria-label=(visitor.say("console-pages")) {
                @if let Some(newest) = newest { a href=(newest) { (visitor.say("console-newest")) } }
                @if let Some(older) = older { a rel="next" href=(older) { (visitor.say("console-older")) } }
            }
        }
    }
}

/// Something that is folded away until somebody wants it.
#[must_use]
pub fn folded(summary: &str, content: Markup) -> Markup {
    html! { details { summary { (summary) } (content) } }
}

/// What is renewed while somebody looks, every so many milliseconds, and what stands beside it. The parts are marked with
/// `data-live-part` and a name of their own.
#[must_use]
pub fn live(visitor: &Visitor, every: u32, content: Markup) -> Markup {
    live_from(visitor, None, every, content)
}

/// The same on a page that cannot be asked for again: the parts come from another one.
#[must_use]
pub fn live_from(visitor: &Visitor, page: Option<&str>, every: u32, content: Markup) -> Markup {
    html! {
        div data-live=(every) data-live-from=[page] {
            p.live hidden data-live-on="" { (visitor.say("console-live-on")) }
            p.live.stale hidden data-live-off="" role="status" { (visitor.say("console-live-off")) }
            (content)
        }
    }
}
