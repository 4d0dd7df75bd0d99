//! The file of `plan --scenario`: named what-ifs, each the workspace's configuration with some of it changed.

use thalweg_domain::{Belief, Money, Result};

use super::partners::{said, terms};
use super::plan::explore;
use super::read::{document, known_name, money};
use super::toml_view::{Section, Source};
use super::{ChannelConfig, Config, OfferConfig};

/// What the column of the configuration itself is called.
pub(crate) const AS_CONFIGURED: &str = "as configured";
/// Longer names would not fit a table.
const LONGEST_NAME: usize = 60;
/// Takes a limit away.
const UNLIMITED: &str = "unlimited";

/// A configuration to compare with the one in force.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What results call it.
    pub name: String,
    /// Every change in words, such as `budget 6,000 instead of 5,000`.
    pub changes: Vec<String>,
    /// The configuration with the changes made.
    pub config: Config,
    /// Whether it believes in other effects or acceptances: then what it is worth is not believed on the same ground.
    pub other_beliefs: bool,
}

/// Reads and checks a file of scenarios against the configuration that they change.
///
/// # Errors
/// `TW0102` to `TW0107`, each with the line.
pub fn parse_scenarios(file: &str, text: &str, config: &Config) -> Result<Vec<Scenario>> {
    let source = Source { file, text };
    let document = document(source)?;
    let root = Section::open(source, "scenarios", "", document.get_ref(), 0)?;
    let sections = root.sections("scenario")?;
    if sections.is_empty() {
        return Err(root
            .refuse_as("TW0103", "scenario", "is missing: the file names no scenario")
            .hint("write [[scenario]] with a name and what it changes, such as budget = \"+20 %\""));
    }
    let mut scenarios: Vec<Scenario> = Vec::new();
    for section in sections {
        let entry = scenario(&section, config)?;
        let taken = scenarios.iter().map(|other| other.name.as_str());
        if taken.chain([AS_CONFIGURED]).any(|name| name == entry.name) {
            return Err(section.refuse_as("TW0106", "name", &format!("\"{}\" is used twice", entry.name)));
        }
        scenarios.push(entry);
    }
    Ok(scenarios)
}

fn scenario(section: &Section<'_>, config: &Config) -> Result<Scenario> {
    let name = section.required_text("name")?;
    let length = name.chars().count();
    if name.trim() != name || !(1..=LONGEST_NAME).contains(&length) || name.chars().any(char::is_control) {
        return Err(section.refuse(
            "name",
            &format!(
                "= {name:?} is not 1 to {LONGEST_NAME} characters on one line without space around them"
            ),
        ));
    }
    let mut scenario = Scenario {
        name,
        changes: Vec::new(),
        config: config.clone(),
        other_beliefs: false,
    };
    scenario.plan(section)?;
    if let Some(map) = section.section("channel", "scenario.channel", "[scenario.channel]")? {
        for name in map.names() {
            scenario.channel(&map, &name)?;
        }
    }
    if let Some(map) = section.section("offer", "scenario.offer", "[scenario.offer]")? {
        for name in map.names() {
            scenario.offer(&map, &name)?;
        }
    }
    if scenario.changes.is_empty() {
        return Err(section
            .refuse_as("TW0103", "name", &format!("= \"{}\" changes nothing", scenario.name))
            .hint("give it a budget, holdout, explore, or [scenario.channel.NAME] and [scenario.offer.NAME] with what changes"));
    }
    Ok(scenario)
}

impl Scenario {
    /// Notes a change and makes it.
    fn set<T: Clone>(&mut self, what: &str, (own, new): (&mut T, T), say: impl Fn(&T) -> String) {
        self.changes
            .push(format!("{what} {} instead of {}", say(&new), say(own)));
        *own = new;
    }

    fn plan(&mut self, section: &Section<'_>) -> Result<()> {
        let mut plan = self.config.plan.clone();
        if let Some(budget) = changed(section, "budget", Some(plan.budget))? {
            self.set("budget", (&mut plan.budget, budget), |own| number(*own));
        }
        if section.has("holdout") {
            let share = section.number_in("holdout", 0.0..=0.5, plan.holdout)?;
            self.set("hold-out", (&mut plan.holdout, share), |own| share_of(*own));
        }
        if section.has("explore") {
            let share = explore(section)?;
            self.set("explore", (&mut plan.explore, share), |own| share_of(*own));
        }
        self.config.plan = plan;
        Ok(())
    }

    fn channel(&mut self, map: &Section<'_>, name: &str) -> Result<()> {
        let known = self.config.channels.iter().map(|own| own.channel.name.as_str());
        let index = known_name(map, (name, name), ("channel", known))?;
        let Some(section) = map.section(name, "scenario.channel.*", &format!("[scenario.channel.{name}]"))?
        else {
            return Ok(());
        };
        let Some(mut own) = self.config.channels.get(index).cloned() else {
            return Ok(());
        };
        self.channel_limits(&section, &mut own)?;
        if section.has("on") {
            let on = section.flag("on", own.on)?;
            self.set(name, (&mut own.on, on), |on| on_or_off(*on));
        }
        if section.has("terms") {
            let terms = terms(&section, own.channel.kind)?;
            self.set(&format!("{name} terms"), (&mut own.terms, terms), said);
        }
        let what = format!("{name} assumed_effect");
        self.belief(
            &section,
            "assumed_effect",
            (&what, &mut own.channel.assumed_effect),
        )?;
        if section.has("assumed_effect") && own.borrows {
            // a belief of its own takes the place of a borrowed one, and with it the pilot
            own.borrows = false;
            self.other_beliefs = true;
        }
        if let Some(kept) = self.config.channels.get_mut(index) {
            *kept = own;
        }
        Ok(())
    }

    fn channel_limits(&mut self, section: &Section<'_>, own: &mut ChannelConfig) -> Result<()> {
        let channel = &mut own.channel;
        let name = channel.name.to_string();
        if let Some(capacity) = limit(section, "capacity", channel.capacity)? {
            self.set(
                &format!("{name} capacity"),
                (&mut channel.capacity, capacity),
                whole,
            );
        }
        if let Some(cost) = changed(section, "unit_cost", Some(channel.unit_cost.get()))? {
            let cost = Money::new(cost)?;
            self.set(
                &format!("{name} unit_cost"),
                (&mut channel.unit_cost, cost),
                |own| number(own.get()),
            );
        }
        if section.has("budget") {
            let before = channel.budget.map(Money::get);
            let budget = match unlimited(section, "budget")? {
                true => None,
                false => changed(section, "budget", before)?.map(Money::new).transpose()?,
            };
            self.set(&format!("{name} budget"), (&mut channel.budget, budget), |own| {
                own.map_or_else(|| UNLIMITED.to_owned(), |own| number(own.get()))
            });
        }
        Ok(())
    }

    fn offer(&mut self, map: &Section<'_>, name: &str) -> Result<()> {
        let known = self.config.offers.iter().map(|own| own.offer.name.as_str());
        let index = known_name(map, (name, name), ("offer", known))?;
        let Some(section) = map.section(name, "scenario.offer.*", &format!("[scenario.offer.{name}]"))?
        else {
            return Ok(());
        };
        let Some(mut entry) = self.config.offers.get(index).cloned() else {
            return Ok(());
        };
        self.offer_of(&section, &mut entry)?;
        if let Some(kept) = self.config.offers.get_mut(index) {
            *kept = entry;
        }
        Ok(())
    }

    fn offer_of(&mut self, section: &Section<'_>, entry: &mut OfferConfig) -> Result<()> {
        let name = entry.offer.name.to_string();
        if section.has("on") {
            let on = section.flag("on", entry.on)?;
            self.set(&name, (&mut entry.on, on), |on| on_or_off(*on));
        }
        if let Some(cap) = limit(section, "cap", entry.offer.cap)? {
            self.set(&format!("{name} cap"), (&mut entry.offer.cap, cap), whole);
        }
        let what = format!("{name} assumed_effect");
        self.belief(
            section,
            "assumed_effect",
            (&what, &mut entry.offer.assumed_effect),
        )?;
        let acceptance = section.belief("assumed_acceptance", entry.offer.assumed_acceptance)?;
        if !(0.0..=1.0).contains(&acceptance.mean) {
            return Err(section.refuse("assumed_acceptance", "must have a mean between 0 and 1"));
        }
        let what = format!("{name} assumed_acceptance");
        self.belief(
            section,
            "assumed_acceptance",
            (&what, &mut entry.offer.assumed_acceptance),
        )
    }

    fn belief(&mut self, section: &Section<'_>, key: &str, (what, own): (&str, &mut Belief)) -> Result<()> {
        if section.has(key) {
            let belief = section.belief(key, *own)?;
            self.other_beliefs |= belief != *own;
            self.set(what, (own, belief), |own| {
                format!("{} ± {}", share_of(own.mean), share_of(own.sd))
            });
        }
        Ok(())
    }
}

/// A number of 0 or more, or a change of the present one such as `"+20 %"`.
fn changed(section: &Section<'_>, key: &str, before: Option<f64>) -> Result<Option<f64>> {
    let Some(text) = section.expression(key)? else {
        return Ok(None);
    };
    let wrong = || {
        section
            .refuse(
                key,
                &format!("= \"{text}\" is not a number of 0 or more, nor a change"),
            )
            .hint("give a number such as 6000, or a change in quotes such as \"+20 %\"")
    };
    let Some(change) = text.trim().strip_suffix('%').map(str::trim) else {
        return money(section, key)
            .map(|own| own.map(Money::get))
            .map_err(|error| {
                if text.trim().parse::<f64>().is_ok() {
                    error
                } else {
                    wrong()
                }
            });
    };
    if !change.starts_with(['+', '-']) {
        return Err(wrong());
    }
    let before = before.ok_or_else(|| {
        section
            .refuse(
                key,
                &format!("= \"{text}\" changes a limit that thalweg.toml does not set"),
            )
            .hint("give a number")
    })?;
    let percent = change.parse::<f64>().map_err(|_| wrong())?;
    let number = before * (1.0 + percent / 100.0);
    if number.is_finite() && number >= 0.0 {
        Ok(Some(number))
    } else {
        Err(section.refuse(
            key,
            &format!("= \"{text}\" of {before} is not a number of 0 or more"),
        ))
    }
}

fn unlimited(section: &Section<'_>, key: &str) -> Result<bool> {
    Ok(section.expression(key)?.as_deref() == Some(UNLIMITED))
}

/// A whole number, a change of the present one (rounded), or none at all.
fn limit(section: &Section<'_>, key: &str, before: Option<u64>) -> Result<Option<Option<u64>>> {
    if !section.has(key) {
        return Ok(None);
    }
    if unlimited(section, key)? {
        return Ok(Some(None));
    }
    let is_change = section
        .expression(key)?
        .is_some_and(|text| text.trim().ends_with('%'));
    if !is_change {
        return section.whole(key, 0).map(Some).map_err(|error| {
            error.hint("give a whole number, a change in quotes such as \"+20 %\", or \"unlimited\"")
        });
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of contacts are far below 2^52")]
    let before = before.map(|own| own as f64);
    let number = changed(section, key, before)?.unwrap_or(0.0).round();
    format!("{number:.0}")
        .parse::<u64>()
        .map(|number| Some(Some(number)))
        .map_err(|_| section.refuse(key, &format!("makes {number}, which is too large")))
}

fn whole(limit: &Option<u64>) -> String {
    limit.map_or_else(|| UNLIMITED.to_owned(), |own| own.to_string())
}

/// As short as it is: `6000`, `0.07`.
fn number(own: f64) -> String {
    let text = format!("{own:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

fn share_of(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

fn on_or_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Scenario, number, parse_scenarios};
    use crate::config::{Config, parse};

    const WORKSPACE: &str = r#"
[customers]
source = "c.csv"
key = "id"
[outcome]
column = "churn"
[plan]
budget = 1000
[[channel]]
name = "email"
assumed_effect = { mean = 0.05, sd = 0.05 }
unit_cost = 0.1
capacity = 55
[[channel]]
name = "call"
unit_cost = 4
[[offer]]
name = "gift"
cost = 5
channels = ["email", "call"]
cap = 10
"#;

    fn config() -> Config {
        parse("thalweg.toml", WORKSPACE, "w").unwrap()
    }

    fn one(text: &str) -> Scenario {
        let text = format!("[[scenario]]\nname = \"a\"\n{text}");
        parse_scenarios("s.toml", &text, &config()).unwrap().remove(0)
    }

    fn refused(text: &str) -> (String, String) {
        let error = parse_scenarios("s.toml", text, &config()).unwrap_err();
        (
            error.code.to_owned(),
            format!("{} {}", error.message, error.hint.unwrap_or_default()),
        )
    }

    #[test]
    fn every_override_reaches_its_place_and_nothing_else() {
        let scenario = one(
            "budget = \"+20 %\"\nholdout = 0.2\nexplore = 0\n[scenario.channel.email]\ncapacity = \"-10 %\"\nunit_cost = 0.2\n\
             budget = 40\n[scenario.channel.call]\non = false\ncapacity = 7\n[scenario.offer.gift]\ncap = \"unlimited\"\n",
        );
        let (plan, [email, call]) = (scenario.config.plan, &scenario.config.channels[..]) else {
            panic!("two channels");
        };
        assert!((plan.budget - 1200.0).abs() < 1e-9 && (plan.holdout - 0.2).abs() < 1e-12);
        assert!(plan.explore.abs() < 1e-12);
        // 49.5 rounds away from zero
        assert_eq!((email.channel.capacity, email.on), (Some(50), true));
        assert!((email.channel.unit_cost.get() - 0.2).abs() < 1e-12);
        assert_eq!(email.channel.budget.map(thalweg_domain::Money::get), Some(40.0));
        assert_eq!((call.channel.capacity, call.on), (Some(7), false));
        assert_eq!(scenario.config.offers[0].offer.cap, None);
        assert!(!scenario.other_beliefs);
        assert_eq!(scenario.changes[0], "budget 1200 instead of 1000");
        assert_eq!(scenario.changes.len(), 9);
        let untouched = format!("{:?}", config().outcome);
        assert_eq!(format!("{:?}", scenario.config.outcome), untouched);
    }

    #[test]
    fn other_beliefs_are_noted_and_the_same_ones_are_not() {
        let other = one("[scenario.channel.email]\nassumed_effect = { mean = 0.2, sd = 0.1 }\n");
        assert!(other.other_beliefs);
        let same = one("[scenario.channel.email]\nassumed_effect = { mean = 0.05, sd = 0.05 }\n");
        assert!(!same.other_beliefs);
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_nearest_name() {
        let cases = [
            ("", "TW0103", "names no scenario"),
            ("[[scenario]]\nname = \"a\"\n", "TW0103", "changes nothing"),
            ("[[scenario]]\nbudget = 1\n", "TW0103", "name"),
            (
                "[[scenario]]\nname = \"a\"\nbuget = 1\n",
                "TW0107",
                "did you mean \"budget\"",
            ),
            ("[[scenarios]]\n", "TW0107", "did you mean \"scenario\""),
            (
                "[[scenario]]\nname = \"a\"\nchannel.emial.on = false\n",
                "TW0105",
                "did you mean \"email\"",
            ),
            (
                "[[scenario]]\nname = \"a\"\noffer.gifft.on = false\n",
                "TW0105",
                "did you mean \"gift\"",
            ),
            (
                "[[scenario]]\nname = \"a\"\nchannel.email.capasity = 1\n",
                "TW0107",
                "did you mean \"capacity\"",
            ),
            (
                "[[scenario]]\nname = \"a\"\nbudget = \"20 %\"\n",
                "TW0104",
                "+20 %",
            ),
            (
                "[[scenario]]\nname = \"a\"\nbudget = \"-120 %\"\n",
                "TW0104",
                "-120 %",
            ),
            ("[[scenario]]\nname = \"a\"\nbudget = -1\n", "TW0104", "negative"),
            (
                "[[scenario]]\nname = \"a\"\nbudget = \"much\"\n",
                "TW0104",
                "nor a change",
            ),
            (
                "[[scenario]]\nname = \"a\"\nchannel.call.capacity = \"+5 %\"\n",
                "TW0104",
                "does not set",
            ),
            (
                "[[scenario]]\nname = \"a\"\nchannel.call.capacity = 1.5\n",
                "TW0104",
                "whole number",
            ),
            (
                "[[scenario]]\nname = \"a\"\nexplore = 0.01\n",
                "TW0104",
                "below 0.02",
            ),
            (
                "[[scenario]]\nname = \"as configured\"\nbudget = 1\n",
                "TW0106",
                "used twice",
            ),
            (
                "[[scenario]]\nname = \"a\"\nbudget = 1\n[[scenario]]\nname = \"a\"\nbudget = 2\n",
                "TW0106",
                "used twice",
            ),
            ("[[scenario]\n", "TW0102", "TOML"),
        ];
        for (text, code, words) in cases {
            let (found, said) = refused(text);
            assert!(found == code && said.contains(words), "{text}: {found} {said}");
        }
    }

    #[test]
    fn numbers_are_as_short_as_they_are() {
        assert_eq!([number(6000.0), number(0.07), number(0.0)], ["6000", "0.07", "0"]);
    }
}
