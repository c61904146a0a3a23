//! The recovery phrase: twelve words that alone open a backup.
//!
//! The words are those of BIP-39, English or simplified Chinese: 128 random bits and four of a checksum, which finds
//! most slips of the pen before the backup is asked. Nobody chooses the phrase, so nothing has to be stretched: the
//! backup's key is one SHA-256 over it and the backup's own random id.

mod paper;

pub use paper::Paper;

use crate::vault::Key;
use bip39::{Error, Language, Mnemonic};
use identity_core::problem::{Code, Lang};
use rand::CryptoRng;
use std::ops::RangeInclusive;
use zeroize::Zeroizing;

/// Words in a phrase.
const WORDS: usize = 12;
/// The characters of the Chinese list.
const HAN: RangeInclusive<char> = '\u{4e00}'..='\u{9fff}';

/// Why there is no phrase. Carries places, never words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PhraseError {
    /// Not twelve words.
    #[error("a recovery phrase has {WORDS} words, not {count}")]
    Count {
        /// How many there are.
        count: usize,
    },
    /// A word that is in neither list.
    #[error("word {number} is in neither word list")]
    UnknownWord {
        /// Which one, from 1.
        number: usize,
    },
    /// All words are known, but some word is not the one that was written down.
    #[error("the words do not fit together")]
    Checksum,
    /// Neither a terminal to write it on, nor a file, nor a file descriptor.
    #[error("there is no terminal for the recovery phrase")]
    NoTerminal,
    /// The file or the descriptor cannot be read or written.
    #[error("the recovery phrase's file or descriptor cannot be used")]
    Source,
    /// What was typed is not the phrase that was shown.
    #[error("that is not the phrase that was shown")]
    Differ,
}

impl PhraseError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Count { .. } => Code::WalletPhraseCount,
            Self::UnknownWord { .. } => Code::WalletPhraseUnknownWord,
            Self::Checksum => Code::WalletPhraseChecksum,
            Self::NoTerminal => Code::WalletPhraseNoTerminal,
            Self::Source => Code::WalletPhraseSource,
            Self::Differ => Code::WalletPhraseDiffer,
        }
    }

    /// Which word it is about, from 1.
    #[must_use]
    pub fn word(&self) -> Option<usize> {
        match self {
            Self::UnknownWord { number } => Some(*number),
            Self::Count { .. } | Self::Checksum | Self::NoTerminal | Self::Source | Self::Differ => None,
        }
    }
}

/// A recovery phrase; wiped from memory when dropped.
pub struct Phrase(Zeroizing<[u8; 16]>);

impl Phrase {
    /// A fresh one.
    pub fn make(rng: &mut dyn CryptoRng) -> Self {
        let mut bits = Zeroizing::new([0; 16]);
        rng.fill_bytes(bits.as_mut());
        Self(bits)
    }

    /// Reads what somebody wrote down, in either language. Capitals, line ends, and spaces between Chinese characters
    /// make no difference.
    ///
    /// # Errors
    /// [`PhraseError::Count`], [`PhraseError::UnknownWord`], [`PhraseError::Checksum`].
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        let chinese = text.chars().any(|letter| HAN.contains(&letter));
        let spaced: Zeroizing<String> = if chinese {
            Zeroizing::new(text.chars().filter(|letter| !letter.is_whitespace()).flat_map(|c| [c, ' ']).collect())
        } else {
            Zeroizing::new(text.to_lowercase())
        };
        let count = spaced.split_whitespace().count();
        if count != WORDS {
            return Err(PhraseError::Count { count });
        }
        let language = if chinese { Language::SimplifiedChinese } else { Language::English };
        let mnemonic =
            Zeroizing::new(Mnemonic::parse_in_normalized(language, &spaced).map_err(|error| match error {
                Error::UnknownWord(at) => PhraseError::UnknownWord { number: at + 1 },
                _ => PhraseError::Checksum,
            })?);
        let entropy = Zeroizing::new(mnemonic.to_entropy_array().0);
        let mut bits = Zeroizing::new([0; 16]);
        bits.copy_from_slice(entropy.first_chunk::<16>().ok_or(PhraseError::Checksum)?);
        Ok(Self(bits))
    }

    /// The words, in the reader's language.
    #[must_use]
    pub fn words(&self, lang: Lang) -> Vec<&'static str> {
        let language = match lang {
            Lang::En => Language::English,
            Lang::Zh => Language::SimplifiedChinese,
        };
        // Sixteen bytes always are a phrase.
        let mnemonic = Mnemonic::from_entropy_in(language, self.0.as_slice()).map(Zeroizing::new);
        mnemonic.map(|mnemonic| mnemonic.words().collect()).unwrap_or_default()
    }

    /// Whether both are the same.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// The key for one use of the phrase, told apart by `label`.
    pub(crate) fn key(&self, label: &[u8]) -> Key {
        Key::derived(label, self.0.as_slice())
    }
}

impl std::fmt::Debug for Phrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phrase(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn both_languages_say_the_same_phrase() {
        let phrase = Phrase::make(&mut StdRng::seed_from_u64(1));
        for lang in [Lang::En, Lang::Zh] {
            let words = phrase.words(lang);
            assert_eq!(words.len(), 12);
            for written in [words.join(" "), words.join("\n ").to_uppercase(), format!("  {}　\n", words.join("  "))] {
                assert!(Phrase::parse(&written).unwrap().same(&phrase));
            }
        }
        assert!(Phrase::parse(&phrase.words(Lang::Zh).concat()).unwrap().same(&phrase));
        assert_eq!(format!("{phrase:?}"), "Phrase(..)");
        assert_ne!(phrase.key(b"one").bytes(), phrase.key(b"two").bytes());
    }

    /// The vector of BIP-39 for sixteen zero bytes.
    #[test]
    fn the_words_are_those_of_bip_39() {
        let zero = Phrase(Zeroizing::new([0; 16]));
        assert_eq!(zero.words(Lang::En).join(" "), format!("{}about", "abandon ".repeat(11)));
    }

    #[test]
    fn slips_are_named() {
        let good = format!("{}about", "abandon ".repeat(11));
        assert!(matches!(Phrase::parse(""), Err(PhraseError::Count { count: 0 })));
        assert!(matches!(Phrase::parse(&"abandon ".repeat(24)), Err(PhraseError::Count { count: 24 })));
        let misspelt = good.replacen("abandon", "abandonn", 3).replacen("abandonn", "abandon", 2);
        assert!(matches!(Phrase::parse(&misspelt), Err(PhraseError::UnknownWord { number: 3 })));
        assert!(matches!(Phrase::parse(&"abandon ".repeat(12)), Err(PhraseError::Checksum)));
        assert!(matches!(Phrase::parse(&"囍".repeat(12)), Err(PhraseError::UnknownWord { number: 1 })));
    }
}
