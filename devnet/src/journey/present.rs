//! The steps in which the wallet shows something, or refuses to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use identity_core::problem::Code;
use serde_json::{Value, json};
use service_kit::fetch::{Fetch, Fetcher};
use wallet_cli::holdings::Outcome;
use wallet_cli::ui::Ui;
use wallet_cli::{Consent, Question, WalletError};

use super::case;
use super::patience::until;
use super::runner::Seen;
use super::tamper::Tampering;
use super::traveller::Traveller;
use crate::world::admin::{self, AdminApi, Asked, Manner};
use crate::world::found;
use crate::world::layout::HOUSING_FUND;
use crate::world::query::{ASKED, LOAN, RESIDENT, beyond_duty as beyond_duty_query, too_much as too_much_query};

/// Time for the verifier to gather its evidence: it asks the ledger and every department.
const EVIDENCE_PATIENCE: Duration = Duration::from_secs(60);

/// Agrees to everything: the citizen of the journey.
pub(super) struct Yes;

impl Consent for Yes {
    fn agrees(&mut self, _: &Question) -> bool {
        true
    }
}

/// Keeps what stood on the screen, and says the same to everything.
struct Reader {
    ui: Ui,
    agrees: bool,
    screen: Vec<String>,
}

impl Consent for Reader {
    fn agrees(&mut self, question: &Question) -> bool {
        self.screen = question.lines(&self.ui);
        self.agrees
    }
}

/// The housing fund asks for three claims, under its certificate and for an encrypted answer; exactly these arrive,
/// verified.
pub(super) async fn three_claims(traveller: &mut Traveller) -> Seen {
    wait_for_evidence(traveller).await?;
    let counter = traveller.housing_fund()?;
    let asked = counter.ask(json!(LOAN), Manner::CERTIFIED).await?;
    let mut citizen = Reader { ui: traveller.ui(), agrees: true, screen: Vec::new() };
    let shared = traveller.wallet()?.present(&asked.request_uri_link, &[], &mut citizen).await?;
    traveller.screen = citizen.screen;
    ensure!(shared.outcome == Outcome::Accepted, "the service answered {:?}", shared.outcome);
    let outcome = counter.outcome(&asked.id).await?;
    Ok(traveller.say("devnet-seen-shown", &[("claims", check_verified(&outcome)?)]))
}

/// The same question once more, for a run that goes on after the step that shares: the citizen reads it and says no.
pub(super) async fn read_again(traveller: &mut Traveller) -> Result<()> {
    let asked = traveller.housing_fund()?.ask(json!(LOAN), Manner::CERTIFIED).await?;
    let mut citizen = Reader { ui: traveller.ui(), agrees: false, screen: Vec::new() };
    let answered = traveller.wallet()?.present(&asked.request_uri_link, &[], &mut citizen).await;
    ensure!(
        matches!(answered, Err(WalletError::Declined)),
        "the citizen said no, and the wallet did not stop for that"
    );
    traveller.screen = citizen.screen;
    Ok(())
}

/// With ledger and departments switched off, the same is verified from evidence at hand. The case is kept for others to
/// check.
pub(super) async fn offline(traveller: &mut Traveller) -> Seen {
    wait_for_evidence(traveller).await?;
    let counter = traveller.housing_fund()?;
    let asked = counter.ask(json!(LOAN), Manner::ENCRYPTED).await?;
    let mut wallet = traveller.wallet()?;
    // Who asks is looked up while the ledger still answers; the sharing and the verdict happen without it.
    let prepared = wallet.prepare(&asked.request_uri_link, &[]).await?;
    ensure!(prepared.question().is_accredited(), "the ledger does not accredit the asker");
    traveller.services.stop_all_but_the_verifier().await?;
    let shared = wallet.share(prepared).await;
    let outcome = counter.outcome(&asked.id).await;
    // Whatever came of it, the world goes on.
    traveller.services.start_all().await?;
    let shared = shared?;
    ensure!(shared.outcome == Outcome::Accepted, "the service answered {:?}", shared.outcome);
    let claims = check_verified(&outcome?)?;
    case::write(&traveller.layout, &counter.export(&asked.id).await?)?;
    Ok(traveller.say("devnet-seen-offline", &[("claims", claims)]))
}

/// The housing fund asks for the citizen number, too, which it is not accredited for: the wallet refuses, and nothing
/// arrives.
pub(super) async fn too_much(traveller: &mut Traveller) -> Seen {
    let counter = traveller.housing_fund()?;
    let asked = counter.ask(too_much_query(), Manner::CERTIFIED).await?;
    let answered = traveller.wallet()?.present(&asked.request_uri_link, &[], &mut Yes).await;
    let refusal = match answered {
        Err(error @ WalletError::BeyondAccreditation) => error,
        Err(error) => return Err(error).context("the wallet refused for another reason"),
        Ok(_) => bail!("the wallet answered"),
    };
    let state = counter.outcome(&asked.id).await?.state;
    ensure!(state == "pending", "the service has something: {state}");
    Ok(traveller.say("devnet-seen-wallet-refused", &[("code", refusal.code().to_string())]))
}

/// Nobody at the housing fund has the duty to ask for the sex: its own service refuses to make the request.
pub(super) async fn beyond_duty(traveller: &mut Traveller) -> Seen {
    let counter = traveller.housing_fund()?;
    let Err(refused) = counter.ask(beyond_duty_query(), Manner::PLAIN).await else { bail!("the request was made") };
    let code = Code::DutyClaims.as_str();
    ensure!(format!("{refused:#}").contains(code), "refused for another reason: {refused:#}");
    Ok(traveller.say("devnet-seen-service-refused", &[("code", code.to_owned())]))
}

/// One character of a disclosed claim is changed on the way to the service, which refuses.
pub(super) async fn tampered(traveller: &mut Traveller) -> Seen {
    let counter = traveller.housing_fund()?;
    let asked = ask(&counter).await?;
    let honest: Arc<dyn Fetch> = Arc::new(Fetcher::new(&found::fetch(&traveller.layout))?);
    let tampering = Arc::new(Tampering::new(honest, &traveller.layout.url(&HOUSING_FUND)));
    let mut wallet = traveller.wallet_over(Some(tampering.clone()))?;
    let shared = wallet.present(&asked.request_uri_link, &[], &mut Yes).await?;
    ensure!(tampering.has_changed_something(), "nothing was changed on the way");
    let Outcome::Refused { .. } = shared.outcome else { bail!("the service accepted a changed presentation") };
    let outcome = counter.outcome(&asked.id).await?;
    let code = check_refused(&outcome)?;
    ensure!(code.starts_with("sd_jwt.") || code.starts_with("kb_jwt."), "refused for another reason: {code}");
    Ok(traveller.say("devnet-seen-service-refused", &[("code", code)]))
}

/// Makes the housing fund's usual request, to be answered so that a change on the way can be made and seen.
pub(super) async fn ask(counter: &AdminApi) -> Result<Asked> {
    counter.ask(json!(LOAN), Manner::PLAIN).await
}

/// The code of a refusal.
pub(super) fn check_refused(outcome: &admin::Outcome) -> Result<String> {
    ensure!(outcome.state == "refused", "the service says {}", outcome.state);
    Ok(outcome.refusal.as_ref().context("the service gives no reason")?.code.clone())
}

/// The verifier judges by evidence at hand, renewed every second: waits until it has seen its own accreditation.
pub(super) async fn wait_for_evidence(traveller: &Traveller) -> Result<()> {
    let counter = traveller.housing_fund()?;
    let seen = until(EVIDENCE_PATIENCE, async || Ok(ask(&counter).await?.warnings.is_empty().then_some(())));
    seen.await?.context("the service does not get its evidence in time")
}

/// The names of the claims shown: exactly those asked for, under the query's id, not one less and not one more.
pub(super) fn check_verified(outcome: &admin::Outcome) -> Result<String> {
    if let Some(refusal) = &outcome.refusal {
        bail!("the service refused: {}", refusal.code);
    }
    ensure!(outcome.state == "verified", "the service says {}", outcome.state);
    let shown = outcome.claims.get(RESIDENT).context("the service has no claims")?;
    let shown = shown.as_array().and_then(|list| list.first()).unwrap_or(shown);
    let mut paths = BTreeSet::new();
    leaves(shown, &mut Vec::new(), &mut paths);
    let asked: BTreeSet<String> = ASKED.iter().map(|path| path.join(".")).collect();
    ensure!(paths == asked, "the service has {} instead of {}", join(&paths), join(&asked));
    Ok(join(&paths))
}

fn leaves(value: &Value, path: &mut Vec<String>, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                path.push(name.clone());
                leaves(inner, path, found);
                path.pop();
            }
        }
        _ => drop(found.insert(path.join("."))),
    }
}

fn join(paths: &BTreeSet<String>) -> String {
    paths.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
