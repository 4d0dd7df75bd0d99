//! The part of a column's range that belongs to a group, and its words.

use super::bins::{Binned, Scale};

/// Bins of a column that belong to a group, that of missing cells last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region(Vec<bool>);

impl Region {
    /// All of the column.
    pub(crate) fn all(column: &Binned) -> Self {
        Self(vec![true; column.n_bins])
    }

    /// Keeps one side of a split.
    pub(crate) fn narrow(&mut self, left: &[bool], side: bool) {
        for (own, left) in self.0.iter_mut().zip(left) {
            *own &= *left == side;
        }
    }

    /// As a person would say it.
    pub(crate) fn words(&self, column: &Binned) -> String {
        let Some((missing, known)) = self.0.split_last() else {
            return String::new();
        };
        let name = &column.name;
        if !known.contains(&true) {
            return format!("{name} is missing");
        }
        match &column.scale {
            Scale::Number { edges } => range(column, (known, *missing), edges, |edge| edge.to_string()),
            Scale::Date { edges } => range(column, (known, *missing), edges, date),
            Scale::Levels(levels) => self.levels(column, levels),
        }
    }

    fn levels(&self, column: &Binned, levels: &[String]) -> String {
        let name = &column.name;
        let mut all: Vec<&str> = levels.iter().map(String::as_str).collect();
        if column.has_missing {
            all.push("missing");
        }
        let of = |own: bool| -> Vec<&str> {
            let picked = all.iter().zip(&self.0).filter(|(_, marked)| **marked == own);
            picked.map(|(level, _)| *level).collect()
        };
        let (own, others) = (of(true), of(false));
        if others.is_empty() || own.len() <= others.len() || own.len() == 1 {
            return format!("{name} = {}", own.join(" or "));
        }
        format!("{name} is not {}", others.join(" or "))
    }
}

fn range(
    column: &Binned,
    (known, missing): (&[bool], bool),
    edges: &[f64],
    write: impl Fn(f64) -> String,
) -> String {
    let name = &column.name;
    let first = known.iter().position(|own| *own).unwrap_or(0);
    let last = known.iter().rposition(|own| *own).unwrap_or(0);
    let above = first.checked_sub(1).and_then(|edge| edges.get(edge));
    let at_most = edges.get(last);
    let bounds = match (above, at_most) {
        (None, None) => return format!("{name} is known"),
        (Some(above), None) => format!("{name} > {}", write(*above)),
        (None, Some(at_most)) => format!("{name} <= {}", write(*at_most)),
        (Some(above), Some(at_most)) => format!("{} < {name} <= {}", write(*above), write(*at_most)),
    };
    if missing && column.has_missing {
        format!("{bounds} or missing")
    } else {
        bounds
    }
}

/// Days since 1970 as a date, such as 2026-11-24 (Gregorian, by eras of 400 years from March).
fn date(days: f64) -> String {
    let days = days.floor() as i64 + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year + 400 * era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_are_dates() {
        let cases = [
            (0.0, "1970-01-01"),
            (-0.5, "1969-12-31"),
            (11_016.0, "2000-02-29"),
            (19_782.9, "2024-02-29"),
            (19_783.0, "2024-03-01"),
            (20_781.0, "2026-11-24"),
        ];
        for (days, expected) in cases {
            assert_eq!(date(days), expected, "{days}");
        }
    }
}
