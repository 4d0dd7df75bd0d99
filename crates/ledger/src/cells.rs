//! Reads a row's columns in order, as the types of this crate.

use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};
use thalweg_domain::{CustomerKey, Timestamp};

/// A cursor over a row: each call takes the next column of the SELECT.
pub(crate) struct Cells<'r> {
    row: &'r SqliteRow,
    next: usize,
}

impl<'r> Cells<'r> {
    pub(crate) const fn new(row: &'r SqliteRow) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn take<T: Decode<'r, Sqlite> + Type<Sqlite>>(&mut self) -> sqlx::Result<T> {
        let cell = self.row.try_get(self.next)?;
        self.next += 1;
        Ok(cell)
    }

    pub(crate) fn text(&mut self) -> sqlx::Result<String> {
        self.take()
    }

    pub(crate) fn text_or_none(&mut self) -> sqlx::Result<Option<String>> {
        self.take()
    }

    pub(crate) fn number(&mut self) -> sqlx::Result<f64> {
        self.take()
    }

    pub(crate) fn cycle(&mut self) -> sqlx::Result<u32> {
        self.whole()
    }

    /// A whole number that fits the type.
    pub(crate) fn whole<T: TryFrom<i64>>(&mut self) -> sqlx::Result<T>
    where
        T::Error: std::error::Error + Send + Sync + 'static,
    {
        let cell: i64 = self.take()?;
        T::try_from(cell).map_err(decode_error)
    }

    pub(crate) fn whole_or_none<T: TryFrom<i64>>(&mut self) -> sqlx::Result<Option<T>>
    where
        T::Error: std::error::Error + Send + Sync + 'static,
    {
        let cell: Option<i64> = self.take()?;
        cell.map(|cell| T::try_from(cell).map_err(decode_error))
            .transpose()
    }

    /// Text that some function understands, such as a state's name.
    pub(crate) fn named<T>(&mut self, from_name: impl Fn(&str) -> Option<T>) -> sqlx::Result<T> {
        let cell: &str = self.take()?;
        from_name(cell).ok_or_else(|| decode_error(Unknown(cell.to_owned())))
    }

    /// Text in JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> sqlx::Result<T> {
        let cell: &str = self.take()?;
        serde_json::from_str(cell).map_err(decode_error)
    }

    /// A seed: the whole range of `u64`, kept as text.
    pub(crate) fn seed(&mut self) -> sqlx::Result<u64> {
        self.named(|text| text.parse().ok())
    }

    pub(crate) fn customer(&mut self) -> sqlx::Result<CustomerKey> {
        self.named(|text| CustomerKey::new(text).ok())
    }

    pub(crate) fn customer_or_none(&mut self) -> sqlx::Result<Option<CustomerKey>> {
        Ok(self.text_or_none()?.and_then(|text| CustomerKey::new(text).ok()))
    }

    pub(crate) fn time(&mut self) -> sqlx::Result<Timestamp> {
        self.take().map(Timestamp)
    }

    pub(crate) fn time_or_none(&mut self) -> sqlx::Result<Option<Timestamp>> {
        let cell: Option<i64> = self.take()?;
        Ok(cell.map(Timestamp))
    }
}

fn decode_error(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// A name that this program does not know.
#[derive(Debug)]
struct Unknown(String);

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\" is not a value that this column may have", self.0)
    }
}

impl std::error::Error for Unknown {}
