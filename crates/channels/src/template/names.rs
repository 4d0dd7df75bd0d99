//! Finds the fields that a Liquid template uses: every name it reads and does not itself define.

use std::collections::BTreeSet;

/// Words of the language that are not fields.
const KEYWORDS: [&str; 17] = [
    "and", "or", "contains", "in", "true", "false", "nil", "null", "empty", "blank", "not", "reversed",
    "with", "continue", "by", "forloop", "tablerow",
];

/// Tags whose first name is defined by them, not read.
const DEFINING: [&str; 6] = ["assign", "capture", "for", "tablerow", "increment", "decrement"];

/// The fields of a template that has been parsed (so its grammar is sound).
pub(super) fn fields(source: &str) -> BTreeSet<String> {
    let mut read = BTreeSet::new();
    let mut defined = BTreeSet::new();
    for markup in markups(source) {
        match markup {
            Markup::Output(inner) => read.extend(names(inner)),
            Markup::Tag(inner) => read_tag(inner, &mut read, &mut defined),
        }
    }
    read.difference(&defined).map(|name| (*name).to_owned()).collect()
}

/// What stands between the text.
enum Markup<'s> {
    /// `{{ … }}`.
    Output(&'s str),
    /// `{% … %}`.
    Tag(&'s str),
}

/// All markup outside `raw` and `comment` blocks.
fn markups(source: &str) -> Vec<Markup<'_>> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some((markup, after)) = next_markup(rest) {
        rest = after;
        if let Markup::Tag(inner) = markup {
            let tag = inner.split_whitespace().next().unwrap_or_default();
            if matches!(tag, "raw" | "comment") {
                rest = after_end_of(tag, after);
                continue;
            }
        }
        found.push(markup);
    }
    found
}

fn next_markup(source: &str) -> Option<(Markup<'_>, &str)> {
    let output = source.find("{{");
    let tag = source.find("{%");
    let is_output = match (output, tag) {
        (Some(output), Some(tag)) => output < tag,
        (output, None) => output.is_some(),
        (None, Some(_)) => false,
    };
    let (start, close) = if is_output { (output?, "}}") } else { (tag?, "%}") };
    let (inner, after) = source.get(start + 2..)?.split_once(close)?;
    let inner = inner.trim_start_matches('-').trim_end_matches('-');
    Some((
        if is_output {
            Markup::Output(inner)
        } else {
            Markup::Tag(inner)
        },
        after,
    ))
}

/// What follows `{% endraw %}` or `{% endcomment %}`.
fn after_end_of<'s>(tag: &str, source: &'s str) -> &'s str {
    let end = format!("end{tag}");
    let after = source.split_once(end.as_str()).map_or("", |(_, after)| after);
    after.split_once("%}").map_or("", |(_, after)| after)
}

fn read_tag<'s>(inner: &'s str, read: &mut BTreeSet<&'s str>, defined: &mut BTreeSet<&'s str>) {
    let inner = inner.trim_start();
    let tag_end = inner.find(|c: char| !is_name_char(c)).unwrap_or(inner.len());
    let (tag, arguments) = inner.split_at(tag_end);
    let mut found = names(arguments).into_iter();
    if DEFINING.contains(&tag) {
        defined.extend(found.next());
    }
    read.extend(found);
}

/// The names that an expression reads: not strings, filters, named arguments or parts of a path.
fn names(expression: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = expression;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let token_len = token_len(rest, first);
        let (token, after) = rest.split_at(token_len);
        let is_argument_name = after.trim_start().starts_with(':') && before != ' ';
        if is_name_start(first)
            && !matches!(before, '|' | '.')
            && !is_argument_name
            && !KEYWORDS.contains(&token)
        {
            found.push(token);
        }
        if !first.is_whitespace() {
            before = if is_name_start(first) { 'a' } else { first };
        }
        rest = after;
    }
    found
}

/// Length of the string, name, number or single character at the start of `rest`.
fn token_len(rest: &str, first: char) -> usize {
    if matches!(first, '"' | '\'') {
        let body = rest.get(1..).unwrap_or_default();
        return body.find(first).map_or(rest.len(), |end| end + 2);
    }
    if is_name_start(first) || first.is_ascii_digit() {
        return rest.find(|c: char| !is_name_char(c)).unwrap_or(rest.len());
    }
    first.len_utf8()
}

const fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

const fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}
