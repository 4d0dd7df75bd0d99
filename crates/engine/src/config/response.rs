//! `[response]`: a table of spend and outcome by week, and how its response curves are fitted.

use thalweg_domain::{Belief, Result};

use super::ChannelConfig;
use super::read::known_name;
use super::toml_view::Section;
use crate::response::{GivenTest, ResponseSettings, fault};

/// `[response]`, checked.
#[derive(Debug, Clone)]
pub struct Response {
    /// The table and the model.
    pub settings: ResponseSettings,
    /// By column of spend: the workspace's channel that it is the spend of.
    pub channels: Vec<Option<String>>,
    /// Whether the outcome counts money as `[outcome] value` does.
    pub in_value: bool,
}

/// Reads the section, if it is there.
pub(super) fn response(root: &Section<'_>, known: &[ChannelConfig]) -> Result<Option<Response>> {
    let Some(section) = root.section("response", "response", "[response]")? else {
        return Ok(None);
    };
    let (columns, channels) = channels(&section, known)?;
    let given_tests = section
        .sections("lift_test")?
        .iter()
        .map(|test| lift_test(test, &columns))
        .collect::<Result<Vec<_>>>()?;
    let return_priors = return_priors(&section, &columns)?;
    let settings = ResponseSettings {
        given_tests,
        return_priors,
        ..model(&section, columns)?
    };
    Ok(Some(Response {
        settings,
        channels,
        in_value: section.word("outcome_unit", &["value", "other"], "other")? == "value",
    }))
}

/// The columns of spend, and the workspace's channel of each: by name in a list, as given in a table.
fn channels(section: &Section<'_>, known: &[ChannelConfig]) -> Result<(Vec<String>, Vec<Option<String>>)> {
    let names = || known.iter().map(|entry| entry.channel.name.as_str());
    let (columns, channels): (Vec<String>, Vec<Option<String>>) = if section.is_list("channels") {
        let columns = section.texts("channels")?;
        let own = columns
            .iter()
            .map(|column| names().find(|name| name == column).map(ToOwned::to_owned))
            .collect();
        (columns, own)
    } else {
        let Some(table) = section.section("channels", "response.channels", "[response.channels]")? else {
            return Err(section.missing("channels"));
        };
        let mut own = Vec::new();
        for column in table.names() {
            let name = table.required_text(&column)?;
            if !name.is_empty() {
                known_name(&table, (&column, &name), ("channel", names()))?;
            }
            own.push(Some(name).filter(|name| !name.is_empty()));
        }
        (table.names(), own)
    };
    if columns.is_empty() {
        return Err(section.refuse("channels", "names no column"));
    }
    for (index, own) in channels.iter().enumerate() {
        if let (Some(name), true) = (own, channels.iter().skip(index + 1).any(|other| other == own)) {
            return Err(section
                .refuse(
                    "channels",
                    &format!("give two columns for the channel \"{name}\""),
                )
                .hint("add the columns up in the table"));
        }
    }
    Ok((columns, channels))
}

/// Everything but channels, experiments and beliefs, in the words of `tool response`.
fn model(section: &Section<'_>, channels: Vec<String>) -> Result<ResponseSettings> {
    let plain = ResponseSettings::default();
    let seasonality = section.words("seasonality", &["yearly", "weekly", "none"])?;
    let budget = section.number("budget")?;
    if let Some(budget) = budget.filter(|budget| *budget <= 0.0) {
        return Err(section.refuse("budget", &format!("= {budget} is not above 0")));
    }
    let max_change = section.number_in("max_change", 0.0..=1.0, plain.max_change)?;
    if max_change <= 0.0 {
        return Err(section.refuse("max_change", "= 0 leaves nothing to choose: give a share up to 1"));
    }
    let country = section.text("country")?;
    let holidays = section.text("holidays")?;
    if country.is_some() && holidays.is_none() {
        return Err(section
            .refuse("country", "only counts with holidays")
            .hint("name the file of holidays too, or leave country away"));
    }
    let count = |key: &str, range: (usize, usize), default: usize| count(section, key, range, default);
    Ok(ResponseSettings {
        data: section.required_text("data")?,
        time: section.required_text("time")?,
        outcome: section.required_text("outcome")?,
        channels,
        controls: section.texts("controls")?,
        geo: section.text("geo")?,
        date_format: section.text("date_format")?,
        seasonality: if seasonality.is_empty() {
            plain.seasonality
        } else {
            seasonality.into_iter().map(ToOwned::to_owned).collect()
        },
        modes: count("modes", (0, 26), plain.modes)?,
        trend: section.word("trend", &["linear", "none"], "linear")?.to_owned(),
        saturation: section
            .word("saturation", &["logistic", "hill", "linear"], "logistic")?
            .to_owned(),
        adstock: section
            .word("adstock", &["geometric", "weibull"], "geometric")?
            .to_owned(),
        adstock_length: count("adstock_length", (1, 104), plain.adstock_length)?,
        noise: section
            .word("noise", &["normal", "student-t"], "normal")?
            .to_owned(),
        holidays,
        country,
        lift_tests: section.text("lift_tests")?,
        budget,
        max_change,
        chains: count("chains", (2, 64), plain.chains)?,
        draws: count("draws", (100, 100_000), plain.draws)?,
        warmup: count("warmup", (100, 100_000), plain.warmup)?,
        held_out: count("held_out", (0, 1000), plain.held_out)?,
        ..plain
    })
}

fn count(section: &Section<'_>, key: &str, (least, most): (usize, usize), default: usize) -> Result<usize> {
    let Some(given) = section.whole(key, 0)? else {
        return Ok(default);
    };
    usize::try_from(given)
        .ok()
        .filter(|own| (least..=most).contains(own))
        .ok_or_else(|| section.refuse(key, &format!("= {given} is outside {least} to {most}")))
}

fn lift_test(section: &Section<'_>, columns: &[String]) -> Result<GivenTest> {
    let needed = |key: &str| section.number(key)?.ok_or_else(|| section.missing(key));
    let channel = section.required_text("channel")?;
    known_name(
        section,
        ("channel", &channel),
        ("column of spend", columns.iter().map(String::as_str)),
    )?;
    let own = GivenTest {
        channel,
        geo: section.text("geo")?,
        spend: needed("spend")?,
        change: needed("change")?,
        lift: needed("lift")?,
        sd: needed("sd")?,
        source: "given".to_owned(),
    };
    match fault(&own) {
        Some(fault) => Err(section.refuse("sd", &format!("cannot be: {fault}"))),
        None => Ok(own),
    }
}

/// `return_prior`: by column of spend what is believed of its return.
fn return_priors(section: &Section<'_>, columns: &[String]) -> Result<Vec<(String, Belief)>> {
    let heading = "[response.return_prior]";
    let Some(all) = section.section("return_prior", "response.return_prior", heading)? else {
        return Ok(Vec::new());
    };
    let mut out = Vec::new();
    for name in all.names() {
        let known = columns.iter().map(String::as_str);
        known_name(&all, (&name, &name), ("column of spend", known))?;
        let place = format!("{heading} {name}");
        let Some(own) = all.section(&name, "response.return_prior.*", &place)? else {
            continue;
        };
        let above = |key: &str| match own.number(key)? {
            None => Err(own.missing(key)),
            Some(number) if number <= 0.0 => Err(own.refuse(key, &format!("= {number} is not above 0"))),
            Some(number) => Ok(number),
        };
        let belief = Belief {
            mean: above("mean")?,
            sd: above("sd")?,
        };
        out.push((name, belief));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    fn workspace(response: &str) -> String {
        format!(
            "[customers]\nsource = \"c.csv\"\nkey = \"id\"\n[outcome]\ncolumn = \"churn\"\n[plan]\nbudget = 10\n\
             [[channel]]\nname = \"email\"\nunit_cost = 1\n[response]\ndata = \"w.csv\"\ntime = \"week\"\noutcome = \"sales\"\n{response}\n"
        )
    }

    #[test]
    fn a_list_is_matched_by_name_and_a_table_says_it() {
        let read = |text: &str| {
            parse("thalweg.toml", &workspace(text), "w")
                .unwrap()
                .response
                .unwrap()
        };
        let list = read("channels = [\"tv\", \"email\"]\nseasonality = \"none\"\ndraws = 200");
        assert_eq!(list.channels, [None, Some("email".to_owned())]);
        assert_eq!(
            (list.settings.draws, list.settings.warmup, list.in_value),
            (200, 1000, false)
        );
        assert_eq!(list.settings.seasonality, ["none"]);
        let table = read("outcome_unit = \"value\"\n[response.channels]\nmails = \"email\"\ntv = \"\"");
        assert_eq!(table.settings.channels, ["mails", "tv"]);
        assert_eq!(table.channels, [Some("email".to_owned()), None]);
        assert!(table.in_value);
    }

    #[test]
    fn experiments_and_beliefs_are_read() {
        let text = "channels = [\"tv\"]\nreturn_prior = { tv = { mean = 2, sd = 1.5 } }\n\
                    [[response.lift_test]]\nchannel = \"tv\"\nspend = 0\nchange = 10\nlift = 5\nsd = 1\n";
        let own = parse("thalweg.toml", &workspace(text), "w")
            .unwrap()
            .response
            .unwrap();
        assert_eq!(own.settings.given_tests[0].source, "given");
        assert!((own.settings.given_tests[0].change - 10.0).abs() < 1e-12);
        assert_eq!(own.settings.return_priors[0].0, "tv");
        assert!((own.settings.return_priors[0].1.sd - 1.5).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_is_refused_in_its_line() {
        let test = "channels = [\"tv\"]\n[[response.lift_test]]\nspend = 0\nchange = 1\nlift = 1\n";
        let cases = [
            (String::new(), "TW0103", "channels"),
            ("channels = []".to_owned(), "TW0104", "names no column"),
            ("channels = { tv = \"mail\" }".to_owned(), "TW0105", "\"mail\""),
            (
                "channels = { a = \"email\", b = \"email\" }".to_owned(),
                "TW0104",
                "two columns",
            ),
            (
                "channels = [\"tv\"]\ndraws = 50".to_owned(),
                "TW0104",
                "outside 100",
            ),
            (
                "channels = [\"tv\"]\nmax_change = 0".to_owned(),
                "TW0104",
                "nothing to choose",
            ),
            (
                "channels = [\"tv\"]\nbudget = -1".to_owned(),
                "TW0104",
                "not above 0",
            ),
            (
                "channels = [\"tv\"]\ncountry = \"DE\"".to_owned(),
                "TW0104",
                "holidays",
            ),
            (
                "channels = [\"tv\"]\nadstok = \"x\"".to_owned(),
                "TW0107",
                "adstok",
            ),
            (
                "channels = [\"tv\"]\nnoise = \"cauchy\"".to_owned(),
                "TW0104",
                "student-t",
            ),
            (format!("{test}channel = \"radio\"\nsd = 1"), "TW0105", "radio"),
            (
                format!("{test}channel = \"tv\"\nsd = 0"),
                "TW0104",
                "no experiment",
            ),
            (
                format!("{test}channel = \"tv\"\nse = 1"),
                "TW0107",
                "[[response.lift_test]]",
            ),
            (
                "channels = [\"tv\"]\nreturn_prior = { tv = { mean = -1, sd = 1 } }".to_owned(),
                "TW0104",
                "not above 0",
            ),
        ];
        for (text, code, words) in cases {
            let error = parse("thalweg.toml", &workspace(&text), "w").unwrap_err();
            assert!(
                error.code == code && error.message.contains(words),
                "{text}: {} {}",
                error.code,
                error.message
            );
            assert!(error.at.is_some_and(|at| at.row.is_some()), "{text}");
        }
    }
}
