//! What every page has around it: head, navigation, languages, foot; and the page that says why there is none.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError as _};
use maud::{DOCTYPE, Markup, html};

use super::operator::{SIGN_IN, SIGN_OUT};
use super::site::{Audience, Place};
use super::visitor::Visitor;
use crate::reply::Problem;

/// Nothing is loaded from elsewhere, nothing runs that is not a file of ours, and no page stands in another's.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page, but for what all share.
pub struct Page {
    /// Where it stands in the navigation.
    place: Option<Place>,
    title: String,
    lead: Option<String>,
    body: Markup,
    status: StatusCode,
    retry_after: Option<u64>,
}

impl Page {
    /// A page that belongs to a place of the navigation.
    #[must_use]
    pub fn new(place: Place, title: String, body: Markup) -> Self {
        Self { place: Some(place), ..Self::beside(title, body) }
    }

    /// A page that stands nowhere in the navigation.
    #[must_use]
    pub fn beside(title: String, body: Markup) -> Self {
        Self { place: None, title, lead: None, body, status: StatusCode::OK, retry_after: None }
    }

    /// With a sentence under the title.
    #[must_use]
    pub fn with_lead(self, lead: String) -> Self {
        Self { lead: Some(lead), ..self }
    }

    /// With another status than 200: whether the address was understood and something stands there.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

/// The answer to a visitor: the page, or the reason in words why there is none.
pub fn answer(visitor: &Visitor, place: Place, page: Result<Page, Problem>) -> HttpResponse {
    send(visitor, &page.unwrap_or_else(|problem| Page { place: Some(place), ..failure(visitor, &problem) }))
}

/// The reason in words why there is no page.
#[must_use]
pub fn refusal(visitor: &Visitor, problem: &Problem) -> HttpResponse {
    send(visitor, &failure(visitor, problem))
}

pub(super) fn send(visitor: &Visitor, page: &Page) -> HttpResponse {
    let mut answer = HttpResponse::build(page.status);
    answer
        .insert_header(("Content-Security-Policy", POLICY))
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Content-Language", visitor.tag()))
        .insert_header(("Vary", "Accept-Language"))
        .content_type("text/html; charset=utf-8");
    if visitor.site().audience == Audience::Operators {
        // Without a referrer a browser names no origin with a form, and a form without one is refused.
        answer.insert_header(("Referrer-Policy", "same-origin"));
        answer.insert_header(("Cross-Origin-Opener-Policy", "same-origin"));
        answer.insert_header(("Cross-Origin-Resource-Policy", "same-origin"));
    }
    if let Some(seconds) = page.retry_after {
        answer.insert_header((RETRY_AFTER, seconds));
    }
    answer.body(whole(visitor, page).into_string())
}

fn whole(visitor: &Visitor, page: &Page) -> Markup {
    let site = visitor.site();
    html! {
        (DOCTYPE)
        html lang=(visitor.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) " · " (visitor.say(site.name)) }
                link rel="icon" href=(site.at("/icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(site.at("/console.css"));
                script type="module" src=(site.at("/live.js")) {}
            }
            body {
                a.skip href="#content" { (visitor.say("console-skip")) }
                header.top {
                    a.brand href=(visitor.link("/", &[])) {
                        span.mark aria-hidden="true" { "信符" }
                        span { (visitor.say(site.name)) }
                    }
                    (places(visitor, page))
                    (operator(visitor))
                    nav.languages aria-label=(visitor.say("console-languages")) {
                        @for (lang, tag, name) in [("en", "en", "English"), ("zh", "zh-CN", "简体中文")] {
                            a href=(visitor.in_language(lang)) hreflang=(tag) lang=(tag)
                                aria-current=[(tag == visitor.tag()).then_some("true")] { (name) }
                        }
                    }
                }
                main #content tabindex="-1" {
                    h1 { (page.title) }
                    @if let Some(lead) = &page.lead { p.lead { (lead) } }
                    (page.body)
                }
                footer.bottom { p { (visitor.say(site.foot)) } }
            }
        }
    }
}

/// The navigation, for whoever may follow it.
fn places(visitor: &Visitor, page: &Page) -> Markup {
    let site = visitor.site();
    let is_open = site.audience == Audience::Everybody || visitor.operator().is_some();
    html! {
        nav.places aria-label=(visitor.say("console-nav")) {
            @for place in site.places.iter().filter(|_| is_open) {
                a href=(visitor.link(place.path(), &[])) aria-current=[(Some(*place) == page.place).then_some("page")] {
                    (visitor.say(place.name()))
                }
            }
        }
    }
}

/// Who is signed in, and the way out.
fn operator(visitor: &Visitor) -> Markup {
    html! {
        @if let Some(official) = visitor.operator() {
            form.operator method="post" action=(visitor.link(SIGN_OUT, &[])) {
                bdi { (official.name()) }
                button.quiet type="submit" { (visitor.say("operator-sign-out")) }
            }
        }
    }
}

fn failure(visitor: &Visitor, problem: &Problem) -> Page {
    let code = problem.code();
    let is_out = visitor.site().audience == Audience::Operators && visitor.operator().is_none();
    let body = html! {
        p { (code.remedy(visitor.lang())) }
        p.note { code { (code.as_str()) } }
        @if is_out { p { a href=(visitor.link(SIGN_IN, &[])) { (visitor.say("operator-sign-in")) } } }
    };
    let page = Page::beside(code.title(visitor.lang()).to_owned(), body).with_status(problem.status_code());
    Page { retry_after: problem.retry_after(), ..page }
}
