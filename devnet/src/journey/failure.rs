//! Why a step did not hold, in the reader's language as far as the catalogue of problems goes.

use anyhow::Error;
use identity_core::problem::{Code, Lang};
use service_kit::fetch::FetchError;
use service_kit::ledger_client::LedgerError;
use wallet_cli::WalletError;

/// The error, behind the title of its problem where the reader's language is not that of errors.
pub(super) fn told(error: Error, lang: Lang) -> Error {
    match (lang, code(&error)) {
        (Lang::En, _) | (Lang::Zh, None) => error,
        (Lang::Zh, Some(code)) => error.context(code.title(lang)),
    }
}

/// The problem's code: one that the text names, which is the nearest to the cause; else that of a typed error.
fn code(error: &Error) -> Option<Code> {
    let text = format!("{error:#}");
    let mut words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "._".contains(letter)));
    words.find_map(Code::parse).or_else(|| {
        error.chain().find_map(|cause| {
            let wallet = cause.downcast_ref().map(WalletError::code);
            let ledger = || cause.downcast_ref().map(LedgerError::code);
            let fetch = || cause.downcast_ref().map(FetchError::code);
            wallet.or_else(ledger).or_else(fetch)
        })
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn the_title_comes_first_in_the_readers_language() {
        let named = || anyhow!("refused for another reason: credential.status.revoked");
        let title = Code::CredentialStatusRevoked.title(Lang::Zh);
        let said = format!("{:#}", told(named(), Lang::Zh));
        assert!(said.starts_with(title) && said.ends_with("credential.status.revoked"), "{said}");
        assert_eq!(told(named(), Lang::En).to_string(), named().to_string());
        let typed = Error::from(FetchError::ForbiddenAddress).context("admin API /admin/offers");
        let said = format!("{:#}", told(typed, Lang::Zh));
        assert!(said.starts_with(Code::FetchForbiddenAddress.title(Lang::Zh)), "{said}");
        assert_eq!(told(anyhow!("no luck"), Lang::Zh).to_string(), "no luck");
    }
}
