//! A browser for tests of pages for operators, without a network: one cookie at most, and what every page must be.

use std::cell::RefCell;
use std::rc::Rc;

use actix_web::body::{self, MessageBody as _};
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::http::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use actix_web::test::{self, TestRequest};
use actix_web::{App, web};
use futures_util::future::LocalBoxFuture;

type Answering = Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, ServiceResponse>>;

/// What was answered.
#[derive(Debug)]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Seen {
    /// One header, empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where it sends the browser.
    #[must_use]
    pub fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// Panics unless this is a page for operators as each must be: in its language, under its policy, kept by nobody,
    /// and without anything that runs or comes from elsewhere.
    #[track_caller]
    pub fn check_page(&self, root: &str, lang: &str) {
        let policy = self.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(policy.ends_with("base-uri 'none'; frame-ancestors 'none'"), "{policy}");
        assert_eq!((self.header("cache-control"), self.header("referrer-policy")), ("no-store", "same-origin"));
        assert_eq!(self.header("content-language"), lang);
        let text = &self.text;
        assert!(text.starts_with(&format!("<!DOCTYPE html><html lang=\"{lang}\">")), "{text}");
        for banned in
            [">operator-", "\"operator-", ">console-", "\"console-", " style=", " onclick=", "javascript:", "<style"]
        {
            assert!(!text.contains(banned), "{banned}: {text}");
        }
        for script in text.split("<script").skip(1) {
            assert!(script.starts_with(&format!(" type=\"module\" src=\"{root}/")), "{script}");
            assert!(script.contains("\"></script>"), "{script}");
        }
        for address in text.split(" src=\"").skip(1).chain(text.split(" action=\"").skip(1)) {
            assert!(address.starts_with(root), "{address}");
        }
    }
}

/// A browser at the pages of a service.
pub struct Browser {
    answering: Answering,
    /// Where the pages begin.
    root: String,
    /// As the service is known.
    pub origin: String,
    /// What it was given to keep: `name=value`.
    pub cookie: RefCell<Option<String>>,
}

impl Browser {
    /// At the pages under `root` of what `routes` serves, which is known as `origin`.
    pub async fn new(routes: impl Fn(&mut web::ServiceConfig), origin: String, root: &str) -> Self {
        let service = Rc::new(test::init_service(App::new().configure(routes)).await);
        let answering: Answering = Box::new(move |request| {
            let service = Rc::clone(&service);
            Box::pin(async move {
                let answered = service.call(request.to_request()).await;
                answered.map(ServiceResponse::map_into_boxed_body).unwrap_or_else(|error| {
                    ServiceResponse::new(TestRequest::default().to_http_request(), error.error_response())
                })
            })
        });
        Self { answering, root: root.to_owned(), origin, cookie: RefCell::default() }
    }

    /// What it calls the service when it asks.
    #[must_use]
    pub fn host(&self) -> &str {
        self.origin.split_once("://").map_or(self.origin.as_str(), |(_, host)| host)
    }

    /// Sends a request with the cookie, and keeps the one that comes.
    pub async fn send(&self, request: TestRequest) -> Seen {
        let cookie = self.cookie.borrow().clone();
        let request = match cookie {
            Some(cookie) => request.insert_header((COOKIE, format!("other=1; {cookie}"))),
            None => request,
        };
        let response = (self.answering)(request).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if let Some(set) = headers.get(SET_COOKIE).and_then(|set| set.to_str().ok()) {
            let pair = set.split(';').next().unwrap_or_default().to_owned();
            *self.cookie.borrow_mut() = Some(pair).filter(|pair| !pair.ends_with('='));
        }
        let body = response.into_body();
        let text = match body.try_into_bytes() {
            Ok(bytes) => bytes,
            Err(body) => body::to_bytes(body).await.unwrap_or_default(),
        };
        Seen { status, headers, text: String::from_utf8_lossy(&text).into_owned() }
    }

    /// Opens a page, counted from the first one.
    pub async fn get(&self, path: &str) -> Seen {
        self.send(TestRequest::get().uri(&format!("{}{path}", self.root)).insert_header(("host", self.host()))).await
    }

    /// Sends a form as a page of the service does.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Seen {
        self.post_from(&self.origin, path, form).await
    }

    /// Sends a form as a page of `origin` does.
    pub async fn post_from(&self, origin: &str, path: &str, form: &[(&str, &str)]) -> Seen {
        let request = TestRequest::post().uri(&format!("{}{path}", self.root)).set_form(form);
        self.send(request.insert_header(("host", self.host())).insert_header(("origin", origin))).await
    }

    /// Signs in.
    pub async fn sign_in(&self, token: &str) -> Seen {
        self.post("/sign-in?lang=en", &[("token", token)]).await
    }
}
