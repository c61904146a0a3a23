//! How a phrase gets onto paper and back: over the terminal itself, never over standard output or error, which may go
//! to a log; or, for scripts, over a private file or an open descriptor.

use super::{Phrase, PhraseError};
use crate::ui::Ui;
use service_kit::private_file;
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
};
use zeroize::Zeroizing;

/// The terminal, whatever the standard streams are.
const TERMINAL: &str = "/dev/tty";
/// Empty lines that push the phrase off the screen before it is asked for: copying it from there would prove nothing.
const SCREEN: usize = 60;
/// The most bytes read as a phrase.
const MOST_BYTES: usize = 1024;
/// Tries at the terminal before the command ends: one slip in twelve words must not cost a new sheet of paper.
const TRIES: usize = 3;

/// Where the phrase is written to or read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paper {
    /// Shown and typed at the terminal.
    Terminal,
    /// A file: made private when written, refused when others can read it.
    File(PathBuf),
    /// An open descriptor.
    Descriptor(u32),
}

impl Paper {
    /// Hands a new phrase out. At the terminal it is asked for once, to prove that it was written down.
    ///
    /// # Errors
    /// [`PhraseError`]; then nothing may be made that only this phrase opens.
    pub fn hand_out(&self, phrase: &Phrase, ui: &Ui) -> Result<(), PhraseError> {
        let line = Zeroizing::new(format!("{}\n", phrase.words(ui.lang()).join(" ")));
        match self {
            Self::Terminal => show_and_ask_back(phrase, ui),
            Self::File(path) => private_file::create(path, line.as_bytes()).map_err(|_| PhraseError::Source),
            Self::Descriptor(number) => {
                let opened = OpenOptions::new().write(true).open(format!("/dev/fd/{number}"));
                opened.and_then(|mut file| file.write_all(line.as_bytes())).map_err(|_| PhraseError::Source)
            }
        }
    }

    /// Takes back what was written down.
    ///
    /// # Errors
    /// [`PhraseError`].
    pub fn take(&self, ui: &Ui) -> Result<Phrase, PhraseError> {
        let text = match self {
            Self::Terminal => return ask_until_it_fits("wallet-phrase-ask", ui, Phrase::parse),
            Self::File(path) => {
                let bytes = private_file::read(path).map_err(|_| PhraseError::Source)?;
                Zeroizing::new(str::from_utf8(&bytes).map_err(|_| PhraseError::Source)?.to_owned())
            }
            Self::Descriptor(number) => {
                let file = File::open(format!("/dev/fd/{number}")).map_err(|_| PhraseError::Source)?;
                first_line(file)?
            }
        };
        Phrase::parse(&text)
    }
}

fn show_and_ask_back(phrase: &Phrase, ui: &Ui) -> Result<(), PhraseError> {
    let mut shown = Zeroizing::new(format!("{}\n\n", ui.text("wallet-phrase-show", &[])));
    for (word, number) in phrase.words(ui.lang()).iter().zip(1..) {
        shown.push_str(&format!("  {number:>2}. {word}\n"));
    }
    say(&shown)?;
    let _written = ask(&format!("\n{}", ui.text("wallet-phrase-written", &[])))?;
    say(&"\n".repeat(SCREEN))?;
    ask_until_it_fits("wallet-phrase-again", ui, |typed| match Phrase::parse(typed)?.same(phrase) {
        true => Ok(()),
        false => Err(PhraseError::Differ),
    })
}

fn ask_until_it_fits<T>(
    prompt: &str,
    ui: &Ui,
    read: impl Fn(&str) -> Result<T, PhraseError>,
) -> Result<T, PhraseError> {
    let prompt = ui.text(prompt, &[]);
    within_tries(|| ask(&prompt), read, |slip| say(&format!("{}\n", slip_text(slip, ui))))
}

/// The last try's error is the command's; the earlier ones are told and forgiven.
fn within_tries<T>(
    mut ask: impl FnMut() -> Result<Zeroizing<String>, PhraseError>,
    read: impl Fn(&str) -> Result<T, PhraseError>,
    mut tell: impl FnMut(&PhraseError) -> Result<(), PhraseError>,
) -> Result<T, PhraseError> {
    for _forgiven in 1..TRIES {
        match read(&ask()?) {
            Ok(read) => return Ok(read),
            Err(slip) => tell(&slip)?,
        }
    }
    read(&ask()?)
}

/// What is wrong, and with which word, as the command's own error would say it.
fn slip_text(slip: &PhraseError, ui: &Ui) -> String {
    let title = slip.code().title(ui.lang());
    let what = match slip.word() {
        Some(number) => format!("{title}: {}", ui.text("wallet-place-word", &[("number", number.to_string().into())])),
        None => title.to_owned(),
    };
    ui.text("wallet-phrase-slip", &[("what", what.into())])
}

fn say(text: &str) -> Result<(), PhraseError> {
    let mut terminal = OpenOptions::new().write(true).open(TERMINAL).map_err(|_| PhraseError::NoTerminal)?;
    terminal.write_all(text.as_bytes()).map_err(|_| PhraseError::NoTerminal)
}

/// Asks with the letters visible: twelve unseen words are too hard to type.
fn ask(prompt: &str) -> Result<Zeroizing<String>, PhraseError> {
    say(&format!("{prompt} "))?;
    first_line(File::open(TERMINAL).map_err(|_| PhraseError::NoTerminal)?)
}

fn first_line(file: File) -> Result<Zeroizing<String>, PhraseError> {
    // As long as it may get from the start: a text that grows leaves copies of itself behind.
    let mut line = Zeroizing::new(String::with_capacity(MOST_BYTES));
    let most = u64::try_from(MOST_BYTES).unwrap_or_default();
    BufReader::new(file.take(most)).read_line(&mut line).map_err(|_| PhraseError::Source)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity_core::problem::Lang;

    const GOOD: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

    /// Types these lines one after the other; gives the result and how many slips were told.
    fn typing(lines: &[&str]) -> (Result<Phrase, PhraseError>, usize) {
        let (mut lines, mut told) = (lines.iter(), 0);
        let ask = || lines.next().map(|line| Zeroizing::new((*line).to_owned())).ok_or(PhraseError::NoTerminal);
        let read = within_tries(ask, Phrase::parse, |_| {
            told += 1;
            Ok(())
        });
        (read, told)
    }

    #[test]
    fn two_slips_are_forgiven_and_the_third_is_the_answer() {
        let (first, told) = typing(&[GOOD]);
        assert!(first.is_ok() && told == 0);
        let (third, told) = typing(&["abandon", &GOOD.replacen("abandon", "abandonn", 1), GOOD]);
        assert!(third.is_ok() && told == 2);
        let (never, told) = typing(&["", "abandon", &"abandon ".repeat(12), GOOD]);
        assert!(matches!(never, Err(PhraseError::Checksum)) && told == 2);
        let (gone, told) = typing(&["abandon"]);
        assert!(matches!(gone, Err(PhraseError::NoTerminal)) && told == 1, "a closed terminal ends it at once");
    }

    #[test]
    fn a_slip_says_which_word_in_both_languages() {
        for lang in [Lang::En, Lang::Zh] {
            let ui = Ui::new(lang, false);
            assert!(slip_text(&PhraseError::UnknownWord { number: 7 }, &ui).contains('7'));
            assert!(slip_text(&PhraseError::Checksum, &ui).contains(PhraseError::Checksum.code().title(lang)));
        }
    }
}
