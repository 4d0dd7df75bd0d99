//! HTML by hand: text is escaped where it enters, tables have captions and header cells, charts have their table.

use std::fmt::Write;

use super::chart::{Drawing, WIDTH};

/// Text as HTML; a per cent sign stays on the line of its number.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.replace(" %", "\u{a0}%").chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A paragraph.
pub(super) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// A paragraph in small print.
pub(super) fn note(text: &str) -> String {
    format!("<p class=\"note\">{}</p>\n", escape(text))
}

/// A cell of a table.
pub(super) enum Cell {
    /// Words, to the left.
    Text(String),
    /// A sentence, which needs room.
    Prose(String),
    /// A number with its unit, to the right.
    Number(String),
    /// A number with its interval beneath.
    Estimate(String, String),
    /// A verdict of a check or on a channel, marked by its word and a colour.
    Verdict(String),
}

/// Words.
pub(super) fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

/// A number.
pub(super) fn number(text: impl Into<String>) -> Cell {
    Cell::Number(text.into())
}

impl Cell {
    const fn class(&self) -> &'static str {
        match self {
            Self::Number(_) | Self::Estimate(..) => " class=\"num\"",
            Self::Prose(_) => " class=\"prose\"",
            Self::Text(_) | Self::Verdict(_) => "",
        }
    }

    fn inner(&self) -> String {
        match self {
            Self::Text(text) | Self::Prose(text) | Self::Number(text) => escape(text),
            Self::Estimate(mean, interval) => format!("{} <small>{}</small>", escape(mean), escape(interval)),
            Self::Verdict(word) => {
                format!("<span class=\"verdict {}\">{}</span>", tone(word), escape(word))
            }
        }
    }
}

/// The colour of a verdict; the word itself says it too.
fn tone(word: &str) -> &'static str {
    match word {
        "PASS" | "expand" | "open" => "good",
        "REVIEW" | "shrink" => "watch",
        "FAIL" | "retire" => "stop",
        _ => "calm",
    }
}

/// A table; the first cell of a row is its name.
pub(super) struct Table<'a> {
    /// What it lists.
    pub(super) caption: &'a str,
    /// Column names.
    pub(super) head: Vec<String>,
    /// The rows.
    pub(super) rows: Vec<Vec<Cell>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(caption: &'a str, head: &[&str], rows: Vec<Vec<Cell>>) -> Self {
        Self {
            caption,
            head: head.iter().map(|name| (*name).to_owned()).collect(),
            rows,
        }
    }

    pub(super) fn html(&self) -> String {
        let mut out = format!(
            "<div class=\"scroll\"><table>\n<caption>{}</caption>\n<thead><tr>",
            escape(self.caption)
        );
        for (index, name) in self.head.iter().enumerate() {
            let class = self
                .rows
                .first()
                .and_then(|row| row.get(index))
                .map_or("", Cell::class);
            put(
                &mut out,
                format_args!("<th scope=\"col\"{class}>{}</th>", escape(name)),
            );
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            out.push_str("<tr>");
            for (index, cell) in row.iter().enumerate() {
                let (open, close) = if index == 0 {
                    ("th scope=\"row\"", "th")
                } else {
                    ("td", "td")
                };
                put(
                    &mut out,
                    format_args!("<{open}{}>{}</{close}>", cell.class(), cell.inner()),
                );
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table></div>\n");
        out
    }
}

/// A chart that says its finding, with its text alternative and its table.
pub(super) struct Figure<'a> {
    /// The finding, computed.
    pub(super) finding: String,
    /// What is drawn, for those who do not see it.
    pub(super) describes: String,
    /// The drawing.
    pub(super) drawing: Drawing,
    /// How to read it.
    pub(super) note: String,
    /// Its numbers.
    pub(super) table: Table<'a>,
}

impl Figure<'_> {
    pub(super) fn html(&self) -> String {
        let finding = escape(&self.finding);
        let label = escape(&format!("{}. {}", self.finding, self.describes));
        let Drawing { body, height } = &self.drawing;
        format!(
            "<figure>\n<div class=\"chart\">\n<figcaption><h3>{finding}</h3></figcaption>\n<div class=\"scroll\">\
             <svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{label}\">\n<title>{finding}</title>\n{body}</svg></div>\n\
             {}</div>\n<details><summary>The numbers</summary>\n{}</details>\n</figure>\n",
            note(&self.note),
            self.table.html(),
        )
    }
}

/// Appends; writing to a string cannot fail.
pub(super) fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(arguments);
    debug_assert!(written.is_ok(), "a string takes everything");
}
