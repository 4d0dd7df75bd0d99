//! The page: one section for each question that a reader has, in the order in which they come up.

use std::fmt::Write;

use super::{CardCheck, CardFairness, CardMetric, CardPrivacy, ModelCard};

pub(super) fn page(card: &ModelCard) -> String {
    let mut page = format!(
        "# Model card: {}\n\nLearner `{}`, task {}, hash `{}`.\n",
        plain(&card.model),
        card.learner,
        card.task,
        card.hash
    );
    section(&mut page, "Intended use", &bullets(&card.intended_use));
    section(&mut page, "Limits", &bullets(&card.limits));
    section(&mut page, "Data", &data(card));
    section(
        &mut page,
        "How it was judged",
        &format!("{}\n", plain(&card.protocol)),
    );
    section(&mut page, "How good it is", &metrics(card));
    section(&mut page, "Probabilities", &calibration(card));
    section(&mut page, "When to act", &threshold(card));
    section(&mut page, "Checks", &checks(&card.checks));
    section(&mut page, "Fairness", &fairness(&card.fairness));
    section(&mut page, "What matters", &importance(card));
    section(&mut page, "Privacy", &privacy(&card.privacy));
    page
}

/// Sections without content are left out.
fn section(page: &mut String, title: &str, content: &str) {
    if !content.is_empty() {
        page.push_str("\n## ");
        page.push_str(title);
        page.push_str("\n\n");
        page.push_str(content);
    }
}

/// Text from data as text: no pipe ends a cell, no line ends a row, nothing becomes markup.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut inside_word = false;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        // an underscore inside a word is no markup
        let joins = inside_word && rest.peek().is_some_and(|next| next.is_alphanumeric());
        match character {
            '\n' | '\r' => plain.push(' '),
            '_' if joins => plain.push('_'),
            '|' | '*' | '_' | '`' | '<' | '[' | ']' | '\\' | '#' => plain.extend(['\\', character]),
            _ => plain.push(character),
        }
        inside_word = character.is_alphanumeric() || (character == '_' && joins);
    }
    plain
}

fn bullets(sentences: &[String]) -> String {
    sentences
        .iter()
        .map(|sentence| format!("- {}\n", plain(sentence)))
        .collect()
}

fn table(titles: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = format!("| {} |\n|{}\n", titles.join(" | "), " --- |".repeat(titles.len()));
    for row in rows {
        table.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    table
}

/// Four significant digits, no minus zero.
fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (3.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn with_doubt(metric: &CardMetric) -> String {
    let [low, high] = metric.ci95;
    format!("{} ({} to {})", number(metric.mean), number(low), number(high))
}

fn data(card: &ModelCard) -> String {
    let data = &card.data;
    let mut text = format!(
        "{} rows of {} customers from {}, hash `{}`. Predicted: {}.",
        data.rows,
        data.customers,
        plain(&data.source),
        data.hash,
        plain(&data.target)
    );
    if let Some(period) = &data.period {
        text.push_str(&format!(" Period: {}.", plain(period)));
    }
    text.push('\n');
    if !data.target_summary.is_empty() {
        let rows = data
            .target_summary
            .iter()
            .map(|(label, figure)| vec![plain(label), number(*figure)]);
        text.push_str(&format!("\n{}", table(&["target", "figure"], rows)));
    }
    if !data.columns.is_empty() {
        let columns: Vec<String> = data
            .columns
            .iter()
            .map(|(name, kind)| format!("{} ({kind})", plain(name)))
            .collect();
        text.push_str(&format!("\nColumns: {}.\n", columns.join(", ")));
    }
    for (name, reason) in &data.excluded {
        text.push_str(&format!("\nLeft out: {}, {}.\n", plain(name), plain(reason)));
    }
    text
}

fn metrics(card: &ModelCard) -> String {
    if card.metrics.is_empty() {
        return String::new();
    }
    let tested = |name: &str| {
        let test = card.test.as_ref()?;
        test.metrics
            .iter()
            .find(|metric| metric.name == name)
            .map(with_doubt)
    };
    let untouched = card
        .test
        .as_ref()
        .map(|test| format!("untouched {} rows", test.rows));
    let mut titles = vec!["metric", "cross-validated", "interval by"];
    if let Some(title) = &untouched {
        titles.insert(2, title);
    }
    let rows = card.metrics.iter().map(|metric| {
        let mut row = vec![plain(&metric.name), with_doubt(metric), metric.method.clone()];
        if untouched.is_some() {
            row.insert(2, tested(&metric.name).unwrap_or_default());
        }
        row
    });
    format!("95 % intervals in brackets.\n\n{}", table(&titles, rows))
}

fn calibration(card: &ModelCard) -> String {
    let Some(calibration) = &card.calibration else {
        return String::new();
    };
    let rows = calibration.bins.iter();
    let rows =
        rows.map(|(predicted, observed, n)| vec![number(*predicted), number(*observed), n.to_string()]);
    format!(
        "Scores become probabilities by `{}`. Out of fold:\n\n{}",
        calibration.method,
        table(&["predicted", "observed", "rows"], rows)
    )
}

fn threshold(card: &ModelCard) -> String {
    let Some(choice) = &card.threshold else {
        return String::new();
    };
    let from = choice.threshold.map_or_else(
        || "Acting never pays".to_owned(),
        |threshold| format!("From a probability of {} on", number(threshold)),
    );
    format!(
        "{from} ({}). Profit per customer {}, out of fold; beyond a threshold of one half {}.\n",
        plain(&choice.rule),
        with_doubt(&choice.profit_per_customer),
        with_doubt(&choice.gain_over_half)
    )
}

fn checks(checks: &[CardCheck]) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let row = |check: &CardCheck| {
        let advice = check.advice.as_deref().unwrap_or_default();
        vec![
            plain(&check.name),
            check.verdict.clone(),
            plain(&check.detail),
            plain(advice),
        ]
    };
    table(
        &["check", "verdict", "what was seen", "advice"],
        checks.iter().map(row),
    )
}

fn fairness(reports: &[CardFairness]) -> String {
    let mut text = String::new();
    for report in reports {
        if !text.is_empty() {
            text.push('\n');
        }
        let check = &report.check;
        let rows = report.groups.iter().map(|group| {
            let ratio = group
                .selection_ratio
                .as_ref()
                .map_or_else(String::new, with_doubt);
            vec![
                plain(&group.level),
                group.n.to_string(),
                with_doubt(&group.selection_rate),
                ratio,
                with_doubt(&group.true_positive_rate),
                with_doubt(&group.false_positive_rate),
                number(group.predicted),
                with_doubt(&group.observed),
            ]
        });
        let titles = [
            "level",
            "rows",
            "selected",
            "ratio",
            "of positives",
            "of negatives",
            "predicted",
            "observed",
        ];
        // writing to a string cannot fail
        let _ = writeln!(
            text,
            "**{}**: {}. Compared with \"{}\".\n",
            check.verdict,
            plain(&check.detail),
            plain(&report.reference)
        );
        text.push_str(&table(&titles, rows));
        if let Some(advice) = &check.advice {
            let _ = writeln!(text, "\nAdvice: {}.", plain(advice));
        }
    }
    text
}

fn importance(card: &ModelCard) -> String {
    if card.importance.is_empty() {
        return String::new();
    }
    let rows = card
        .importance
        .iter()
        .map(|own| vec![plain(&own.feature), with_doubt(&own.importance)]);
    table(&["feature", "importance"], rows)
}

fn privacy(privacy: &CardPrivacy) -> String {
    match privacy {
        CardPrivacy::None => {
            "No protection was asked for: the model may remember single customers. Guard it like the data.\n"
                .to_owned()
        }
        CardPrivacy::Differential {
            epsilon,
            delta,
            accounting,
        } => format!(
            "Trained with differential privacy: epsilon {}, delta {delta:e}. {}.\n",
            number(*epsilon),
            plain(accounting)
        ),
    }
}
