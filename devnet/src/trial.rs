//! What to try by hand while the world stays up: addresses, and commands that can be copied as they stand.

use anyhow::Result;
use service_kit::messages::Catalogue;

use crate::journey::{Traveller, case_command};
use crate::world::admin::Manner;
use crate::world::layout::{DEPARTMENTS, HOUSING_FUND, LEADER, Layout, Member, PUBLIC_SECURITY};
use crate::world::query::LOAN;

/// Seconds for which the offer holds: a working day of trying.
const OFFER_SECONDS: u32 = 8 * 60 * 60;

/// The text. It holds a fresh offer and a fresh request, so that the first commands work at once.
///
/// # Errors
/// A service that does not answer.
pub async fn invitation(traveller: &Traveller, messages: &Catalogue) -> Result<String> {
    let layout = &traveller.layout;
    let mut text = addresses(layout, messages);
    let say = |id: &str| format!("{}\n", messages.text(id, &[]));

    let counter = traveller.admin(&PUBLIC_SECURITY.member)?;
    let subject =
        counter.subjects(PUBLIC_SECURITY.main.configuration).await?.into_iter().next_back().unwrap_or_default();
    let offer = counter.offer(&subject, PUBLIC_SECURITY.main.configuration, OFFER_SECONDS).await?;
    let asked = traveller.housing_fund()?.ask(LOAN.into(), Manner::PLAIN).await?;
    let code = offer.tx_code.map(|code| format!(" --tx-code {code}")).unwrap_or_default();

    text.push_str(&format!("\n{}", say("devnet-try")));
    text.push_str(&say("devnet-try-receive"));
    text.push_str(&wallet(layout, &format!("receive '{}'{code}", offer.offer_uri)));
    text.push_str(&say("devnet-try-present"));
    text.push_str(&wallet(layout, &format!("present '{}'", asked.request_uri_link)));
    text.push_str(&say("devnet-try-history"));
    text.push_str(&wallet(layout, "history"));
    text.push_str(&say("devnet-try-offer"));
    let body =
        format!(r#"{{"subject":"{subject}","credential_configuration_id":"{}"}}"#, PUBLIC_SECURITY.main.configuration);
    text.push_str(&curl(layout, &PUBLIC_SECURITY.member, "offers", &body));
    text.push_str(&say("devnet-try-request"));
    text.push_str(&curl(layout, &HOUSING_FUND, "requests", &format!(r#"{{"query":"{LOAN}"}}"#)));
    if let Some(command) = case_command(&layout.case()) {
        text.push_str(&say("devnet-try-case"));
        text.push_str(&format!("     {command}\n"));
    }
    text.push_str(&format!("\n{}", say("devnet-up")));
    Ok(text)
}

/// Where everything is.
#[must_use]
pub fn addresses(layout: &Layout, messages: &Catalogue) -> String {
    let line = |kind: &str, member: &Member, has_admin: bool| {
        let kind = messages.text(kind, &[]);
        let file = layout.admin_token(member).display().to_string();
        let admin = if has_admin { messages.text("devnet-up-admin", &[("file", file.into())]) } else { String::new() };
        format!("  {kind}  {}  {}  {admin}", member.id, layout.url(member)).trim_end().to_owned() + "\n"
    };
    let pages = |kind: &str, url: String| format!("     {}\n", messages.text(kind, &[("url", url.into())]));
    let operators = |member: &Member| pages("devnet-up-operator", format!("{}/admin/console/", layout.url(member)));
    let mut text = line("devnet-up-ledger", &LEADER, false);
    text.push_str(&pages("devnet-up-console", format!("{}/console/", layout.url(&LEADER))));
    for department in &DEPARTMENTS {
        text.push_str(&line("devnet-up-issuer", &department.member, true));
        text.push_str(&operators(&department.member));
    }
    text.push_str(&line("devnet-up-verifier", &HOUSING_FUND, true));
    text.push_str(&operators(&HOUSING_FUND));
    let shown = |path: std::path::PathBuf| path.display().to_string();
    let values = [
        ("ca", shown(layout.ca()).into()),
        ("trust_root", shown(layout.trust_root()).into()),
        ("index", shown(layout.index()).into()),
    ];
    text.push_str(&format!("  {}\n", messages.text("devnet-up-files", &values)));
    text
}

fn wallet(layout: &Layout, command: &str) -> String {
    let (vault, passphrase) = (layout.vault(), layout.passphrase());
    format!(
        "     cargo run --release -q -p wallet-cli -- --vault {} --passphrase-file {} {command}\n",
        vault.display(),
        passphrase.display()
    )
}

fn curl(layout: &Layout, member: &Member, what: &str, body: &str) -> String {
    format!(
        "     curl -s --cacert {} -H \"Authorization: Bearer $(cat {})\" -H 'Content-Type: application/json' -d '{body}' \
         {}/admin/{what}\n",
        layout.ca().display(),
        layout.admin_token(member).display(),
        layout.url(member)
    )
}
