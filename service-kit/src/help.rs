//! Help in the reader's language: a program's command line keeps its shape in its types and its words in the catalogue.
//!
//! A program names its texts by place: `about`, a subcommand (`run`), one of a subcommand (`duties-give`), an option of one
//! (`run-config`, `duties-give-config`), an option of every command (`any-lang`). Texts that all programs share (`help-usage`, `help-any-config`, `help-man`, …) need not
//! be repeated.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, ArgAction, Command};
use identity_core::problem::{Code, Lang};

use crate::messages::{self, Catalogue};
use crate::terminal::harmless;

/// The language flag, read before everything else because help and complaints need it too.
#[must_use]
pub fn language(arguments: &[OsString]) -> Lang {
    let texts: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let joined = texts.iter().find_map(|text| text.strip_prefix("--lang="));
    let apart = texts.iter().zip(texts.iter().skip(1)).find(|(flag, _)| **flag == "--lang").map(|(_, value)| *value);
    messages::language(joined.or(apart))
}

/// `command` with every text from the catalogue; `id` gives the id of a place's text.
#[must_use]
pub fn localised(command: Command, catalogue: &Catalogue, id: &dyn Fn(&str) -> String) -> Command {
    let dress = Dress { catalogue, id, program: command.get_name().to_owned() };
    let command = dress.about(dress.commands(command, &[]), "about").disable_version_flag(true).arg(version_flag());
    dress.arguments(command, "any", &[])
}

/// A failure in words for people: what happened in this case, and what to do now. What the system or a library says is
/// in English; where the reader's language is another, the catalogue's words come first.
#[must_use]
pub fn told(lang: Lang, code: Option<Code>, detail: &str) -> String {
    match (lang, code) {
        (_, None) => detail.to_owned(),
        (Lang::En, Some(code)) => format!("{detail}\n  {}", code.remedy(lang)),
        (Lang::Zh, Some(code)) => format!("{}（{detail}）\n  {}", code.title(lang), code.remedy(lang)),
    }
}

/// What is wrong with a command line, in the reader's language.
#[must_use]
pub fn complaint(error: &clap::Error, catalogue: &Catalogue) -> String {
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (id, detail) = match error.kind() {
        ErrorKind::InvalidSubcommand => ("help-fault-command", context(ContextKind::InvalidSubcommand)),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            ("help-fault-no-command", String::new())
        }
        ErrorKind::UnknownArgument => ("help-fault-option", context(ContextKind::InvalidArg)),
        ErrorKind::MissingRequiredArgument => ("help-fault-missing", context(ContextKind::InvalidArg)),
        ErrorKind::ArgumentConflict => ("help-fault-conflict", context(ContextKind::InvalidArg)),
        // A value is not repeated: it may be a secret in the wrong place.
        _ => ("help-fault-value", context(ContextKind::InvalidArg)),
    };
    let likely = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg].map(context);
    let likely = likely.iter().find(|likely| !likely.is_empty());
    let mut text = catalogue.text(id, &[("detail", harmless(&detail).into())]);
    if let Some(likely) = likely {
        text.push_str(&catalogue.text("help-fault-likely", &[("detail", harmless(likely).into())]));
    }
    text
}

/// Ends a program whose command line was not understood: help and version go to standard output with status 0, a
/// complaint in the reader's language to standard error with status 2.
#[must_use]
pub fn refused(error: &clap::Error, program: &str, catalogue: &Catalogue) -> ExitCode {
    if !error.use_stderr() {
        // Nobody reads it any more if this fails.
        let _written = error.print();
        return ExitCode::SUCCESS;
    }
    let detail = complaint(error, catalogue);
    eprintln!("{}", catalogue.text("help-fault", &[("detail", detail.into())]));
    eprintln!("{}", catalogue.text("help-fault-hint", &[("program", program.into())]));
    ExitCode::from(2)
}

struct Dress<'a> {
    catalogue: &'a Catalogue,
    id: &'a dyn Fn(&str) -> String,
    program: String,
}

impl Dress<'_> {
    /// The commands below the one at `path`, and whatever lies below them.
    fn commands(&self, command: Command, path: &[String]) -> Command {
        let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        let command = names.into_iter().fold(command, |command, name| {
            command.mut_subcommand(&name, |sub| {
                let path = [path, std::slice::from_ref(&name)].concat();
                let place = path.join("-");
                self.arguments(self.about(self.commands(sub, &path), &place), &place, &path)
            })
        });
        let command = command.disable_help_flag(true).disable_help_subcommand(true).arg(help_flag());
        command.subcommand_help_heading(self.catalogue.text("help-commands", &[]))
    }

    fn about(&self, command: Command, place: &str) -> Command {
        match self.text(&(self.id)(place)).or_else(|| self.text(&format!("help-{place}"))) {
            Some(about) => command.about(about).long_about(None::<&str>),
            None => command,
        }
    }

    /// Headings and option texts: the program's own for this command, the program's for every command, everybody's.
    fn arguments(&self, command: Command, place: &str, path: &[String]) -> Command {
        let shared = |id: &str| self.catalogue.text(id, &[]);
        let usage = shared("help-usage");
        let template = format!("{{about-with-newline}}\n{usage} {{usage}}\n\n{{all-args}}{{after-help}}");
        let usage_line = self.usage_line(&command, path);
        command.help_template(template).override_usage(usage_line).mut_args(|arg| {
            let name = arg.get_id().as_str().replace('_', "-");
            let own = self.text(&(self.id)(&format!("{place}-{name}")));
            let any = || self.text(&(self.id)(&format!("any-{name}")));
            let everybodys =
                || self.text(&format!("help-{place}-{name}")).or_else(|| self.text(&format!("help-any-{name}")));
            let heading = if arg.is_positional() { "help-arguments" } else { "help-options" };
            let arg = placed(arg.help_heading(shared(heading)));
            match own.or_else(any).or_else(everybodys) {
                Some(text) => arg.help(text).long_help(None::<&str>),
                None => arg,
            }
        })
    }

    /// The command with what it cannot do without; clap writes this line in English only.
    fn usage_line(&self, command: &Command, path: &[String]) -> String {
        let shared = |id: &str| self.catalogue.text(id, &[]);
        let mut line = self.program.clone();
        path.iter().for_each(|word| line.push_str(&format!(" {word}")));
        line.push_str(&format!(" [{}]", shared("help-options")));
        for arg in command.get_arguments().filter(|arg| arg.is_required_set()) {
            line.push_str(&format!(" {}", in_usage(arg)));
        }
        // Of such a group exactly one must be there.
        for group in command.get_groups().filter(|group| group.is_required_set()) {
            let ones = group.get_args().filter_map(|id| command.get_arguments().find(|arg| arg.get_id() == id));
            let ones: Vec<String> = ones.map(in_usage).collect();
            line.push_str(&format!(" ({})", ones.join(" | ")));
        }
        match (command.has_subcommands(), command.is_subcommand_required_set()) {
            (true, true) => line.push_str(&format!(" <{}>", shared("help-commands"))),
            (true, false) => line.push_str(&format!(" [{}]", shared("help-commands"))),
            (false, _) => {}
        }
        line
    }

    fn text(&self, id: &str) -> Option<String> {
        Some(self.catalogue.text(id, &[])).filter(|text| text != id)
    }
}

/// An argument as the usage line names it.
fn in_usage(arg: &Arg) -> String {
    let flag = arg.get_long().map(|long| format!("--{long} ")).unwrap_or_default();
    let value = arg.get_value_names().and_then(|names| names.first()).map_or("…", |name| name.as_str());
    format!("{flag}<{value}>")
}

/// A command's own options come before those of every command, and help last.
fn placed(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "help" | "version" => arg.display_order(200),
        _ if arg.is_global_set() => arg.display_order(100),
        _ => arg,
    }
}

fn help_flag() -> Arg {
    Arg::new("help").short('h').long("help").action(ArgAction::Help)
}

fn version_flag() -> Arg {
    Arg::new("version").short('V').long("version").action(ArgAction::Version)
}

/// The places of a command that have no text in this language, for a program's own test.
#[must_use]
pub fn untold(command: Command, lang: Lang, id: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut command = localised(command, &Catalogue::new(lang), id);
    command.build();
    let name = command.get_name().to_owned();
    untold_below(&command, &name, lang)
}

fn untold_below(command: &Command, name: &str, lang: Lang) -> Vec<String> {
    let told = |text: Option<String>| {
        text.is_some_and(|text| (lang == Lang::Zh) == text.chars().any(|letter| letter > '\u{3000}'))
    };
    let mut missing = Vec::new();
    if !told(command.get_about().map(ToString::to_string)) {
        missing.push(name.to_owned());
    }
    for arg in command.get_arguments().filter(|arg| !told(arg.get_help().map(ToString::to_string))) {
        missing.push(format!("{name}-{}", arg.get_id()));
    }
    let below = command.get_subcommands();
    missing.extend(below.flat_map(|sub| untold_below(sub, &format!("{name}-{}", sub.get_name()), lang)));
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_found_wherever_it_stands() {
        let arguments = |line: &str| line.split(' ').map(Into::into).collect::<Vec<_>>();
        assert_eq!(language(&arguments("xinfu-issuer run --lang zh")), Lang::Zh);
        assert_eq!(language(&arguments("xinfu-issuer --lang=zh --help")), Lang::Zh);
        assert_eq!(language(&arguments("xinfu-issuer --lang en")), Lang::En);
    }

    #[test]
    fn a_failure_says_what_to_do_now() {
        let code = Some(Code::StoreInUse);
        assert!(told(Lang::En, code, "x is in use").starts_with("x is in use\n  "));
        assert!(told(Lang::Zh, code, "x is in use").contains("（x is in use）\n"));
        assert_eq!(told(Lang::Zh, None, "x"), "x");
    }

    #[test]
    fn help_is_in_the_readers_language_to_the_last_heading() {
        let wanted = Arg::new("config").long("config").value_name("FILE").required(true);
        let command = Command::new("sample").version("1").subcommand(Command::new("run").arg(wanted));
        let mut command = localised(command, &Catalogue::new(Lang::Zh), &|place| format!("sample-{place}"));
        assert!(command.render_help().to_string().contains("用法： sample [选项] [命令]\n"));
        let run = command.find_subcommand_mut("run").unwrap().render_help().to_string();
        assert!(run.contains("用法： sample run [选项] --config <FILE>\n"), "{run}");
        assert!(run.find("--config <FILE>  ").unwrap() < run.find("--help").unwrap(), "{run}");
    }

    #[test]
    fn a_command_of_a_command_has_help_of_its_own() {
        let give = Command::new("give").arg(Arg::new("duty").long("duty").value_name("DUTY").required(true));
        let command = Command::new("sample").version("1").subcommand(Command::new("duties").subcommand(give));
        let dress = || localised(command.clone(), &Catalogue::new(Lang::Zh), &|place| format!("help-{place}"));
        let shown = dress().try_get_matches_from(["sample", "duties", "give", "--help"]).unwrap_err().to_string();
        assert!(shown.contains("用法： sample duties give [选项] --duty <DUTY>\n"), "{shown}");
        assert!(shown.contains("岗位编号") && shown.contains("显示本帮助"), "{shown}");
        let duties = dress().try_get_matches_from(["sample", "duties", "--help"]).unwrap_err().to_string();
        assert!(duties.contains("命令:\n  give  将岗位委派给密钥持有人"), "{duties}");
        let strange = Command::new("duties").subcommand(Command::new("dance"));
        let missing =
            untold(Command::new("sample").version("1").subcommand(strange), Lang::En, &|place| format!("help-{place}"));
        assert_eq!(missing, ["sample", "sample-duties-dance"]);
    }

    #[test]
    fn one_of_a_group_is_asked_for_in_the_usage_line() {
        let link = Arg::new("link").value_name("LINK");
        let picture = Arg::new("qr").long("qr").value_name("FILE");
        let either = clap::ArgGroup::new("either").args(["link", "qr"]).required(true);
        let command = Command::new("sample").version("1").arg(link).arg(picture).group(either);
        let mut command = localised(command, &Catalogue::new(Lang::En), &|place| format!("sample-{place}"));
        let help = command.render_help().to_string();
        assert!(help.contains("Usage: sample [Options] (<LINK> | --qr <FILE>)\n"), "{help}");
    }

    #[test]
    fn what_has_no_text_is_named() {
        let command = Command::new("sample").version("1").arg(Arg::new("strange").long("strange"));
        let missing = untold(command, Lang::Zh, &|place| format!("sample-{place}"));
        assert_eq!(missing, ["sample", "sample-strange"]);
    }
}
