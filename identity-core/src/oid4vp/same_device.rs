//! The way back to the browser that began (OpenID4VP 1.0 §8.2, §13.3, §14.2): wallet and browser on one device.
//!
//! ```text
//!  application                     verifier                        wallet
//!  begin() ── cookie ──▶ browser     │ keeps digest of the cookie
//!                        browser ────── link ─────────────────────▶ │
//!                                    │◀──────── direct_post ─────── │
//!                                    │ hand_over() ── redirect_uri ─▶ opens it in the browser
//!  cookie + response_code ──────────▶│ Binding::admits: both fit, once, in time
//! ```
//!
//! The cookie stands for the browser session, the response code for the answer; the result goes only to whoever shows
//! both. So someone who sends his own link to a victim has the cookie and no code; someone who steals a code has no
//! cookie. Of both only digests are kept.
//!
//! # What this does not check
//! That a code is redeemed once: that is the store's, since only a store can say so across processes.

use ledger::{Hash, sha256};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use url::Url;

use crate::encoding::base64url;
use crate::oauth::url::{Transport, parse_endpoint};
use crate::problem::Code;
use crate::time::UnixSeconds;

/// Random bytes of a session cookie and of a response code: 256 bits each, where §8.2 asks for 128 at least.
const SECRET_BYTES: usize = 32;
/// Seconds in which a response code may be redeemed. The browser comes back by itself; a person who has to copy the
/// address from a terminal takes a minute.
pub const CODE_LIFETIME: i64 = 300;
/// The longest address of a way back, in bytes: what every browser and server takes.
pub const MAX_ADDRESS_BYTES: usize = 2048;
/// Query parameter that names the request on the way back; the application may wait for several at once.
pub const REQUEST_PARAMETER: &str = "xinfu_request";
/// Query parameter that carries the response code.
pub const CODE_PARAMETER: &str = "response_code";

/// What binds a request to one browser session, as the verifier keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    cookie: Hash,
    return_url: String,
}

/// What binds one answer to its way back, as the verifier keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    code: Hash,
    /// From this moment on the code counts no more.
    pub until: UnixSeconds,
}

/// Why an address is none that a browser may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressRefused {
    /// Not an absolute https address with a host, or it has a user name, a fragment, or invisible characters.
    #[error("not an https address without user name and fragment")]
    Unsafe,
    /// Longer than [`MAX_ADDRESS_BYTES`].
    #[error("the address is too long")]
    TooLong,
    /// It has a parameter that the verifier adds.
    #[error("the address has a parameter of its own that is called response_code or xinfu_request")]
    Parameter,
}

impl AddressRefused {
    /// The stable code of this refusal, for the application that asks for such a way back.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Unsafe | Self::TooLong | Self::Parameter => Code::VpRequestReturnUrl,
        }
    }
}

/// Why a result is not handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// No cookie: the browser that came back did not begin here.
    #[error("the browser came back without the cookie of this request")]
    NoCookie,
    /// The cookie of another request or browser.
    #[error("the cookie is not that of the browser that began")]
    ForeignCookie,
    /// Not the code of this request's answer, or there is no answer yet.
    #[error("the response code is not that of this request")]
    WrongCode,
    /// The code came too late.
    #[error("the response code has expired")]
    ExpiredCode,
}

impl NotAdmitted {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::NoCookie => Code::VpBrowserMissing,
            Self::ForeignCookie => Code::VpBrowserForeign,
            Self::WrongCode => Code::VpResponseCodeWrong,
            Self::ExpiredCode => Code::VpResponseCodeExpired,
        }
    }
}

impl Binding {
    /// Binds a request to a fresh cookie. Answers what to keep, and the cookie's value for the browser.
    ///
    /// # Errors
    /// [`AddressRefused`] if `return_url` is no address to send a browser to.
    pub fn begin(
        return_url: &str,
        transport: Transport,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, String), AddressRefused> {
        let url = onward_address(return_url, transport)?;
        if url.query_pairs().any(|(name, _)| name == REQUEST_PARAMETER || name == CODE_PARAMETER) {
            return Err(AddressRefused::Parameter);
        }
        let cookie = secret(rng);
        Ok((Self { cookie: sha256(cookie.as_bytes()), return_url: String::from(url) }, cookie))
    }

    /// Makes the way back for an answer that was just processed: what to keep, and the wallet's `redirect_uri`.
    #[must_use]
    pub fn hand_over(&self, id: &str, now: UnixSeconds, rng: &mut dyn CryptoRng) -> (Handover, String) {
        let code = secret(rng);
        let separator = if self.return_url.contains('?') { '&' } else { '?' };
        // Both values are base64url, which needs no escaping.
        let redirect = format!("{}{separator}{REQUEST_PARAMETER}={id}&{CODE_PARAMETER}={code}", self.return_url);
        (Handover { code: sha256(code.as_bytes()), until: now.plus(CODE_LIFETIME) }, redirect)
    }

    /// Whether the browser that came back may have the result. The cookie is looked at first, so that another browser
    /// learns nothing about a code.
    ///
    /// # Errors
    /// [`NotAdmitted`], by the first thing that does not fit.
    pub fn admits(
        &self,
        handover: Option<&Handover>,
        cookie: Option<&str>,
        code: &str,
        now: UnixSeconds,
    ) -> Result<(), NotAdmitted> {
        let cookie = cookie.filter(|cookie| !cookie.is_empty()).ok_or(NotAdmitted::NoCookie)?;
        if !is_that(&self.cookie, cookie) {
            return Err(NotAdmitted::ForeignCookie);
        }
        let handover = handover.filter(|handover| is_that(&handover.code, code)).ok_or(NotAdmitted::WrongCode)?;
        if now >= handover.until {
            return Err(NotAdmitted::ExpiredCode);
        }
        Ok(())
    }
}

/// Reads an address that a browser is to be sent to, on either side: what an application asks to come back to, and
/// what a wallet was answered. Only visible ASCII, since readers of addresses drop line ends and tabs in silence.
///
/// # Errors
/// [`AddressRefused`].
pub fn onward_address(text: &str, transport: Transport) -> Result<Url, AddressRefused> {
    if text.len() > MAX_ADDRESS_BYTES {
        return Err(AddressRefused::TooLong);
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(AddressRefused::Unsafe);
    }
    parse_endpoint(text, transport).map_err(|_| AddressRefused::Unsafe)
}

fn secret(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0_u8; SECRET_BYTES];
    rng.fill_bytes(&mut bytes);
    base64url::encode(&bytes)
}

fn is_that(digest: &Hash, secret: &str) -> bool {
    digest.as_bytes().ct_eq(sha256(secret.as_bytes()).as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
    const BACK: &str = "https://fund.example/back?lang=zh";

    fn code_of(redirect: &str) -> String {
        let url = Url::parse(redirect).unwrap();
        let found = url.query_pairs().find(|(name, _)| name == CODE_PARAMETER);
        found.unwrap().1.into_owned()
    }

    #[test]
    fn only_the_browser_that_began_with_the_code_of_its_answer_is_admitted() {
        let mut rng = StdRng::seed_from_u64(1);
        let (binding, cookie) = Binding::begin(BACK, Transport::HttpsOnly, &mut rng).unwrap();
        let (handover, redirect) = binding.hand_over("id", NOW, &mut rng);
        let code = code_of(&redirect);
        assert_eq!(redirect, format!("{BACK}&xinfu_request=id&response_code={code}"));
        assert!(base64url::decode(&code).unwrap().len() >= 16);
        let admits = |cookie: Option<&str>, code: &str, now| binding.admits(Some(&handover), cookie, code, now);
        let just_in_time = UnixSeconds(NOW.0 + CODE_LIFETIME - 1);
        assert_eq!(admits(Some(&cookie), &code, just_in_time), Ok(()));

        let (_, foreign) = Binding::begin(BACK, Transport::HttpsOnly, &mut rng).unwrap();
        let (_, redirect) = binding.hand_over("id", NOW, &mut rng);
        assert_eq!(admits(None, &code, NOW), Err(NotAdmitted::NoCookie));
        assert_eq!(admits(Some(""), &code, NOW), Err(NotAdmitted::NoCookie));
        assert_eq!(admits(Some(&foreign), &code, NOW), Err(NotAdmitted::ForeignCookie));
        assert_eq!(admits(Some(&cookie), &code_of(&redirect), NOW), Err(NotAdmitted::WrongCode));
        assert_eq!(admits(Some(&cookie), "", NOW), Err(NotAdmitted::WrongCode));
        assert_eq!(admits(Some(&cookie), &code, just_in_time.plus(1)), Err(NotAdmitted::ExpiredCode));
        assert_eq!(binding.admits(None, Some(&cookie), &code, NOW), Err(NotAdmitted::WrongCode));
    }

    #[test]
    fn a_browser_is_sent_to_safe_addresses_only() {
        for text in [
            "http://fund.example/back",
            "javascript:alert(1)",
            "https://",
            "https://me@fund.example/",
            "https://fund.example/#x",
            "https://fund.example/a\nb",
            "https://fund.example/a b",
            "https://基金.example/",
            "/back",
            "",
        ] {
            assert_eq!(onward_address(text, Transport::HttpsOnly), Err(AddressRefused::Unsafe), "{text}");
        }
        let long = format!("https://fund.example/{}", "a".repeat(MAX_ADDRESS_BYTES));
        assert_eq!(onward_address(&long, Transport::HttpsOnly), Err(AddressRefused::TooLong));
        let mut rng = StdRng::seed_from_u64(1);
        let taken = Binding::begin("https://fund.example/?response_code=x", Transport::HttpsOnly, &mut rng);
        assert_eq!(taken.unwrap_err(), AddressRefused::Parameter);
        assert!(onward_address("http://127.0.0.1:1/", Transport::PlainForDebugging).is_ok());
    }
}
