//! deliver: who was really reached? Contact policy, templates, then the channel's adapter; each message at most once.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use thalweg_channels::{
    Adapter, Batch, ContactRequest, FieldValue, Fields, FileAdapter, FileConfig, Message, Mode, Receipt,
    Template, admit,
};
use thalweg_collect::Collected;
use thalweg_domain::{Arm, ColumnData, CustomerKey, Duration, Error, Result, Stage, Table};
use thalweg_ledger::{
    DecisionRow, DeliveryPlan, DeliveryRow, DeliveryState, HELD_BACK, NewDelivery, NewSkip, PlanRow,
};

use super::collect;
use crate::clock::start_of_day;
use crate::config::ChannelConfig;
use crate::experience::summary;
use crate::session::{Made, Session, StageKey};
use crate::spend::{self, Prices, Purse};
use crate::wire::{DeliverOut, DeliverSpendOut, DeliveredOut, SkippedOut};

/// Delivers the cycle's plan.
pub(crate) fn deliver(session: &Session, dry_run: bool) -> Result<DeliverOut> {
    let cycle = session.cycle()?;
    let plan = session
        .ledger
        .active_plan(cycle)?
        .ok_or_else(|| no_plan(session, cycle))?;
    let delivery = Delivery::prepare(session, plan, cycle)?;
    let batches = delivery.batches()?;
    // rehearsed before anything goes on record: a template or an outbox that cannot be used leaves the plan as it was
    let mut channels = delivery.hand_over(&batches, Mode::DryRun)?;
    if !dry_run {
        delivery.write_down()?;
        channels = delivery.hand_over(&batches, Mode::Send)?;
    }
    let out = DeliverOut {
        cycle,
        plan: delivery.plan.plan.plan_id.clone(),
        dry_run,
        day: delivery.calendar.days.map(|_| delivery.calendar.today),
        days: delivery.calendar.days,
        waiting: delivery.calendar.waiting,
        spend: delivery.spend(),
        channels,
    };
    if !dry_run {
        record(session, &out)?;
    }
    Ok(out)
}

fn no_plan(session: &Session, cycle: u32) -> Error {
    Error::new("TW0610", format!("cycle {cycle} has no plan to deliver"))
        .hint(format!("make one first: {}", session.suggest("run")))
}

fn record(session: &Session, out: &DeliverOut) -> Result<()> {
    let sent: usize = out.channels.iter().map(|channel| channel.sent).sum();
    let held = match out.spend.held_back {
        0 => String::new(),
        held => format!(", {held} held back by the budget"),
    };
    let line = format!("{sent} messages out{held}");
    session.audit(
        "deliver",
        &format!("cycle {}, plan {}: {line}", out.cycle, out.plan),
    )?;
    let made = Made {
        artifact: out.plan.clone(),
        result: out,
        line,
    };
    session.record_result(
        made,
        &StageKey {
            cycle: out.cycle,
            stage: Stage::Deliver,
            fingerprint: &out.plan,
        },
        0.0,
    )?;
    Ok(())
}

/// Where a plan stands that spreads its contacts over days.
#[derive(Debug, Clone, Copy, Default)]
struct Calendar {
    /// The day, counted from 1 at the first delivery; UTC days.
    today: u16,
    /// The last day that anybody has; `None` when nothing is spread.
    days: Option<u16>,
    /// Contacts whose day has not come.
    waiting: usize,
}

impl Calendar {
    fn new(session: &Session, plan: &PlanRow, decisions: &[DecisionRow]) -> Self {
        let now = session.options.as_of;
        let first = plan.delivered_at.unwrap_or(now);
        let passed = start_of_day(now).0.saturating_sub(start_of_day(first).0) / Duration::days(1).0;
        let today = u16::try_from(passed.max(0)).unwrap_or(u16::MAX).saturating_add(1);
        let due = || decisions.iter().filter(|row| row.action_id.is_some());
        Self {
            today,
            days: due().filter_map(|row| row.day).max(),
            waiting: due().filter(|row| row.day.is_some_and(|day| day > today)).count(),
        }
    }
}

/// A plan on its way out.
struct Delivery<'a> {
    session: &'a Session,
    cycle: u32,
    plan: PlanRow,
    decisions: BTreeMap<String, DecisionRow>,
    table: Rc<Collected>,
    templates: BTreeMap<String, Template>,
    /// Admitted now, for the first time.
    new: Vec<NewDelivery>,
    /// Left out now, for the first time.
    skips: Vec<NewSkip>,
    /// Known from an earlier invocation.
    earlier: Vec<DeliveryRow>,
    calendar: Calendar,
    /// The budget, and what this cycle has spent of it.
    purse: Purse,
    /// How many offers were accepted so far.
    accepted: usize,
}

impl<'a> Delivery<'a> {
    fn prepare(session: &'a Session, plan: PlanRow, cycle: u32) -> Result<Self> {
        let table = collect::load(session, &plan.plan.data_hash)?;
        let decisions = session.decisions(&plan.plan.plan_id)?;
        let earlier = session.ledger.deliveries(cycle)?;
        let mut delivery = Self {
            session,
            cycle,
            templates: templates(session, &table)?,
            table,
            decisions: BTreeMap::new(),
            new: Vec::new(),
            skips: Vec::new(),
            earlier,
            calendar: Calendar::new(session, &plan, &decisions),
            purse: Purse {
                budget: session.workspace.config.plan.budget,
                committed: 0.0,
                realised: 0.0,
            },
            accepted: 0,
            plan,
        };
        let admitted = delivery.screen(&decisions)?;
        delivery.afford(&decisions, &admitted)?;
        delivery.decisions = decisions
            .iter()
            .filter(|row| row.action_id.is_some())
            .map(|row| (row.decision_id.clone(), row.clone()))
            .collect();
        Ok(delivery)
    }

    /// Applies the contact policy to every decision with an action whose day has come; those who may be contacted.
    fn screen<'d>(&mut self, decisions: &'d [DecisionRow]) -> Result<Vec<&'d DecisionRow>> {
        let session = self.session;
        let week_ago = session.options.as_of - Duration::days(7);
        let contacts = session.ledger.contacts_since(week_ago)?;
        let unsubscribed = session.ledger.unsubscribed_keys()?;
        let known: BTreeSet<&str> = self.earlier.iter().map(|row| row.decision_id.as_str()).collect();
        let left_out = session.ledger.skipped(self.cycle)?;
        let first = self.plan.delivered_at.is_none();
        let mut admitted = Vec::new();
        for decision in decisions {
            let Some(channel) = &decision.channel else {
                continue;
            };
            let id = decision.decision_id.as_str();
            let day = decision.day.unwrap_or(1);
            let is_new = match left_out.get(id) {
                Some(reason) => reason == HELD_BACK,
                // who was left out when the day came stays left out
                None => first || day > 1,
            };
            if day > self.calendar.today || !is_new || known.contains(id) {
                continue;
            }
            let request = ContactRequest {
                consent: self.consent(channel, decision),
                unsubscribed: unsubscribed.contains(&decision.customer),
                contacts_in_last_7_days: contacts.get(&decision.customer).copied().unwrap_or(0),
                local_minute: None,
            };
            match admit(&request, &session.workspace.config.contact_policy) {
                Ok(()) => admitted.push(decision),
                Err(reason) => self.skips.push(skip(decision, channel, reason.as_str())),
            }
        }
        Ok(admitted)
    }

    /// Holds back what the budget has no room for: what contacts cost that are out, and offers that were accepted, count
    /// first; then come those who were drawn at random to learn, then the others by expected gain per expected cost.
    fn afford(&mut self, decisions: &[DecisionRow], admitted: &[&DecisionRow]) -> Result<()> {
        let prices = Prices::of(&summary(&self.plan)?);
        self.spent_so_far(&prices, decisions)?;
        let mut order: Vec<&DecisionRow> = admitted.to_vec();
        order.sort_by(|a, b| {
            let learns = |row: &DecisionRow| row.arm != Arm::Explore;
            let by_gain = gain_per_cost(b).total_cmp(&gain_per_cost(a));
            learns(a).cmp(&learns(b)).then(by_gain)
        });
        let affordable: BTreeSet<&str> = order
            .into_iter()
            .filter(|row| self.purse.take(prices.contact(row)))
            .map(|row| row.decision_id.as_str())
            .collect();
        for decision in admitted {
            let Some(channel) = &decision.channel else {
                continue;
            };
            if affordable.contains(decision.decision_id.as_str()) {
                self.new.push(NewDelivery {
                    decision_id: decision.decision_id.clone(),
                    channel: channel.clone(),
                    customer: decision.customer.clone(),
                    offer: decision.offer.clone(),
                });
            } else {
                self.skips.push(skip(decision, channel, HELD_BACK));
            }
        }
        self.purse.committed = self.committed(&prices, decisions);
        Ok(())
    }

    /// Partners' fees, contacts that are out, and offers that were accepted.
    fn spent_so_far(&mut self, prices: &Prices, decisions: &[DecisionRow]) -> Result<()> {
        let accepted = spend::accepted(self.session)?;
        let taken = decisions
            .iter()
            .filter(|row| row.offer.is_some() && accepted.contains(&row.decision_id));
        for decision in taken {
            self.accepted += 1;
            self.purse.realised += prices.offer(decision);
        }
        self.purse.committed = self.committed(prices, decisions);
        Ok(())
    }

    /// Fees and contacts, summed in the order of the plan, whenever they went out.
    fn committed(&self, prices: &Prices, decisions: &[DecisionRow]) -> f64 {
        let earlier = self.earlier.iter().map(|row| row.decision_id.as_str());
        let new = self.new.iter().map(|row| row.decision_id.as_str());
        let out: BTreeSet<&str> = earlier.chain(new).collect();
        let rows = decisions
            .iter()
            .filter(|row| out.contains(row.decision_id.as_str()));
        prices.fees + rows.map(|row| prices.contact(row)).sum::<f64>()
    }

    fn spend(&self) -> DeliverSpendOut {
        DeliverSpendOut {
            budget: self.purse.budget,
            committed: self.purse.committed,
            realised: self.purse.realised,
            accepted: self.accepted,
            held_back: self.skips.iter().filter(|skip| skip.reason == HELD_BACK).count(),
        }
    }

    fn consent(&self, channel: &str, decision: &DecisionRow) -> Option<bool> {
        let config = self
            .session
            .workspace
            .config
            .channels
            .iter()
            .find(|entry| entry.channel.name.as_str() == channel)?;
        let flags = self.table.flags.get(config.consent.as_ref()?)?;
        let row = usize::try_from(decision.row).ok()?;
        Some(flags.get(row).copied().unwrap_or(false))
    }

    /// Writes down what is about to go out, before it does.
    fn write_down(&self) -> Result<()> {
        self.session.ledger.plan_deliveries(&DeliveryPlan {
            plan_id: &self.plan.plan.plan_id,
            at: self.session.options.as_of,
            deliveries: &self.new,
            skips: &self.skips,
        })?;
        Ok(())
    }

    /// Every channel with its messages.
    fn batches(&self) -> Result<Vec<(&'a ChannelConfig, Vec<Message>)>> {
        let channels = self.session.workspace.config.channels.iter();
        channels
            .map(|config| Ok((config, self.messages(config.channel.name.as_str())?)))
            .collect()
    }

    /// Hands every channel its messages.
    fn hand_over(&self, batches: &[(&ChannelConfig, Vec<Message>)], mode: Mode) -> Result<Vec<DeliveredOut>> {
        batches
            .iter()
            .map(|(config, messages)| self.channel(config, messages, mode))
            .collect()
    }

    /// Hands one channel its messages.
    fn channel(&self, config: &ChannelConfig, messages: &[Message], mode: Mode) -> Result<DeliveredOut> {
        let name = config.channel.name.as_str();
        let adapter = adapter(self.session, config)?;
        let receipt = adapter.deliver(
            &Batch {
                cycle: self.cycle,
                channel: name,
                messages,
            },
            mode,
        )?;
        if mode == Mode::Send {
            self.mark(name, &receipt)?;
        }
        let file = receipt.file.as_ref().map(|path| {
            path.strip_prefix(&self.session.workspace.dir)
                .unwrap_or(path)
                .display()
                .to_string()
        });
        Ok(DeliveredOut {
            name: name.to_owned(),
            adapter: adapter.name().to_owned(),
            sent: messages.len() - receipt.failed.len(),
            new: receipt.sent.len(),
            skipped: self.skipped(name, mode)?,
            failed: receipt.failed.len(),
            file,
        })
    }

    fn mark(&self, channel: &str, receipt: &Receipt) -> Result<()> {
        let ids: Vec<&str> = receipt.sent.iter().map(String::as_str).collect();
        self.session
            .ledger
            .mark_sent(channel, &ids, self.session.options.as_of)?;
        for failure in &receipt.failed {
            self.session
                .ledger
                .mark_failed(channel, &[failure.decision_id.as_str()], &failure.detail)?;
        }
        Ok(())
    }

    /// Everything that goes through a channel in this cycle, delivered before or not.
    fn messages(&self, channel: &str) -> Result<Vec<Message>> {
        let earlier = self
            .earlier
            .iter()
            .filter(|row| row.channel == channel)
            .map(|row| (row.decision_id.as_str(), row.state == DeliveryState::Sent));
        let new = self
            .new
            .iter()
            .filter(|row| row.channel == channel)
            .map(|row| (row.decision_id.as_str(), false));
        earlier
            .chain(new)
            .map(|(id, delivered)| self.message(id, delivered))
            .collect()
    }

    fn message(&self, decision_id: &str, delivered: bool) -> Result<Message> {
        let decision = self.decisions.get(decision_id).ok_or_else(|| {
            Error::new(
                "TW0901",
                format!(
                    "internal error: a delivery names decision \"{decision_id}\", which is not in the plan"
                ),
            )
        })?;
        let template = self
            .template_of(decision)
            .and_then(|path| self.templates.get(path));
        let row = usize::try_from(decision.row).unwrap_or(usize::MAX);
        let fields = fields(&self.table.raw, row);
        let (used, text) = match template {
            Some(template) => (template.select(&fields)?, Some(template.render(&fields)?)),
            None => (Fields::new(), None),
        };
        let quiet = self.session.workspace.config.contact_policy.quiet_hours;
        Ok(Message {
            decision_id: decision.decision_id.clone(),
            customer: decision.customer.clone(),
            offer: decision.offer.clone(),
            fields: used,
            text,
            contact_window: quiet.map(thalweg_channels::QuietHours::window),
            day: decision.day,
            delivered,
        })
    }

    fn template_of(&self, decision: &DecisionRow) -> Option<&str> {
        let config = &self.session.workspace.config;
        match &decision.offer {
            Some(offer) => config
                .offers
                .iter()
                .find(|entry| entry.offer.name.as_str() == offer)?
                .template
                .as_deref(),
            None => {
                let channel = decision.channel.as_deref()?;
                config
                    .channels
                    .iter()
                    .find(|entry| entry.channel.name.as_str() == channel)?
                    .template
                    .as_deref()
            }
        }
    }

    /// Left out, by reason, in all invocations of this cycle.
    fn skipped(&self, channel: &str, mode: Mode) -> Result<Vec<SkippedOut>> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for count in self
            .session
            .ledger
            .skip_counts(self.cycle)?
            .iter()
            .filter(|count| count.channel == channel)
            // a dry run looks anew at who is held back
            .filter(|count| mode == Mode::Send || count.reason != HELD_BACK)
        {
            counts.insert(
                count.reason.clone(),
                usize::try_from(count.count).unwrap_or(usize::MAX),
            );
        }
        if mode == Mode::DryRun {
            // not on record yet
            for skip in self.skips.iter().filter(|skip| skip.channel == channel) {
                *counts.entry(skip.reason.clone()).or_default() += 1;
            }
        }
        Ok(counts
            .into_iter()
            .map(|(reason, count)| SkippedOut { reason, count })
            .collect())
    }
}

fn skip(decision: &DecisionRow, channel: &str, reason: &str) -> NewSkip {
    NewSkip {
        decision_id: decision.decision_id.clone(),
        channel: channel.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Expected gain of a decision per unit of its expected cost.
fn gain_per_cost(decision: &DecisionRow) -> f64 {
    let mut eligible = decision.eligible.iter();
    let chosen = eligible.find(|own| own.action == decision.action_id);
    let gain = chosen.map_or(0.0, |own| own.expected_value);
    if decision.cost > 0.0 {
        gain / decision.cost
    } else {
        f64::INFINITY
    }
}

/// The adapter that the configuration names; only known names get past reading it.
fn adapter(session: &Session, config: &ChannelConfig) -> Result<Box<dyn Adapter>> {
    match config.adapter.as_str() {
        "file" => Ok(Box::new(FileAdapter::new(FileConfig {
            outbox: session.workspace.dir.join("outbox"),
        }))),
        other => Err(Error::new(
            "TW0901",
            format!("internal error: no adapter \"{other}\""),
        )),
    }
}

/// Every template that the configuration names, read and checked against the table's columns.
fn templates(session: &Session, table: &Collected) -> Result<BTreeMap<String, Template>> {
    let config = &session.workspace.config;
    let named = config
        .channels
        .iter()
        .filter_map(|entry| entry.template.as_ref())
        .chain(config.offers.iter().filter_map(|entry| entry.template.as_ref()));
    let mut templates = BTreeMap::new();
    for name in named {
        let template = Template::read(&session.workspace.dir.join(name))?;
        template.check_fields(table.raw.columns().iter().map(|column| column.name.as_str()))?;
        templates.insert(name.clone(), template);
    }
    Ok(templates)
}

/// A customer's cells as template fields.
fn fields(table: &Table, row: usize) -> Fields {
    table
        .columns()
        .iter()
        .map(|column| {
            let value = match &column.data {
                _ if column.is_missing(row) => FieldValue::Missing,
                ColumnData::Number(cells) => cells
                    .get(row)
                    .map_or(FieldValue::Missing, |cell| FieldValue::Number(*cell)),
                ColumnData::Boolean(cells) => cells
                    .get(row)
                    .copied()
                    .flatten()
                    .map_or(FieldValue::Missing, FieldValue::Boolean),
                ColumnData::Date(cells) => cells
                    .get(row)
                    .copied()
                    .flatten()
                    .map_or(FieldValue::Missing, |micros| {
                        FieldValue::Text(crate::clock::format_time(thalweg_domain::Timestamp(micros)))
                    }),
                ColumnData::Category { .. } | ColumnData::Text(_) => FieldValue::Text(column.cell_text(row)),
            };
            (column.name.clone(), value)
        })
        .collect()
}

/// Whether a customer got a message in this cycle.
pub(crate) fn delivered_count(session: &Session, cycle: u32) -> Result<usize> {
    let sent: u64 = session.ledger.sent_counts(cycle)?.values().sum();
    Ok(usize::try_from(sent).unwrap_or(usize::MAX))
}

/// Decisions that were contacted, by customer key (for `show`).
pub(crate) fn state_of(session: &Session, decision: &DecisionRow) -> Result<Option<DeliveryRow>> {
    let rows = session.ledger.deliveries(decision.cycle)?;
    let key: &CustomerKey = &decision.customer;
    Ok(rows
        .into_iter()
        .find(|row| row.decision_id == decision.decision_id && row.customer == *key))
}
