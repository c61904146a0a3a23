//! The guard before the admin API: bearer tokens with names and roles, from a file that only the service can read.
//!
//! Each line of the file is a token. `<name> <read|write> <token>` names who holds it: the name stands in the audit
//! log, and `read` opens what changes nothing. A line with a token alone is `admin write`; such a file is made at the
//! first start. Empty lines and lines that start with `#` say nothing.

use std::{
    future::{Ready, ready},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
    },
    middleware::Next,
    web,
};
use identity_core::problem::Code;
use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    audit::{self, Act, AuditLog},
    chance,
    http::rate::{self, Kind},
    private_file,
    reply::Problem,
};

/// Shortest token accepted, in characters: 128 bits in base64url.
const MIN_TOKEN: usize = 22;

/// Longest name of a token, in bytes: it stands in every line of the audit log.
const MAX_NAME: usize = 64;

/// The name of a token that has none.
const UNNAMED: &str = "admin";

/// Why a token file was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It cannot be read or written, or others can read it.
    #[error(transparent)]
    File(#[from] private_file::PrivateFileError),
    /// Too short to be unguessable, or no token at all.
    #[error("{} holds no token of at least {MIN_TOKEN} characters in line {line}", .path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// Not `<token>` or `<name> <read|write> <token>`, or a name that stands twice.
    #[error("{} has a line {line} that is not `<name> read|write <token>`, or a name twice", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
}

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What changes nothing.
    Read,
    /// Everything.
    Write,
}

/// Who acts on the admin API: the name of the token shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Official {
    name: Arc<str>,
    role: Role,
}

impl Official {
    /// The operator at the machine itself, who needs no token.
    #[must_use]
    pub fn at_the_machine() -> Self {
        Self { name: "local".into(), role: Role::Write }
    }

    /// A citizen, who proved by a signature to be the one that an entry is about: for the audit log, not for [`guard`].
    #[must_use]
    pub fn holder() -> Self {
        Self { name: "holder".into(), role: Role::Read }
    }

    /// The token's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the token opens more than what changes nothing.
    pub(crate) fn may_change(&self) -> bool {
        self.role == Role::Write
    }
}

/// Handlers behind [`guard`] ask who acts; elsewhere nobody does, and the request is refused.
impl FromRequest for Official {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let official = request.extensions().get::<Self>().cloned();
        ready(official.ok_or_else(|| Problem::new(Code::HttpUnauthorized)))
    }
}

/// The admin tokens of a service.
pub struct AdminTokens {
    tokens: Vec<(Official, Zeroizing<String>)>,
}

impl AdminTokens {
    /// Reads the tokens from a file with mode 0600.
    ///
    /// # Errors
    /// Missing file, readable by others, too short a token, a malformed line.
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        let text = Zeroizing::new(private_file::read(path)?);
        let text = Zeroizing::new(String::from_utf8_lossy(&text).into_owned());
        let mut tokens: Vec<(Official, Zeroizing<String>)> = Vec::new();
        for (line, text) in (1_usize..).zip(text.lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let malformed = || TokenError::Malformed { path: path.to_owned(), line };
            let (official, token) = parse_line(text).ok_or_else(malformed)?;
            if token.len() < MIN_TOKEN {
                return Err(TokenError::Short { path: path.to_owned(), line });
            }
            if tokens.iter().any(|(known, _)| known.name == official.name) {
                return Err(malformed());
            }
            tokens.push((official, token));
        }
        if tokens.is_empty() { Err(TokenError::Short { path: path.to_owned(), line: 1 }) } else { Ok(Self { tokens }) }
    }

    /// Reads the tokens, or makes the file with one fresh token if there is none.
    ///
    /// # Errors
    /// As [`AdminTokens::load`].
    pub fn load_or_create(path: &Path, rng: &mut dyn CryptoRng) -> Result<Self, TokenError> {
        match Self::load(path) {
            Err(TokenError::File(error)) if error.kind() == Some(io::ErrorKind::NotFound) => {
                private_file::create(path, format!("{}\n", chance::token(rng, 32)).as_bytes())?;
                Self::load(path)
            }
            loaded => loaded,
        }
    }

    /// Whose token an `Authorization` header carries, if anybody's.
    #[must_use]
    pub fn whose(&self, header: Option<&str>) -> Option<&Official> {
        let (scheme, shown) = header?.split_once(' ')?;
        self.of(if scheme.eq_ignore_ascii_case("bearer") { shown.trim() } else { "" })
    }

    /// Whose token this is, if anybody's. Every token is compared, and each comparison takes the same time for every token
    /// of the right length.
    #[must_use]
    pub fn of(&self, shown: &str) -> Option<&Official> {
        self.tokens.iter().fold(None, |found, (official, token)| {
            let same = bool::from(token.as_bytes().ct_eq(shown.as_bytes()));
            if same { Some(official) } else { found }
        })
    }
}

fn parse_line(text: &str) -> Option<(Official, Zeroizing<String>)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (name, role, token) = match words.as_slice() {
        [token] => (UNNAMED, Role::Write, token),
        [name, "read", token] => (*name, Role::Read, token),
        [name, "write", token] => (*name, Role::Write, token),
        _ => return None,
    };
    // Plain names only: they stand in logs and files.
    let plain =
        name.len() <= MAX_NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    plain.then(|| (Official { name: name.into(), role }, Zeroizing::new((*token).to_owned())))
}

/// Middleware for the admin scope: `web::scope("/admin").wrap(from_fn(admin::guard))`, with the tokens as
/// `web::Data<AdminTokens>` and the audit log as `web::Data<AuditLog>`. Everything without a token is refused with 401
/// before the body is read, and leaves no line; what one token asks too often is refused with 429, and changes with a
/// `read` token with 403. Handlers take the [`Official`] as an argument.
///
/// # Errors
/// Those of the route, and the store's.
pub async fn guard(
    tokens: web::Data<AdminTokens>,
    log: web::Data<AuditLog>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(official) = tokens.whose(header).cloned() else {
        let mut refusal = Problem::new(Code::HttpUnauthorized).response();
        refusal.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return Ok(request.into_response(refusal));
    };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if let Err(refusal) = permit(&log, &request, &official, changes).await {
        return Ok(request.into_response(refusal.response()));
    }
    request.extensions_mut().insert(official);
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Whether an official may have what is asked for, and not too often. What they would have changed has its line in the
/// audit log; of one who asks too often there is a line a minute, so that nobody fills the disk by asking.
pub(crate) async fn permit(
    log: &AuditLog,
    request: &ServiceRequest,
    official: &Official,
    changes: bool,
) -> Result<(), Problem> {
    let (refusal, is_noted) = match rate::ask(request, Kind::Admin, Some(&official.name)) {
        Err(refusal) => (refusal, changes && rate::is_noted(request, &official.name)),
        Ok(()) if changes && !official.may_change() => (Problem::new(Code::HttpForbidden), true),
        Ok(()) => return Ok(()),
    };
    if is_noted {
        let act = Act::new(official, audit::route(request.request()));
        log.refused(&act, &format!("refused {}", refusal.status().as_u16())).await?;
    }
    Err(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<AdminTokens, TokenError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.token");
        private_file::create(&path, text.as_bytes()).unwrap();
        AdminTokens::load(&path)
    }

    #[test]
    fn only_the_exact_token_is_let_in() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.token");
        let mut rng = chance::system_rng().unwrap();
        let tokens = AdminTokens::load_or_create(&path, &mut rng).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for scheme in ["Bearer", "bearer"] {
            assert_eq!(tokens.whose(Some(&format!("{scheme} {}", text.trim()))).unwrap().name(), "admin");
        }
        for wrong in [None, Some(""), Some("Bearer"), Some("Bearer x"), Some(text.trim()), Some("Bearer ")] {
            assert!(tokens.whose(wrong).is_none());
        }
        let again = AdminTokens::load_or_create(&path, &mut rng).unwrap();
        assert!(again.whose(Some(&format!("Bearer {}", text.trim()))).is_some(), "the file is kept");
    }

    #[test]
    fn each_token_has_its_holder() {
        let text = "# counter 3\nli.hua read aaaaaaaaaaaaaaaaaaaaaa\n\nwang write bbbbbbbbbbbbbbbbbbbbbb\n";
        let tokens = load(text).unwrap();
        let whose = |token: &str| tokens.whose(Some(&format!("Bearer {token}"))).map(|who| (who.name(), who.role));
        assert_eq!(whose(&"a".repeat(22)), Some(("li.hua", Role::Read)));
        assert_eq!(whose(&"b".repeat(22)), Some(("wang", Role::Write)));
        assert_eq!(whose("li.hua"), None);
    }

    #[test]
    fn each_bad_line_is_named() {
        assert!(matches!(load("short\n"), Err(TokenError::Short { line: 1, .. })));
        assert!(matches!(load("# nothing\n"), Err(TokenError::Short { .. })));
        let token = "a".repeat(22);
        for bad in [format!("a owner {token}"), format!("a {token}"), format!("a,b read {token}")] {
            assert!(matches!(load(&format!("\n{bad}\n")), Err(TokenError::Malformed { line: 2, .. })), "{bad}");
        }
        let twice = format!("a read {token}\na write {token}\n");
        assert!(matches!(load(&twice), Err(TokenError::Malformed { line: 2, .. })));
    }
}
