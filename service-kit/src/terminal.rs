//! Text from strangers on a terminal: names, purposes and claim values must not move the cursor, change colours, hide
//! or reorder what stands around them.

use std::ops::RangeInclusive;

use identity_core::duty::MAX_BASIS_CHARS;

/// The most characters of one stranger's text that are shown.
const MOST_SHOWN: usize = 200;

/// Characters that are not seen, or that reorder what stands around them. Control characters are obeyed, too.
pub const INVISIBLE: [RangeInclusive<char>; 9] = [
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff9}'..='\u{fffb}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Shown in the place of a character that a terminal could obey.
const REPLACEMENT: char = '\u{fffd}';

/// The text as it may stand in a line of ours: control characters (line ends too), direction marks and invisible
/// characters are replaced, and a long text is cut.
#[must_use]
pub fn harmless(text: &str) -> String {
    harmless_up_to(text, MOST_SHOWN)
}

/// As [`harmless`], and to its end: a legal basis, as long as its format allows, which somebody signs or is asked under.
#[must_use]
pub fn whole_basis(text: &str) -> String {
    harmless_up_to(text, MAX_BASIS_CHARS)
}

fn harmless_up_to(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).map(|c| if may_be_obeyed(c) { REPLACEMENT } else { c }).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

fn may_be_obeyed(c: char) -> bool {
    c.is_control() || INVISIBLE.iter().any(|range| range.contains(&c))
}

/// How many columns the text takes: Chinese characters and other wide ones take two.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// The text filled up with spaces to a number of columns.
#[must_use]
pub fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// The wide blocks of Unicode Standard Annex 11, roughly: enough to align labels.
fn is_wide(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        let hostile = "a\u{1b}[2Jb\u{9b}31mc\rd\ne\u{202e}f\u{200b}g\u{7}h\u{e0041}";
        let shown = harmless(hostile);
        assert_eq!(shown, "a�[2Jb�31mc�d�e�f�g�h�");
        assert!(!shown.chars().any(char::is_control));
        assert_eq!(harmless("样本甲 O'Brien-Müller"), "样本甲 O'Brien-Müller");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(harmless(&"长".repeat(500)).chars().count(), MOST_SHOWN + 1);
        assert_eq!(harmless(&"x".repeat(MOST_SHOWN)).chars().count(), MOST_SHOWN);
        assert_eq!(harmless_up_to("样本\u{1b}甲乙", 4), "样本\u{fffd}甲…");
        let basis = "长".repeat(MAX_BASIS_CHARS);
        assert_eq!(whole_basis(&basis), basis);
    }

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!(columns("姓名 Name"), 9);
        assert_eq!(padded("姓名", 6), "姓名  ");
        assert_eq!(padded("公民身份号码", 4), "公民身份号码");
    }
}
