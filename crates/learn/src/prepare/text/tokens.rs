//! From text to tokens, and to the n-grams that become terms.

use serde::{Deserialize, Serialize};

/// From this share of letters of scripts without spaces on, text is read by characters.
const UNSPACED_SHARE: f64 = 0.3;

/// How n-grams are formed. The tokens are words (letters and digits, with marks and inner apostrophes) and single
/// symbols; in scripts without spaces each character is a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Analyzer {
    /// One and two tokens in a row.
    Words,
    /// Two to four characters of a word, its ends marked by blanks.
    WordParts,
    /// One to three tokens in a row, for scripts without spaces.
    Characters,
}

impl Analyzer {
    /// Which suit the texts: by characters when enough letters are of scripts without spaces.
    pub(super) fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<Self> {
        let (mut letters, mut unspaced) = (0_usize, 0_usize);
        for letter in texts.flat_map(str::chars).filter(|letter| letter.is_alphabetic()) {
            letters += 1;
            unspaced += usize::from(is_unspaced(letter));
        }
        if unspaced as f64 > UNSPACED_SHARE * letters as f64 {
            vec![Self::Characters]
        } else {
            vec![Self::Words, Self::WordParts]
        }
    }

    /// Tells `each` term of a text that [`fold`] has been over; terms come as often as they occur.
    pub(super) fn terms(self, text: &str, each: &mut dyn FnMut(&str)) {
        match self {
            Self::Words => runs(&tokens(text), 2, " ", each),
            Self::Characters => runs(&tokens(text), 3, "", each),
            Self::WordParts => {
                for word in tokens(text) {
                    if word.chars().next().is_some_and(char::is_alphanumeric) {
                        parts(word, each);
                    }
                }
            }
        }
    }
}

/// Runs of one to `longest` tokens.
fn runs(tokens: &[&str], longest: usize, glue: &str, each: &mut dyn FnMut(&str)) {
    let mut term = String::new();
    for start in 0..tokens.len() {
        term.clear();
        for (place, token) in tokens[start..].iter().take(longest).enumerate() {
            if place > 0 {
                term.push_str(glue);
            }
            term.push_str(token);
            each(&term);
        }
    }
}

/// Substrings of two to four characters of the word between blanks.
fn parts(word: &str, each: &mut dyn FnMut(&str)) {
    let padded = format!(" {word} ");
    let ends: Vec<usize> = padded
        .char_indices()
        .map(|(at, _)| at)
        .chain([padded.len()])
        .collect();
    for start in 0..ends.len() - 1 {
        for length in 2..=4 {
            if let Some(end) = ends.get(start + length) {
                each(&padded[ends[start]..*end]);
            }
        }
    }
}

/// Lower case, full-width forms of ASCII and the curved apostrophe made plain; accents are kept.
pub(super) fn fold(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\u{2019}' => '\'',
            '\u{3000}' => ' ',
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
            _ => letter,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Words, single symbols, and single characters of scripts without spaces.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let end_of = |place: usize| letters.get(place).map_or(text.len(), |(at, _)| *at);
    let mut tokens = Vec::new();
    let mut place = 0;
    while let Some((at, letter)) = letters.get(place) {
        let start = *at;
        place += 1;
        if is_word(*letter) {
            while let Some((_, next)) = letters.get(place) {
                let inner = *next == '\'' && letters.get(place + 1).is_some_and(|(_, after)| is_word(*after));
                if !(is_word(*next) || inner || is_mark(*next)) {
                    break;
                }
                place += 1;
            }
        } else if letter.is_whitespace() || letter.is_control() {
            continue;
        }
        tokens.push(&text[start..end_of(place)]);
    }
    tokens
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() && !is_unspaced(letter)
}

/// Combining accents, which follow their letter.
const fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

/// Letters of scripts that are written without spaces: Chinese, Japanese, Thai, Lao, Burmese, Khmer.
const fn is_unspaced(letter: char) -> bool {
    matches!(
        letter,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}'
    )
}
