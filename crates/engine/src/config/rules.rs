//! Limits in words, as `thalweg.toml` and the file of `tool allocate` write them: `[[constraint]]` and `[[pacing]]`.

use std::fmt;

use thalweg_domain::{Action, Channel, Error, Offer, Result};
use thalweg_plan::allocate::Sense;

use super::keys::nearest;
use super::toml_view::Section;

/// One `[[constraint]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What results call it.
    pub name: String,
    /// What is added up; `None` counts rows.
    pub resource: Option<String>,
    /// What counts.
    pub conditions: Conditions,
    /// At most or at least so much, not negative.
    pub limit: f64,
    /// Which of the two.
    pub sense: Sense,
    /// Where it stands.
    pub line: Line,
}

/// One `[[pacing]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PaceRule {
    /// What results call it.
    pub name: String,
    /// What counts.
    pub conditions: Conditions,
    /// So many a day, at most.
    pub per_day: u64,
    /// Where it stands.
    pub line: Line,
}

/// Columns with the values that count; something counts when every column has one of its values.
pub type Conditions = Vec<(String, Vec<String>)>;

/// A line of the file; written for debugging it says nothing, so that a rule that only moved is the same rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(pub u64);

impl fmt::Debug for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Line")
    }
}

/// The columns of conditions that look at what is done, not at the customer.
pub(crate) const ACTION_COLUMNS: [&str; 3] = ["channel", "offer", "action"];
/// How conditions call the absence of an offer.
const NO_OFFER: &str = "none";

/// Reads a `[[constraint]]`.
pub(crate) fn constraint(section: &Section<'_>) -> Result<Rule> {
    let (limit, at_least) = (section.number("limit")?, section.number("at_least")?);
    let (key, limit, sense) = match (limit, at_least) {
        (Some(limit), None) => ("limit", limit, Sense::AtMost),
        (None, Some(least)) => ("at_least", least, Sense::AtLeast),
        (None, None) => return Err(section.missing("limit").hint("give limit (at most) or at_least")),
        (Some(_), Some(_)) => {
            return Err(section
                .refuse("at_least", "stands beside a limit")
                .hint("write two constraints, each with a name of its own"));
        }
    };
    if limit < 0.0 {
        return Err(section.refuse(key, &format!("= {limit} is negative")));
    }
    let resource = section.required_text("resource")?;
    Ok(Rule {
        name: section.required_text("name")?,
        resource: (resource != "rows").then_some(resource),
        conditions: section.conditions("where")?,
        limit,
        sense,
        line: Line(section.line()),
    })
}

/// Reads a `[[pacing]]`.
pub(crate) fn pace(section: &Section<'_>) -> Result<PaceRule> {
    Ok(PaceRule {
        name: section.required_text("name")?,
        conditions: section.conditions("where")?,
        per_day: section
            .whole("per_day", 1)?
            .ok_or_else(|| section.missing("per_day"))?,
        line: Line(section.line()),
    })
}

/// Refuses a name that two have.
pub(crate) fn check_names(root: &Section<'_>, constraints: &[Rule], paces: &[PaceRule]) -> Result<()> {
    let of_rules = constraints.iter().map(|rule| (&rule.name, rule.line));
    let mut names: Vec<(&String, Line)> = of_rules
        .chain(paces.iter().map(|pace| (&pace.name, pace.line)))
        .collect();
    names.sort_unstable();
    let twins = names.windows(2).find_map(|pair| match pair {
        [(one, _), (other, line)] if one == other => Some((one, *line)),
        _ => None,
    });
    twins.map_or(Ok(()), |(name, Line(line))| {
        let error = Error::new("TW0106", format!("two constraints are called \"{name}\""));
        Err(root.on_line(line, error.hint("give each a name of its own")))
    })
}

/// The same text, or the same number written otherwise.
pub(crate) fn same(cell: &str, value: &str) -> bool {
    cell == value
        || matches!((cell.parse::<f64>(), value.parse::<f64>()), (Ok(a), Ok(b)) if a.total_cmp(&b).is_eq())
}

/// A workspace's channels, offers and actions, as conditions look at them.
pub(crate) struct Menu<'a> {
    channels: &'a [Channel],
    offers: &'a [Offer],
    actions: Vec<Action>,
}

impl<'a> Menu<'a> {
    pub(crate) fn new(channels: &'a [Channel], offers: &'a [Offer]) -> Self {
        Self {
            actions: Action::all(channels, offers),
            channels,
            offers,
        }
    }

    /// What an action has in one of the [`ACTION_COLUMNS`].
    fn cell(&self, column: &str, action: Action) -> String {
        let alone = Action {
            offer: None,
            ..action
        };
        match column {
            "channel" => alone.label(self.channels, self.offers),
            "action" => action.label(self.channels, self.offers),
            _ => {
                let offer = action.offer.and_then(|offer| self.offers.get(offer));
                offer.map_or_else(|| NO_OFFER.to_owned(), |offer| offer.name.to_string())
            }
        }
    }

    /// Numbers of the actions that meet the conditions on what is done; `None` when there are none.
    pub(crate) fn meeting(&self, conditions: &Conditions) -> Option<Vec<u16>> {
        let own = || {
            let columns = conditions.iter();
            columns.filter(|(column, _)| ACTION_COLUMNS.contains(&column.as_str()))
        };
        own().next()?;
        let counts =
            |action: Action| own().all(|(column, values)| values.contains(&self.cell(column, action)));
        let actions = (0_u16..).zip(&self.actions);
        let meeting = actions.filter(|(_, action)| counts(**action));
        Some(meeting.map(|(id, _)| id).collect())
    }

    /// Refuses conditions on channels, offers and actions that are not there, or never together.
    pub(crate) fn check(&self, section: &Section<'_>, conditions: &Conditions) -> Result<()> {
        for (column, values) in conditions {
            if !ACTION_COLUMNS.contains(&column.as_str()) {
                continue;
            }
            let mut known: Vec<String> = self
                .actions
                .iter()
                .map(|action| self.cell(column, *action))
                .collect();
            known.dedup();
            known.sort_unstable();
            known.dedup();
            if let Some(value) = values.iter().find(|value| !known.contains(value)) {
                let error = section.refuse_as(
                    "TW0105",
                    "where",
                    &format!("names the {column} \"{value}\", which does not exist"),
                );
                return Err(match nearest(value, known.iter().map(String::as_str)) {
                    Some(near) => error.hint(format!("did you mean \"{near}\"?")),
                    None => error.hint(format!("{column}s are {}", known.join(", "))),
                });
            }
        }
        if self.meeting(conditions).is_some_and(|actions| actions.is_empty()) {
            return Err(section
                .refuse("where", "fits no action")
                .hint("an offer goes through the channels that it lists; look at [[offer]] channels"));
        }
        Ok(())
    }

    /// The names that limits of channels and offers have in results.
    pub(crate) fn taken_names(&self) -> Vec<String> {
        let mut names = vec!["budget".to_owned()];
        for channel in self.channels {
            names.extend(["capacity", "budget", "minimum"].map(|word| format!("{} {word}", channel.name)));
        }
        names.extend(self.offers.iter().map(|offer| format!("{} cap", offer.name)));
        names
    }
}
