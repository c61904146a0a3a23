//! What a program can write about itself: completions for shells, and manual pages in both languages, from the same
//! types and the same catalogue as its help.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Command, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::messages::{Catalogue, Lang};
use crate::whole_file;

/// The two commands that every program has, to be flattened into its own. Their words are everybody's: `help-man`, ….
#[derive(Debug, Clone, Subcommand)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub enum Manual {
    Completions {
        #[arg(value_name = "bash|zsh|fish", value_parser = ["bash", "zsh", "fish"], hide_possible_values = true)]
        shell: String,
    },
    Man {
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// A script, for standard output.
    Script(String),
    /// Files, by their paths.
    Pages(Vec<PathBuf>),
}

impl Made {
    /// What to say on standard output: the script itself, or which files were written.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Script(script) => script.clone(),
            Self::Pages(pages) => pages.iter().map(|page| format!("{}\n", page.display())).collect(),
        }
    }
}

impl Manual {
    /// Carries the command out, and prints the script or the names of the files.
    ///
    /// # Errors
    /// As [`Self::carry_out`].
    pub fn print(&self, lang: Lang, dressed: &dyn Fn(&Catalogue) -> Command) -> io::Result<()> {
        io::stdout().write_all(self.carry_out(lang, dressed)?.text().as_bytes())
    }

    /// Carries the command out. `dressed` is the program's command with every text in a language; a script's
    /// explanations are in `lang`, pages come in both.
    ///
    /// # Errors
    /// The directory cannot be made, or a page not be written.
    pub fn carry_out(&self, lang: Lang, dressed: &dyn Fn(&Catalogue) -> Command) -> io::Result<Made> {
        match self {
            Self::Completions { shell } => {
                let shell = match shell.as_str() {
                    "zsh" => Shell::Zsh,
                    "fish" => Shell::Fish,
                    _ => Shell::Bash,
                };
                Ok(Made::Script(completions(shell, dressed(&Catalogue::new(lang)))))
            }
            Self::Man { dir } => {
                // As `man` looks for them: translations below the name of their locale.
                let mut pages = write_pages(&dir.join("man1"), &Catalogue::new(Lang::En), dressed)?;
                pages.extend(write_pages(&dir.join("zh_CN/man1"), &Catalogue::new(Lang::Zh), dressed)?);
                Ok(Made::Pages(pages))
            }
        }
    }
}

fn completions(shell: Shell, mut command: Command) -> String {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// One page for the program, and one for each of its commands, and theirs.
fn write_pages(dir: &Path, catalogue: &Catalogue, dressed: &dyn Fn(&Catalogue) -> Command) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(dir)?;
    let mut whole = dressed(catalogue);
    whole.build();
    let program = whole.get_name().to_owned();
    named_pages(&whole, program)
        .into_iter()
        .map(|(name, command)| {
            let path = dir.join(format!("{name}.1"));
            whole_file::write(&path, page(command, catalogue)?)?;
            Ok(path)
        })
        .collect()
}

fn named_pages(command: &Command, name: String) -> Vec<(String, Command)> {
    let below = command.get_subcommands();
    let below = below.flat_map(|sub| named_pages(sub, format!("{name}-{}", sub.get_name()))).collect::<Vec<_>>();
    let named = command.clone().name(name.clone()).display_name(name.clone());
    [vec![(name, named)], below].concat()
}

/// The page, its headings in the catalogue's language and its usage line ours: the library has both in English only.
fn page(mut command: Command, catalogue: &Catalogue) -> io::Result<String> {
    let usage = command.render_usage().to_string();
    let usage = usage.split_once(": ").map_or(usage.as_str(), |(_, line)| line).to_owned();
    let version = env!("CARGO_PKG_VERSION");
    let man = Man::new(command).source(format!("Xinfu {version}")).manual("信符 Xinfu");
    let mut rendered = Vec::new();
    man.render(&mut rendered)?;
    let heading = |line: &str| match line {
        ".SH NAME" => Some("help-man-heading-name"),
        ".SH SYNOPSIS" => Some("help-man-heading-synopsis"),
        ".SH DESCRIPTION" => Some("help-man-heading-description"),
        ".SH EXTRA" => Some("help-man-heading-exit"),
        ".SH VERSION" => Some("help-man-heading-version"),
        _ => None,
    };
    let mut text = String::new();
    let mut in_synopsis = false;
    for line in String::from_utf8_lossy(&rendered).lines() {
        if line.starts_with(".SH ") {
            in_synopsis = line == ".SH SYNOPSIS";
            let named = heading(line).map(|id| format!(".SH {}", catalogue.text(id, &[])));
            text.push_str(named.as_deref().unwrap_or(line));
            text.push('\n');
            if in_synopsis {
                text.push_str(&format!("{}\n", usage.trim().replace('\\', "\\e").replace('-', "\\-")));
            }
        } else if !in_synopsis {
            text.push_str(line);
            text.push('\n');
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::process::{Command as Process, Stdio};

    use clap::{Arg, FromArgMatches as _, Subcommand as _};

    use super::*;
    use crate::help;

    fn dressed(catalogue: &Catalogue) -> Command {
        let wanted = Arg::new("config").long("config").value_name("FILE").required(true);
        let command = Command::new("sample").version("1").subcommand(Command::new("run").arg(wanted));
        help::localised(Manual::augment_subcommands(command), catalogue, &|place| format!("issuer-help-{place}"))
    }

    fn made(line: &str) -> Made {
        let matches = dressed(&Catalogue::new(Lang::En)).try_get_matches_from(line.split(' ')).unwrap();
        Manual::from_arg_matches(&matches).unwrap().carry_out(Lang::Zh, &dressed).unwrap()
    }

    #[test]
    fn completions_know_the_commands_and_bash_accepts_them() {
        for shell in ["bash", "zsh", "fish"] {
            let Made::Script(script) = made(&format!("sample completions {shell}")) else { panic!("a script") };
            assert!(script.contains("completions") && script.contains("config"), "{shell}");
        }
        let script = made("sample completions bash").text();
        let checked = Process::new("bash").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        // Where there is no bash, nobody completes by it.
        let Ok(mut bash) = checked else { return };
        bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = bash.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(dressed(&Catalogue::new(Lang::En)).try_get_matches_from(["sample", "completions", "csh"]).is_err());
    }

    #[test]
    fn pages_come_in_both_languages_to_the_last_heading() {
        let dir = tempfile::tempdir().unwrap();
        let Made::Pages(pages) = made(&format!("sample man --dir {}", dir.path().display())) else { panic!("pages") };
        assert_eq!(pages.len(), 8);
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        let (english, chinese) = (read("man1/sample-run.1"), read("zh_CN/man1/sample-run.1"));
        assert!(english.contains(".SH SYNOPSIS\nsample run [Options] \\-\\-config <FILE>\n"), "{english}");
        assert!(chinese.contains(".SH 名称\n") && chinese.contains("sample run [选项]"), "{chinese}");
        for heading in chinese.lines().filter(|line| line.starts_with(".SH ")) {
            assert!(heading.chars().any(|letter| letter > '\u{3000}'), "{heading}");
        }
    }

    #[test]
    fn groff_reads_the_pages_without_complaint() {
        let dir = tempfile::tempdir().unwrap();
        let Made::Pages(pages) = made(&format!("sample man --dir {}", dir.path().display())) else { panic!("pages") };
        for page in pages {
            let read = Process::new("groff").args(["-man", "-Tutf8", "-ww", "-K", "utf8"]).arg(&page).output();
            let Ok(read) = read else { return };
            assert!(read.status.success() && read.stderr.is_empty(), "{}", String::from_utf8_lossy(&read.stderr));
        }
    }
}
