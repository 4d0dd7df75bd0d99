//! Tells a syntax error of the Liquid library in one line, with its place.

use thalweg_domain::Error;

const HINT: &str = "fields are written {{ name }}, conditions {% if name %} … {% endif %}";

/// The error for a person. The library's text is either a drawing with `--> LINE:COLUMN` and `= REASON`, or a sentence
/// with `requested WHAT=NAME` and `available WHATs=LIST` beneath.
pub(super) fn error(file: &str, source: &str, error: liquid::Error) -> Error {
    let text = error.to_string();
    let told = match requested(&text) {
        Some((what, name)) => Error::new("TW0602", format!("unknown {what} \"{name}\""))
            .at(file, line_with(source, name), None)
            .hint(
                available(&text).map_or_else(|| HINT.to_owned(), |list| format!("the {what}s are: {list}")),
            ),
        None => Error::new(
            "TW0602",
            format!("a syntax error in the template: {}", reason(&text)),
        )
        .at(file, drawn_line(&text), None)
        .hint(HINT),
    };
    told.cause(error)
}

fn requested(text: &str) -> Option<(&str, &str)> {
    after(text, "requested ")?.split_once('=')
}

fn available(text: &str) -> Option<&str> {
    after(text, "available ")?.split_once('=').map(|(_, list)| list)
}

/// What follows `start` on the line that begins with it.
fn after<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.trim().strip_prefix(start))
}

fn line_with(source: &str, name: &str) -> Option<u64> {
    let index = source.lines().position(|line| line.contains(name))?;
    u64::try_from(index).ok().map(|index| index + 1)
}

fn drawn_line(text: &str) -> Option<u64> {
    text.split_once("--> ")?.1.split_once(':')?.0.parse().ok()
}

/// The library's reason in our style: without its full stop, the first letter small.
fn reason(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let reason = after(text, "= ")
        .unwrap_or_else(|| first.trim_start_matches("liquid: ").trim())
        .trim_end_matches('.');
    let mut letters = reason.chars();
    letters.next().map_or_else(String::new, |letter| {
        letter.to_lowercase().chain(letters).collect()
    })
}
