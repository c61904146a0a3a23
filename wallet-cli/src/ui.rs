//! How the wallet speaks. The rules:
//!
//! 1. Results go to standard output, and nothing else does. Questions, notes and errors go to standard error.
//! 2. With `--json`, standard output gets exactly one JSON object, errors included.
//! 3. An error says what happened, its code, and what to do now.
//! 4. Every text comes from the catalogue, in the language asked for; a label comes from the type's metadata.
//! 5. A question has a default, the harmless one, and no answer means that one.
//! 6. Claim values are shown by `show` only, where somebody asked for them.
//! 7. What strangers wrote passes through [`harmless`]. Nothing here uses colour or moves the cursor.

use identity_core::problem::{Code, Lang};
use serde_json::{Value, json};
use service_kit::messages::{self, Catalogue};
use service_kit::terminal::harmless;
use std::io::{self, BufRead, IsTerminal, Write};

/// The way out to the person, or the script, at the other end.
pub struct Ui {
    catalogue: Catalogue,
    json: bool,
}

impl Ui {
    /// Speaks `lang`, to a script if `json`.
    #[must_use]
    pub fn new(lang: Lang, json: bool) -> Self {
        Self { catalogue: Catalogue::new(lang), json }
    }

    /// The language spoken.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.catalogue.lang()
    }

    /// The texts it speaks with.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Whether a script listens.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A message of the catalogue.
    #[must_use]
    pub fn text(&self, id: &str, values: &[(&str, messages::Value<'_>)]) -> String {
        self.catalogue.text(id, values)
    }

    /// Gives the result: the JSON object to a script, the lines to a person.
    pub fn result(&self, object: &Value, lines: &[String]) {
        let mut text = if self.json { object.to_string() } else { lines.join("\n") };
        if !text.is_empty() {
            // In one piece: what others write there does not come between the lines.
            text.push('\n');
            let mut out = io::stdout().lock();
            // A closed pipe at the other end is the reader's wish, not a fault of ours.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }

    /// Says something beside the result.
    pub fn note(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Says what went wrong and what to do: to a script with `detail` in English, to a person with the `place`, if the
    /// title alone does not say it. Neither carries a claim value.
    pub fn error(&self, code: Code, detail: &str, place: Option<&str>) {
        let lang = self.lang();
        if self.json {
            let error = json!({ "code": code.as_str(), "title": code.title(lang), "detail": detail,
                "remedy": code.remedy(lang) });
            self.result(&json!({ "ok": false, "error": error }), &[]);
            return;
        }
        let label = |id: &str| self.text(id, &[]);
        let place =
            place.map(|place| format!("{}{}", label("wallet-error-place"), harmless(place))).unwrap_or_default();
        self.note(&format!("{}{}{place} [{}]", label("wallet-error"), code.title(lang), code.as_str()));
        self.note(&format!("{}{}", label("wallet-remedy"), code.remedy(lang)));
    }

    /// Asks a question whose harmless answer is no. No terminal, no answer and anything unclear are no.
    #[must_use]
    pub fn confirm(&self, question: &str) -> bool {
        if !io::stdin().is_terminal() {
            return false;
        }
        let _ = write!(io::stderr(), "{question} ");
        let _ = io::stderr().flush();
        let mut answer = String::new();
        let heard = io::stdin().lock().read_line(&mut answer).is_ok();
        heard && is_yes(&answer)
    }

    /// Asks for a word at the terminal, unseen; `None` if there is no terminal or no answer.
    #[must_use]
    pub fn ask(&self, prompt: &str) -> Option<String> {
        let answer = rpassword::prompt_password(prompt).ok()?;
        Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty())
    }

    /// Whether there is somebody to ask.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal()
    }
}

/// Both languages' words are understood whatever the language: `yes`, `是`, `同意`. A lone letter is too easily typed.
fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "yes" | "是" | "同意")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        for yes in ["yes\n", "Yes\n", " YES ", "是\n", "同意"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "no", "yep", "ye s", "不", "不是", "1", "y", "yy"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
