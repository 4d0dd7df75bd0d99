//! The file of constraints of `tool allocate`.

use thalweg_domain::Result;

use crate::config::rules::{PaceRule, Rule, check_names, constraint, pace};
use crate::config::{Section, TomlSource, toml_document};

/// What the file asks for, checked as far as that goes without the candidates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rules {
    pub(super) max_actions: u16,
    /// The constraint that the what-if table changes; without it the first limit of a resource over all rows.
    pub(super) budget: Option<String>,
    pub(super) days: u16,
    pub(super) constraints: Vec<Rule>,
    pub(super) exclusions: Vec<Exclusion>,
    pub(super) paces: Vec<PaceRule>,
}

/// One `[[exclude]]`: of these actions a customer gets at most one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exclusion {
    pub(super) actions: Vec<String>,
    pub(super) line: u64,
}

/// Reads the file.
///
/// # Errors
/// `TW0102` to `TW0107` with the line.
pub(super) fn rules(file: &str, text: &str) -> Result<Rules> {
    let source = TomlSource { file, text };
    let document = toml_document(source)?;
    let root = Section::open(source, "allocate", "", document.get_ref(), 0)?;
    let constraints: Vec<Rule> = root
        .sections("constraint")?
        .iter()
        .map(constraint)
        .collect::<Result<_>>()?;
    let exclusions = root.sections("exclude")?;
    let paces: Vec<PaceRule> = root.sections("pacing")?.iter().map(pace).collect::<Result<_>>()?;
    let days = short(&root, "days", 0)?;
    if days == 0 && !paces.is_empty() {
        return Err(root
            .missing("days")
            .hint("[[pacing]] spreads contacts over days: days = 20"));
    }
    let rules = Rules {
        max_actions: short(&root, "max_actions_per_customer", 1)?,
        budget: root.text("budget")?,
        days,
        constraints,
        exclusions: exclusions.iter().map(exclusion).collect::<Result<_>>()?,
        paces,
    };
    check_names(&root, &rules.constraints, &rules.paces)?;
    rules.check_budget(&root)?;
    Ok(rules)
}

impl Rules {
    /// The columns that conditions look at, each once.
    pub(super) fn condition_columns(&self) -> Vec<&str> {
        let of_rules = self.constraints.iter().map(|rule| &rule.conditions);
        let of_paces = self.paces.iter().map(|pace| &pace.conditions);
        let all = of_rules.chain(of_paces).flatten();
        let mut columns: Vec<&str> = all.map(|(column, _)| column.as_str()).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The columns that constraints add up, each once, in the order of their first constraint.
    pub(super) fn resources(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        for resource in self
            .constraints
            .iter()
            .filter_map(|rule| rule.resource.as_deref())
        {
            if !columns.contains(&resource) {
                columns.push(resource);
            }
        }
        columns
    }

    fn check_budget(&self, root: &Section<'_>) -> Result<()> {
        match &self.budget {
            Some(name) if !self.constraints.iter().any(|rule| &rule.name == name) => Err(root.refuse(
                "budget",
                &format!("= \"{name}\" is not the name of a [[constraint]]"),
            )),
            _ => Ok(()),
        }
    }
}

fn short(section: &Section<'_>, key: &str, default: u16) -> Result<u16> {
    let Some(number) = section.whole(key, 1)? else {
        return Ok(default);
    };
    u16::try_from(number).map_err(|_| section.refuse(key, &format!("= {number} is above {}", u16::MAX)))
}

fn exclusion(section: &Section<'_>) -> Result<Exclusion> {
    let actions = section.texts("actions")?;
    if actions.len() < 2 {
        return Err(section.refuse("actions", "names fewer than two actions"));
    }
    Ok(Exclusion {
        actions,
        line: section.line(),
    })
}

#[cfg(test)]
mod tests {
    use thalweg_plan::allocate::Sense;

    use super::*;

    fn code(text: &str) -> (&'static str, Option<u64>) {
        let error = rules("c.toml", text).unwrap_err();
        (error.code, error.at.and_then(|place| place.row))
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = "max_actions_per_customer = 2\ndays = 5\n\n[[constraint]]\nname = \"budget\"\nresource = \"cost\"\nlimit = 10\n\n\
            [[constraint]]\nname = \"north\"\nresource = \"rows\"\nat_least = 3\nwhere = { region = [\"north\", \"east\"], tier = 2 }\n\n\
            [[exclude]]\nactions = [\"mail\", \"sms\"]\n\n[[pacing]]\nname = \"calls\"\nper_day = 7\nwhere = { action = \"call\" }\n";
        let rules = rules("c.toml", text).unwrap();
        assert_eq!((rules.max_actions, rules.days), (2, 5));
        assert_eq!(rules.resources(), ["cost"]);
        assert_eq!(rules.condition_columns(), ["action", "region", "tier"]);
        assert_eq!(rules.constraints[1].sense, Sense::AtLeast);
        assert_eq!(
            rules.constraints[1].conditions[1],
            ("tier".to_owned(), vec!["2".to_owned()])
        );
        assert_eq!(
            (rules.paces[0].per_day, rules.exclusions[0].actions.len()),
            (7, 2)
        );
    }

    #[test]
    fn mistakes_are_refused_with_their_line() {
        let row = |rest: &str| format!("[[constraint]]\nname = \"a\"\nresource = \"cost\"\n{rest}\n");
        assert_eq!(code(&row("limit = -1")), ("TW0104", Some(4)));
        assert_eq!(code(&row("limit = nan")), ("TW0104", Some(4)));
        assert_eq!(code(&row("limit = \"much\"")), ("TW0104", Some(4)));
        assert_eq!(code(&row("limt = 1")), ("TW0107", Some(4)));
        assert_eq!(code(&row("")), ("TW0103", Some(1)));
        assert_eq!(code(&row("limit = 1\nat_least = 1")), ("TW0104", Some(5)));
        assert_eq!(code(&row("limit = 1").repeat(2)), ("TW0106", Some(5)));
        assert_eq!(code("[[exclude]]\nactions = [\"a\"]\n"), ("TW0104", Some(2)));
        assert_eq!(code("[[pacing]]\nname = \"p\"\nper_day = 3\n").0, "TW0103");
    }
}
