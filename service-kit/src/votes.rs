//! The votes of a member that runs a service: who joins the consortium, who leaves it, and whose validator certifies. The
//! operator of a ledger node votes with `xinfu-ledger`; the votes are the same transactions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use identity_core::did::{Did, DidError};
use identity_core::encoding::json::{self, Limits};
use identity_core::problem::Lang;
use identity_core::registry::{
    Change, GenesisValidator, Label, OnProposal, Operation, Proposal, Propose, did_key, proposal_key,
};
use identity_core::time::UnixSeconds;
use identity_core::trust;

use crate::calendar::utc;
use crate::did_life::{DidLife, LifeError};
use crate::messages::Catalogue;
use crate::terminal::harmless;
use crate::whole_file;

/// Seconds in a day.
const DAY: i64 = 86_400;
/// The longest file with a validator, in bytes: its name, its address and four public keys take some 500.
const MAX_VALIDATOR_BYTES: usize = 8 * 1024;

/// What to do about proposals. Its words stand in the catalogue, under `help-votes-…`.
#[derive(Debug, Args)]
pub struct VotesArguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Propose(Proposing),
    Approve(OnOne),
    Withdraw(OnOne),
    Show(OnOne),
}

#[derive(Debug, Args)]
struct Proposing {
    /// The service's configuration.
    #[arg(long)]
    config: PathBuf,
    #[command(flatten)]
    proposed: Proposed,
}

#[derive(Debug, Args)]
struct OnOne {
    /// The service's configuration.
    #[arg(long)]
    config: PathBuf,
    #[arg(long)]
    proposal: u64,
}

/// What to propose.
#[derive(Debug, Args)]
pub struct Proposed {
    what: ChangeName,
    #[arg(long, value_parser = subject)]
    subject: Did,
    #[arg(long, required_if_eq("what", "admit"))]
    name: Option<String>,
    #[arg(long, value_name = "FILE")]
    validator: Option<PathBuf>,
    #[arg(long, default_value_t = 30)]
    days: u16,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ChangeName {
    Admit,
    Expel,
    Validator,
}

fn subject(text: &str) -> Result<Did, DidError> {
    Did::parse(text)
}

impl Proposed {
    /// The proposal as a transaction states it, to be approved from `now` on.
    ///
    /// # Errors
    /// [`LifeError::ValidatorFile`].
    pub fn operation(self, now: UnixSeconds) -> Result<Operation, LifeError> {
        let (did, validator) = (self.subject, self.validator.as_deref().map(read_validator).transpose()?);
        let change = match self.what {
            ChangeName::Admit => Change::Admit { did, name: self.name.unwrap_or_default(), validator },
            ChangeName::Expel => Change::Expel { did },
            ChangeName::Validator => Change::Validator { did, validator },
        };
        let until = now.plus(i64::from(self.days).saturating_mul(DAY)).0;
        Ok(Operation::Propose(Propose { change, until }))
    }
}

/// A validator as it stands in a genesis file: its name, its public keys, and where others reach it.
fn read_validator(file: &Path) -> Result<GenesisValidator, LifeError> {
    let failed = |detail: String| LifeError::ValidatorFile { file: file.to_owned(), detail };
    let text = whole_file::read(file, MAX_VALIDATOR_BYTES).map_err(|error| failed(error.to_string()))?;
    json::read(&text, Limits::of(MAX_VALIDATOR_BYTES)).map_err(|error| failed(error.to_string()))
}

impl VotesArguments {
    /// The service's configuration.
    #[must_use]
    pub fn config(&self) -> &Path {
        match &self.act {
            Act::Propose(proposing) => &proposing.config,
            Act::Approve(one) | Act::Withdraw(one) | Act::Show(one) => &one.config,
        }
    }
}

/// The id of a place's text, if it is one of this command's: they are the same in every program.
#[must_use]
pub fn text_id(place: &str) -> Option<String> {
    (place == "votes" || place.starts_with("votes-")).then(|| format!("help-{place}"))
}

/// Does what the arguments say, and tells what was done; of a vote also on what, as the ledger proves it.
///
/// # Errors
/// [`LifeError`].
pub async fn run(life: &DidLife<'_>, arguments: VotesArguments, messages: &Catalogue) -> Result<String, LifeError> {
    let told = |id: &str, index: u64| messages.text(id, &[("index", index.to_string().into())]);
    match arguments.act {
        Act::Propose(proposing) => {
            let number = life.submit_beside_the_service(&proposing.proposed.operation(life.now)?).await?;
            Ok([told("votes-proposed", number), shown(life, number, messages).await?].join("\n"))
        }
        Act::Approve(OnOne { proposal, .. }) => {
            let index = life.submit_beside_the_service(&Operation::Approve(OnProposal { proposal })).await?;
            Ok([told("votes-approved", index), shown(life, proposal, messages).await?].join("\n"))
        }
        Act::Withdraw(OnOne { proposal, .. }) => {
            let index = life.submit_beside_the_service(&Operation::Withdraw(OnProposal { proposal })).await?;
            Ok([told("votes-taken-back", index), shown(life, proposal, messages).await?].join("\n"))
        }
        Act::Show(OnOne { proposal, .. }) => shown(life, proposal, messages).await,
    }
}

async fn shown(life: &DidLife<'_>, number: u64, messages: &Catalogue) -> Result<String, LifeError> {
    let (proven, _) = life.ledger.state(&proposal_key(number)).await?;
    let proposal = trust::proposal(&proven, number)?;
    let approvers = proposal.approvals.iter().map(|approval| &approval.by);
    let mut names = Names::new();
    for did in [&proposal.by, subject_of(&proposal.change)].into_iter().chain(approvers) {
        let (proven, _) = life.ledger.state(&did_key(did)).await?;
        // A name that is not there keeps nobody from voting.
        let label = trust::did_label(&proven, did).ok().flatten();
        names.insert(did.clone(), named(did, label.as_ref(), messages.lang()));
    }
    Ok(lines(&proposal, &names, life.now, messages).join("\n"))
}

/// What members are called, by their DIDs.
type Names = BTreeMap<Did, String>;

fn named(did: &Did, label: Option<&Label>, lang: Lang) -> String {
    match (label, lang) {
        (None, _) => did.to_string(),
        (Some(label), Lang::En) => format!("{} ({did})", harmless(&label.en)),
        (Some(label), Lang::Zh) => format!("{}（{did}）", harmless(&label.zh)),
    }
}

fn subject_of(change: &Change) -> &Did {
    match change {
        Change::Admit { did, .. } | Change::Expel { did } | Change::Validator { did, .. } => did,
    }
}

fn lines(proposal: &Proposal, names: &Names, now: UnixSeconds, messages: &Catalogue) -> Vec<String> {
    let name = |did: &Did| names.get(did).cloned().unwrap_or_default();
    let index = |index: u64| ("index", index.to_string().into());
    let head = [
        ("number", proposal.number.to_string().into()),
        ("by", name(&proposal.by).into()),
        ("what", what(&proposal.change, &name(subject_of(&proposal.change)), messages).into()),
    ];
    let until = [("time", utc(proposal.until).into())];
    let standing = match (proposal.accepted, proposal.withdrawn) {
        (Some(accepted), _) => messages.text("votes-accepted", &[index(accepted)]),
        (None, Some(withdrawn)) => messages.text("votes-withdrawn", &[index(withdrawn)]),
        (None, None) if proposal.is_open(now.0) => messages.text("votes-open", &until),
        (None, None) => messages.text("votes-over", &until),
    };
    let approvals = proposal.approvals.iter().map(|approval| {
        let by = ("by", name(&approval.by).into());
        match approval.until {
            None => messages.text("votes-approval", &[by, index(approval.from)]),
            Some(end) => {
                let end = ("end", end.to_string().into());
                messages.text("votes-approval-ended", &[by, index(approval.from), end])
            }
        }
    });
    [messages.text("votes-proposal", &head), standing].into_iter().chain(approvals).collect()
}

fn what(change: &Change, member: &str, messages: &Catalogue) -> String {
    let (id, name, validator) = match change {
        Change::Admit { name, validator: None, .. } => ("votes-admit", name.as_str(), None),
        Change::Admit { name, validator, .. } => ("votes-admit-validator", name.as_str(), validator.as_ref()),
        Change::Expel { .. } => ("votes-expel", "", None),
        Change::Validator { validator: None, .. } => ("votes-no-validator", "", None),
        Change::Validator { validator, .. } => ("votes-validator", "", validator.as_ref()),
    };
    let validator = validator.map_or("", |validator| validator.name.as_str());
    let values =
        [("member", member.into()), ("name", harmless(name).into()), ("validator", harmless(validator).into())];
    messages.text(id, &values)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use identity_core::problem::Code;

    use super::*;
    use crate::did_life::tests::World;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        votes: VotesArguments,
    }

    async fn told(world: &World, line: &[&str]) -> Result<String, LifeError> {
        let line = ["program"].iter().chain(line).chain(&["--config", "service.toml"]);
        let votes = Line::try_parse_from(line).unwrap().votes;
        assert_eq!(votes.config(), Path::new("service.toml"));
        run(&world.life(), votes, &Catalogue::new(Lang::En)).await
    }

    #[actix_web::test]
    async fn a_member_without_a_node_votes_and_reads_on_what() {
        let world = World::new();
        let own = world.life().history().await.unwrap().did;
        let named = format!("Sample ({own})");
        let said = told(&world, &["propose", "expel", "--subject", own.as_str()]).await.unwrap();
        let number =
            said.lines().next().unwrap().split(' ').find_map(|word| word.trim_matches('.').parse::<u64>().ok());
        let number = number.unwrap().to_string();
        assert!(said.contains(&format!("Proposal {number} of {named}: expel {named}\nOpen until ")), "{said}");
        assert!(
            said.contains(&format!("Approved by {named} at log index {number}")),
            "whoever proposes approves: {said}"
        );
        let on = |act| [act, "--proposal", number.as_str()];
        let twice = told(&world, &on("approve")).await.unwrap_err();
        assert!(twice.code().as_str().starts_with("registry."), "{twice}");
        let said = told(&world, &on("withdraw")).await.unwrap();
        assert!(said.contains("Withdrawn by its proposer at log index"), "{said}");
        assert!(!told(&world, &on("show")).await.unwrap().contains("Open until"));
        let unknown = told(&world, &["show", "--proposal", "999"]).await.unwrap_err();
        assert_eq!(unknown.code(), Code::RegistryEvidenceAbsent);
    }

    #[actix_web::test]
    async fn a_file_that_holds_no_validator_is_not_proposed() {
        let (world, nobody) = (World::new(), format!("did:xinfu:sample:{}", "2".repeat(44)));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("validator.json");
        let line = ["propose", "validator", "--subject", &nobody, "--validator", file.to_str().unwrap()];
        for text in [None, Some("{}".to_owned()), Some(" ".repeat(MAX_VALIDATOR_BYTES + 1))] {
            text.iter().for_each(|text| whole_file::write(&file, text.clone()).unwrap());
            let refused = told(&world, &line).await.unwrap_err();
            assert!(matches!(refused, LifeError::ValidatorFile { .. }), "{refused}");
        }
    }
}
