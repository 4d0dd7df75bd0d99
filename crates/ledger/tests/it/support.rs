//! Ledgers, plans and decisions to test with.

use std::path::PathBuf;

use tempfile::TempDir;
use thalweg_domain::{ActionId, Arm, CustomerKey, Decision, EligibleAction, Reason, Timestamp};
use thalweg_ledger::{ActionRow, DecisionRow, Ledger, PlanRecord};

/// A ledger in a folder of its own.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) ledger: Ledger,
}

impl Desk {
    /// With cycle 1 open.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(folder.path().join("thalweg.db")).expect("a ledger");
        ledger.current_cycle(Timestamp(1_000)).expect("a cycle");
        Self { folder, ledger }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("thalweg.db")
    }

    /// With plan `p-a` of `n` decisions in cycle 1.
    pub(crate) fn planned(n: usize) -> Self {
        let desk = Self::new();
        let plan = plan("p-a", 1);
        desk.ledger
            .insert_plan(&plan, &decisions(&plan, n))
            .expect("a plan");
        desk
    }
}

pub(crate) fn key(text: &str) -> CustomerKey {
    CustomerKey::new(text).expect("a key")
}

pub(crate) fn plan(plan_id: &str, cycle: u32) -> PlanRecord {
    let offers = [None, Some("discount-10"), Some("gift")];
    let channels = ["email", "sms", "push", "call", "letter", "partner"];
    let actions = channels.iter().flat_map(|channel| {
        offers.map(|offer| ActionRow {
            channel: (*channel).to_owned(),
            offer: offer.map(str::to_owned),
        })
    });
    PlanRecord {
        plan_id: plan_id.to_owned(),
        cycle,
        created_at: Timestamp(2_000),
        fingerprint: format!("f-{plan_id}"),
        config_hash: "c-1".to_owned(),
        data_hash: "t-1".to_owned(),
        model_hash: "m-1".to_owned(),
        seed: u64::MAX,
        actions: actions.take(16).collect(),
        summary: r#"{"spend":1.5}"#.to_owned(),
    }
}

/// Decisions with *none* and 16 actions each, numbers that need all their digits, every arm.
pub(crate) fn decisions(plan: &PlanRecord, n: usize) -> Vec<DecisionRow> {
    (0..n)
        .map(|row| DecisionRow::of(plan, &decision(row), Some(key(&format!("home-{}", row / 2)))))
        .collect()
}

fn decision(row: usize) -> Decision {
    let noise = |i: usize| ((row * 31 + i * 17) as f64 + 0.5).sin().abs();
    let entry = |i: usize, action: Option<ActionId>| EligibleAction {
        action,
        propensity: noise(i) / 17.0,
        explore_probability: noise(i + 1) / 17.0,
        expected_value: noise(i + 2) * 40.0 - 10.0,
        effect: noise(i + 3) / 10.0,
        effect_sd: noise(i + 4) / 10.0,
        cost: noise(i + 5) * 5.0,
        acceptance: if i.is_multiple_of(3) { 0.0 } else { noise(i + 6) },
    };
    let actions = (0..16_u16).map(|index| entry(usize::from(index) + 1, Some(ActionId(index))));
    let arm = match row % 3 {
        0 => Arm::Holdout,
        1 => Arm::Exploit,
        _ => Arm::Explore,
    };
    Decision {
        row,
        customer: key(&format!("c-{row:05}")),
        arm,
        intended: Some(ActionId(4)),
        action: (arm != Arm::Holdout).then_some(ActionId(4)),
        repaired: row.is_multiple_of(7),
        eligible: std::iter::once(entry(0, None)).chain(actions).collect(),
        propensity: 0.9,
        risk: noise(8),
        value: 840.0,
        binding: row.is_multiple_of(2).then(|| "budget".to_owned()),
        reasons: vec![Reason {
            feature: "tenure".to_owned(),
            value: "1".to_owned(),
            contribution: noise(9),
        }],
        day: (!row.is_multiple_of(4)).then_some(u16::try_from(row % 4).expect("small")),
        survival: row.is_multiple_of(2).then(|| noise(10)),
    }
}

/// Runs SQL on the file behind the ledger's back; the error is SQLite's message.
pub(crate) fn sql(path: &std::path::Path, statement: &'static str) -> Result<(), String> {
    use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            .connect()
            .await
            .expect("connected");
        let done = sqlx::raw_sql(statement)
            .execute(&mut connection)
            .await
            .map(|_| ())
            .map_err(|e| e.to_string());
        connection.close().await.expect("closed");
        done
    })
}
