//! Partners with terms against every set of partners and every assignment, on small instances.

use thalweg_domain::{Action, ActionId, Belief, Channel, ChannelKind, ChannelName, CustomerKey, Money, Seed};
use thalweg_plan::decide::{
    Candidate, Customer, DecideParams, Limits, Menu, Obstacle, PartnerPlan, PartnerTerms, PlanInput,
    decide_with_partners,
};

/// A small business: channel 0 is our own, the others are partners'.
struct Small {
    channels: Vec<Channel>,
    actions: Vec<Action>,
    limits: Limits,
    customers: Vec<Customer>,
    offsets: Vec<usize>,
    candidates: Vec<Candidate>,
    partners: Vec<PartnerTerms>,
}

/// A number in [0, 1) from an instance and a place in it.
fn noise(seed: u64, k: u64) -> f64 {
    let x = (seed * 1_000_003 + k).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 32)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 29)) >> 11) as f64 / 9_007_199_254_740_992.0
}

fn whole(seed: u64, k: u64, n: u64) -> u64 {
    (noise(seed, k) * n as f64) as u64
}

fn channel(name: &str, kind: ChannelKind) -> Channel {
    Channel {
        name: ChannelName::new(name.to_owned()).unwrap(),
        kind,
        unit_cost: Money::new(0.0).unwrap(),
        capacity: None,
        budget: None,
        plain: true,
        assumed_effect: Belief { mean: 0.1, sd: 0.1 },
    }
}

impl Small {
    fn new(seed: u64, n_partners: usize, budget: f64) -> Self {
        let mut channels = vec![channel("own", ChannelKind::Online)];
        channels.extend((0..n_partners).map(|p| channel(&format!("partner-{p}"), ChannelKind::Partner)));
        let actions: Vec<Action> = (0..channels.len())
            .map(|channel| Action { channel, offer: None })
            .collect();
        let partners = (1..=n_partners).map(|channel| PartnerTerms {
            channel,
            revenue_share: 0.25 * whole(seed, 40 + channel as u64, 3) as f64,
            fixed_fee: whole(seed, 50 + channel as u64, 12) as f64,
            minimum_volume: whole(seed, 60 + channel as u64, 4),
        });
        let mut small = Self {
            limits: Limits::new(budget, &channels, &[]),
            partners: partners.collect(),
            channels,
            actions,
            customers: Vec::new(),
            offsets: vec![0],
            candidates: Vec::new(),
        };
        (0..3 + whole(seed, 1, 3)).for_each(|customer| small.add(seed, customer));
        small
    }

    fn add(&mut self, seed: u64, customer: u64) {
        self.customers.push(Customer {
            key: CustomerKey::new(format!("c{customer}")).unwrap(),
            cluster: None,
            risk: 0.5,
            value: 100.0,
        });
        for id in 0..self.actions.len() as u64 {
            let at = 100 + 20 * customer + id;
            if noise(seed, 1000 + at) < 0.15 {
                continue;
            }
            // now and then it harms
            let gross = 12.0 * noise(seed, at) - 1.0;
            let partner = self.partners.iter().find(|terms| terms.channel as u64 == id);
            let cost = 3.0 * noise(seed, 2000 + at) + partner.map_or(0.0, |terms| terms.share_of(gross));
            self.candidates.push(Candidate {
                action: ActionId(id as u16),
                effect: gross / 100.0,
                effect_sd: 0.01,
                expected_value: gross - cost,
                planning_value: gross - cost,
                cost,
                acceptance: 0.0,
            });
        }
        self.offsets.push(self.candidates.len());
    }

    fn decide(&self) -> PartnerPlan {
        self.decide_as(&DecideParams {
            holdout: 0.0,
            explore: 0.0,
            target_gap: 0.0,
            ..DecideParams::new(Seed(1), b"salt".to_vec())
        })
    }

    fn decide_as(&self, params: &DecideParams) -> PartnerPlan {
        let input = PlanInput {
            customers: &self.customers,
            offsets: &self.offsets,
            candidates: &self.candidates,
            menu: Menu {
                actions: &self.actions,
                channels: &self.channels,
                offers: &[],
                limits: &self.limits,
            },
            acceptance_sd: &[],
            partners: &self.partners,
        };
        decide_with_partners(&input, params).unwrap()
    }

    fn fees(&self, used: &[bool]) -> f64 {
        let own = self.partners.iter().zip(used).filter(|(_, used)| **used);
        own.map(|(terms, _)| terms.fixed_fee).sum()
    }

    /// The best worth over all sets of partners and all assignments.
    fn best(&self) -> f64 {
        let sets = 1_u32 << self.partners.len();
        let used = |set: u32| (0..self.partners.len()).map(move |p| set & (1 << p) != 0);
        (0..sets)
            .map(|set| self.best_with(&used(set).collect::<Vec<_>>()))
            .fold(f64::NEG_INFINITY, f64::max)
    }

    fn best_with(&self, used: &[bool]) -> f64 {
        let mut contacts = vec![0; self.channels.len()];
        self.assign(0, used, (0.0, self.fees(used)), &mut contacts) - self.fees(used)
    }

    fn assign(
        &self,
        customer: usize,
        used: &[bool],
        (value, spend): (f64, f64),
        contacts: &mut [u64],
    ) -> f64 {
        if customer == self.customers.len() {
            let kept = |(terms, used): (&PartnerTerms, &bool)| {
                let own = contacts[terms.channel];
                if *used {
                    own >= terms.minimum_volume
                } else {
                    own == 0
                }
            };
            let fine = spend <= self.limits.budget && self.partners.iter().zip(used).all(kept);
            return if fine { value } else { f64::NEG_INFINITY };
        }
        let mut best = self.assign(customer + 1, used, (value, spend), contacts);
        for candidate in &self.candidates[self.offsets[customer]..self.offsets[customer + 1]] {
            let channel = self.actions[usize::from(candidate.action.0)].channel;
            contacts[channel] += 1;
            let with = (value + candidate.expected_value, spend + candidate.cost);
            best = best.max(self.assign(customer + 1, used, with, contacts));
            contacts[channel] -= 1;
        }
        best
    }

    /// What the plan is worth, after checking that it keeps every limit and every term.
    fn checked(&self, plan: &PartnerPlan) -> f64 {
        let mut contacts = vec![0; self.channels.len()];
        let (mut value, mut spend) = (0.0, plan.fees);
        for decision in &plan.result.decisions {
            let own = decision
                .eligible
                .iter()
                .find(|own| own.action == decision.action)
                .unwrap();
            value += own.expected_value;
            spend += own.cost;
            if let Some(id) = own.action {
                contacts[self.actions[usize::from(id.0)].channel] += 1;
            }
        }
        assert!(plan.result.feasible, "doing nothing is always possible");
        assert!(
            spend <= self.limits.budget + 1e-9,
            "{spend} of {}",
            self.limits.budget
        );
        let used: Vec<bool> = plan.partners.iter().map(|choice| choice.used).collect();
        assert!((plan.fees - self.fees(&used)).abs() < 1e-12);
        for (terms, used) in self.partners.iter().zip(&used) {
            let own = contacts[terms.channel];
            assert!(
                !used || own >= terms.minimum_volume,
                "{own} of {}",
                terms.minimum_volume
            );
            assert!(
                *used || own == 0,
                "{own} contacts through a partner that is not used"
            );
        }
        value - plan.fees
    }
}

#[test]
fn with_money_enough_the_best_set_and_assignment_are_found() {
    for seed in 0..400 {
        let small = Small::new(seed, 1 + (seed % 2) as usize, 1000.0);
        let (worth, best) = (small.checked(&small.decide()), small.best());
        assert!(
            (worth - best).abs() < 1e-6 * best.abs().max(1.0),
            "instance {seed}: {worth} of {best}"
        );
    }
}

#[test]
fn with_little_money_no_limit_or_minimum_is_broken_and_little_is_lost() {
    let (mut lost, mut all, mut exact) = (0.0, 0.0, 0);
    for seed in 0..400 {
        let budget = 2.0 + 18.0 * noise(seed, 7);
        let small = Small::new(seed, 1 + (seed % 2) as usize, budget);
        let (worth, best) = (small.checked(&small.decide()), small.best());
        assert!(worth <= best + 1e-9, "instance {seed}: {worth} beyond {best}");
        lost += best - worth;
        all += best;
        exact += u32::from(best - worth < 1e-9);
    }
    assert!(lost <= 0.01 * all, "{lost} of {all}");
    assert!(exact >= 360, "{exact} of 400");
}

#[test]
fn many_partners_are_taken_or_dropped_one_by_one() {
    let (mut lost, mut all) = (0.0, 0.0);
    for seed in 0..40 {
        let small = Small::new(seed, 5, 1000.0);
        let plan = small.decide();
        let (worth, best) = (small.checked(&plan), small.best());
        assert!(worth <= best + 1e-9);
        lost += best - worth;
        all += best;
        // no set that differs in one partner is worth more
        for choice in &plan.partners {
            let other = if choice.used {
                &choice.without
            } else {
                &choice.with
            };
            assert!(other.as_ref().is_none_or(|other| other.worth <= worth + 1e-9));
        }
    }
    assert!(lost <= 0.05 * all, "{lost} of {all}");
}

/// Ten customers whom the partner reaches at 2 a head beyond what our own channel gains.
fn fair(fixed_fee: f64, minimum_volume: u64, budget: f64) -> Small {
    let mut small = Small::new(0, 1, budget);
    small.partners[0] = PartnerTerms {
        channel: 1,
        revenue_share: 0.0,
        fixed_fee,
        minimum_volume,
    };
    small.customers.clear();
    small.candidates.clear();
    small.offsets = vec![0];
    for customer in 0..10 {
        small.customers.push(Customer {
            key: CustomerKey::new(format!("c{customer}")).unwrap(),
            cluster: None,
            risk: 0.5,
            value: 100.0,
        });
        for (id, gain) in [(0, 3.0), (1, 5.0)] {
            small.candidates.push(Candidate {
                action: ActionId(id),
                effect: 0.05,
                effect_sd: 0.01,
                expected_value: gain,
                planning_value: gain,
                cost: 1.0,
                acceptance: 0.0,
            });
        }
        small.offsets.push(small.candidates.len());
    }
    small
}

#[test]
fn a_fee_is_paid_exactly_where_it_earns_more() {
    for (fee, used) in [(19.0, true), (20.0, false), (21.0, false)] {
        let plan = fair(fee, 0, 100.0).decide();
        assert_eq!(
            (plan.partners[0].used, plan.fees > 0.0),
            (used, used),
            "fee {fee}"
        );
        let choice = &plan.partners[0];
        let (with, without) = (choice.with.as_ref().unwrap(), choice.without.as_ref().unwrap());
        assert!((with.worth - (50.0 - fee)).abs() < 1e-9 && (without.worth - 30.0).abs() < 1e-9);
        assert_eq!(with.contacts, [0, 10]);
    }
}

#[test]
fn what_stands_in_the_way_of_a_partner_is_named() {
    let obstacle = |fee, minimum, budget| fair(fee, minimum, budget).decide().partners[0].obstacle.clone();
    assert_eq!(obstacle(19.0, 0, 18.0), Some(Obstacle::Fee));
    assert_eq!(obstacle(0.0, 11, 100.0), Some(Obstacle::Reach(10)));
    let Some(Obstacle::Limits(names)) = obstacle(1.0, 8, 5.0) else {
        panic!("five cannot pay for eight contacts");
    };
    assert!(
        names.iter().any(|name| name == "budget") && names.iter().any(|name| name == "partner-0 minimum"),
        "{names:?}"
    );
    assert_eq!(obstacle(1.0, 8, 100.0), None);
}

#[test]
fn the_minimum_holds_with_holdout_and_exploration_and_ties_go_without() {
    for seed in 0..30 {
        let mut small = fair(1.0, 3, 100.0);
        // the partner's contacts bring the same as ours: only the minimum would make anyone go there
        for candidate in small.candidates.iter_mut().filter(|own| own.action.0 == 1) {
            candidate.expected_value = 3.0 + f64::from(u8::from(seed % 2 == 0));
            candidate.planning_value = candidate.expected_value;
        }
        let params = DecideParams {
            holdout: 0.2,
            explore: 0.3,
            ..DecideParams::new(Seed(seed), b"salt".to_vec())
        };
        let plan = small.decide_as(&params);
        small.checked(&plan);
        assert!(seed % 2 == 0 || !plan.partners[0].used);
    }
}
