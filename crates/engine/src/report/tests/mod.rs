//! The page made from small results: complete, well formed, escaped, without network, with findings that follow the numbers.

mod samples;

use std::sync::Arc;

use thalweg_domain::{OutcomeKind, Timestamp};
use thalweg_ledger::{Measurement, PlanRecord};

use self::samples::{NASTY, check, evaluation, facts, pilot, plan, proof, response};
use super::facts::Facts;
use super::words::{Words, action, amount, grouped, points};
use super::{page, report};
use crate::wire::PlanOut;
use crate::{Options, Session, Silent};

fn shown(facts: &Facts) -> String {
    page(facts).unwrap().replace('\u{a0}', " ")
}

fn expect(page: &str, words: &[&str]) {
    for word in words {
        assert!(page.contains(word), "missing: {word}");
    }
}

#[test]
fn all_five_sections_stand_in_order() {
    let page = shown(&facts());
    let places: Vec<usize> = ["decision", "money", "people", "proof", "trust"]
        .map(|id| {
            page.find(&format!("<section id=\"{id}\""))
                .unwrap_or_else(|| panic!("no section {id}"))
        })
        .to_vec();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn every_chart_says_its_finding_and_has_its_table() {
    let page = shown(&facts());
    let charts: Vec<&str> = page.split("<svg ").skip(1).collect();
    // 5 of money, 3 of people, 3 of proof, the epochs
    assert_eq!(charts.len(), 12);
    for chart in charts {
        let figure = chart.split("</figure>").next().unwrap();
        let (svg, after) = figure.split_once("</svg>").unwrap();
        expect(svg, &["role=\"img\" aria-label=\"", "<title>", "<text "]);
        expect(after, &["<table>", "<caption>", "<tbody>\n<tr>"]);
    }
}

#[test]
fn the_scenario_that_is_a_choice_is_the_finding_and_partners_have_their_sheet() {
    let page = shown(&facts());
    expect(
        &page,
        &[
            "is expected to gain 300 USD more than the configuration as it is",
            "Where a scenario believes in other effects there is no interval.",
            "The partner is worth its terms and earns 36",
        ],
    );
    let mut none = facts();
    none.scenarios = None;
    none.plan.partners.clear();
    let page = shown(&none);
    assert!(!page.contains("Partners and their terms") && !page.contains("Scenarios beside"));
}

/// The part of the page between two texts.
fn part<'a>(page: &'a str, from: &str, until: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("missing: {from}"));
    rest.split_once(until).map_or(rest, |(part, _)| part)
}

#[test]
fn pilots_say_what_they_take_and_what_follows() {
    let mut facts = facts();
    let states = ["running", "proposed", "promoted"];
    let channel = facts.plan.channels[1].clone();
    facts.plan.channels.extend(states.map(|state| {
        let mut own = channel.clone();
        own.name = format!("{state} push");
        own.effect.borrowed_from = vec!["sms".to_owned()];
        own.pilot = Some(pilot(state));
        own
    }));
    let page = shown(&facts);
    let table = part(
        &page,
        "1 pilot runs for 360 USD, 1 pilot is proposed for 360 USD",
        "</table>",
    );
    expect(
        table,
        &[
            "running push",
            "proposed push",
            "1,200 <small>40 measured</small>",
            ">60<",
            ">360.50<",
            ">20<",
            ">600<",
            "3.1 % <small>would take 5,000 contacts</small>",
            ">8.2 %<",
            "75 %: promoted (50 % its interval is above what pays; 25 % it is likely to pay). 25 %: dropped (25 % it does not pay).",
            "What is believed comes from sms.",
        ],
    );
    assert!(
        !table.contains("promoted push"),
        "what is decided is no pilot any more"
    );
    facts.plan.channels.truncate(2);
    assert!(!shown(&facts).contains("Pilots, paid out"));
}

#[test]
fn contacts_are_told_by_day_and_pacing() {
    let page = shown(&facts());
    let figure = part(&page, "<h3>700 contacts over 2 days: 350 a day</h3>", "</figure>");
    expect(
        figure,
        &[
            "65 to 66 of 70 a day",
            "350 a day",
            "&lt;script&gt;&quot;e&amp;mail&#39;, at most 70",
            "<tr><th scope=\"row\">2</th><td class=\"num\">350</td><td class=\"num\">65</td></tr>",
        ],
    );
    let mut at_once = facts();
    at_once.plan.days.clear();
    assert!(!shown(&at_once).contains("Contacts by day"));
}

#[test]
fn how_sure_the_choice_is_is_told_by_channel() {
    let page = shown(&facts());
    let own = part(
        &page,
        "63 % of the actions stay the same when effects are drawn",
        "<h3>",
    );
    expect(
        own,
        &[
            "<td class=\"num\">400</td><td class=\"num\">71 %</td><td class=\"num\">200 to 1,200</td>",
            "nobody meant",
            "less 0.5 standard deviations of it. Effects were drawn 200 times",
        ],
    );
    let mut other = facts();
    if let Some(robust) = &mut other.plan.robust {
        "thompson".clone_into(&mut robust.mode);
        (robust.samples, robust.survival) = (0, None);
    }
    let page = shown(&other);
    let own = part(&page, "How doubt about the effects counts in this plan", "<h3>");
    assert!(
        own.contains("Planned with one draw of the effects, to learn.") && !own.contains("drawn 200 times")
    );
    other.plan.robust = None;
    assert!(!shown(&other).contains("How doubt about the effects"));
}

fn with_response() -> Facts {
    let mut facts = facts();
    facts.plan.response = Some(response());
    facts
}

#[test]
fn response_curves_have_their_section() {
    let page = shown(&with_response());
    assert_eq!(page.matches("<a href=\"#").count(), 7);
    // contributions, two curves, one parameter, the budgets
    let own = page.split("<section id=\"response\"").nth(1).unwrap();
    let own = own.split("</section>").next().unwrap();
    assert_eq!(own.matches("<svg ").count(), 5);
    expect(
        own,
        &[
            "brought 75 % of what the channels brought of sales",
            "One more unit for radio brings 0.40 (90 %: 0.32 to 0.48)",
            "Adstock: the weeks halved what was open for 2 of 2 channels",
            "The best split of 40.00 a week brings 5.00 more (90 %: 4.00 to 6.00)",
            "30 % more budget, split as well as may be, would bring 35.00 more",
        ],
    );
    let mut open = with_response();
    if let Some(own) = &mut open.plan.response {
        "not_identifiable".clone_into(&mut own.verdict);
        own.reasons = vec!["tv and radio move together".to_owned()];
        own.channels.clear();
    }
    let page = shown(&open);
    expect(
        &page,
        &[
            "The weeks cannot tell what the channels brought",
            "Tv and radio move together.",
        ],
    );
    let own = page.split("<section id=\"response\"").nth(1).unwrap();
    assert!(!own.split("</section>").next().unwrap().contains("<svg "));
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let page = shown(&facts());
    for forbidden in ["://", "<script", "src=", "<link", "@import", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let local = page.matches("href=\"#").count();
    assert_eq!((page.matches("href=").count(), local), (6, 6));
}

#[test]
fn words_of_the_user_are_escaped() {
    let page = shown(&with_response());
    assert!(!page.contains(NASTY));
    assert!(page.matches("&lt;script&gt;&quot;e&amp;mail&#39;").count() >= 10);
    // the charts are escaped by plotters
    assert!(page.contains("&lt;script&gt;&quot;e&amp;mail&apos;"));
}

#[test]
fn every_tag_is_closed() {
    let page = shown(&with_response());
    let mut open: Vec<&str> = Vec::new();
    for piece in page.split('<').skip(1) {
        let (tag, _) = piece
            .split_once('>')
            .unwrap_or_else(|| panic!("unclosed: {piece}"));
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "in {tag}");
        } else if !tag.ends_with('/') && !["!DOCTYPE", "meta"].contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn charts_take_their_colours_from_the_style_sheet() {
    let page = shown(&facts());
    for svg in page
        .split("<svg ")
        .skip(1)
        .map(|rest| rest.split("</svg>").next().unwrap())
    {
        for attribute in ["fill=\"#", "stroke=\"#", "font-family"] {
            assert!(!svg.contains(attribute), "{attribute}");
        }
        expect(svg, &["class=\"f-text\"", "class=\"s-grid\""]);
    }
}

#[test]
fn findings_follow_the_numbers() {
    let page = shown(&facts());
    expect(
        &page,
        &[
            "Spend 499.00 of 500.00 USD on 700 of 1,000 customers, 80 % of it through &lt;script&gt;",
            "expect to gain 2,000 USD net of that spend (90 %: −150 to 4,150)",
            "brings 75 % of the expected gain with 80 % of the spend",
            "The budget binds: one more USD would bring 4.50",
            "Twice the budget would bring 41 % more",
            "The riskiest 10 % hold 29 % of all leavers",
            "30 % of the customers, tenure &lt;= 12 &amp; &lt;b&gt;, gain most from contact: 9.00 USD each",
            "Of 40 resamples 90 % split tenure first, 80 % of all where this one does; adjusted Rand index 0.71",
            "By region: most is left to gain in north, 4,321 USD",
            "other (3 small groups) is everything too small for a row",
            "Predictions are off by 3.0 percentage points on average (95 %: 2.0 to 4.0)",
            "The programme has brought 5,000 USD (95 %: 1,000 to 9,000) for 480 spent",
            "With 1 of 3 measured actions fewer customers leave than without them (95 % each); with 1 action more customers leave",
            "Largest correction: call + gift, assumed 10.0 %, now −24.0 % (90 %: −36.0 to −12.0 %)",
            "The net was best at epoch 2 of 3",
            "1 of 1 checks ask for a person to look",
            "mend calibration (thalweg explain TW0412)",
        ],
    );
}

#[test]
fn who_adds_up_to_everyone() {
    expect(
        &shown(&facts()),
        &[
            "<b>700</b> 70.0 %",
            "<b>200</b> 20.0 %",
            "<b>100</b> 10.0 %",
            "<b>90</b> 9.0 %",
        ],
    );
}

#[test]
fn conversion_has_its_own_words() {
    let page = shown(&Facts {
        words: Words::of(OutcomeKind::Conversion),
        ..facts()
    });
    expect(
        &page,
        &[
            "The likeliest 10 % hold 29 % of all buyers",
            "more customers buy than without them",
        ],
    );
    assert!(!page.contains("leave") && !page.contains("riskiest"));
}

#[test]
fn without_a_measurement_it_says_when_there_will_be_one() {
    let page = shown(&Facts {
        proof: None,
        ..facts()
    });
    expect(
        &page,
        &[
            "Nothing has been measured yet",
            "has not been delivered yet",
            "counts until 2026-12-20T00:00:00Z",
        ],
    );
    assert!(!page.contains("The programme has brought"));
}

#[test]
fn a_total_that_cannot_be_measured_is_not_drawn() {
    let mut found = proof();
    found.checks.push(check("holdout", "REVIEW"));
    let page = shown(&Facts {
        proof: Some(found),
        ..facts()
    });
    expect(&page, &["Holdout was seen."]);
    assert!(!page.contains("The programme has brought"));
}

#[test]
fn a_total_that_may_be_nothing_is_not_called_a_success() {
    let mut found = proof();
    found.total.incremental_value.ci95 = [-1000.0, 11_000.0];
    expect(
        &shown(&Facts {
            proof: Some(found),
            ..facts()
        }),
        &["The programme's total cannot be told from zero yet"
            .replace('\'', "&#39;")
            .as_str()],
    );
}

#[test]
fn numbers_that_cannot_be_drawn_do_not_stop_the_page() {
    let mut bare = facts();
    bare.plan.channels.clear();
    bare.plan.constraints.clear();
    bare.plan.what_if.clear();
    bare.plan.treated = 0;
    let mut found = evaluation();
    found.gains.clear();
    found.calibration.clear();
    found.importance.clear();
    found.history.clear();
    bare.evaluation = Some(found);
    expect(
        &shown(&bare),
        &[
            "Contact none of the 1,000 customers",
            "There is no channel",
            "No limit binds",
            "What other budgets would bring was not worked out",
        ],
    );
}

#[test]
fn an_evaluation_of_another_model_is_marked() {
    let mut found = evaluation();
    found.model = "m-2".to_owned();
    let page = shown(&Facts {
        evaluation: Some(found),
        ..facts()
    });
    expect(
        &page,
        &["The plan was made with the model m-1; the figures are those of m-2"],
    );
}

#[test]
fn the_clock_changes_only_what_names_it() {
    let early = page(&facts()).unwrap();
    let late = page(&Facts {
        as_of: "2027-01-01T00:00:00Z".to_owned(),
        ..facts()
    })
    .unwrap();
    assert_ne!(early, late);
    assert_eq!(
        early.replace("2026-11-24T00:00:00Z", "2027-01-01T00:00:00Z"),
        late
    );
}

#[test]
fn numbers_are_grouped() {
    let cases = [
        (1_234_567.891, 2, "1,234,567.89"),
        (-1000.0, 0, "−1,000"),
        (-0.001, 2, "0.00"),
        (999.5, 0, "1,000"),
        (f64::NAN, 1, "n/a"),
    ];
    for (number, decimals, expected) in cases {
        assert_eq!(grouped(number, decimals), expected);
    }
    assert_eq!(
        (amount(99.994), amount(100.4), points(0.0125), points(-0.2)),
        (
            "99.99".to_owned(),
            "100".to_owned(),
            "+1.2".to_owned(),
            "−20.0".to_owned()
        )
    );
    assert_eq!(action("email", Some("gift")), "email + gift");
}

fn workspace() -> (tempfile::TempDir, Session) {
    let dir = tempfile::tempdir().unwrap();
    let config = include_str!("../../../../../examples/telco/thalweg.toml");
    std::fs::write(dir.path().join("thalweg.toml"), config).unwrap();
    let options = Options {
        as_of: Timestamp(0),
        as_of_given: true,
        seed: None,
        again: false,
        progress: Arc::new(Silent),
    };
    let session = Session::open(dir.path(), options).unwrap();
    (dir, session)
}

#[test]
fn a_workspace_without_a_plan_has_nothing_to_report() {
    let (dir, session) = workspace();
    let error = report(&session, None).unwrap_err();
    assert_eq!((error.code, error.exit_code()), ("TW0740", 2));
    assert!(!dir.path().join("report.html").exists());
}

#[test]
fn the_last_closed_cycle_is_told_until_the_open_one_has_a_plan() {
    let (dir, session) = workspace();
    let insert = |cycle: u32, id: &str| {
        let plan = PlanOut {
            plan: id.to_owned(),
            cycle,
            ..plan()
        };
        let summary = serde_json::to_string(&plan).unwrap();
        let record = PlanRecord {
            plan_id: id.to_owned(),
            cycle,
            created_at: Timestamp(0),
            fingerprint: String::new(),
            config_hash: "c-1".to_owned(),
            data_hash: "t-1".to_owned(),
            model_hash: "m-1".to_owned(),
            seed: 7,
            actions: Vec::new(),
            summary,
        };
        session.ledger.insert_plan(&record, &[]).unwrap();
    };
    assert_eq!(session.cycle().unwrap(), 1);
    insert(1, "p-first");
    session.ledger.close_cycle(1, Timestamp(1)).unwrap();
    let payload = serde_json::to_string(&proof()).unwrap();
    session
        .ledger
        .record_measurement(&Measurement {
            cycle: 1,
            kind: "iterate".to_owned(),
            payload,
            measured_at: Timestamp(1),
        })
        .unwrap();
    let path = report(&session, None).unwrap();
    assert_eq!(path, dir.path().join("report.html"));
    let page = std::fs::read_to_string(path).unwrap();
    expect(
        &page,
        &[
            "telco <span>cycle 1</span>",
            "Plan p-first",
            "The evaluation behind this plan is no longer on record",
            "call + gift",
        ],
    );
    insert(2, "p-second");
    let elsewhere = dir.path().join("second.html");
    assert_eq!(report(&session, Some(&elsewhere)).unwrap(), elsewhere);
    let page = std::fs::read_to_string(elsewhere).unwrap();
    expect(
        &page,
        &[
            "telco <span>cycle 2</span>",
            "Plan p-second",
            "Cycle 1 was measured",
        ],
    );
}
