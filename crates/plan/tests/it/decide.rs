//! The plan of a cycle: limits to the cent, exact propensities, stable hold-out, same bytes.

use thalweg_domain::{
    Action, ActionId, Arm, Belief, Channel, ChannelKind, ChannelName, CustomerKey, Money, Offer, OfferName,
    Seed,
};
use thalweg_plan::allocate::{AllocateParams, Sense};
use thalweg_plan::decide::{
    Candidate, Customer, DecideParams, InformedInput, Limits, Menu, PlanInput, PlanResult,
    allocate_with_limits, decide,
};

/// A business of a given size, owned.
pub(crate) struct Business {
    pub(crate) customers: Vec<Customer>,
    pub(crate) offsets: Vec<usize>,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) actions: Vec<Action>,
    pub(crate) limits: Limits,
}

fn channel(name: &str, unit_cost: f64, capacity: Option<u64>, budget: Option<f64>) -> Channel {
    Channel {
        name: ChannelName::new(name).unwrap(),
        kind: ChannelKind::Online,
        unit_cost: Money::new(unit_cost).unwrap(),
        capacity,
        budget: budget.map(|b| Money::new(b).unwrap()),
        plain: true,
        assumed_effect: Belief { mean: 0.05, sd: 0.03 },
    }
}

fn offer(name: &str, cap: Option<u64>) -> Offer {
    Offer {
        name: OfferName::new(name).unwrap(),
        assumed_effect: Belief { mean: 0.1, sd: 0.05 },
        assumed_acceptance: Belief { mean: 0.25, sd: 0.1 },
        cap,
        channels: vec![0, 1, 2],
    }
}

/// Four channels, two offers, everything limited; about a tenth of each channel's customers has not consented.
pub(crate) fn business(n: usize, budget: f64) -> Business {
    let part = |share: f64| (share * n as f64) as u64;
    let channels = vec![
        channel("email", 0.02, Some(part(0.4)), None),
        channel("sms", 0.08, Some(part(0.15)), Some(0.05 * n as f64)),
        channel("call", 6.0, Some(part(0.03)), None),
        channel("letter", 1.2, None, Some(0.1 * n as f64)),
    ];
    let offers = vec![offer("discount", Some(part(0.1))), offer("gift", None)];
    let actions = Action::all(&channels, &offers);
    let limits = Limits::new(budget, &channels, &offers);
    let mut business = Business {
        customers: vec![],
        offsets: vec![0],
        candidates: vec![],
        channels,
        offers,
        actions,
        limits,
    };
    (0..n).for_each(|i| business.add(i));
    business
}

pub(crate) fn noise(i: usize, k: usize) -> f64 {
    let x = (i as u64 * 1_000_003 + k as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (((x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)) >> 11) as f64 / 9_007_199_254_740_992.0
}

impl Business {
    fn add(&mut self, i: usize) {
        let (risk, value) = (noise(i, 1).powi(2), 100.0 + 900.0 * noise(i, 2));
        let key = CustomerKey::new(format!("customer-{i}")).unwrap();
        self.customers.push(Customer {
            key,
            cluster: None,
            risk,
            value,
        });
        for (id, action) in (0_u16..).zip(self.actions.clone()) {
            if noise(i, 10 + action.channel) < 0.1 {
                continue;
            }
            let relative = [0.03, 0.05, 0.15, 0.06][action.channel] + action.offer.map_or(0.0, |_| 0.08);
            let effect = risk * relative * (0.5 + noise(i, 20 + usize::from(id)));
            let acceptance = action.offer.map_or(0.0, |_| 0.25);
            let unit = self.channels[action.channel].unit_cost.get();
            let cost = unit
                + acceptance
                    * action
                        .offer
                        .map_or(0.0, |offer| (5.0 + offer as f64) * value / 500.0);
            let expected_value = value * effect - cost;
            self.candidates.push(Candidate {
                action: ActionId(id),
                effect,
                effect_sd: 0.5 * effect,
                expected_value,
                planning_value: expected_value,
                cost,
                acceptance,
            });
        }
        self.offsets.push(self.candidates.len());
    }

    fn menu(&self) -> Menu<'_> {
        Menu {
            actions: &self.actions,
            channels: &self.channels,
            offers: &self.offers,
            limits: &self.limits,
        }
    }

    pub(crate) fn decide(&self, params: &DecideParams) -> PlanResult {
        let input = PlanInput {
            customers: &self.customers,
            offsets: &self.offsets,
            candidates: &self.candidates,
            menu: self.menu(),
            acceptance_sd: &vec![0.1; self.offers.len()],
            partners: &[],
        };
        decide(&input, params).unwrap()
    }
}

pub(crate) fn params(seed: u64) -> DecideParams {
    DecideParams::new(Seed(seed), b"a salt".to_vec())
}

/// Every limit holds over all actions taken, added up independently of the plan.
pub(crate) fn check_limits(business: &Business, plan: &PlanResult) {
    let mut spend = 0.0;
    let mut channels = vec![(0_u64, 0.0); business.channels.len()];
    let mut offers = vec![0_u64; business.offers.len()];
    for decision in &plan.decisions {
        let Some(id) = decision.action else { continue };
        let cost = decision
            .eligible
            .iter()
            .find(|e| e.action == Some(id))
            .unwrap()
            .cost;
        let action = business.actions[usize::from(id.0)];
        spend += cost;
        channels[action.channel].0 += 1;
        channels[action.channel].1 += cost;
        if let Some(offer) = action.offer {
            offers[offer] += 1;
        }
    }
    // One ten-thousandth of a cent: the order of addition here is not the plan's.
    assert!(spend <= business.limits.budget + 1e-6, "{spend}");
    assert!((plan.spend - spend).abs() < 1e-6);
    for ((count, spend), limit) in channels.iter().zip(&business.limits.channels) {
        assert!(
            limit.capacity.is_none_or(|capacity| *count <= capacity),
            "{count} {limit:?}"
        );
        assert!(
            limit.budget.is_none_or(|budget| *spend <= budget + 1e-6),
            "{spend} {limit:?}"
        );
    }
    for (count, cap) in offers.iter().zip(&business.limits.offer_caps) {
        assert!(cap.is_none_or(|cap| *count <= cap));
    }
    for row in &plan.constraints {
        let holds = match row.sense {
            Sense::AtLeast => row.used >= row.limit,
            Sense::AtMost => row.used <= row.limit,
        };
        assert!(holds, "{row:?}");
    }
}

#[test]
fn a_telco_sized_plan_keeps_its_limits_at_a_small_gap() {
    let business = business(7043, 5000.0);
    for seed in 0..5 {
        let plan = business.decide(&params(seed));
        check_limits(&business, &plan);
        assert!(plan.feasible && plan.gap <= 1e-3, "gap {}", plan.gap);
        let share = plan.counts.holdout as f64 / 7043.0;
        assert!((share - 0.1).abs() < 0.01, "{share}");
        let explore = plan.counts.explore as f64;
        assert!(
            (explore - 0.1 * (7043 - plan.counts.holdout) as f64).abs() <= 1.0,
            "{explore}"
        );
        let few = plan.counts.repaired as f64 / plan.counts.treated as f64;
        assert!(few < 0.06, "{few} of the treated were repaired");
        assert_eq!(
            plan.counts.treated,
            plan.decisions.iter().filter(|d| d.action.is_some()).count()
        );
    }
}

#[test]
fn arms_get_what_they_should() {
    let business = business(3000, 2000.0);
    let plan = business.decide(&params(3));
    for decision in &plan.decisions {
        match decision.arm {
            Arm::Holdout => assert_eq!(
                (decision.action, decision.propensity.to_bits()),
                (None, 1.0_f64.to_bits())
            ),
            Arm::Exploit => assert!(decision.action == decision.intended || decision.repaired),
            Arm::Explore => {}
        }
        let total: f64 = decision.eligible.iter().map(|e| e.propensity).sum();
        assert!((total - 1.0).abs() < 1e-12, "propensities add up to {total}");
        if decision.arm != Arm::Holdout {
            assert!(
                decision.eligible.iter().all(|e| e.propensity > 0.0),
                "every eligible action may happen"
            );
            let none = decision.eligible.iter().find(|e| e.action.is_none()).unwrap();
            assert!(none.explore_probability >= 0.5 - 1e-12);
        }
        if let Some(name) = &decision.binding {
            let row = plan.constraints.iter().find(|row| row.name == *name).unwrap();
            assert!(row.shadow_price > 0.0);
        }
    }
    assert!(plan.decisions.iter().any(|decision| decision.binding.is_some()));
}

#[test]
fn the_holdout_is_the_same_in_every_cycle_and_grows_with_its_share() {
    let business = business(2000, 1000.0);
    let arms = |seed, holdout| {
        let plan = business.decide(&DecideParams {
            holdout,
            ..params(seed)
        });
        plan.decisions
            .iter()
            .map(|d| d.arm == Arm::Holdout)
            .collect::<Vec<_>>()
    };
    assert_eq!(arms(1, 0.1), arms(2, 0.1));
    let wider = arms(1, 0.2);
    assert!(
        arms(1, 0.1)
            .iter()
            .zip(&wider)
            .all(|(narrow, wide)| !narrow || *wide)
    );
    let other = business.decide(&DecideParams {
        salt: b"another".to_vec(),
        ..params(1)
    });
    assert!(
        other
            .decisions
            .iter()
            .zip(arms(1, 0.1))
            .any(|(d, held)| (d.arm == Arm::Holdout) != held)
    );
}

#[test]
fn households_share_their_arm() {
    let mut business = business(2000, 1000.0);
    for (i, customer) in business.customers.iter_mut().enumerate() {
        customer.cluster = Some(format!("household-{}", i / 3));
    }
    let plan = business.decide(&params(1));
    for household in plan.decisions.chunks(3) {
        assert!(household.iter().all(|decision| decision.arm == household[0].arm));
    }
    let share = plan.counts.explore as f64 / (2000 - plan.counts.holdout) as f64;
    assert!((share - 0.1).abs() < 0.01, "{share}");
}

/// Compares how often something happened with its logged probabilities, cell by cell.
#[derive(Default)]
struct Tally {
    seen: Vec<f64>,
    expected: Vec<f64>,
    variance: Vec<f64>,
}

impl Tally {
    fn new(cells: usize) -> Self {
        Self {
            seen: vec![0.0; cells],
            expected: vec![0.0; cells],
            variance: vec![0.0; cells],
        }
    }

    fn expect(&mut self, cell: usize, p: f64) {
        self.expected[cell] += p;
        self.variance[cell] += p * (1.0 - p);
    }

    /// No cell off by five standard errors, and their mean square about one.
    fn check(&self, at_least: usize) {
        let cells = self
            .seen
            .iter()
            .zip(&self.expected)
            .zip(&self.variance)
            .filter(|(_, variance)| **variance > 5.0);
        let z: Vec<f64> = cells
            .map(|((seen, expected), variance)| (seen - expected) / variance.sqrt())
            .collect();
        assert!(z.len() >= at_least, "only {} cells", z.len());
        let worst = z.iter().fold(0.0_f64, |worst, z| worst.max(z.abs()));
        let mean_square = z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64;
        assert!(
            worst < 5.0,
            "a frequency is {worst} standard errors from its probability"
        );
        assert!((mean_square - 1.0).abs() < 0.25, "mean squared z {mean_square}");
    }
}

#[test]
fn draws_happen_as_often_as_their_logged_probability() {
    // Limits so small that exploration is scaled down, so large that no draw is ever taken back.
    let mut business = business(300, 400.0);
    business.limits.channels[0].capacity = Some(60);
    business.limits.channels[2].capacity = Some(20);
    let n_actions = business.actions.len() + 1;
    let slot =
        |row: usize, action: Option<ActionId>| row * n_actions + action.map_or(0, |a| 1 + usize::from(a.0));
    let mut tally = Tally::new(300 * n_actions);
    for seed in 0..1000 {
        let plan = business.decide(&params(seed));
        for decision in plan.decisions.iter().filter(|d| d.arm != Arm::Holdout) {
            if decision.arm == Arm::Explore {
                assert!(!decision.repaired, "a draw was taken back");
                tally.seen[slot(decision.row, decision.action)] += 1.0;
            }
            for e in &decision.eligible {
                tally.expect(slot(decision.row, e.action), 0.1 * e.explore_probability);
            }
        }
    }
    tally.check(500);
}

#[test]
fn actions_happen_as_often_as_their_logged_propensity() {
    // What the policy assigns: the draw, or what is intended, before any repair. Customers are many, so that who
    // explores does not move what is intended.
    let business = business(4000, 3000.0);
    let n_actions = business.actions.len() + 1;
    let mut tally = Tally::new(4000 * n_actions);
    for seed in 0..120 {
        let plan = business.decide(&params(seed));
        for decision in plan.decisions.iter().filter(|d| d.arm != Arm::Holdout) {
            let assigned = if decision.arm == Arm::Explore {
                decision.action
            } else {
                decision.intended
            };
            for (place, e) in decision.eligible.iter().enumerate() {
                let cell = decision.row * n_actions + place;
                tally.expect(cell, e.propensity);
                tally.seen[cell] += f64::from(e.action == assigned);
            }
        }
    }
    tally.check(2000);
}

#[test]
fn threads_do_not_change_a_byte() {
    let business = business(7043, 5000.0);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let plan = pool.install(|| business.decide(&params(9)));
        let keys: Vec<&str> = plan.decisions.iter().map(|d| d.customer.reveal()).collect();
        format!("{plan:?} {keys:?}")
    };
    assert_eq!(with(1), with(2));
}

#[test]
fn nothing_to_spend_and_nobody_to_reach() {
    let mut nobody = business(50, 100.0);
    nobody.candidates.clear();
    nobody.offsets = vec![0; 51];
    let mut empty = business(0, 100.0);
    empty.offsets = vec![0];
    for business in [business(200, 0.0), nobody, empty] {
        let plan = business.decide(&params(1));
        assert!(
            plan.decisions
                .iter()
                .all(|d| d.action.is_none() && d.intended.is_none())
        );
        assert!(
            plan.feasible && plan.gap.abs() < 1e-12 && plan.spend.abs() < 1e-12,
            "{}",
            plan.gap
        );
    }
}

#[test]
fn hard_limits_hold_when_they_are_tiny() {
    for n in [10, 40, 150] {
        for seed in 0..40 {
            let mut business = business(n, 7.0);
            business.limits.channels[0].capacity = Some(1);
            business.limits.offer_caps[1] = Some(1);
            check_limits(&business, &business.decide(&params(seed)));
            let all = DecideParams {
                explore: 1.0,
                ..params(seed)
            };
            check_limits(&business, &business.decide(&all));
        }
    }
}

#[test]
fn the_spend_quantile_covers_chance_and_doubt() {
    // One offer accepted with probability 0.25: the variance by hand.
    let business = business(2000, 3000.0);
    let plan = business.decide(&params(5));
    let (mut chance, mut stake) = (0.0, [0.0; 2]);
    for decision in &plan.decisions {
        let Some(id) = decision.action else { continue };
        let action = business.actions[usize::from(id.0)];
        let Some(offer) = action.offer else { continue };
        let paid = (5.0 + offer as f64) * decision.value / 500.0;
        chance += 0.25 * 0.75 * paid * paid;
        stake[offer] += paid;
    }
    let doubt: f64 = stake.iter().map(|paid| (0.1 * paid).powi(2)).sum();
    let expected = plan.spend + 1.644_853_626_951_472_7 * (chance + doubt).sqrt();
    assert!(
        chance > 0.0 && (plan.spend_q95 - expected).abs() < 1e-6,
        "{} {expected}",
        plan.spend_q95
    );
}

#[test]
fn channels_add_up_and_scarce_ones_return_more() {
    let business = business(7043, 5000.0);
    let plan = business.decide(&params(2));
    let spend: f64 = plan.channels.iter().map(|c| c.spend).sum();
    let customers: usize = plan.channels.iter().map(|c| c.customers).sum();
    assert!((spend - plan.spend).abs() < 1e-6);
    assert_eq!(customers, plan.counts.treated);
    for channel in &plan.channels {
        let name = format!("{} capacity", business.channels[channel.channel].name);
        let scarce = plan
            .constraints
            .iter()
            .any(|row| row.name == name && row.shadow_price > 0.05);
        if scarce {
            assert!(
                channel.marginal_return > plan.budget_price,
                "{name}: {channel:?} {}",
                plan.budget_price
            );
        }
    }
}

#[test]
fn the_informed_plan_beats_the_randomised_one_and_respects_its_mask() {
    let business = business(3000, 2000.0);
    let plan = business.decide(&params(1));
    let mask: Vec<bool> = plan.decisions.iter().map(|d| d.arm != Arm::Holdout).collect();
    let input = InformedInput {
        offsets: &business.offsets,
        candidates: &business.candidates,
        menu: business.menu(),
        contactable: Some(&mask),
    };
    let informed = allocate_with_limits(&input, &AllocateParams::default()).unwrap();
    assert!(informed.allocation.value > plan.expected_value && informed.allocation.gap < 1e-3);
    assert!(
        informed
            .actions
            .iter()
            .zip(&mask)
            .all(|(action, allowed)| *allowed || action.is_none())
    );
    let value: f64 = (0..3000)
        .filter_map(|i| {
            let own = &business.candidates[business.offsets[i]..business.offsets[i + 1]];
            own.iter()
                .find(|c| Some(c.action) == informed.actions[i])
                .map(|c| c.planning_value)
        })
        .sum();
    assert!((value - informed.allocation.value).abs() < 1e-6);
}

#[test]
fn what_cannot_be_planned_is_refused_with_a_code() {
    let business = business(20, 10.0);
    let input = |candidates, limits| PlanInput {
        customers: &business.customers,
        offsets: &business.offsets,
        candidates,
        menu: Menu {
            limits,
            ..business.menu()
        },
        acceptance_sd: &[0.1, 0.1],
        partners: &[],
    };
    let check = |input: PlanInput<'_>, params: DecideParams, code: &str| {
        assert_eq!(decide(&input, &params).unwrap_err().code, code);
    };
    let good = || input(&business.candidates, &business.limits);
    check(
        good(),
        DecideParams {
            max_actions_per_customer: 2,
            ..params(1)
        },
        "TW0503",
    );
    check(
        good(),
        DecideParams {
            holdout: 1.0,
            ..params(1)
        },
        "TW0506",
    );
    check(
        good(),
        DecideParams {
            explore: f64::NAN,
            ..params(1)
        },
        "TW0506",
    );
    let poor = Limits {
        budget: -1.0,
        ..business.limits.clone()
    };
    check(input(&business.candidates, &poor), params(1), "TW0502");
    let mut broken = business.candidates.clone();
    broken[3].cost = f64::NAN;
    check(input(&broken, &business.limits), params(1), "TW0501");
    let mut twice = business.candidates.clone();
    twice[3].action = twice[4].action;
    check(input(&twice, &business.limits), params(1), "TW0501");
}
