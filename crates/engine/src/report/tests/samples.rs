//! Small results to make a page from.

use std::collections::BTreeMap;

use thalweg_domain::OutcomeKind;

use crate::report::facts::Facts;
use crate::report::words::Words;
use crate::wire::{
    BudgetOut, BudgetShareOut, CalibrationBin, CandidateOut, ChannelEffectOut, ChannelOut, CheckOut,
    ConstraintOut, CurvePointOut, DecileOut, DetectableOut, DifferenceOut, DriftOut, EpochOut, EvaluationOut,
    IterateOut, Learned90, LiftEffectOut, LiftOut, MarketOut, MarketRowOut, Mean90, Mean95, Metrics,
    PacingOut, PartnerOut, PilotOut, PilotOutcomeOut, PlanOut, PromotionOut, ReachOut, ResponseChannelOut,
    ResponseOut, RobustChannelOut, RobustOut, ScenarioOut, ScenariosOut, SegmentOut, SegmentsOut,
    StabilityOut, TestOut, TotalOut, TotalValueOut, WhatIfOut,
};

/// A name that would break a page that forgot to escape it.
pub(super) const NASTY: &str = "<script>\"e&mail'";

pub(super) fn plan() -> PlanOut {
    PlanOut {
        plan: "p-1".to_owned(),
        cycle: 2,
        customers: 1000,
        treated: 700,
        holdout: 100,
        explore: 90,
        holdout_share: 0.1,
        explore_share: 0.1,
        spend: 499.0,
        spend_q95: 620.0,
        budget: 500.0,
        expected_value: Mean90 {
            mean: 2000.0,
            ci90: [-150.0, 4150.0],
        },
        upper_bound: 2001.0,
        gap: 0.0005,
        feasible: true,
        conflicts: Vec::new(),
        shortfalls: Vec::new(),
        days: vec![350, 350],
        pacing: vec![PacingOut {
            name: NASTY.to_owned(),
            per_day: Some(70),
            days: vec![66, 65],
        }],
        robust: Some(robust()),
        detectable: DetectableOut {
            total_effect: 3000.0,
            cycles_to_80_power: 3,
        },
        constraints: vec![
            constraint("call capacity", 0.0),
            constraint("budget", 4.5),
            constraint("letters to the north", -1.5),
        ],
        channels: vec![
            channel(NASTY, "expand", 400.0, 1500.0),
            channel("call", "shrink", 99.0, 500.0),
        ],
        model: "m-1".to_owned(),
        data: "t-1".to_owned(),
        config: "c-1".to_owned(),
        seed: 7,
        effects: "mixed".to_owned(),
        partners: vec![partner()],
        what_if: [0.5, 1.0, 2.0]
            .map(|share| WhatIfOut {
                budget: 500.0 * share,
                expected_value: 2100.0 * share.sqrt(),
            })
            .to_vec(),
        segments: segments(),
        market: Some(market()),
        response: None,
    }
}

fn robust() -> RobustOut {
    let channel = |name: &str, planned: usize, survival| RobustChannelOut {
        name: name.to_owned(),
        planned,
        survival,
        planned90: [planned / 2, planned * 3],
    };
    RobustOut {
        mode: "lower".to_owned(),
        risk_aversion: 0.5,
        samples: 200,
        solved_customers: 1000,
        survival: Some(0.63),
        channels: vec![channel(NASTY, 400, Some(0.71)), channel("call", 0, None)],
    }
}

/// Of a channel that is new; a small effect is missed.
pub(super) fn pilot(state: &str) -> PilotOut {
    let outcome = |when: &str, then: &str, probability| PilotOutcomeOut {
        when: when.to_owned(),
        then: then.to_owned(),
        probability,
    };
    PilotOut {
        state: state.to_owned(),
        n: 1200,
        n_for_smallest: 5000,
        measured: 40,
        this_cycle: 60,
        cost: 360.5,
        cycles: 20,
        days: 600.0,
        smallest_profitable_effect: 0.031,
        detectable_effect: Some(0.082),
        chance_to_pay: 0.8,
        worth_per_cycle: 900.0,
        outcomes: vec![
            outcome("its interval is above what pays", "promoted", 0.5),
            outcome("it is likely to pay", "promoted", 0.25),
            outcome("it does not pay", "dropped", 0.25),
        ],
    }
}

fn about(mean: f64) -> Mean95 {
    Mean95 {
        mean,
        ci95: [mean * 0.9, mean * 1.1],
    }
}

fn reach() -> Vec<ReachOut> {
    vec![ReachOut {
        channel: "call".to_owned(),
        share: 0.5,
    }]
}

fn segments() -> SegmentsOut {
    let group = |name: &str, customers: usize, gain: f64| SegmentOut {
        name: name.to_owned(),
        rules: vec![name.to_owned()],
        customers,
        share: 0.001 * f64::from(u32::try_from(customers).unwrap()),
        estimated_on: customers / 2,
        risk: about(0.4),
        value: about(300.0),
        effect: about(0.02),
        expected_gain: about(gain),
        reach: reach(),
        channel: Some("call".to_owned()),
        treated: customers / 2,
        spend: 100.0,
    };
    SegmentsOut {
        explained: 0.62,
        first_split: Some("tenure".to_owned()),
        stability: StabilityOut {
            resamples: 40,
            same_first_split: 0.9,
            near_threshold: 0.8,
            adjusted_rand: 0.71,
        },
        groups: vec![
            group("tenure <= 12 & <b>", 300, 9.0),
            group("tenure > 12", 700, 1.0),
        ],
    }
}

fn market() -> MarketOut {
    let row = |name: &str, pooled: usize, headroom: f64| MarketRowOut {
        name: name.to_owned(),
        pooled,
        customers: 500,
        share: 0.5,
        risk: about(0.3),
        at_stake: about(30_000.0),
        reach: reach(),
        contacts: 250,
        spend: 200.0,
        expected_gain: about(1000.0),
        headroom: about(headroom),
    };
    MarketOut {
        column: "region".to_owned(),
        rows: vec![row("north", 1, 4321.0), row("other (3 small groups)", 3, 10.0)],
    }
}

pub(super) fn constraint(name: &str, shadow_price: f64) -> ConstraintOut {
    ConstraintOut {
        name: name.to_owned(),
        sense: if shadow_price < 0.0 { "at_least" } else { "at_most" }.to_owned(),
        limit: 500.0,
        used: 499.0,
        shadow_price,
    }
}

pub(super) fn channel(name: &str, verdict: &str, spend: f64, expected_value: f64) -> ChannelOut {
    ChannelOut {
        name: name.to_owned(),
        verdict: verdict.to_owned(),
        reason: format!("{name} earns {expected_value}"),
        customers: 350,
        spend,
        unit_cost: 1.0,
        expected_value,
        marginal_return: 5.0,
        effect: ChannelEffectOut {
            mean: 0.1,
            ci90: [0.02, 0.18],
            source: "assumed".to_owned(),
            borrowed_from: Vec::new(),
        },
        pilot: None,
    }
}

pub(super) fn metrics() -> Metrics {
    let one = |mean: f64| Mean95 {
        mean,
        ci95: [mean - 0.01, mean + 0.01],
    };
    BTreeMap::from([
        ("auc".to_owned(), one(0.8)),
        ("calibration_error".to_owned(), one(0.03)),
    ])
}

pub(super) fn evaluation() -> EvaluationOut {
    EvaluationOut {
        model: "m-1".to_owned(),
        learner: "mlp".to_owned(),
        rows: 900,
        positive_rate: 0.25,
        protocol: "stratified 5-fold, seed 7".to_owned(),
        metrics: metrics(),
        test: TestOut {
            rows: 180,
            metrics: metrics(),
        },
        history: [(1, 0.7, 0.71), (2, 0.6, 0.62), (3, 0.55, 0.63)]
            .map(|(epoch, train_loss, loss)| EpochOut {
                epoch,
                train_loss,
                validation_loss: Some(loss),
            })
            .to_vec(),
        candidates: vec![CandidateOut {
            learner: "mlp".to_owned(),
            metrics: metrics(),
        }],
        checks: vec![check("calibration", "REVIEW")],
        importance: vec![(NASTY.to_owned(), 0.6), ("tenure".to_owned(), 0.4)],
        calibration: vec![
            CalibrationBin {
                predicted: 0.1,
                observed: 0.12,
                n: 600,
            },
            CalibrationBin {
                predicted: 0.6,
                observed: 0.55,
                n: 300,
            },
        ],
        gains: vec![[0.0, 0.0], [0.1, 0.29], [0.5, 0.8], [1.0, 1.0]],
        deciles: vec![DecileOut {
            decile: 1,
            n: 90,
            predicted: 0.7,
            observed: 0.72,
        }],
        task: "binary".to_owned(),
        ..EvaluationOut::default()
    }
}

pub(super) fn check(name: &str, verdict: &str) -> CheckOut {
    CheckOut {
        name: name.to_owned(),
        verdict: verdict.to_owned(),
        detail: format!("{name} was seen"),
        advice: Some(format!("mend {name}")),
        code: Some("TW0412".to_owned()),
    }
}

pub(super) fn lift(channel: &str, mean: f64, half: f64) -> LiftOut {
    LiftOut {
        channel: channel.to_owned(),
        offer: Some("gift".to_owned()),
        treated: 300,
        control: 60,
        effect: LiftEffectOut {
            mean,
            ci95: [mean - half, mean + half],
            always_valid_ci95: Some([mean - 3.0 * half, mean + 3.0 * half]),
            method: "difference, robust t".to_owned(),
        },
        shrunk: Mean90 {
            mean: 4.0 * mean,
            ci90: [4.0 * (mean - half), 4.0 * (mean + half)],
        },
        assumed: 0.1,
        incremental_value: Mean95 {
            mean: 900.0,
            ci95: [-50.0, 1850.0],
        },
    }
}

pub(super) fn proof() -> IterateOut {
    IterateOut {
        cycle: 1,
        mature: 1000,
        immature: 0,
        lift: vec![
            lift(NASTY, 0.05, 0.02),
            lift("call", -0.06, 0.03),
            lift("sms", 0.01, 0.04),
        ],
        total: TotalOut {
            incremental_value: TotalValueOut {
                mean: 5000.0,
                ci95: [1000.0, 9000.0],
                always_valid_ci95: None,
            },
            spend: 480.0,
            treated: 900,
            holdout: 100,
        },
        checks: vec![check("sample_ratio", "PASS")],
        drift: vec![DriftOut {
            column: NASTY.to_owned(),
            psi: 0.04,
            verdict: "PASS".to_owned(),
        }],
        promotion: PromotionOut {
            champion: "m-1".to_owned(),
            challenger: None,
            decision: "keep".to_owned(),
            reason: "better".to_owned(),
        },
        closed: true,
    }
}

pub(super) fn facts() -> Facts {
    Facts {
        name: NASTY.to_owned(),
        currency: "USD".to_owned(),
        words: Words::of(OutcomeKind::Churn),
        as_of: "2026-11-24T00:00:00Z".to_owned(),
        event: NASTY.to_owned(),
        plan: plan(),
        made_at: "2026-11-20T00:00:00Z".to_owned(),
        delivered_at: None,
        outcomes_until: "2026-12-20T00:00:00Z".to_owned(),
        table: None,
        evaluation: Some(evaluation()),
        proof: Some(proof()),
        scenarios: Some(compared()),
    }
}

fn partner() -> PartnerOut {
    PartnerOut {
        name: NASTY.to_owned(),
        used: true,
        volume: 40,
        minimum_volume: 30,
        fixed_fee: 20.0,
        revenue_share: 0.1,
        fee: 20.0,
        revenue_share_paid: 12.5,
        their_earnings: 36.4,
        our_gain: Some(Mean90 {
            mean: 210.0,
            ci90: [-20.0, 440.0],
        }),
        break_even_volume: Some(9),
        reason: format!("used: {NASTY}"),
    }
}

/// The configuration, a scenario that gains, and one that believes in other effects and gains more.
fn compared() -> ScenariosOut {
    let of = |name: &str, difference| ScenarioOut {
        name: name.to_owned(),
        changes: vec![NASTY.to_owned()],
        feasible: true,
        conflicts: Vec::new(),
        customers: 1000,
        treated: 700,
        holdout: 100,
        explore: 90,
        budget: 500.0,
        spend: 499.0,
        spend_q95: 620.0,
        expected_value: Mean90 {
            mean: 2000.0,
            ci90: [-150.0, 4150.0],
        },
        difference,
        upper_bound: 2001.0,
        gap: 0.0005,
        budget_price: 3.0,
        constraints: Vec::new(),
        channels: Vec::new(),
        partners: Vec::new(),
    };
    let difference = |mean: f64, ci90| Some(DifferenceOut { mean, ci90 });
    ScenariosOut {
        cycle: 2,
        currency: "USD".to_owned(),
        model: "m-1".to_owned(),
        data: "t-1".to_owned(),
        config: "c-1".to_owned(),
        seed: 42,
        scenarios: vec![
            of("as configured", None),
            of(NASTY, difference(300.0, Some([-10.0, 610.0]))),
            of("believes more", difference(900.0, None)),
        ],
    }
}

/// Response curves of two channels.
pub(super) fn response() -> ResponseOut {
    let around = |mean: f64| Mean90 {
        mean,
        ci90: [mean * 0.8, mean * 1.2],
    };
    let channel = |name: &str, height: f64| ResponseChannelOut {
        name: name.to_owned(),
        spend: 1000.0,
        contribution: around(height * 40.0),
        returned: around(height / 25.0),
        marginal_return: around(height / 50.0),
        learned: vec![Learned90 {
            parameter: "adstock".to_owned(),
            prior: around(0.4),
            posterior: Mean90 {
                mean: 0.3,
                ci90: [0.28, 0.32],
            },
        }],
        curve: (0..5)
            .map(|step| CurvePointOut {
                spend: 10.0 * f64::from(step),
                outcome: around(height * f64::from(step).sqrt()),
            })
            .collect(),
        ..ResponseChannelOut::default()
    };
    let share = |name: &str, spend: f64| BudgetShareOut {
        name: name.to_owned(),
        spend,
        before: 20.0,
        ci90: Some([spend - 1.0, spend + 1.0]),
    };
    let budget = |change: f64| BudgetOut {
        budget: 40.0 * (1.0 + change),
        change,
        outcome: around(100.0),
        gain: around(5.0 + 100.0 * change),
        channels: vec![share(NASTY, 24.0), share("radio", 16.0)],
    };
    ResponseOut {
        data: "weeks.csv".to_owned(),
        outcome: "sales".to_owned(),
        periods: 60,
        days_per_period: 7,
        from: "2024-01-01".to_owned(),
        to: "2025-02-17".to_owned(),
        verdict: "published".to_owned(),
        channels: vec![channel(NASTY, 60.0), channel("radio", 20.0)],
        optimum: Some(budget(0.0)),
        scenarios: [-0.3, 0.0, 0.3].map(budget).to_vec(),
        ..ResponseOut::default()
    }
}
