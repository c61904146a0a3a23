//! Who looks at a page: in which language, and what its address asks for.

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::sync::LazyLock;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::ACCEPT_LANGUAGE;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use identity_core::problem::Code;
use url::form_urlencoded;

use super::site::Site;
use crate::admin::Official;
use crate::messages::{Catalogue, Lang, Value};
use crate::reply::Problem;

static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::new(Lang::En));
static CHINESE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::new(Lang::Zh));

/// Name of the query's member that chooses a language.
const LANG: &str = "lang";

/// Language, address and question of a request.
#[derive(Debug, Clone)]
pub struct Visitor {
    site: web::Data<Site>,
    /// The operator who signed in, on pages for operators.
    operator: Option<Official>,
    lang: Lang,
    /// Whether the address names the language, so that the next one does, too: no cookie does.
    chosen: bool,
    path: String,
    asked: BTreeMap<String, String>,
}

impl Visitor {
    /// Whoever sent this request.
    ///
    /// # Errors
    /// [`Code::HttpInternal`] where the routes name no [`Site`].
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let site = request.app_data::<web::Data<Site>>().ok_or_else(|| Problem::new(Code::HttpInternal))?.clone();
        let accepted = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let operator = request.extensions().get::<Official>().cloned();
        // What answers a form stands at an address that cannot be asked for again.
        let visitor = match *request.method() {
            Method::GET | Method::HEAD => Self::new(site, request.path(), request.query_string(), accepted),
            _ => {
                let first = site.at("/");
                Self::new(site, &first, request.query_string(), accepted)
            }
        };
        Ok(Self { operator, ..visitor })
    }

    fn new(site: web::Data<Site>, path: &str, query: &str, accepted: Option<&str>) -> Self {
        // Of a name that stands twice, the last counts; names that no page knows are left alone.
        let asked: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let named = asked.get(LANG).and_then(|name| of_tag(name));
        let lang = named.or_else(|| accepted.and_then(preferred)).unwrap_or_default();
        Self { site, operator: None, lang, chosen: named.is_some(), path: path.to_owned(), asked }
    }

    /// The pages that this one belongs to.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    pub(super) fn operator(&self) -> Option<&Official> {
        self.operator.as_ref()
    }

    /// The language.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// The language as HTML names it.
    #[must_use]
    pub fn tag(&self) -> &'static str {
        match self.lang {
            Lang::En => "en",
            Lang::Zh => "zh-CN",
        }
    }

    /// What the address asks for under a name, if that is anything.
    #[must_use]
    pub fn asks(&self, name: &str) -> Option<&str> {
        self.asked.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A text without values.
    #[must_use]
    pub fn say(&self, id: &str) -> String {
        self.fill(id, &[])
    }

    /// A text with values put in.
    #[must_use]
    pub fn fill(&self, id: &str, values: &[(&str, Value<'_>)]) -> String {
        let catalogue = match self.lang {
            Lang::En => &*ENGLISH,
            Lang::Zh => &*CHINESE,
        };
        catalogue.text(id, values)
    }

    /// The address of another page, counted from the first one, in the language of this one.
    #[must_use]
    pub fn link(&self, path: &str, asked: &[(&str, &str)]) -> String {
        let kept = self.chosen.then(|| (LANG, self.lang_name()));
        address(&self.site.at(path), asked.iter().copied().chain(kept))
    }

    /// The address of this page in a language.
    #[must_use]
    pub fn in_language(&self, lang: &str) -> String {
        let asked = self.asked.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        address(&self.path, asked.filter(|(name, _)| *name != LANG).chain([(LANG, lang)]))
    }

    /// The language as a form hands it on; none where the address named none.
    #[must_use]
    pub fn chosen_language(&self) -> Option<&'static str> {
        self.chosen.then(|| self.lang_name())
    }

    fn lang_name(&self) -> &'static str {
        match self.lang {
            Lang::En => "en",
            Lang::Zh => "zh",
        }
    }
}

impl FromRequest for Visitor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

fn address<'a>(path: &str, asked: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Of the languages that a browser accepts, the one of ours with the highest weight; the first of equal ones.
fn preferred(accepted: &str) -> Option<Lang> {
    let ranges = accepted.split(',').filter_map(|range| {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = match parameters.trim().strip_prefix("q=") {
            Some(weight) => weight.trim().parse::<f32>().ok().filter(|weight| weight.is_finite())?,
            None => 1.0,
        };
        Some((weight, of_tag(tag.trim())?)).filter(|(weight, _)| *weight > 0.0)
    });
    ranges.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, lang)| lang)
}

fn of_tag(tag: &str) -> Option<Lang> {
    match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "en" => Some(Lang::En),
        "zh" => Some(Lang::Zh),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::site::Audience;

    fn visitor(path: &str, query: &str, accepted: Option<&str>) -> Visitor {
        let site = Site { root: "/console".into(), name: "", foot: "", places: &[], audience: Audience::Everybody };
        Visitor::new(web::Data::new(site), path, query, accepted)
    }

    #[test]
    fn the_address_decides_before_the_browser() {
        let lang = |query: &str, accepted: Option<&str>| visitor("/console/", query, accepted).lang();
        assert_eq!(lang("", None), Lang::En);
        assert_eq!(lang("", Some("zh-CN,zh;q=0.9,en;q=0.8")), Lang::Zh);
        assert_eq!(lang("", Some("fr, en;q=0.3, zh-TW;q=0.7")), Lang::Zh);
        assert_eq!(lang("", Some("zh;q=0, en;q=0.1")), Lang::En);
        assert_eq!(lang("", Some("zh;q=NaN")), Lang::En);
        assert_eq!(lang("lang=en", Some("zh")), Lang::En);
        assert_eq!(lang("lang=zh-CN", Some("en")), Lang::Zh);
        assert_eq!(lang("lang=xx", Some("zh")), Lang::Zh);
    }

    #[test]
    fn a_chosen_language_goes_along_and_values_are_encoded() {
        let unchosen = visitor("/console/", "", Some("zh"));
        assert_eq!(unchosen.link("/dids", &[]), "/console/dids");
        let chosen = visitor("/console/dids", "did=did%3Ax&lang=zh", None);
        assert_eq!(chosen.link("/dids", &[("did", "a&b\"<")]), "/console/dids?did=a%26b%22%3C&lang=zh");
        assert_eq!(chosen.in_language("en"), "/console/dids?did=did%3Ax&lang=en");
        assert_eq!(chosen.asks("did"), Some("did:x"));
    }
}
