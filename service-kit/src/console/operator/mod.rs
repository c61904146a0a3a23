//! Pages that only operators see, under `/admin/console/`: another door to the acts of the admin API.
//!
//! A browser cannot send a bearer token with a link. So a token of the admin API is given once, into a form, and from then
//! on a cookie names a session of that token: `HttpOnly`, `SameSite=Strict`, bound to this host, ended by a quarter of an
//! hour without use, by a working day, by signing out, and by a restart. The cookie opens these pages and nothing of the
//! admin API. What the [`guard`](self) asks, and in which order, stands in its file; nothing else decides who gets in.
//!
//! No token, name of a person or value of a claim stands in an address, so none stands in a log or history of one.

mod door;
mod guard;
mod session;
pub mod signing;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::{HttpServiceFactory, Payload};
use actix_web::http::header::{COOKIE, HeaderMap, LOCATION};
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use identity_core::oauth::form::Form;
use ledger::sha256;
use url::Url;

use self::session::{LONGEST, Sessions};
use super::asset;
use super::visitor::Visitor;
use crate::audit;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::http::extract;
use crate::reply::Problem;

/// The way in, from the first page on.
pub(super) const SIGN_IN: &str = "/sign-in";

/// The way out.
pub(super) const SIGN_OUT: &str = "/sign-out";

/// Who may be signed in, and what a request of theirs looks like.
pub struct Operators {
    sessions: Sessions,
    /// What a browser calls us when it asks.
    host: String,
    /// What it says of a form that a page of ours made.
    origin: String,
    /// Whether the cookie travels encrypted only.
    encrypted: bool,
    cookie_name: String,
}

impl Operators {
    /// The operators of a service that is known as `url`.
    #[must_use]
    pub fn new(url: &Url, clock: Arc<dyn Clock>, chance: Arc<dyn Chance>) -> Self {
        let origin = url.origin().ascii_serialization();
        let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host).to_owned();
        let encrypted = url.scheme() == "https";
        // Cookies know no ports: services on one host must not take each other's. `__Host-` keeps other hosts of the domain
        // from setting it.
        let mark: String = sha256(origin.as_bytes()).to_hex().chars().take(8).collect();
        let cookie_name = format!("{}xinfu-operator-{mark}", if encrypted { "__Host-" } else { "" });
        Self { sessions: Sessions::new(clock, chance), host, origin, encrypted, cookie_name }
    }

    fn cookie(&self, secret: &str) -> String {
        self.cookie_for(secret, LONGEST)
    }

    fn no_cookie(&self) -> String {
        self.cookie_for("", 0)
    }

    fn cookie_for(&self, secret: &str, seconds: i64) -> String {
        let secure = if self.encrypted { "; Secure" } else { "" };
        format!("{}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", self.cookie_name)
    }

    /// What the browser's cookie says.
    fn secret(&self, headers: &HeaderMap) -> Option<String> {
        let cookies = headers.get_all(COOKIE).filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
        let mut pairs = cookies.filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie_name).map(|(_, secret)| secret.to_owned())
    }
}

/// Everything at `path` but the pages themselves, which `pages` routes, from the first one on. Wants [`Operators`], a
/// [`super::site::Site`], the admin tokens and the audit log as `web::Data`.
pub fn scope(path: &str, pages: impl FnOnce(&mut web::ServiceConfig)) -> impl HttpServiceFactory + 'static {
    let inside = web::scope("").wrap(from_fn(audit::refusals)).wrap(from_fn(guard::signed_in)).configure(pages);
    web::scope(path)
        .wrap(from_fn(guard::ours))
        .service(web::resource("").get(to_first))
        .service(web::resource(SIGN_IN).wrap(from_fn(guard::slowly)).get(door::show).post(door::sign_in))
        .service(web::resource(SIGN_OUT).post(door::sign_out))
        .service(web::resource("/{file:[a-z]+[.](?:css|js|svg)}").get(asset::serve))
        .service(inside)
}

async fn to_first(visitor: Visitor) -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, visitor.link("/", &[]))).finish()
}

/// A form as it was filled in, each name once; or why it cannot be read, for the page to say.
pub struct Filled(pub Result<Form, Problem>);

impl FromRequest for Filled {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = extract::form(request, payload);
        Box::pin(async move { Ok(Self(form.await.map_err(|error| Problem::of_body(&error)))) })
    }
}
