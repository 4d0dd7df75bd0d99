//! Reading a TOML section with errors that name the line: unknown keys, wrong types, values out of range.

use std::ops::RangeInclusive;

use thalweg_domain::{Belief, Error, Result};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{keys_of, nearest};

/// Sections whose keys are names of columns, channels or offers.
const FREE_KEYS: &[&str] = &[
    "features.columns",
    "response.channels",
    "response.return_prior",
    "scenario.channel",
    "scenario.offer",
    "where",
];

/// The text of the file, for line numbers.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
}

impl Source<'_> {
    pub(crate) fn line(&self, offset: usize) -> u64 {
        let before = self.text.get(..offset).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count() as u64 + 1
    }
}

/// One section of the file whose keys have been checked against the list.
pub(crate) struct Section<'a> {
    source: Source<'a>,
    heading: String,
    table: &'a DeTable<'a>,
    line: u64,
}

impl<'a> Section<'a> {
    /// Opens a section; refuses keys that the list does not have.
    pub(crate) fn open(
        source: Source<'a>,
        section: &str,
        heading: &str,
        table: &'a DeTable<'a>,
        offset: usize,
    ) -> Result<Self> {
        let opened = Self {
            source,
            heading: heading.to_owned(),
            table,
            line: source.line(offset),
        };
        if !FREE_KEYS.contains(&section) {
            opened.refuse_unknown(section)?;
        }
        Ok(opened)
    }

    fn refuse_unknown(&self, section: &str) -> Result<()> {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if keys_of(section).any(|known| known.name == name) {
                continue;
            }
            let line = self.source.line(key.span().start);
            let place = if self.heading.is_empty() {
                "the file".to_owned()
            } else {
                self.heading.clone()
            };
            let error = Error::new("TW0107", format!("unknown key \"{name}\" in {place}")).at(
                self.source.file,
                Some(line),
                Some(name),
            );
            return Err(match nearest(name, keys_of(section).map(|known| known.name)) {
                Some(known) => error.hint(format!("did you mean \"{known}\"?")),
                None => {
                    let known: Vec<&str> = keys_of(section).map(|known| known.name).collect();
                    error.hint(format!("known keys are {}", known.join(", ")))
                }
            });
        }
        Ok(())
    }

    fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(_, value)| value)
    }

    /// Whether the file gives the key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn label(&self, key: &str) -> String {
        if self.heading.is_empty() {
            key.to_owned()
        } else {
            format!("{} {key}", self.heading)
        }
    }

    /// An error about a key's value.
    pub(crate) fn refuse(&self, key: &str, what: &str) -> Error {
        let line = self
            .get(key)
            .map_or(self.line, |value| self.source.line(value.span().start));
        Error::new("TW0104", format!("{} {what}", self.label(key))).at(
            self.source.file,
            Some(line),
            Some(key),
        )
    }

    /// An error of another code about a key.
    pub(crate) fn refuse_as(&self, code: &'static str, key: &str, what: &str) -> Error {
        Error {
            code,
            ..self.refuse(key, what)
        }
    }

    /// The line on which the section begins.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// An error of someone else, on a line of the file.
    pub(crate) fn on_line(&self, line: u64, error: Error) -> Error {
        error.at(self.source.file, Some(line), None)
    }

    /// Columns with the values that count, such as `where = { region = ["north", "east"], tier = 2 }`, by column.
    pub(crate) fn conditions(&self, key: &str) -> Result<Vec<(String, Vec<String>)>> {
        let Some(inner) = self.section(key, "where", &self.label(key))? else {
            return Ok(Vec::new());
        };
        let mut conditions = Vec::new();
        for (column, value) in inner.table {
            let column: &str = column.get_ref();
            let values = match value.get_ref() {
                DeValue::Array(items) => items
                    .iter()
                    .map(|item| inner.label_of(column, item.get_ref()))
                    .collect(),
                one => inner.label_of(column, one).map(|one| vec![one]),
            };
            let values: Vec<String> = values?;
            if values.is_empty() {
                return Err(inner.refuse(column, "lists no value"));
            }
            conditions.push((column.to_owned(), values));
        }
        if conditions.is_empty() {
            return Err(self.refuse(key, "names no column"));
        }
        conditions.sort();
        Ok(conditions)
    }

    fn label_of(&self, key: &str, value: &DeValue<'_>) -> Result<String> {
        match value {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) => Ok(number.as_str().replace('_', "")),
            DeValue::Float(number) => Ok(number.as_str().replace('_', "")),
            DeValue::Boolean(flag) => Ok(flag.to_string()),
            other => Err(self.wrong_type(key, "a text, a number, true or false, or a list of them", other)),
        }
    }

    /// An error of someone else, at this section.
    pub(crate) fn about(&self, error: Error) -> Error {
        error.at(self.source.file, Some(self.line), None)
    }

    /// An error of someone else, at a key.
    pub(crate) fn placed(&self, key: &str, error: Error) -> Error {
        Error {
            at: self.refuse(key, "").at,
            ..error
        }
    }

    fn wrong_type(&self, key: &str, wanted: &str, value: &DeValue<'_>) -> Error {
        self.refuse(
            key,
            &format!("must be {wanted}, not {}", a_or_an(value.type_str())),
        )
    }

    /// An error about a key that must be there.
    pub(crate) fn missing(&self, key: &str) -> Error {
        Error::new("TW0103", format!("{} needs the key \"{key}\"", self.heading)).at(
            self.source.file,
            Some(self.line),
            Some(key),
        )
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<String>> {
        self.get(key)
            .map(|value| match value.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                other => Err(self.wrong_type(key, "a text in quotes", other)),
            })
            .transpose()
    }

    pub(crate) fn required_text(&self, key: &str) -> Result<String> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }

    /// A text or a number, as text: for SQL expressions.
    pub(crate) fn expression(&self, key: &str) -> Result<Option<String>> {
        match self.get(key).map(Spanned::get_ref) {
            Some(DeValue::Integer(_) | DeValue::Float(_)) => {
                Ok(self.number(key)?.map(|number| number.to_string()))
            }
            _ => self.text(key),
        }
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<f64>> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let digits = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().replace('_', ""),
            DeValue::Float(number) => number.as_str().replace('_', ""),
            other => return Err(self.wrong_type(key, "a number", other)),
        };
        let number: f64 = digits
            .parse()
            .map_err(|_| self.refuse(key, &format!("= {digits} is not a number")))?;
        if number.is_finite() {
            Ok(Some(number))
        } else {
            Err(self.refuse(key, &format!("= {digits} is not finite")))
        }
    }

    /// A number in a range, or the default.
    pub(crate) fn number_in(&self, key: &str, range: RangeInclusive<f64>, default: f64) -> Result<f64> {
        let number = self.number(key)?.unwrap_or(default);
        if range.contains(&number) {
            return Ok(number);
        }
        let (low, high) = (range.start(), range.end());
        let wanted = if high.is_finite() {
            format!("between {low} and {high}")
        } else {
            format!("of {low} or more")
        };
        Err(self.refuse(key, &format!("= {number} is not a number {wanted}")))
    }

    pub(crate) fn whole(&self, key: &str, least: u64) -> Result<Option<u64>> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let DeValue::Integer(number) = value.get_ref() else {
            return Err(self.wrong_type(key, "a whole number", value.get_ref()));
        };
        let digits = number.as_str().replace('_', "");
        match digits.parse::<u64>() {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(self.refuse(
                key,
                &format!("= {digits} is not a whole number of {least} or more"),
            )),
        }
    }

    pub(crate) fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.get(key).map(Spanned::get_ref) {
            None => Ok(default),
            Some(DeValue::Boolean(flag)) => Ok(*flag),
            Some(other) => Err(self.wrong_type(key, "true or false", other)),
        }
    }

    pub(crate) fn texts(&self, key: &str) -> Result<Vec<String>> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        let DeValue::Array(items) = value.get_ref() else {
            return Err(self.wrong_type(key, "a list of texts", value.get_ref()));
        };
        items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                other => Err(self.wrong_type(key, "a list of texts", other)),
            })
            .collect()
    }

    pub(crate) fn wholes(&self, key: &str) -> Result<Option<Vec<usize>>> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let refuse = || self.refuse(key, "must be a list of whole numbers of 1 or more");
        let DeValue::Array(items) = value.get_ref() else {
            return Err(refuse());
        };
        let parse = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
            DeValue::Integer(number) => number.as_str().parse::<usize>().ok().filter(|units| *units >= 1),
            _ => None,
        };
        items
            .iter()
            .map(|item| parse(item).ok_or_else(refuse))
            .collect::<Result<Vec<_>>>()
            .map(Some)
    }

    /// A list of numbers; `None` when the key is absent or something else.
    pub(crate) fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>> {
        let Some(DeValue::Array(items)) = self.get(key).map(Spanned::get_ref) else {
            return Ok(None);
        };
        let digits = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
            DeValue::Integer(number) => number.as_str().parse::<f64>().ok(),
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            _ => None,
        };
        items
            .iter()
            .map(|item| digits(item).ok_or_else(|| self.refuse(key, "must be a list of numbers")))
            .collect::<Result<Vec<_>>>()
            .map(Some)
    }

    /// Words of a set: one in quotes, or a list.
    pub(crate) fn words(&self, key: &str, known: &[&'static str]) -> Result<Vec<&'static str>> {
        let given = match self.get(key).map(Spanned::get_ref) {
            Some(DeValue::String(word)) => vec![word.to_string()],
            _ => self.texts(key)?,
        };
        let find =
            |word: &String| {
                known.iter().find(|name| *name == word).copied().ok_or_else(|| {
                    self.refuse(key, &format!("= \"{word}\" is not one of {}", known.join(", ")))
                })
            };
        given.iter().map(find).collect()
    }

    /// One of a set of words, or the default.
    pub(crate) fn word(
        &self,
        key: &str,
        known: &[&'static str],
        default: &'static str,
    ) -> Result<&'static str> {
        let Some(word) = self.text(key)? else {
            return Ok(default);
        };
        known.iter().find(|name| **name == word).copied().ok_or_else(|| {
            let error = self.refuse(key, &format!("= \"{word}\" is not one of {}", known.join(", ")));
            match nearest(&word, known.iter().copied()) {
                Some(name) => error.hint(format!("did you mean \"{name}\"?")),
                None => error,
            }
        })
    }

    /// A belief `{ mean, sd }`, or the default.
    pub(crate) fn belief(&self, key: &str, default: Belief) -> Result<Belief> {
        let Some(value) = self.get(key) else {
            return Ok(default);
        };
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.wrong_type(key, "a table such as { mean = 0.05, sd = 0.03 }", value.get_ref()));
        };
        let inner = Section::open(self.source, "belief", &self.label(key), table, value.span().start)?;
        let mean = inner.number("mean")?.ok_or_else(|| inner.missing("mean"))?;
        let sd = inner.number("sd")?.ok_or_else(|| inner.missing("sd"))?;
        if !(-1.0..=1.0).contains(&mean) {
            return Err(inner.refuse("mean", &format!("= {mean} is not a share between -1 and 1")));
        }
        if sd <= 0.0 || sd > 1.0 {
            return Err(inner.refuse("sd", &format!("= {sd} is not above 0 and at most 1")));
        }
        Ok(Belief { mean, sd })
    }

    /// A sub-section, if it is there.
    pub(crate) fn section(&self, key: &str, section: &str, heading: &str) -> Result<Option<Section<'a>>> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.wrong_type(key, &format!("a section {heading}"), value.get_ref()));
        };
        Section::open(self.source, section, heading, table, value.span().start).map(Some)
    }

    /// The sections of a list such as `[[channel]]`.
    pub(crate) fn sections(&self, key: &str) -> Result<Vec<Section<'a>>> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        let inside = self.heading.trim_matches(['[', ']']);
        let heading = if inside.is_empty() {
            format!("[[{key}]]")
        } else {
            format!("[[{inside}.{key}]]")
        };
        let DeValue::Array(items) = value.get_ref() else {
            return Err(self.wrong_type(key, &format!("written as {heading}"), value.get_ref()));
        };
        items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::Table(table) => Section::open(self.source, key, &heading, table, item.span().start),
                other => Err(self.wrong_type(key, &format!("written as {heading}"), other)),
            })
            .collect()
    }

    /// Whether the file gives the key as a list.
    pub(crate) fn is_list(&self, key: &str) -> bool {
        matches!(self.get(key).map(Spanned::get_ref), Some(DeValue::Array(_)))
    }

    /// The names of this section's keys (for `[features.columns.NAME]`).
    pub(crate) fn names(&self) -> Vec<String> {
        self.table.keys().map(|key| key.get_ref().to_string()).collect()
    }
}

fn a_or_an(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {word}")
}
