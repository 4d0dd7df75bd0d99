//! `show`: one model, plan, decision, channel or run, as JSON and as lines for people.

use serde_json::{Value, json};
use thalweg_domain::{Arm, CustomerKey, Error, OutcomeKind, Result, Stage};
use thalweg_ledger::{ActionRow, DecisionRow, HELD_BACK, PlanRow, StageRecord};

use crate::clock::format_time;
use crate::session::{Session, line_of};
use crate::stages::deliver::state_of;
use crate::wire::{ChannelOut, IterateOut, PlanOut, TrainOut};

/// What is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Everything, with stable keys.
    pub json: Value,
    /// The first line.
    pub title: String,
    /// Label and text of every further line.
    pub lines: Vec<(String, String)>,
}

fn line(label: &str, text: impl Into<String>) -> (String, String) {
    (label.to_owned(), text.into())
}

fn nothing(what: &str, id: &str) -> Error {
    Error::new("TW0113", format!("there is no {what} \"{id}\""))
        .hint("thalweg status names the current ones; latest works too")
}

/// A model: its learner, its rows, what tells most, its role.
///
/// # Errors
/// `TW0113` when there is none of that name.
pub fn model(session: &Session, id: &str) -> Result<Shown> {
    let models = session.ledger.models()?;
    let found = if id == "latest" {
        models.last()
    } else {
        models.iter().find(|row| row.model.model_hash == id)
    };
    let row = found.ok_or_else(|| nothing("model", id))?;
    let out: TrainOut = parse(&row.model.payload)?;
    let telling: Vec<String> = out
        .importance
        .iter()
        .take(8)
        .map(|(name, share)| format!("{name} {:.0} %", share * 100.0))
        .collect();
    Ok(Shown {
        title: format!("{} · {} · {}", out.model, out.learner, row.role.as_str()),
        lines: vec![
            line("trained in cycle", row.model.cycle.to_string()),
            line("at", format_time(row.model.recorded_at)),
            line(
                "rows",
                format!(
                    "{} ({} from earlier decisions)",
                    out.rows, out.rows_from_decisions
                ),
            ),
            line("what tells most", telling.join(", ")),
            line(
                "file",
                session
                    .workspace
                    .artifact("models", &out.model, "json")
                    .display()
                    .to_string(),
            ),
        ],
        json: json!({
            "model": out.model,
            "learner": out.learner,
            "role": row.role.as_str(),
            "cycle": row.model.cycle,
            "recorded_at": format_time(row.model.recorded_at),
            "rows": out.rows,
            "rows_from_decisions": out.rows_from_decisions,
            "importance": out.importance,
        }),
    })
}

/// A plan: its summary and its fate.
///
/// # Errors
/// `TW0113` when there is none of that name.
pub fn plan(session: &Session, id: &str) -> Result<Shown> {
    let row = find_plan(session, id)?;
    let out: PlanOut = parse(&row.plan.summary)?;
    let delivered = row.delivered_at.map_or_else(
        || "not delivered".to_owned(),
        |at| format!("delivered {}", format_time(at)),
    );
    let mut lines = vec![
        line("made", format_time(row.plan.created_at)),
        line(
            "customers",
            format!(
                "{} ({} treated, {} held out, {} randomised)",
                out.customers, out.treated, out.holdout, out.explore
            ),
        ),
        line(
            "spend",
            format!(
                "{:.2} of {:.2} (95 %: below {:.2})",
                out.spend, out.budget, out.spend_q95
            ),
        ),
        line(
            "expected gain",
            format!(
                "{:.0} (90 %: {:.0} to {:.0})",
                out.expected_value.mean, out.expected_value.ci90[0], out.expected_value.ci90[1]
            ),
        ),
        line("gap", format!("{:.4} % of the best possible", out.gap * 100.0)),
    ];
    for constraint in &out.constraints {
        lines.push(line(
            &constraint.name,
            match constraint.sense.as_str() {
                "at_least" => format!(
                    "{:.2} of at least {:.2}, one fewer required earns {:.2}",
                    constraint.used, constraint.limit, -constraint.shadow_price
                ),
                _ => format!(
                    "{:.2} of {:.2}, one more earns {:.2}",
                    constraint.used, constraint.limit, constraint.shadow_price
                ),
            },
        ));
    }
    lines.push(line(
        "made from",
        format!(
            "{} · {} · {} · seed {}",
            out.data, out.model, out.config, out.seed
        ),
    ));
    let mut json = value_of(&out)?;
    if let Some(object) = json.as_object_mut() {
        object.insert("state".to_owned(), json!(row.state.as_str()));
        object.insert("created_at".to_owned(), json!(format_time(row.plan.created_at)));
        object.insert(
            "delivered_at".to_owned(),
            json!(row.delivered_at.map(format_time)),
        );
    }
    Ok(Shown {
        title: format!(
            "{} · cycle {} · {} · {delivered}",
            out.plan,
            out.cycle,
            row.state.as_str()
        ),
        lines,
        json,
    })
}

fn find_plan(session: &Session, id: &str) -> Result<PlanRow> {
    let plans = session.ledger.plans()?;
    let found = if id == "latest" {
        plans.into_iter().next_back()
    } else {
        plans.into_iter().find(|row| row.plan.plan_id == id)
    };
    found.ok_or_else(|| nothing("plan", id))
}

/// A customer's latest decision, or the decision of that id: what was done, why, and why not something else.
///
/// # Errors
/// `TW0113` when there is none.
pub fn decision(session: &Session, id: &str) -> Result<Shown> {
    let by_id = session.ledger.decision(id)?;
    let found = match by_id {
        Some(decision) => Some(decision),
        None => latest_of(session, id)?,
    };
    let decision = found.ok_or_else(|| nothing("decision or customer", id))?;
    let plan = find_plan(session, &decision.plan_id)?;
    let labels: Vec<String> = plan.plan.actions.iter().map(ActionRow::label).collect();
    let currency = &session.workspace.config.currency;
    Ok(Shown {
        title: format!(
            "{} · cycle {} · plan {} · {}",
            decision.customer.reveal(),
            decision.cycle,
            decision.plan_id,
            decision.arm.as_str()
        ),
        lines: decision_lines(session, &decision, &labels, currency)?,
        json: decision_json(session, &decision, &labels)?,
    })
}

fn latest_of(session: &Session, key: &str) -> Result<Option<DecisionRow>> {
    let Ok(key) = CustomerKey::new(key) else {
        return Ok(None);
    };
    let own = session.ledger.decisions_for_customer(&key)?;
    for decision in own.iter().rev() {
        let active = session.ledger.active_plan(decision.cycle)?;
        if active.is_some_and(|plan| plan.plan.plan_id == decision.plan_id) {
            return Ok(Some(decision.clone()));
        }
    }
    Ok(own.into_iter().next_back())
}

fn decision_lines(
    session: &Session,
    decision: &DecisionRow,
    labels: &[String],
    currency: &str,
) -> Result<Vec<(String, String)>> {
    let reasons: Vec<String> = decision
        .reasons
        .iter()
        .filter(|reason| reason.contribution.abs() >= 0.005)
        .map(|reason| {
            format!(
                "{} {} {:+.0}",
                reason.feature,
                reason.value,
                reason.contribution * 100.0
            )
        })
        .collect();
    let chosen = decision
        .eligible
        .iter()
        .find(|eligible| eligible.action == decision.action_id);
    let worth = chosen.map_or(0.0, |chosen| chosen.expected_value);
    let is_robust = session.workspace.config.plan.robust.is_some();
    let chance = match session.workspace.config.outcome.kind {
        OutcomeKind::Churn => "risk",
        OutcomeKind::Conversion | OutcomeKind::Value => "chance",
    };
    let mut lines = vec![
        line(
            chance,
            format!("{:.0} % ({})", decision.risk * 100.0, reasons.join(", ")),
        ),
        line("worth", format!("{:.2} {currency}", decision.value)),
        line(
            "done",
            format!(
                "{}, probability {:.3}{}",
                decision.action,
                decision.propensity,
                arm_words(decision)
            ),
        ),
    ];
    if decision.intended != decision.action {
        lines.push(line("the plan would do", decision.intended.clone()));
    }
    lines.push(line(
        "why not the others",
        others(decision, labels, (worth, is_robust)),
    ));
    lines.push(line(
        "expected",
        format!(
            "{worth:+.2} {currency} = {:.2} x {:.4} (± {:.4}) - {:.2} expected cost",
            decision.value, decision.effect, decision.effect_sd, decision.cost
        ),
    ));
    if let Some(binding) = &decision.binding {
        lines.push(line("bound by", binding.clone()));
    }
    if let Some(survival) = decision.survival {
        lines.push(line(
            "how sure",
            format!(
                "planned again in {:.0} % of the draws of what is believed about effects",
                100.0 * survival
            ),
        ));
    }
    if let Some(day) = decision.day.filter(|_| decision.action_id.is_some()) {
        lines.push(line("due", format!("on day {day} of the cycle")));
    }
    if let Some(delivery) = state_of(session, decision)? {
        let sent = delivery
            .sent_at
            .map_or_else(String::new, |at| format!(" {}", format_time(at)));
        lines.push(line("delivery", format!("{}{sent}", delivery.state.as_str())));
    } else if let Some(reason) = session.ledger.skip_reason(&decision.decision_id)? {
        lines.push(line("delivery", left_out_words(&reason)));
    }
    lines.push(line(
        "made from",
        format!(
            "{} · {} · {} · seed {}",
            decision.data_hash, decision.model_hash, decision.config_hash, decision.seed
        ),
    ));
    Ok(lines)
}

fn left_out_words(reason: &str) -> String {
    match reason {
        HELD_BACK => {
            "held back: the budget had no room for the contact; a later delivery sends it when it has"
                .to_owned()
        }
        "no_consent" => "left out: the customer has not agreed to the channel".to_owned(),
        "unsubscribed" => "left out: the customer has unsubscribed or complained".to_owned(),
        "frequency" => "left out: contacted too often in the last seven days".to_owned(),
        other => format!("left out: {other}"),
    }
}

fn arm_words(decision: &DecisionRow) -> &'static str {
    match (decision.arm, decision.repaired) {
        (Arm::Holdout, _) => " (held out: never contacted)",
        (Arm::Explore, _) => " (drawn at random, to learn)",
        (Arm::Exploit, true) => " (changed so that a limit holds)",
        (Arm::Exploit, false) => "",
    }
}

fn label_of(labels: &[String], action: Option<thalweg_domain::ActionId>) -> String {
    action
        .and_then(|id| labels.get(usize::from(id.0)).cloned())
        .unwrap_or_else(|| "nothing".to_owned())
}

fn others(decision: &DecisionRow, labels: &[String], (worth, session_is_robust): (f64, bool)) -> String {
    let mut others: Vec<_> = decision
        .eligible
        .iter()
        .filter(|eligible| eligible.action != decision.action_id)
        .collect();
    others.sort_by(|a, b| b.expected_value.total_cmp(&a.expected_value));
    let said: Vec<String> = others
        .iter()
        .take(4)
        .map(|other| {
            let label = label_of(labels, other.action);
            let difference = other.expected_value - worth;
            let (amount, rest) = match (difference > 0.0, decision.arm) {
                (true, Arm::Exploit) => (
                    difference,
                    if session_is_robust {
                        "better on average, but dearer or less sure than the plan takes it"
                    } else {
                        "better, but dearer than it is worth at the plan's prices"
                    },
                ),
                // chance decided here, not prices
                (true, _) => (difference, "better"),
                (false, _) => (-difference, "less"),
            };
            format!("{label}: {amount:.2} {rest}")
        })
        .collect();
    said.join(" · ")
}

fn decision_json(session: &Session, decision: &DecisionRow, labels: &[String]) -> Result<Value> {
    let eligible: Vec<Value> = decision
        .eligible
        .iter()
        .map(|eligible| {
            json!({
                "action": label_of(labels, eligible.action),
                "propensity": eligible.propensity,
                "expected_value": eligible.expected_value,
                "effect": eligible.effect,
                "effect_sd": eligible.effect_sd,
                "cost": eligible.cost,
                "acceptance": eligible.acceptance,
            })
        })
        .collect();
    let reasons: Vec<Value> = decision
        .reasons
        .iter()
        .map(|reason| json!({"feature": reason.feature, "value": reason.value, "contribution": reason.contribution}))
        .collect();
    let delivery = state_of(session, decision)?;
    Ok(json!({
        "decision_id": decision.decision_id,
        "plan_id": decision.plan_id,
        "cycle": decision.cycle,
        "customer_key": decision.customer.reveal(),
        "decided_at": format_time(decision.decided_at),
        "arm": decision.arm.as_str(),
        "intended": decision.intended,
        "action": decision.action,
        "eligible": eligible,
        "propensity": decision.propensity,
        "risk": decision.risk,
        "effect": decision.effect,
        "effect_sd": decision.effect_sd,
        "value": decision.value,
        "cost": decision.cost,
        "repaired": decision.repaired,
        "model_hash": decision.model_hash,
        "config_hash": decision.config_hash,
        "data_hash": decision.data_hash,
        "seed": decision.seed,
        "reasons": reasons,
        "binding": decision.binding,
        "day": decision.day,
        "survival": decision.survival,
        "delivery": delivery.map(|delivery| delivery.state.as_str()),
        "left_out": session.ledger.skip_reason(&decision.decision_id)?,
    }))
}

/// A channel over the cycles: what was planned, delivered and measured.
///
/// # Errors
/// `TW0113` when no plan knows it.
pub fn channel(session: &Session, name: &str) -> Result<Shown> {
    let mut cycles = Vec::new();
    let mut lines = Vec::new();
    for row in session
        .ledger
        .plans()?
        .iter()
        .filter(|row| row.state.as_str() == "active")
    {
        let out: PlanOut = parse(&row.plan.summary)?;
        let Some(channel) = out.channels.iter().find(|channel| channel.name == name) else {
            continue;
        };
        let sent = session
            .ledger
            .sent_counts(out.cycle)?
            .get(name)
            .copied()
            .unwrap_or(0);
        lines.push(line(&format!("cycle {}", out.cycle), channel_line(channel, sent)));
        lines.push(line("", channel.reason.clone()));
        let lift = measured(session, out.cycle, name)?;
        lines.extend(lift.iter().map(|(text, _)| line("  measured", text.clone())));
        let lift: Vec<Value> = lift.into_iter().map(|(_, value)| value).collect();
        cycles.push(json!({"cycle": out.cycle, "plan": out.plan, "sent": sent, "channel": value_of(channel)?, "lift": lift}));
    }
    if cycles.is_empty() {
        return Err(nothing("planned channel", name));
    }
    Ok(Shown {
        title: format!("channel {name}"),
        lines,
        json: json!({"channel": name, "cycles": cycles}),
    })
}

fn channel_line(channel: &ChannelOut, sent: u64) -> String {
    format!(
        "{}: {} customers for {:.2}, expected gain {:.0}, effect {:.1} % ({:.1} to {:.1}, {}), {sent} messages out",
        channel.verdict,
        channel.customers,
        channel.spend,
        channel.expected_value,
        channel.effect.mean * 100.0,
        channel.effect.ci90[0] * 100.0,
        channel.effect.ci90[1] * 100.0,
        channel.effect.source
    )
}

fn measured(session: &Session, cycle: u32, channel: &str) -> Result<Vec<(String, Value)>> {
    let Some(measurement) = session.ledger.measurement(cycle, "iterate")? else {
        return Ok(Vec::new());
    };
    let out: IterateOut = parse(&measurement.payload)?;
    let own = out.lift.iter().filter(|lift| lift.channel == channel);
    own.map(|lift| {
        let text = format!(
            "{}: {:.1} points ({:.1} to {:.1}), {} got it, {} did not",
            lift.offer.as_deref().unwrap_or("plain"),
            lift.effect.mean * 100.0,
            lift.effect.ci95[0] * 100.0,
            lift.effect.ci95[1] * 100.0,
            lift.treated,
            lift.control
        );
        Ok((text, value_of(lift)?))
    })
    .collect()
}

/// What the stages of a cycle did, newest first; `latest` is the open cycle.
///
/// # Errors
/// `TW0113` when there is no such cycle.
pub fn run(session: &Session, id: &str) -> Result<Shown> {
    let cycle = if id == "latest" {
        session.cycle()?
    } else {
        id.parse().map_err(|_| nothing("run of cycle", id))?
    };
    let records: Vec<StageRecord> = session
        .ledger
        .stage_history(10_000)?
        .into_iter()
        .filter(|record| record.cycle == cycle)
        .collect();
    if records.is_empty() {
        return Err(nothing("run of cycle", id));
    }
    let lines = records
        .iter()
        .map(|record| {
            line(
                record.stage.name(),
                format!(
                    "{} · {:.1} s · {}",
                    format_time(record.finished_at),
                    record.seconds,
                    line_of(record)
                ),
            )
        })
        .collect();
    let json: Vec<Value> = records.iter().map(record_json).collect();
    Ok(Shown {
        title: format!("cycle {cycle}: what ran, newest first"),
        lines,
        json: json!({"cycle": cycle, "stages": json}),
    })
}

fn record_json(record: &StageRecord) -> Value {
    json!({
        "stage": record.stage.name(),
        "finished_at": format_time(record.finished_at),
        "seconds": record.seconds,
        "artifact": record.artifact,
        "fingerprint": record.fingerprint,
        "summary": line_of(record),
        "order": Stage::ALL.iter().position(|stage| *stage == record.stage),
    })
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|cause| {
        Error::new(
            "TW0823",
            "a record in the ledger was kept by another version and cannot be read",
        )
        .hint("use the version that made it, or start a new workspace folder")
        .cause(cause)
    })
}

fn value_of(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|cause| Error::new("TW0901", "internal error: a result is not JSON").cause(cause))
}
