//! Numbers and tables as people read them; no line is over 100 columns.

use owo_colors::OwoColorize;

/// The widest line.
pub(crate) const WIDTH: usize = 100;
/// A column of names is not cut to less than this.
const NARROWEST: usize = 8;

/// `1,234,567`.
pub(crate) fn count(number: usize) -> String {
    group(&number.to_string())
}

fn group(digits: &str) -> String {
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `5,000.00`: an amount to the cent.
pub(crate) fn cents(amount: f64) -> String {
    signed(amount, &format!("{:.2}", amount.abs()))
}

/// `21,400`: an amount without cents.
pub(crate) fn amount(amount: f64) -> String {
    signed(amount, &format!("{:.0}", amount.abs()))
}

fn signed(number: f64, digits: &str) -> String {
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, ""), |(whole, fraction)| (whole, fraction));
    let zero = digits.chars().all(|digit| matches!(digit, '0' | '.'));
    let sign = if number < 0.0 && !zero { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", group(whole))
}

/// `26.5 %`.
pub(crate) fn percent(share: f64, digits: usize) -> String {
    format!("{:.digits$} %", share * 100.0)
}

/// `0.847 ±0.009` from a mean and an interval.
pub(crate) fn plus_minus(mean: f64, interval: [f64; 2], digits: usize) -> String {
    let half = (interval[1] - interval[0]) / 2.0;
    format!("{mean:.digits$} ±{half:.digits$}")
}

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A plain table: a heading row and rows, indented by two, columns apart by two.
pub(crate) struct Grid {
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    pub(crate) fn new(heading: &[(&str, Align)]) -> Self {
        let align = heading.iter().map(|(_, align)| *align).collect();
        Self {
            align,
            rows: vec![heading.iter().map(|(title, _)| (*title).to_owned()).collect()],
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table as text, the heading dimmed; long names are cut where it would be wider than [`WIDTH`].
    pub(crate) fn render(&self, indent: usize) -> String {
        let widths = self.widths(WIDTH.saturating_sub(indent));
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let line = self.line(row, &widths);
            let line = line.trim_end();
            let pad = " ".repeat(indent);
            if index == 0 {
                text.push_str(&format!("{pad}{}\n", line.dimmed()));
            } else {
                text.push_str(&format!("{pad}{line}\n"));
            }
        }
        text
    }

    /// Columns of each column: what its cells take, the widest names narrowed until the line fits.
    fn widths(&self, room: usize) -> Vec<usize> {
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let mut widths: Vec<usize> = (0..self.align.len())
            .map(|column| cells(column).map(|cell| width(cell)).max().unwrap_or(0))
            .collect();
        let gaps = 2 * self.align.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > room {
            let names = widths.iter_mut().zip(&self.align);
            let widest = names.filter(|(wide, align)| **align == Align::Left && **wide > NARROWEST);
            let Some((wide, _)) = widest.max_by_key(|(wide, _)| **wide) else {
                break;
            };
            *wide -= 1;
        }
        widths
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let cells = row
            .iter()
            .zip(widths)
            .zip(&self.align)
            .map(|((cell, wide), align)| {
                let cell = clip(cell, *wide);
                let gap = " ".repeat(wide.saturating_sub(width(&cell)));
                if *align == Align::Left {
                    format!("{cell}{gap}")
                } else {
                    format!("{gap}{cell}")
                }
            });
        cells.collect::<Vec<_>>().join("  ")
    }
}

/// A text cut to so many columns, with `…` for what is gone; one with colour codes stays as it is.
pub(crate) fn clip(text: &str, columns: usize) -> String {
    if width(text) <= columns || text.contains('\u{1b}') {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if width(&kept) + width(letter.encode_utf8(&mut [0; 4])) >= columns {
            break;
        }
        kept.push(letter);
    }
    format!("{kept}…")
}

/// Columns that a text takes; colour codes take none.
fn width(text: &str) -> usize {
    let mut columns = 0;
    let mut escape = false;
    for letter in text.chars() {
        match (escape, letter) {
            (false, '\u{1b}') => escape = true,
            (false, _) => columns += if is_wide(letter) { 2 } else { 1 },
            (true, 'm') => escape = false,
            (true, _) => {}
        }
    }
    columns
}

/// Chinese, Japanese and Korean letters take two columns.
fn is_wide(letter: char) -> bool {
    matches!(letter, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}')
}

/// Breaks a sentence into lines of at most [`WIDTH`] columns, each indented.
pub(crate) fn wrap(sentence: &str, indent: usize) -> String {
    hang(sentence, indent, indent)
}

/// As [`wrap`], with the lines after the first indented by another depth; what fits in one line stays as it is.
pub(crate) fn hang(sentence: &str, first: usize, rest: usize) -> String {
    let whole = format!("{}{sentence}", " ".repeat(first));
    if width(&whole) <= WIDTH && !sentence.contains('\n') {
        return format!("{}\n", whole.trim_end());
    }
    let pad = " ".repeat(rest);
    let mut text = String::new();
    let mut line = " ".repeat(first);
    for word in sentence.split_whitespace() {
        if width(&line) + 1 + width(word) > WIDTH && line.trim() != "" {
            text.push_str(line.trim_end());
            text.push('\n');
            line.clone_from(&pad);
        }
        if line.trim() != "" {
            line.push(' ');
        }
        line.push_str(word);
    }
    text.push_str(line.trim_end());
    text.push('\n');
    text
}

/// A heading of a block.
pub(crate) fn heading(text: &str) -> String {
    format!("\n{}\n", text.bold())
}

/// A verdict or state in its colour; the word says it all.
pub(crate) fn verdict(word: &str) -> String {
    match word {
        "PASS" | "expand" | "open" => word.green().to_string(),
        "REVIEW" | "shrink" => word.yellow().to_string(),
        "FAIL" | "retire" => word.red().to_string(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Align, Grid, amount, cents, clip, count, hang, width, wrap};

    #[test]
    fn numbers_are_grouped_and_never_minus_zero() {
        assert_eq!(count(7_043), "7,043");
        assert_eq!(count(999), "999");
        assert_eq!(cents(5000.0), "5,000.00");
        assert_eq!(cents(-1_234.5), "-1,234.50");
        assert_eq!(amount(-0.2), "0");
        assert_eq!(amount(21_400.4), "21,400");
    }

    #[test]
    fn long_sentences_break_before_the_edge() {
        let text = wrap(&"word ".repeat(60), 4);
        assert!(text.lines().count() > 2);
        assert!(
            text.lines()
                .all(|line| line.len() <= 100 && line.starts_with("    word"))
        );
    }
    #[test]
    fn what_fits_stays_as_it_is() {
        assert_eq!(wrap("a  b", 2), "  a  b\n");
        let text = hang(&format!("head: {}", "word ".repeat(30)), 0, 2);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("head: word") && lines[1].starts_with("  word"));
    }

    #[test]
    fn names_are_cut_where_a_table_would_be_too_wide() {
        assert_eq!(clip("letter", 6), "letter");
        assert_eq!(clip("letters", 6), "lette…");
        assert_eq!(width(&clip("渠道渠道", 6)), 5);
        let mut grid = Grid::new(&[
            ("channel", Align::Left),
            ("customers", Align::Right),
            ("file", Align::Left),
        ]);
        grid.row(vec!["n".repeat(64), "12".to_owned(), "f".repeat(64)]);
        let text = grid.render(2);
        assert!(text.lines().all(|line| width(line) <= 100), "{text}");
        assert!(text.contains("12") && text.contains('…'));
    }
}
