//! Plain numbers of a text.

/// Their names, in order.
pub(super) const NAMES: [&str; 5] = [
    "characters",
    "words",
    "share of capitals",
    "exclamation marks",
    "question marks",
];

/// Characters, words (runs between blanks), the share of letters that are capitals, exclamation marks and question
/// marks (also the full-width ones); NaN for a missing text.
pub(super) fn of(text: Option<&str>) -> [f64; NAMES.len()] {
    let Some(text) = text else {
        return [f64::NAN; NAMES.len()];
    };
    let count = |wanted: &dyn Fn(char) -> bool| text.chars().filter(|letter| wanted(*letter)).count() as f64;
    let letters = count(&char::is_alphabetic);
    [
        text.chars().count() as f64,
        text.split_whitespace().count() as f64,
        count(&char::is_uppercase) / letters.max(1.0),
        count(&|letter| matches!(letter, '!' | '\u{ff01}')),
        count(&|letter| matches!(letter, '?' | '\u{ff1f}')),
    ]
}
