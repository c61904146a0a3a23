//! The guard before the admin API: one bearer token, from a file that only the service can read.

use std::{
    io,
    path::{Path, PathBuf},
};

use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::AUTHORIZATION,
    middleware::Next,
    web,
};
use identity_core::problem::Code;
use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{chance, private_file, reply::Problem};

/// Shortest token accepted, in characters: 128 bits in base64url.
const MIN_TOKEN: usize = 22;

/// Why a token file was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It cannot be read or written, or others can read it.
    #[error(transparent)]
    File(#[from] private_file::PrivateFileError),
    /// Too short to be unguessable.
    #[error("{} holds no token of at least {MIN_TOKEN} characters", .0.display())]
    Short(PathBuf),
}

/// The admin token.
pub struct AdminToken {
    token: Zeroizing<String>,
}

impl AdminToken {
    /// Reads the token from a file with mode 0600.
    ///
    /// # Errors
    /// Missing file, readable by others, or too short a token.
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        let text = private_file::read(path)?;
        let token = String::from_utf8_lossy(&text).trim().to_owned();
        if token.len() < MIN_TOKEN {
            return Err(TokenError::Short(path.to_owned()));
        }
        Ok(Self { token: Zeroizing::new(token) })
    }

    /// Reads the token, or makes the file with a fresh one if there is none.
    ///
    /// # Errors
    /// As [`AdminToken::load`].
    pub fn load_or_create(path: &Path, rng: &mut dyn CryptoRng) -> Result<Self, TokenError> {
        match Self::load(path) {
            Err(TokenError::File(error)) if error.kind() == Some(io::ErrorKind::NotFound) => {
                private_file::create(path, format!("{}\n", chance::token(rng, 32)).as_bytes())?;
                Self::load(path)
            }
            loaded => loaded,
        }
    }

    /// Whether an `Authorization` header carries this token. The comparison takes the same time for every token
    /// of the right length.
    #[must_use]
    pub fn allows(&self, header: Option<&str>) -> bool {
        let shown = header.and_then(|header| header.split_once(' '));
        let Some((scheme, token)) = shown else { return false };
        scheme.eq_ignore_ascii_case("bearer") && token.trim().as_bytes().ct_eq(self.token.as_bytes()).into()
    }
}

/// Middleware for the admin scope: `web::scope("/admin").wrap(from_fn(admin::guard))`, with the token as
/// `web::Data<AdminToken>`. Everything without the token is refused with 401 before the body is read.
///
/// # Errors
/// [`Problem`] with `http.unauthorized`.
pub async fn guard(
    token: web::Data<AdminToken>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !token.allows(header) {
        let mut refusal = Problem::new(Code::HttpUnauthorized).response();
        let challenge = actix_web::http::header::HeaderValue::from_static("Bearer");
        refusal.headers_mut().insert(actix_web::http::header::WWW_AUTHENTICATE, challenge);
        return Ok(request.into_response(refusal));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_token_is_let_in() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.token");
        let mut rng = chance::system_rng().unwrap();
        let token = AdminToken::load_or_create(&path, &mut rng).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(token.allows(Some(&format!("Bearer {}", text.trim()))));
        assert!(token.allows(Some(&format!("bearer {}", text.trim()))));
        for wrong in [None, Some(""), Some("Bearer"), Some("Bearer x"), Some(text.trim())] {
            assert!(!token.allows(wrong));
        }
        let again = AdminToken::load_or_create(&path, &mut rng).unwrap();
        assert!(again.allows(Some(&format!("Bearer {}", text.trim()))), "the file is kept");
    }

    #[test]
    fn a_short_token_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.token");
        private_file::create(&path, b"short\n").unwrap();
        assert!(matches!(AdminToken::load(&path), Err(TokenError::Short(_))));
    }
}
