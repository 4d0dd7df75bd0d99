//! Templates: Liquid text that is filled in with a customer's fields.

mod names;
mod syntax;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use liquid::model::Value;
use liquid::{Object, ParserBuilder};
use thalweg_domain::{Error, Result};

use crate::{FieldValue, Fields};

/// A template that has been read and understood.
pub struct Template {
    file: String,
    fields: BTreeSet<String>,
    template: liquid::Template,
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Template")
            .field("file", &self.file)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

impl Template {
    /// Reads a template file.
    ///
    /// # Errors
    /// `TW0605` when it cannot be read, `TW0602` when it is not valid Liquid.
    pub fn read(path: &Path) -> Result<Self> {
        let file = path.display().to_string();
        let source = std::fs::read_to_string(path).map_err(|error| {
            Error::new("TW0605", format!("template \"{file}\" cannot be read"))
                .hint("check the path (it is relative to the workspace) and save the file as UTF-8")
                .cause(error)
        })?;
        Self::parse(&file, &source)
    }

    /// Understands a template; `file` names it in errors.
    ///
    /// # Errors
    /// `TW0602` when it is not valid Liquid, with the line.
    pub fn parse(file: &str, source: &str) -> Result<Self> {
        let template = ParserBuilder::with_stdlib()
            .build()
            .and_then(|parser| parser.parse(source))
            .map_err(|error| syntax::error(file, source, error))?;
        Ok(Self {
            file: file.to_owned(),
            fields: names::fields(source),
            template,
        })
    }

    /// The fields that the template uses, in every branch.
    #[must_use]
    pub const fn fields(&self) -> &BTreeSet<String> {
        &self.fields
    }

    /// Checks that every field the template uses is known.
    ///
    /// # Errors
    /// `TW0603` names the unknown field and the known ones.
    pub fn check_fields<'a>(&self, known: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let known: BTreeSet<&str> = known.into_iter().collect();
        match self.fields.iter().find(|field| !known.contains(field.as_str())) {
            Some(field) => Err(unknown_field(&self.file, field, &known)),
            None => Ok(()),
        }
    }

    /// Those of the fields that the template uses.
    ///
    /// # Errors
    /// `TW0603` when one of them is not there.
    pub fn select(&self, fields: &Fields) -> Result<Fields> {
        self.check_fields(fields.keys().map(String::as_str))?;
        let used = fields.iter().filter(|(name, _)| self.fields.contains(*name));
        Ok(used.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The text for one customer. A missing value is empty text.
    ///
    /// # Errors
    /// `TW0603` when a field of the template is not there, `TW0606` when a filter cannot use a value.
    pub fn render(&self, fields: &Fields) -> Result<String> {
        let globals: Object = self
            .select(fields)?
            .into_iter()
            .map(|(name, value)| (name.into(), liquid_value(value)))
            .collect();
        self.template.render(&globals).map_err(|error| {
            Error::new("TW0606", "the template cannot be filled in")
                .at(&self.file, None, None)
                .hint("make it cope with every value of its fields, or give them a default: {{ age | default: 0 }}")
                .cause(error)
        })
    }
}

/// Fills in a template once; for many customers [`Template::parse`] it first.
///
/// # Errors
/// As [`Template::parse`] and [`Template::render`].
pub fn render(file: &str, source: &str, fields: &Fields) -> Result<String> {
    Template::parse(file, source)?.render(fields)
}

fn liquid_value(value: FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => Value::scalar(text),
        FieldValue::Number(number) => match whole(number) {
            Some(whole) => Value::scalar(whole),
            None => Value::scalar(number),
        },
        FieldValue::Boolean(flag) => Value::scalar(flag),
        FieldValue::Missing => Value::Nil,
    }
}

/// The number as an integer if it is one, so that 20.0 is written as 20 and counts as a whole number in filters.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 fits")]
    Some(number as i64)
}

fn unknown_field(file: &str, field: &str, known: &BTreeSet<&str>) -> Error {
    let list: Vec<&str> = known.iter().copied().collect();
    Error::new("TW0603", format!("unknown field \"{field}\""))
        .at(file, None, Some(field))
        .hint(format!(
            "the fields are: {}",
            if list.is_empty() {
                "(none)".to_owned()
            } else {
                list.join(", ")
            }
        ))
}
