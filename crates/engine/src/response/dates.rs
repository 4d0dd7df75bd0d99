//! Dates of periods: ISO columns as they are, other spellings by a format that is given or the only one that fits.

use jiff::civil::Date;
use thalweg_domain::{Column, ColumnData, Error, Result};

/// Spellings that are tried when none is given.
const KNOWN: [&str; 6] = [
    "%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d",
];
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Days since 1970-01-01 by row.
///
/// # Errors
/// `TW0520` for a cell that is no date, `TW0524` when several spellings fit.
pub(super) fn days(file: &str, column: &Column, format: Option<&str>) -> Result<Vec<i64>> {
    if let Some(row) = (0..column.len()).find(|row| column.is_missing(*row)) {
        return Err(cell(
            file,
            row,
            &column.name,
            format!("the date in \"{}\" is empty", column.name),
        ));
    }
    if let (ColumnData::Date(cells), None) = (&column.data, format) {
        return Ok(cells
            .iter()
            .flatten()
            .map(|micros| micros.div_euclid(MICROS_PER_DAY))
            .collect());
    }
    let texts: Vec<String> = match &column.data {
        ColumnData::Date(cells) => cells
            .iter()
            .flatten()
            .map(|micros| iso(micros.div_euclid(MICROS_PER_DAY)))
            .collect(),
        _ => (0..column.len()).map(|row| column.cell_text(row)).collect(),
    };
    let format = match format {
        Some(_) if matches!(column.data, ColumnData::Date(_)) => "%Y-%m-%d",
        Some(own) => own,
        None => guess(file, column, &texts)?,
    };
    texts
        .iter()
        .enumerate()
        .map(|(row, text)| {
            read(text, format).ok_or_else(|| {
                cell(
                    file,
                    row,
                    &column.name,
                    format!(
                        "\"{text}\" in \"{}\" is no date of the form {format}",
                        column.name
                    ),
                )
                .hint("say how dates are written: --date-format \"%m/%d/%Y\"")
            })
        })
        .collect()
}

fn read(text: &str, format: &str) -> Option<i64> {
    let date = Date::strptime(format, text).ok()?;
    Some(i64::from(Date::constant(1970, 1, 1).until(date).ok()?.get_days()))
}

/// The only spelling in which every cell is a date and no two steps of time differ by more than a holiday could explain.
fn guess(file: &str, column: &Column, texts: &[String]) -> Result<&'static str> {
    let spacing = |format: &str| -> Option<bool> {
        let mut days: Vec<i64> = texts
            .iter()
            .map(|text| read(text, format))
            .collect::<Option<_>>()?;
        days.sort_unstable();
        days.dedup();
        let steps: Vec<i64> = days.iter().zip(days.iter().skip(1)).map(|(a, b)| b - a).collect();
        let first = steps.iter().min().copied().unwrap_or(1);
        Some(steps.iter().filter(|own| **own == first).count() * 10 >= steps.len() * 9)
    };
    let fits: Vec<(&'static str, bool)> = KNOWN
        .iter()
        .filter_map(|own| Some((*own, spacing(own)?)))
        .collect();
    let even: Vec<&'static str> = fits
        .iter()
        .filter(|(_, even)| *even)
        .map(|(own, _)| *own)
        .collect();
    match (even.as_slice(), fits.as_slice()) {
        ([one], _) | ([], [(one, _)]) => Ok(*one),
        ([], []) => {
            let row = texts
                .iter()
                .position(|text| KNOWN.iter().all(|own| read(text, own).is_none()));
            let row = row.unwrap_or(0);
            let text = texts.get(row).map_or("", String::as_str);
            Err(cell(
                file,
                row,
                &column.name,
                format!("\"{text}\" in \"{}\" is no date that could be read", column.name),
            )
            .hint("say how dates are written: --date-format \"%m/%d/%Y\""))
        }
        _ => Err(Error::new(
            "TW0524",
            format!("the dates in \"{}\" can be read in several ways", column.name),
        )
        .hint("say how dates are written: --date-format \"%m/%d/%Y\"")),
    }
}

/// A fault in one cell; in a text file the header is line 1.
pub(super) fn cell(file: &str, row: usize, column: &str, message: String) -> Error {
    let line = u64::try_from(row).unwrap_or(u64::MAX).saturating_add(2);
    Error::new("TW0520", message).at(file, Some(line), Some(column))
}

/// `2024-03-04`.
pub(super) fn iso(day: i64) -> String {
    let day = i32::try_from(day).unwrap_or(0);
    Date::constant(1970, 1, 1)
        .checked_add(jiff::Span::new().days(day))
        .map_or_else(|_| day.to_string(), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(cells: &[&str]) -> Column {
        Column {
            name: "week".to_owned(),
            data: ColumnData::Text(cells.iter().map(|own| Some((*own).to_owned())).collect()),
        }
    }

    #[test]
    fn the_spelling_that_gives_even_steps_is_taken() {
        // months first: four weeks; days first would jump by months
        let american = column(&["4/2/2018", "4/9/2018", "4/16/2018", "4/23/2018"]);
        assert_eq!(
            days("f", &american, None).unwrap(),
            vec![17_623, 17_630, 17_637, 17_644]
        );
        let short = column(&["1/2/2018", "1/9/2018"]);
        assert_eq!(days("f", &short, None).unwrap_err().code, "TW0524");
        assert_eq!(days("f", &short, Some("%d/%m/%Y")).unwrap(), vec![17_563, 17_775]);
    }

    #[test]
    fn a_cell_that_is_no_date_is_named_with_its_line() {
        let error = days("weeks.csv", &column(&["2024-01-01", "soon"]), None).unwrap_err();
        assert_eq!((error.code, error.at.unwrap().row), ("TW0520", Some(3)));
        assert_eq!(iso(17_623), "2018-04-02");
    }
}
