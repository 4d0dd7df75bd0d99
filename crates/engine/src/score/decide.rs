//! Who is selected: from which probability on, for all or for each group of a compared column, as the model's evaluation says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thalweg_collect::stream::{Levels, is_missing};
use thalweg_domain::{Error, Result, Stage};
use thalweg_learn::task::Task;

use super::chosen::Chosen;
use super::{Decide, ScoreRequest};
use crate::session::{Options, Session};
use crate::wire::EvaluationOut;

/// From which probability on a row is selected.
pub(super) struct Rule {
    /// For rows of no known group.
    common: f64,
    groups: Option<Groups>,
    /// What the thresholds come from: an evaluation's rule, or `given`.
    origin: String,
    /// Texts that mean missing in the groups' column.
    missing: Vec<String>,
}

/// Thresholds by the levels of a column.
struct Groups {
    column: String,
    action: String,
    thresholds: BTreeMap<String, f64>,
}

/// What `--decide` did: the thresholds and whom they select.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DecidedOut {
    /// From this probability on a row is selected, unless its group has a threshold of its own.
    pub threshold: f64,
    /// given, or the evaluation's rule: break_even, most_profitable, no_costs.
    pub rule: String,
    /// The column whose groups have thresholds of their own; absent where one holds for all.
    pub column: Option<String>,
    /// equal_selection or equal_opportunity, with such a column.
    pub action: Option<String>,
    /// Rows selected.
    pub selected: u64,
    /// Every group, and `(unknown)` for rows of none of them, with its threshold.
    pub groups: BTreeMap<String, DecidedGroupOut>,
}

/// One group.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct DecidedGroupOut {
    /// From this probability on.
    pub threshold: f64,
    /// Rows.
    pub rows: u64,
    /// Rows selected.
    pub selected: u64,
}

/// Rows and selected rows by group; what parts of a file are added up into.
#[derive(Debug, Clone, Default)]
pub(super) struct Selected(BTreeMap<String, (u64, u64)>);

impl Selected {
    pub(super) fn add(&mut self, other: Self) {
        for (group, (rows, selected)) in other.0 {
            let own = self.0.entry(group).or_default();
            *own = (own.0 + rows, own.1 + selected);
        }
    }
}

/// What rows are counted under whose group the evaluation does not know; no level that data are likely to have.
const UNKNOWN: &str = "(unknown)";

/// How a missing cell is called among the levels of a compared column.
const MISSING: &str = "missing";

impl Rule {
    /// The rule that a request asks for; none when it asks for scores alone.
    ///
    /// # Errors
    /// `TW0310` when there is nothing to decide by.
    pub(super) fn of(request: &ScoreRequest, chosen: &Chosen, options: &Options) -> Result<Option<Self>> {
        let Some(decide) = request.decide else {
            return Ok(None);
        };
        if *chosen.model.task() != Task::Binary {
            let task = chosen.model.task().as_str();
            let message = format!("the model is of a {task} target, which no threshold decides");
            return Err(Error::new("TW0310", message)
                .hint("--decide is for an outcome that happens or not; leave it out here"));
        }
        match decide {
            Decide::From(common) => Ok(Some(Self {
                common,
                groups: None,
                origin: "given".to_owned(),
                missing: Vec::new(),
            })),
            Decide::Evaluated => Self::evaluated(request, chosen, options).map(Some),
        }
    }

    fn evaluated(request: &ScoreRequest, chosen: &Chosen, options: &Options) -> Result<Self> {
        let nothing = || {
            let message = format!(
                "{} has no evaluation here, so there is no threshold to decide by",
                chosen.name
            );
            Error::new("TW0310", message).hint("run thalweg evaluate first, or give a number: --decide 0.3")
        };
        let evaluation = evaluation(request, chosen, options)?.ok_or_else(nothing)?;
        let threshold = evaluation.threshold.as_ref().ok_or_else(nothing)?;
        let mut equalised = evaluation.fairness.iter().filter(|own| own.equalised.is_some());
        let groups = equalised.next().map(|own| Groups {
            column: own.column.clone(),
            action: own.action.clone(),
            thresholds: own
                .groups
                .iter()
                .map(|group| {
                    (
                        plain(&group.level),
                        group.threshold.unwrap_or(threshold.threshold),
                    )
                })
                .collect(),
        });
        if let (Some(first), Some(second)) = (&groups, equalised.next()) {
            let message = format!(
                "\"{}\" and \"{}\" both have thresholds by group, and a row can have but one",
                first.column, second.column
            );
            return Err(Error::new("TW0310", message)
                .hint("keep one column in [fairness] columns, or give a number: --decide 0.3"));
        }
        Ok(Self {
            common: threshold.threshold,
            missing: groups
                .as_ref()
                .and_then(|groups| chosen.missing.get(&groups.column).cloned())
                .unwrap_or_default(),
            groups,
            origin: threshold.rule.clone(),
        })
    }

    /// The column that has to come along with the rows, so that the output shows by which group was decided.
    pub(super) fn column(&self) -> Option<&String> {
        self.groups.as_ref().map(|groups| &groups.column)
    }

    /// Each row's threshold, and whom they select; `levels` are those of the groups' column.
    pub(super) fn apply(&self, probability: &[f64], levels: Option<&Levels>) -> (Vec<f64>, Selected) {
        let names = match (&self.groups, levels) {
            (Some(groups), Some(levels)) => groups.names(levels, &self.missing),
            _ => Vec::new(),
        };
        let cuts: Vec<f64> = names.iter().map(|name| self.threshold(name)).collect();
        // a missing cell comes after the levels
        let last = names.len().saturating_sub(1);
        let code = |row: usize| match levels.and_then(|levels| levels.of_row.get(row).copied().flatten()) {
            Some(code) => code as usize,
            None => last,
        };
        let mut counted = vec![(0, 0); names.len().max(1)];
        let mut thresholds = Vec::with_capacity(probability.len());
        for (row, p) in probability.iter().enumerate() {
            let at = code(row);
            let threshold = cuts.get(at).copied().unwrap_or(self.common);
            if let Some((rows, selected)) = counted.get_mut(at) {
                *rows += 1;
                *selected += u64::from(*p >= threshold);
            }
            thresholds.push(threshold);
        }
        let mut selected = Selected::default();
        let named = names.iter().copied().chain([UNKNOWN]);
        for (group, (rows, chosen)) in named.zip(counted).filter(|(_, own)| own.0 > 0) {
            selected.add(Selected(BTreeMap::from([(group.to_owned(), (rows, chosen))])));
        }
        (thresholds, selected)
    }

    fn threshold(&self, group: &str) -> f64 {
        let of_group = self
            .groups
            .as_ref()
            .filter(|_| group != UNKNOWN)
            .and_then(|groups| groups.thresholds.get(group));
        of_group.copied().unwrap_or(self.common)
    }

    /// What is reported at the end.
    ///
    /// # Errors
    /// `TW0306` when not one row has a group that the evaluation knows.
    pub(super) fn report(&self, selected: &Selected) -> Result<DecidedOut> {
        if let Some(groups) = &self.groups
            && selected.0.keys().all(|group| group == UNKNOWN)
            && !selected.0.is_empty()
        {
            let known: Vec<&str> = groups.thresholds.keys().map(String::as_str).collect();
            let message = format!(
                "no row of column \"{}\" has a group that the evaluation knows: {}",
                groups.column,
                known.join(", ")
            );
            return Err(Error::new("TW0306", message)
                .hint("write the column as the workspace's table has it, or give a number: --decide 0.3"));
        }
        let each = |(group, (rows, selected)): (&String, &(u64, u64))| {
            let out = DecidedGroupOut {
                threshold: self.threshold(group),
                rows: *rows,
                selected: *selected,
            };
            (group.clone(), out)
        };
        Ok(DecidedOut {
            threshold: self.common,
            rule: self.origin.clone(),
            column: self.column().cloned(),
            action: self.groups.as_ref().map(|groups| groups.action.clone()),
            selected: selected.0.values().map(|own| own.1).sum(),
            groups: match &self.groups {
                None => BTreeMap::new(),
                Some(_) => selected.0.iter().map(each).collect(),
            },
        })
    }
}

impl Groups {
    /// The name of each level's group, and of a missing cell's.
    fn names(&self, levels: &Levels, missing: &[String]) -> Vec<&str> {
        let of = |text: &str| {
            self.thresholds
                .get_key_value(text)
                .map_or(UNKNOWN, |(name, _)| name)
        };
        let named = levels
            .names
            .iter()
            .map(|text| match is_missing(text.trim(), missing) {
                true => of(MISSING),
                false => of(&plain(text)),
            });
        named.chain([of(MISSING)]).collect()
    }
}

/// A level as it is compared: numbers in one form, truth values in lower case.
fn plain(text: &str) -> String {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(number) => number.to_string(),
        Err(_) if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") => {
            text.to_ascii_lowercase()
        }
        Err(_) => text.to_owned(),
    }
}

/// The evaluation of the model in its workspace: that of the newest cycle that has one.
fn evaluation(request: &ScoreRequest, chosen: &Chosen, options: &Options) -> Result<Option<EvaluationOut>> {
    if !chosen.is_of_workspace {
        return Ok(None);
    }
    let session = Session::open(&request.dir, options.clone())?;
    for cycle in (1..=session.cycle()?).rev() {
        let found: Option<EvaluationOut> = session.stage_result(cycle, Stage::Evaluate)?;
        if let Some(found) = found.filter(|found| found.model == chosen.name) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Groups, UNKNOWN, plain};
    use thalweg_collect::stream::Levels;

    #[test]
    fn a_level_has_one_form() {
        assert_eq!(plain("1.0"), "1");
        assert_eq!(plain(" TRUE "), "true");
        assert_eq!(plain("Month-to-month"), "Month-to-month");
    }

    #[test]
    fn rows_of_no_known_group_are_other_and_missing_cells_their_own() {
        let groups = Groups {
            column: "gender".to_owned(),
            action: "equal_selection".to_owned(),
            thresholds: BTreeMap::from([("F".to_owned(), 0.2), ("missing".to_owned(), 0.3)]),
        };
        let levels = Levels {
            names: ["F", "X", "unknown", ""].map(str::to_owned).to_vec(),
            of_row: Vec::new(),
        };
        let names = groups.names(&levels, &["unknown".to_owned()]);
        assert_eq!(names, ["F", UNKNOWN, "missing", "missing", "missing"]);
    }
}
