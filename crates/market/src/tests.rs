//! Checks of the market as a whole, through its public interface.

use thalweg_domain::{Action, ColumnData, Duration, Seed, Table, Timestamp};

use crate::{EventKind, HORIZON_DAYS, Market, MarketEvent, MarketParams};

const START: Timestamp = Timestamp(1_700_000_000_000_000);

fn market(seed: u64) -> Market {
    Market::new(&MarketParams::default(), Seed(seed)).unwrap()
}

fn small(seed: u64) -> Market {
    let params = MarketParams {
        n_customers: 4_000,
        n_history: 2_000,
        ..MarketParams::default()
    };
    Market::new(&params, Seed(seed)).unwrap()
}

fn actions(market: &Market) -> Vec<Action> {
    Action::all(market.channels(), market.offers())
}

fn nothing(market: &Market) -> Vec<Option<Action>> {
    vec![None; market.n_customers()]
}

/// Customer i gets action i modulo the number of actions and none.
fn in_turn(market: &Market) -> Vec<Option<Action>> {
    let actions = actions(market);
    (0..market.n_customers())
        .map(|i| actions.get(i % (actions.len() + 1)).copied())
        .collect()
}

fn in_time(event: &MarketEvent, start: Timestamp) -> bool {
    event.at <= start + Duration::days(i64::from(HORIZON_DAYS))
}

/// Keys of those who left within the horizon, sorted.
fn leavers(events: &[MarketEvent], start: Timestamp) -> Vec<&str> {
    let left = events
        .iter()
        .filter(|event| event.kind == EventKind::Churned && in_time(event, start));
    let mut keys: Vec<&str> = left.map(|event| event.customer.as_str()).collect();
    keys.sort_unstable();
    keys
}

fn acceptors(events: &[MarketEvent]) -> Vec<&str> {
    let accepted = events
        .iter()
        .filter(|event| event.kind == EventKind::OfferAccepted);
    let mut keys: Vec<&str> = accepted.map(|event| event.customer.as_str()).collect();
    keys.sort_unstable();
    keys
}

fn p_alone(market: &Market) -> Vec<f64> {
    (0..market.n_customers())
        .map(|i| market.truth(i, None).unwrap().p_outcome)
        .collect()
}

/// Observed minus expected count of Bernoulli trials, in standard deviations.
fn z_score(trials: &[(f64, bool)]) -> f64 {
    let expected: f64 = trials.iter().map(|(p, _)| p).sum();
    let variance: f64 = trials.iter().map(|(p, _)| p * (1.0 - p)).sum();
    (trials.iter().filter(|(_, happened)| *happened).count() as f64 - expected) / variance.sqrt()
}

/// Per action (none last): the z-scores of leaving and accepting against the truth in one cycle.
fn z_scores_of_a_cycle(market: &mut Market, start: Timestamp) -> Vec<f64> {
    let given = in_turn(market);
    let before = market.clone();
    let events = market.step(&given, start).unwrap();
    let (left, accepted) = (leavers(&events, start), acceptors(&events));
    let mut scores = Vec::new();
    for action in actions(&before).into_iter().map(Some).chain([None]) {
        let (mut leaving, mut accepting) = (Vec::new(), Vec::new());
        for (i, key) in before
            .keys()
            .iter()
            .enumerate()
            .filter(|(i, _)| given[*i] == action)
        {
            let truth = before.truth(i, action).unwrap();
            leaving.push((truth.p_outcome, left.binary_search(&key.as_str()).is_ok()));
            accepting.push((truth.acceptance, accepted.binary_search(&key.as_str()).is_ok()));
        }
        scores.push(z_score(&leaving));
        if action.is_some_and(|action| action.offer.is_some()) {
            scores.push(z_score(&accepting));
        }
    }
    scores
}

/// The quadrature in `truth` and the coin flips in `step` are two computations of the same thing: their
/// z-scores per action are standard normal, also in later cycles, after selection by leaving.
#[test]
fn truth_agrees_with_simulation() {
    let mut scores = Vec::new();
    for seed in 0..10 {
        let mut market = market(seed);
        for cycle in 0..4 {
            scores.extend(z_scores_of_a_cycle(
                &mut market,
                START + Duration::days(30 * cycle),
            ));
        }
    }
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let mean_square = scores.iter().map(|z| z * z).sum::<f64>() / n;
    let worst = scores.iter().fold(0.0_f64, |worst, z| worst.max(z.abs()));
    assert!(scores.len() > 1_000);
    assert!(mean.abs() < 4.0 / n.sqrt(), "mean z {mean:.3} of {n}");
    assert!(
        (mean_square - 1.0).abs() < 4.0 * (2.0 / n).sqrt(),
        "mean square z {mean_square:.3} of {n}"
    );
    assert!(worst < 5.0, "worst z {worst:.2}");
}

/// The effect itself, with common random numbers: leavers left alone minus leavers under one action.
#[test]
fn true_effect_agrees_with_paired_copies() {
    let params = MarketParams {
        n_customers: 60_000,
        ..MarketParams::default()
    };
    let market = Market::new(&params, Seed(2)).unwrap();
    let mut alone = market.clone();
    let quiet = alone.step(&nothing(&market), START).unwrap();
    let quiet = leavers(&quiet, START);
    for action in actions(&market) {
        let truth: f64 = (0..market.n_customers())
            .map(|i| {
                market.truth(i, None).unwrap().p_outcome - market.truth(i, Some(action)).unwrap().p_outcome
            })
            .sum();
        let mut copy = market.clone();
        let loud = copy
            .step(&vec![Some(action); market.n_customers()], START)
            .unwrap();
        let loud = leavers(&loud, START);
        let both = quiet.iter().filter(|key| loud.binary_search(key).is_ok()).count();
        let saved = quiet.len() as f64 - loud.len() as f64;
        // only pairs that differ add variance, at most one each
        let sd = ((quiet.len() + loud.len() - 2 * both) as f64).sqrt();
        assert!(
            (saved - truth).abs() < 4.0 * sd,
            "{saved} saved, {truth:.0} expected, sd {sd:.1}"
        );
    }
}

/// What is done to some does not change the fate, the record or the company of the others.
#[test]
fn copies_share_their_luck() {
    let (mut left_alone, mut acted_on) = (small(5), small(5));
    for cycle in 0..3 {
        let start = START + Duration::days(30 * cycle);
        let treat = |key: &String| key.ends_with(['0', '3', '7']);
        let call = Some(Action {
            channel: 3,
            offer: Some(1),
        });
        let given: Vec<Option<Action>> = acted_on
            .keys()
            .iter()
            .map(|key| if treat(key) { call } else { None })
            .collect();
        let none = nothing(&left_alone);
        let mut quiet = left_alone.step(&none, start).unwrap();
        let mut loud = acted_on.step(&given, start).unwrap();
        quiet.retain(|event| !treat(&event.customer));
        loud.retain(|event| !treat(&event.customer));
        assert_eq!(quiet, loud, "untreated customers do the same in both copies");
    }
    let untreated = |market: &Market| {
        let rows: Vec<usize> = (0..market.n_customers())
            .filter(|i| !market.keys()[*i].ends_with(['0', '3', '7']))
            .collect();
        format!("{:?}", market.customers().unwrap().take(&rows))
    };
    assert_eq!(untreated(&left_alone), untreated(&acted_on));
    assert_ne!(
        left_alone.n_customers(),
        acted_on.n_customers(),
        "the calls changed something"
    );
}

/// At the same luck some are saved by a contact and some driven away: all four kinds exist.
#[test]
fn all_four_kinds_of_customer_exist() {
    let market = market(1);
    let action = Some(Action {
        channel: 3,
        offer: None,
    });
    let (mut alone, mut contacted) = (market.clone(), market.clone());
    let quiet = alone.step(&nothing(&market), START).unwrap();
    let loud = contacted
        .step(&vec![action; market.n_customers()], START)
        .unwrap();
    let (quiet, loud) = (leavers(&quiet, START), leavers(&loud, START));
    let lost_causes = quiet.iter().filter(|key| loud.contains(key)).count();
    let (persuadables, sleeping_dogs) = (quiet.len() - lost_causes, loud.len() - lost_causes);
    let sure_things = market.n_customers() - lost_causes - persuadables - sleeping_dogs;
    assert!(sure_things > market.n_customers() / 2);
    assert!(
        lost_causes > 200 && persuadables > 200 && sleeping_dogs > 50,
        "{lost_causes} {persuadables} {sleeping_dogs}"
    );
}

#[test]
fn contact_drives_some_away_on_every_seed() {
    for seed in 0..20 {
        let market = small(seed);
        let alone = p_alone(&market);
        let mut worst_share = 0.0_f64;
        for action in actions(&market)
            .into_iter()
            .filter(|action| action.offer.is_none())
        {
            let dogs = (0..market.n_customers())
                .filter(|i| market.truth(*i, Some(action)).unwrap().p_outcome > alone[*i] + 0.002);
            worst_share = worst_share.max(dogs.count() as f64 / market.n_customers() as f64);
        }
        assert!(
            worst_share > 0.03,
            "seed {seed}: only {worst_share:.3} are sleeping dogs for any channel"
        );
    }
}

/// Those less likely to leave are likelier to accept: where campaigns lose money.
#[test]
fn sure_things_accept_more() {
    for seed in 0..10 {
        let market = small(seed);
        let alone = p_alone(&market);
        let accepts = |wanted: &dyn Fn(f64) -> bool| {
            let action = Some(Action {
                channel: 3,
                offer: Some(0),
            });
            let rates: Vec<f64> = (0..market.n_customers())
                .filter(|i| wanted(alone[*i]))
                .map(|i| market.truth(i, action).unwrap().acceptance)
                .collect();
            rates.iter().sum::<f64>() / rates.len() as f64
        };
        let (sure, risky) = (accepts(&|p| p < 0.05), accepts(&|p| p > 0.30));
        assert!(
            sure > risky + 0.02,
            "seed {seed}: {sure:.3} of the sure, {risky:.3} of the risky accept"
        );
    }
}

/// Area under the ROC curve that a perfect knowledge of everything observable reaches.
fn attainable_auc(mut p: Vec<f64>) -> f64 {
    p.sort_by(f64::total_cmp);
    let (mut stayed, mut left, mut area) = (0.0, 0.0, 0.0);
    for p in p {
        area += p * (stayed + 0.5 * (1.0 - p));
        stayed += 1.0 - p;
        left += p;
    }
    area / (stayed * left)
}

#[test]
fn churn_and_its_predictability_are_in_range_over_cycles() {
    let mut hostile = 0;
    for seed in 0..20 {
        let mut market = small(seed);
        hostile += u32::from(market.is_hostile());
        for cycle in 0..6 {
            let p = p_alone(&market);
            let rate = p.iter().sum::<f64>() / p.len() as f64;
            assert!(
                (0.08..0.26).contains(&rate),
                "seed {seed}, cycle {cycle}: churn {rate:.3}"
            );
            let auc = attainable_auc(p);
            assert!(
                (0.77..0.88).contains(&auc),
                "seed {seed}, cycle {cycle}: AUC {auc:.3}"
            );
            assert!(
                (3_600..4_400).contains(&market.n_customers()),
                "{} customers",
                market.n_customers()
            );
            let none = nothing(&market);
            market.step(&none, START + Duration::days(30 * cycle)).unwrap();
        }
    }
    assert!((1..=8).contains(&hostile), "{hostile} of 20 seeds are hostile");
}

/// The column that says whether a customer may be reached through the channel.
fn allowed(market: &Market, table: &Table, channel: usize) -> Vec<bool> {
    let Some(name) = market.consent_column(channel) else {
        return vec![true; table.n_rows()];
    };
    let ColumnData::Boolean(cells) = &table.column(name).unwrap().data else {
        panic!("{name} is not boolean")
    };
    cells.iter().map(|cell| *cell == Some(true)).collect()
}

/// What is left of the limits while actions are handed out.
struct Limits {
    budget: f64,
    channels: Vec<u64>,
    offers: Vec<u64>,
}

impl Limits {
    fn of(market: &Market) -> Self {
        Self {
            budget: market.n_customers() as f64,
            channels: market
                .channels()
                .iter()
                .map(|channel| channel.capacity.unwrap_or(u64::MAX))
                .collect(),
            offers: market
                .offers()
                .iter()
                .map(|offer| offer.cap.unwrap_or(u64::MAX))
                .collect(),
        }
    }

    fn take(&mut self, action: Action, cost: f64) -> bool {
        let offer_left = action.offer.is_none_or(|offer| self.offers[offer] > 0);
        if cost > self.budget || self.channels[action.channel] == 0 || !offer_left {
            return false;
        }
        self.budget -= cost;
        self.channels[action.channel] -= 1;
        if let Some(offer) = action.offer {
            self.offers[offer] -= 1;
        }
        true
    }
}

/// Hands out (customer, action, cost) in the order given, one action per customer.
fn hand_out(market: &Market, wanted: impl Iterator<Item = (usize, Action, f64)>) -> Vec<Option<Action>> {
    let table = market.customers().unwrap();
    let allowed: Vec<Vec<bool>> = (0..6).map(|channel| allowed(market, &table, channel)).collect();
    let mut limits = Limits::of(market);
    let mut given = nothing(market);
    for (i, action, cost) in wanted {
        if given[i].is_none() && allowed[action.channel][i] && limits.take(action, cost) {
            given[i] = Some(action);
        }
    }
    given
}

/// Knows the truth: best profit per unit of cost first.
fn by_truth(market: &Market) -> Vec<Option<Action>> {
    let mut wanted = Vec::new();
    for (i, alone) in p_alone(market).into_iter().enumerate() {
        for action in actions(market) {
            let truth = market.truth(i, Some(action)).unwrap();
            let cost = truth.expected_cost();
            let net = market.value(i).unwrap() * (alone - truth.p_outcome) - cost;
            if net > 0.0 {
                wanted.push((net / cost, i, action, cost));
            }
        }
    }
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
    hand_out(
        market,
        wanted.into_iter().map(|(_, i, action, cost)| (i, action, cost)),
    )
}

/// Knows the true risk and nothing else: riskiest first, the action believed best, believed costs.
fn by_risk(market: &Market) -> Vec<Option<Action>> {
    let alone = p_alone(market);
    let mut order: Vec<usize> = (0..alone.len()).collect();
    order.sort_by(|a, b| alone[*b].total_cmp(&alone[*a]));
    let wanted = order.into_iter().flat_map(|i| {
        let mut options: Vec<(f64, Action, f64)> = actions(market)
            .into_iter()
            .map(|action| {
                let (net, cost) = believed(market, i, alone[i], action);
                (net, action, cost)
            })
            .filter(|(net, ..)| *net > 0.0)
            .collect();
        options.sort_by(|a, b| b.0.total_cmp(&a.0));
        options
            .into_iter()
            .map(move |(_, action, cost)| (i, action, cost))
            .collect::<Vec<_>>()
    });
    hand_out(market, wanted)
}

fn believed(market: &Market, i: usize, risk: f64, action: Action) -> (f64, f64) {
    let channel = &market.channels()[action.channel];
    let (effect, acceptance) = action.offer.map_or((0.0, 0.0), |offer| {
        let offer = &market.offers()[offer];
        (offer.assumed_effect.mean, offer.assumed_acceptance.mean)
    });
    let relative = 1.0 - (1.0 - channel.assumed_effect.mean) * (1.0 - effect);
    let cost = channel.unit_cost.get() + acceptance * market.truth(i, Some(action)).unwrap().offer_cost;
    (market.value(i).unwrap() * risk * relative - cost, cost)
}

/// Knowledge of the response pays on every seed, hostile ones included, and more than a risk score.
#[test]
fn knowing_the_response_beats_knowing_the_risk() {
    for seed in 0..12 {
        let params = MarketParams {
            n_customers: 4_000,
            hostile: Some(seed % 3 == 0),
            ..MarketParams::default()
        };
        let market = Market::new(&params, Seed(seed)).unwrap();
        let truth = market.profit(&by_truth(&market)).unwrap();
        let risk = market.profit(&by_risk(&market)).unwrap();
        assert!(
            truth > 0.5 * market.n_customers() as f64,
            "seed {seed}: {truth:.0}"
        );
        assert!(
            risk < 0.8 * truth,
            "seed {seed}: by risk {risk:.0}, by truth {truth:.0}"
        );
    }
}

#[test]
fn hostile_markets_are_worse_for_the_same_beliefs() {
    let profit = |hostile| {
        let of_seed = |seed| {
            let params = MarketParams {
                n_customers: 4_000,
                hostile: Some(hostile),
                ..MarketParams::default()
            };
            let market = Market::new(&params, Seed(seed)).unwrap();
            market.profit(&by_risk(&market)).unwrap()
        };
        (0..5).map(of_seed).sum::<f64>()
    };
    let (friendly, hostile) = (profit(false), profit(true));
    assert!(
        hostile < friendly - 1_000.0,
        "friendly {friendly:.0}, hostile {hostile:.0}"
    );
}

#[test]
fn profit_is_the_sum_of_its_parts() {
    let market = small(8);
    let given = in_turn(&market);
    let by_hand: f64 = (0..market.n_customers())
        .map(|i| {
            let (none, with) = (market.truth(i, None).unwrap(), market.truth(i, given[i]).unwrap());
            market.value(i).unwrap() * (none.p_outcome - with.p_outcome)
                - with.contact_cost
                - with.acceptance * with.offer_cost
        })
        .sum();
    assert!((market.profit(&given).unwrap() - by_hand).abs() < 1e-6);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = |seed| {
        let mut market = small(seed);
        let given = in_turn(&market);
        let events = market.step(&given, START).unwrap();
        format!(
            "{events:?} {:?} {:?}",
            market.history().unwrap(),
            market.customers().unwrap()
        )
    };
    assert_eq!(run(4), run(4));
    assert_ne!(run(4), run(5));
}

/// The events that a feedback file would hold: in order, after the start, leaving last.
#[test]
fn events_are_in_order_and_some_leave_after_the_horizon() {
    let mut market = market(6);
    let given = in_turn(&market);
    let events = market.step(&given, START).unwrap();
    assert!(events.is_sorted_by_key(|event| event.at));
    assert!(events.iter().all(|event| event.at > START));
    let late = events.iter().filter(|event| !in_time(event, START));
    let late: Vec<&MarketEvent> = late.collect();
    assert!(late.len() > 20 && late.len() < 300, "{} leave late", late.len());
    assert!(late.iter().all(|event| event.kind == EventKind::Churned));
    for kind in [
        EventKind::OfferAccepted,
        EventKind::Unsubscribed,
        EventKind::Complained,
    ] {
        let of_kind: Vec<&MarketEvent> = events.iter().filter(|event| event.kind == kind).collect();
        assert!(of_kind.len() > 5, "{} of {kind:?}", of_kind.len());
        assert!(of_kind.iter().all(|event| event.action.is_some()));
    }
    let mut gone = Vec::new();
    for event in &events {
        assert!(!gone.contains(&&event.customer), "an event after leaving");
        if event.kind == EventKind::Churned {
            gone.push(&event.customer);
        }
    }
    assert!(
        gone.iter().all(|key| !market.keys().contains(key)),
        "leavers are gone"
    );
}

#[test]
fn an_objection_withdraws_consent() {
    let mut market = market(7);
    let email = Some(Action {
        channel: 0,
        offer: None,
    });
    let events = market.step(&vec![email; market.n_customers()], START).unwrap();
    let allowed = allowed(&market, &market.customers().unwrap(), 0);
    let objectors = events
        .iter()
        .filter(|event| event.kind == EventKind::Unsubscribed);
    let rows: Vec<usize> = objectors
        .filter_map(|event| market.keys().iter().position(|key| *key == event.customer))
        .collect();
    assert!(rows.len() > 10, "{} object and stay", rows.len());
    assert!(rows.iter().all(|row| !allowed[*row]));
}

/// One row of numbers of the table by name.
fn number(table: &Table, name: &str, row: usize) -> f64 {
    let ColumnData::Number(cells) = &table.column(name).unwrap().data else {
        panic!("{name} is no number")
    };
    cells[row]
}

/// The SQL that a config would name says the same as the truth, to the last bit.
#[test]
fn the_sql_expressions_equal_the_truth() {
    let market = small(9);
    let table = market.customers().unwrap();
    assert_eq!(market.value_sql(), "monthly_fee * 12 * 0.4");
    assert_eq!(market.offer_cost_sql(0), Some("0.10 * monthly_fee * 3"));
    assert_eq!(market.offer_cost_sql(1), Some("15.0"));
    assert_eq!(market.offer_cost_sql(2), Some("8.0 + 0.05 * monthly_fee * 3"));
    assert_eq!(market.offer_cost_sql(3), None);
    for row in 0..table.n_rows() {
        let fee = number(&table, "monthly_fee", row);
        let cost = |offer| {
            market
                .truth(
                    row,
                    Some(Action {
                        channel: 3,
                        offer: Some(offer),
                    }),
                )
                .unwrap()
                .offer_cost
        };
        assert_eq!(market.value(row).unwrap().to_bits(), (fee * 12.0 * 0.4).to_bits());
        assert_eq!(cost(0).to_bits(), (0.10 * fee * 3.0).to_bits());
        assert_eq!(cost(1).to_bits(), 15.0_f64.to_bits());
        assert_eq!(cost(2).to_bits(), (8.0 + 0.05 * fee * 3.0).to_bits());
    }
}

#[test]
fn tables_have_keys_gaps_and_an_outcome_where_it_is_known() {
    let market = small(10);
    let (history, now, all) = (
        market.history().unwrap(),
        market.customers().unwrap(),
        market.snapshot().unwrap(),
    );
    assert_eq!(
        (history.n_rows(), now.n_rows(), all.n_rows()),
        (2_000, 4_000, 6_000)
    );
    assert!(now.column("churn").is_none());
    let names = |table: &Table| {
        table
            .columns()
            .iter()
            .map(|column| column.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&history), names(&all));
    assert_eq!(names(&all)[..20], names(&now)[..]);
    assert_eq!(all.column("churn").unwrap().n_missing(), 4_000);
    assert_eq!(history.column("churn").unwrap().n_missing(), 0);
    for (name, low, high) in [
        ("age", 0.02, 0.06),
        ("usage_trend", 0.04, 0.08),
        ("payment_method", 0.01, 0.03),
    ] {
        let share = all.column(name).unwrap().n_missing() as f64 / 6_000.0;
        assert!((low..high).contains(&share), "{name}: {share}");
    }
    for never in ["monthly_fee", "tenure_months", "contract"] {
        assert_eq!(all.column(never).unwrap().n_missing(), 0);
    }
    let mut keys: Vec<String> = (0..6_000)
        .map(|row| all.column("customer_id").unwrap().cell_text(row))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 6_000);
    for column in all.columns() {
        if let ColumnData::Category { levels, .. } = &column.data {
            assert!(levels.is_sorted(), "{}", column.name);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let too_small = MarketParams {
        n_customers: 10,
        ..MarketParams::default()
    };
    let error = Market::new(&too_small, Seed(1)).unwrap_err();
    assert_eq!((error.code, error.exit_code()), ("TW0590", 2));
    assert!(error.message.contains("10 customers"));

    let mut market = small(1);
    let partner_without_offer = Some(Action {
        channel: 5,
        offer: None,
    });
    let sms_with_gift = Some(Action {
        channel: 1,
        offer: Some(1),
    });
    for wrong in [
        partner_without_offer,
        sms_with_gift,
        Some(Action {
            channel: 6,
            offer: None,
        }),
    ] {
        let mut given = nothing(&market);
        given[3_999] = wrong;
        assert_eq!(market.step(&given, START).unwrap_err().code, "TW0901");
        assert_eq!(market.truth(0, wrong).unwrap_err().code, "TW0901");
        assert_eq!(market.profit(&given).unwrap_err().code, "TW0901");
    }
    assert!(market.step(&[None], START).is_err());
    assert!(market.truth(4_000, None).is_err());
    assert_eq!(market.value(4_000), None);
    assert_eq!((market.cycle(), market.n_customers()), (0, 4_000));
}
