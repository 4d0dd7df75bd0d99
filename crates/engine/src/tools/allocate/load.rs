//! Reading the candidates: customers together, actions and conditions as small numbers, every number checked.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use thalweg_collect::MissingTokens;
use thalweg_collect::stream::{Batch, Levels, Piece, Stream, StreamSpec, column_names};
use thalweg_domain::{ColumnData, ColumnKind, ColumnSchema, Error, Result};
use thalweg_plan::allocate::Candidates;

use super::rules::Rules;
use super::spill::{Kept, Source};
use crate::config::nearest_name;
use crate::config::rules::{Conditions, same};

/// Candidates of a block, or the few more that its last customer has.
const BLOCK: usize = 1 << 16;

/// The file, and how its columns are called.
pub(super) struct Reading<'a> {
    pub(super) data: &'a str,
    pub(super) rules_file: &'a str,
    pub(super) rules: &'a Rules,
    pub(super) names: ColumnNames<'a>,
}

/// The columns that every file of candidates has.
#[derive(Clone, Copy)]
pub(super) struct ColumnNames<'a> {
    pub(super) customer: &'a str,
    pub(super) action: &'a str,
    pub(super) value: &'a str,
    /// How doubt about the values counts.
    pub(super) doubt: Option<Doubt<'a>>,
}

/// So many standard deviations are taken off every value.
#[derive(Clone, Copy)]
pub(super) struct Doubt<'a> {
    pub(super) column: &'a str,
    pub(super) multiple: f64,
}

/// What was read.
pub(super) struct Loaded {
    pub(super) source: Source,
    /// What the numbers that stand for actions mean.
    pub(super) kinds: Vec<Kind>,
    pub(super) actions: Vec<String>,
    pub(super) n_customers: usize,
    pub(super) n_candidates: usize,
    /// The row of each candidate, when customers were not together.
    pub(super) rows: Option<Vec<u64>>,
    /// Values of conditions that no row has.
    pub(super) unmet: Vec<(String, String)>,
}

/// An action with the conditions that its row meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Kind {
    pub(super) action: usize,
    /// Bit `i`: the conditions of rule `i`, constraints first, then paces.
    pub(super) meets: u64,
}

/// Reads the candidates.
///
/// # Errors
/// `TW0105` for columns that are not there, `TW0201` to `TW0237` for the file, `TW0501` for cells that cannot be used,
/// `TW0510` when the rows of a customer are not together in a large file, `TW0511` for the same action twice.
pub(super) fn load(reading: &Reading<'_>, kept: Kept) -> Result<Loaded> {
    let columns = Columns::new(reading)?;
    let mut stream = Stream::open(&columns.spec(reading.data)).map_err(in_other_words)?;
    let mut gathered = Gathered::new(reading, &columns, kept);
    loop {
        let mut pieces: Vec<Piece> = Vec::new();
        while pieces.len() < 2 * rayon::current_num_threads() {
            match stream.next_piece().map_err(in_other_words)? {
                Some(piece) => pieces.push(piece),
                None => break,
            }
        }
        if pieces.is_empty() {
            return gathered.finish();
        }
        let read = pieces.into_par_iter().map(|piece| columns.read(reading, piece));
        let parts: Vec<Result<Vec<Rows>>> = read.collect();
        for part in parts {
            for rows in part? {
                gathered.add(&rows)?;
            }
        }
    }
}

/// Which columns are read, and where the conditions look.
struct Columns<'a> {
    names: ColumnNames<'a>,
    /// What is added up, and the standard deviations of the values at the end, if they count.
    resources: Vec<&'a str>,
    conditions: Vec<&'a str>,
    /// Of every rule with conditions: its bit, and per condition the place among `conditions` and the values.
    rules: Vec<Watched<'a>>,
}

/// A rule's bit, and per condition the place of its column and the values that count.
type Watched<'a> = (u32, Vec<(usize, &'a [String])>);
/// A rule's bit, and per condition a batch's levels with those that count.
type Test<'l> = (u32, Vec<(&'l Levels, Vec<bool>)>);

/// The distinct pairs of action and conditions met in a batch.
struct Kinds {
    kinds: Vec<Kind>,
    /// Each row's place among them.
    of_row: Vec<u16>,
    /// Values of conditions that some row has, by the place of their column.
    met: Vec<(usize, String)>,
}

impl<'a> Columns<'a> {
    fn new(reading: &Reading<'a>) -> Result<Self> {
        let known = column_names(Path::new(""), reading.data)?;
        let rules = reading.rules;
        let names = reading.names;
        let doubt = names.doubt.map(|doubt| doubt.column);
        for column in [names.customer, names.action, names.value]
            .into_iter()
            .chain(doubt)
        {
            if !known.iter().any(|name| name == column) {
                return Err(absent(column, &known).at(reading.data, None, Some(column)));
            }
        }
        for rule in &rules.constraints {
            let conditions = rule.conditions.iter().map(|(column, _)| column);
            for column in rule.resource.iter().chain(conditions) {
                refuse_absent(reading, (&rule.name, rule.line.0), column, &known)?;
            }
        }
        for pace in &rules.paces {
            for (column, _) in &pace.conditions {
                refuse_absent(reading, (&pace.name, pace.line.0), column, &known)?;
            }
        }
        let conditions = rules.condition_columns();
        let all: Vec<&Conditions> = all_conditions(rules).collect();
        if all.len() > 64 {
            return Err(Error::new(
                "TW0502",
                format!(
                    "{} constraints and pacings have a where, 64 are the most",
                    all.len()
                ),
            )
            .hint("join some of them, or add up columns of their own")
            .at(reading.rules_file, None, None));
        }
        let place = |column: &String| conditions.binary_search(&column.as_str()).unwrap_or(0);
        let bits = (0..).zip(all).filter(|(_, conditions)| !conditions.is_empty());
        Ok(Self {
            names,
            resources: rules.resources().into_iter().chain(doubt).collect(),
            rules: bits
                .map(|(bit, conditions)| {
                    let own = conditions
                        .iter()
                        .map(|(column, values)| (place(column), values.as_slice()));
                    (bit, own.collect())
                })
                .collect(),
            conditions,
        })
    }

    fn spec(&self, data: &str) -> StreamSpec {
        let mut numbers: Vec<&str> = vec![self.names.value];
        for column in &self.resources {
            if !numbers.contains(column) {
                numbers.push(column);
            }
        }
        let number = |name: &&str| ColumnSchema {
            name: (*name).to_owned(),
            kind: ColumnKind::Number,
            levels: Vec::new(),
        };
        let carried = [self.names.customer, self.names.action].into_iter();
        StreamSpec {
            base: std::path::PathBuf::new(),
            pattern: data.to_owned(),
            columns: numbers.iter().map(number).collect(),
            missing: MissingTokens::new(),
            carried: carried
                .chain(self.conditions.iter().copied())
                .map(str::to_owned)
                .collect(),
        }
    }

    fn read(&self, reading: &Reading<'_>, piece: Piece) -> Result<Vec<Rows>> {
        let mut all = Vec::new();
        piece
            .read(|batch| {
                all.push(self.rows(reading, &batch)?);
                Ok(())
            })
            .map_err(in_other_words)?;
        Ok(all)
    }

    fn rows(&self, reading: &Reading<'_>, batch: &Batch) -> Result<Rows> {
        let missing = |row: usize, column: &str| {
            Error::new(
                "TW0501",
                format!(
                    "cannot plan: column \"{column}\" has no value in row {}",
                    batch.first_row + row as u64
                ),
            )
            .hint("every candidate needs a customer, an action, a value and a number for every resource")
            .at(reading.data, None, Some(column))
        };
        let customers: Vec<u64> = batch
            .identities(0)?
            .into_iter()
            .enumerate()
            .map(|(row, own)| own.ok_or_else(|| missing(row, self.names.customer)))
            .collect::<Result<_>>()?;
        let actions = batch.levels(1)?;
        if let Some(row) = actions.of_row.iter().position(Option::is_none) {
            return Err(missing(row, self.names.action));
        }
        let mut numbers = Vec::new();
        for name in std::iter::once(&self.names.value).chain(&self.resources) {
            let Some(ColumnData::Number(cells)) = batch.table.column(name).map(|column| &column.data) else {
                return Err(missing(0, name));
            };
            if let Some(row) = cells.iter().position(|cell| !cell.is_finite()) {
                return Err(missing(row, name));
            }
            numbers.push(cells.clone());
        }
        let mut resources = numbers.into_iter();
        let mut values = resources.next().unwrap_or_default();
        let resources: Vec<Vec<f64>> = resources.collect();
        if let (Some(doubt), Some(sds)) = (self.names.doubt, resources.last()) {
            if let Some(row) = sds.iter().position(|sd| *sd < 0.0) {
                let message = format!(
                    "cannot plan: column \"{}\" is negative in row {}",
                    doubt.column,
                    batch.first_row + row as u64
                );
                return Err(Error::new("TW0501", message)
                    .hint("a standard deviation is 0 or more")
                    .at(reading.data, None, Some(doubt.column)));
            }
            for (value, sd) in values.iter_mut().zip(sds) {
                *value -= doubt.multiple * sd;
            }
        }
        let Kinds { kinds, of_row, met } = self.kinds(batch, &actions)?;
        Ok(Rows {
            first_row: batch.first_row,
            customers,
            kinds,
            of_row,
            action_names: actions.names,
            met,
            values,
            resources,
        })
    }

    fn kinds(&self, batch: &Batch, actions: &Levels) -> Result<Kinds> {
        let levels: Vec<Levels> = (0..self.conditions.len())
            .map(|at| batch.levels(2 + at))
            .collect::<Result<_>>()?;
        // per rule and condition: which of the batch's levels count
        let mut met = Vec::new();
        let mut tests: Vec<Test<'_>> = Vec::new();
        for (bit, conditions) in &self.rules {
            let mut own = Vec::new();
            for (at, wanted) in conditions {
                let Some(level) = levels.get(*at) else { continue };
                let counts = |name: &String| wanted.iter().any(|value| same(name, value));
                let flags: Vec<bool> = level.names.iter().map(counts).collect();
                for value in *wanted {
                    if level.names.iter().any(|name| same(name, value)) {
                        met.push((*at, value.clone()));
                    }
                }
                own.push((level, flags));
            }
            tests.push((*bit, own));
        }
        let mut kinds: Vec<Kind> = Vec::new();
        let mut known: BTreeMap<Kind, u16> = BTreeMap::new();
        let mut recent: Vec<(Kind, u16)> = Vec::new();
        let mut of_row = Vec::with_capacity(actions.of_row.len());
        for (row, action) in actions.of_row.iter().enumerate() {
            let holds = |(level, flags): &(&Levels, Vec<bool>)| {
                let code = level.of_row.get(row).copied().flatten();
                code.and_then(|code| flags.get(code as usize))
                    .copied()
                    .unwrap_or(false)
            };
            let mut meets = 0_u64;
            for (bit, own) in &tests {
                meets |= u64::from(own.iter().all(holds)) << bit;
            }
            let kind = Kind {
                action: action.unwrap_or(0) as usize,
                meets,
            };
            if let Some((_, place)) = recent.iter().find(|(own, _)| *own == kind) {
                of_row.push(*place);
                continue;
            }
            let next = kinds.len();
            let place = *known.entry(kind).or_insert_with(|| {
                kinds.push(kind);
                u16::try_from(next).unwrap_or(u16::MAX)
            });
            if recent.len() < 16 {
                recent.push((kind, place));
            }
            of_row.push(place);
        }
        Ok(Kinds { kinds, of_row, met })
    }
}

fn all_conditions(rules: &Rules) -> impl Iterator<Item = &Conditions> {
    let of_paces = rules.paces.iter().map(|pace| &pace.conditions);
    rules
        .constraints
        .iter()
        .map(|rule| &rule.conditions)
        .chain(of_paces)
}

/// A batch in columns.
struct Rows {
    first_row: u64,
    customers: Vec<u64>,
    kinds: Vec<Kind>,
    of_row: Vec<u16>,
    action_names: Vec<String>,
    met: Vec<(usize, String)>,
    values: Vec<f64>,
    resources: Vec<Vec<f64>>,
}

/// Everything read so far.
struct Gathered<'a> {
    reading: &'a Reading<'a>,
    columns: &'a Columns<'a>,
    kept: Kept,
    block: Candidates,
    customers: Vec<u64>,
    kinds: Vec<Kind>,
    known_kinds: BTreeMap<Kind, u16>,
    actions: Vec<String>,
    met: Vec<(usize, String)>,
    n_candidates: usize,
}

impl<'a> Gathered<'a> {
    fn new(reading: &'a Reading<'a>, columns: &'a Columns<'a>, kept: Kept) -> Self {
        Self {
            reading,
            columns,
            kept,
            block: Candidates::new(columns.resources.len()),
            customers: Vec::new(),
            kinds: Vec::new(),
            known_kinds: BTreeMap::new(),
            actions: Vec::new(),
            met: Vec::new(),
            n_candidates: 0,
        }
    }

    fn add(&mut self, rows: &Rows) -> Result<()> {
        let codes = self.codes(rows)?;
        for met in &rows.met {
            if !self.met.contains(met) {
                self.met.push(met.clone());
            }
        }
        let mut start = 0;
        while let Some(customer) = rows.customers.get(start) {
            let same = rows
                .customers
                .iter()
                .skip(start)
                .take_while(|own| *own == customer);
            let end = start + same.count();
            if self.customers.last() != Some(customer) {
                self.end_customer(rows.first_row + start as u64)?;
                self.customers.push(*customer);
            }
            let code = |place: &u16| codes.get(usize::from(*place)).copied().unwrap_or(0);
            let own = rows.of_row.get(start..end).unwrap_or_default();
            self.block.actions.extend(own.iter().map(code));
            let values = rows.values.get(start..end).unwrap_or_default();
            self.block.values.extend_from_slice(values);
            for (column, from) in self.block.resources.iter_mut().zip(&rows.resources) {
                column.extend_from_slice(from.get(start..end).unwrap_or_default());
            }
            start = end;
        }
        self.n_candidates += rows.values.len();
        Ok(())
    }

    /// The number of each of the batch's kinds over the whole file.
    fn codes(&mut self, rows: &Rows) -> Result<Vec<u16>> {
        let mut of_name = Vec::with_capacity(rows.action_names.len());
        for name in &rows.action_names {
            let at = self.actions.iter().position(|own| own == name);
            of_name.push(at.unwrap_or_else(|| {
                self.actions.push(name.clone());
                self.actions.len() - 1
            }));
        }
        let mut codes = Vec::with_capacity(rows.kinds.len());
        for kind in &rows.kinds {
            let kind = Kind {
                action: of_name.get(kind.action).copied().unwrap_or(0),
                ..*kind
            };
            let next = u16::try_from(self.kinds.len()).map_err(|_| self.too_many())?;
            let code = *self.known_kinds.entry(kind).or_insert(next);
            if code == next {
                self.kinds.push(kind);
            }
            codes.push(code);
        }
        Ok(codes)
    }

    fn too_many(&self) -> Error {
        Error::new(
            "TW0501",
            "cannot plan: more than 65,535 different actions, counted once for every set of conditions that they meet",
        )
        .hint("is it the column of actions that the option names?")
        .at(self.reading.data, None, Some(self.reading.names.action))
    }

    fn end_customer(&mut self, next_row: u64) -> Result<()> {
        let before = self.block.offsets.last().copied().unwrap_or(0);
        if self.block.n_candidates() as u64 == before {
            return Ok(());
        }
        let start = usize::try_from(before).unwrap_or(0);
        let own = self.block.actions.get(start..).unwrap_or_default();
        if let Some(action) = self.twice(own) {
            let row = next_row - own.len() as u64;
            return Err(twice(self.reading, &action, format!("the customer of row {row}")));
        }
        self.block.end_customer();
        if self.block.n_candidates() >= BLOCK {
            let empty = Candidates::new(self.block.resources.len());
            self.kept.push(std::mem::replace(&mut self.block, empty))?;
        }
        Ok(())
    }

    /// An action that a customer has twice.
    fn twice(&self, own: &[u16]) -> Option<String> {
        let action = |code: &u16| self.kinds.get(usize::from(*code)).map(|kind| kind.action);
        let again = |(place, code): (usize, &u16)| {
            let earlier = own.get(..place).unwrap_or_default();
            earlier
                .iter()
                .any(|other| action(other) == action(code))
                .then(|| action(code))
                .flatten()
        };
        let found = own.iter().enumerate().find_map(again)?;
        self.actions.get(found).cloned()
    }

    fn finish(mut self) -> Result<Loaded> {
        let next = self.n_candidates as u64 + 1;
        self.end_customer(next)?;
        let n_resources = self.columns.resources.len();
        let last = std::mem::replace(&mut self.block, Candidates::new(n_resources));
        if last.n_customers() > 0 {
            self.kept.push(last)?;
        }
        let mut sorted = self.customers.clone();
        sorted.par_sort_unstable();
        let together = sorted.windows(2).all(|pair| pair.first() != pair.last());
        drop(sorted);
        if !together && self.kept.is_in_file() {
            return Err(
                Error::new("TW0510", "the rows of some customers are not together")
                    .hint(format!(
                        "sort the file by \"{}\": a file this large is read customer by customer",
                        self.reading.names.customer
                    ))
                    .at(self.reading.data, None, Some(self.reading.names.customer)),
            );
        }
        let kept = std::mem::replace(&mut self.kept, Kept::new());
        let mut source = kept.finish(n_resources)?;
        let mut rows = None;
        if let (false, Source::Memory(scattered)) = (together, &source) {
            let (sorted, from) = self.together(scattered)?;
            self.customers.truncate(sorted.n_customers());
            source = Source::Memory(sorted);
            rows = Some(from);
        }
        Ok(Loaded {
            source,
            n_customers: self.customers.len(),
            n_candidates: self.n_candidates,
            rows,
            unmet: self.unmet(),
            kinds: self.kinds,
            actions: self.actions,
        })
    }

    /// Every customer's rows side by side, customers in the order of their first row, and where each row was.
    fn together(&self, scattered: &Candidates) -> Result<(Candidates, Vec<u64>)> {
        let mut place: BTreeMap<u64, usize> = BTreeMap::new();
        let mut parts: Vec<Vec<usize>> = Vec::new();
        for (part, customer) in self.customers.iter().enumerate() {
            let next = parts.len();
            let own = *place.entry(*customer).or_insert(next);
            if own == next {
                parts.push(Vec::new());
            }
            if let Some(own) = parts.get_mut(own) {
                own.push(part);
            }
        }
        let mut all = Candidates::new(scattered.resources.len());
        let mut rows = Vec::with_capacity(scattered.n_candidates());
        for own in parts {
            let start = all.n_candidates();
            for part in own {
                let at = |end: usize| scattered.offsets.get(end).copied().unwrap_or(0);
                rows.extend(at(part)..at(part + 1));
                all.push_customer(scattered, part);
                all.offsets.pop();
            }
            all.end_customer();
            let actions = all.actions.get(start..).unwrap_or_default();
            if let Some(action) = self.twice(actions) {
                let first = rows.get(start).copied().unwrap_or(0) + 1;
                return Err(twice(
                    self.reading,
                    &action,
                    format!("the customer of row {first}"),
                ));
            }
        }
        Ok((all, rows))
    }

    /// Values that conditions name and no row has.
    fn unmet(&self) -> Vec<(String, String)> {
        let wanted = all_conditions(self.reading.rules).flatten();
        let wanted = wanted.flat_map(|(column, values)| values.iter().map(move |value| (column, value)));
        let met = |column: &String, value: &String| {
            let at = self.columns.conditions.binary_search(&column.as_str());
            at.is_ok_and(|at| self.met.contains(&(at, value.clone())))
        };
        wanted
            .filter(|(column, value)| !met(column, value))
            .map(|(column, value)| (column.clone(), value.clone()))
            .collect()
    }
}

fn twice(reading: &Reading<'_>, action: &str, who: String) -> Error {
    Error::new("TW0511", format!("{who} has the action \"{action}\" twice"))
        .hint("give every customer each action at most once; a join may have doubled rows")
        .at(reading.data, None, Some(reading.names.action))
}

fn absent(column: &str, known: &[String]) -> Error {
    let error = Error::new("TW0105", format!("the candidates have no column \"{column}\""));
    match nearest_name(column, known.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean \"{near}\"?")),
        None => error.hint(format!("its columns are {}", known.join(", "))),
    }
}

fn refuse_absent(
    reading: &Reading<'_>,
    (name, line): (&str, u64),
    column: &str,
    known: &[String],
) -> Result<()> {
    if known.iter().any(|own| own == column) {
        return Ok(());
    }
    let error = absent(column, known);
    Err(Error {
        message: format!("constraint \"{name}\": {}", error.message),
        ..error
    }
    .at(reading.rules_file, Some(line), None))
}

/// The stream speaks of training and of missing cells, which there are none here.
fn in_other_words(error: Error) -> Error {
    if !matches!(error.code, "TW0306" | "TW0223") {
        return error;
    }
    Error {
        message: error.message.replace(
            " was of kind number in training, here it is ",
            " must hold numbers, here it is ",
        ),
        hint: Some("mend the cell; values and resources are numbers".to_owned()),
        ..error
    }
}
