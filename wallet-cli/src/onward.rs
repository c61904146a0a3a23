//! Where the holder's browser goes after a sharing (OpenID4VP 1.0 §8.2): shown, and opened only if asked for.
//!
//! The address comes from whoever asked. The wallet never fetches it: it belongs to the browser in which the holder
//! began, and only there does it lead to a result.

use crate::ui::Ui;
use identity_core::{oauth::url::Transport, oid4vp::same_device::onward_address};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// Where the asker sends the holder's browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Onward {
    /// Nowhere.
    Nowhere,
    /// Here: an https address in visible ASCII, so it is shown whole and as it is.
    To(String),
    /// An address that no browser is to be sent to.
    Unsafe,
}

impl Onward {
    pub(crate) fn read(redirect_uri: Option<&str>, transport: Transport) -> Self {
        match redirect_uri.map(|text| onward_address(text, transport)) {
            None => Self::Nowhere,
            Some(Ok(url)) => Self::To(String::from(url)),
            Some(Err(_)) => Self::Unsafe,
        }
    }

    /// Opens the address in the browser, if `wanted`, and says where to go on.
    pub(crate) fn lines(&self, wanted: bool, ui: &Ui) -> Vec<String> {
        let open = |url: &str| if wanted { open(OPENER, url) } else { Ok(()) };
        match self {
            Self::Nowhere => Vec::new(),
            Self::Unsafe => vec![ui.text("wallet-go-on-unsafe", &[])],
            Self::To(url) => {
                let mut lines = vec![ui.text("wallet-go-on", &[("url", url.as_str().into())])];
                if open(url).is_err() {
                    lines.push(ui.text("wallet-go-on-by-hand", &[]));
                }
                lines
            }
        }
    }

    /// The members that say so to a script.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Nowhere => json!({ "redirect_uri": null }),
            Self::To(url) => json!({ "redirect_uri": url }),
            Self::Unsafe => json!({ "redirect_uri": null, "redirect_refused": true }),
        }
    }
}

/// The system's own way to open an address in the browser that the holder chose.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// Hands `url` to `opener` without a shell and without our terminal, and does not wait: some browsers stay.
fn open(opener: &str, url: &str) -> std::io::Result<()> {
    let mut command = Command::new(opener);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity_core::problem::Lang;

    #[test]
    fn only_a_safe_address_is_shown() {
        let ui = Ui::new(Lang::En, false);
        let lines = |text: Option<&str>| Onward::read(text, Transport::HttpsOnly).lines(false, &ui).join("\n");
        assert_eq!(lines(None), "");
        let long = format!("https://fund.example/{}?response_code=abc", "a".repeat(1000));
        assert!(lines(Some(&long)).ends_with("response_code=abc"), "whole, however long");
        for text in ["javascript:alert(1)", "http://fund.example/", "file:///etc/passwd", "https://a\u{1b}[2J.example/"]
        {
            let said = lines(Some(text));
            assert!(!said.is_empty() && !said.contains(text), "{said}");
            let object = Onward::read(Some(text), Transport::HttpsOnly).to_json();
            assert_eq!(object, json!({ "redirect_uri": null, "redirect_refused": true }));
        }
    }

    #[test]
    fn an_opener_that_is_not_there_is_said() {
        assert!(open("/nonexistent/opener", "https://fund.example/").is_err());
        assert!(open("true", "https://fund.example/").is_ok());
    }
}
