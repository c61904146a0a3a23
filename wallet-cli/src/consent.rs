//! Who says yes or no: a person at a terminal, or a rule.

use crate::{question::Question, ui::Ui};

/// Says yes or no to a question: a person, or a rule. The answer to a doubt is no.
pub trait Consent {
    /// Whether what the asker would like and does not need goes too, by its place in [`Question::optional`].
    fn adds(&mut self, _question: &Question, _place: usize) -> bool {
        false
    }

    /// True to share what the question's items list, and nothing else.
    fn agrees(&mut self, question: &Question) -> bool;
}

impl<F: FnMut(&Question) -> bool> Consent for F {
    fn agrees(&mut self, question: &Question) -> bool {
        self(question)
    }
}

/// Asks a person, who says yes only to what was listed last.
pub struct AtTerminal<'a> {
    ui: &'a Ui,
    say: &'a mut dyn FnMut(&str),
    confirm: &'a mut dyn FnMut(&str) -> bool,
    /// What the person was shown last.
    shown: Option<Question>,
}

impl<'a> AtTerminal<'a> {
    /// Speaks as `ui` does, and is heard by `say` and answered by `confirm`.
    pub fn new(ui: &'a Ui, say: &'a mut dyn FnMut(&str), confirm: &'a mut dyn FnMut(&str) -> bool) -> Self {
        Self { ui, say, confirm, shown: None }
    }

    /// Shows a question whole.
    pub fn show(&mut self, question: &Question) {
        question.lines(self.ui).iter().for_each(|line| (self.say)(line));
        self.shown = Some(question.clone());
    }
}

impl Consent for AtTerminal<'_> {
    fn adds(&mut self, question: &Question, place: usize) -> bool {
        if self.shown.as_ref() != Some(question) {
            self.show(question);
        }
        let number = (place + 1).to_string();
        (self.confirm)(&self.ui.text("wallet-ask-optional-confirm", &[("number", number.into())]))
    }

    fn agrees(&mut self, question: &Question) -> bool {
        if self.shown.as_ref().is_none_or(|shown| shown.items != question.items) {
            // What was declined a moment ago is not held out once more, beside what now leaves.
            self.show(&Question { optional: Vec::new(), ..question.clone() });
        }
        (self.confirm)(&self.ui.text("wallet-ask-confirm", &[]))
    }
}
