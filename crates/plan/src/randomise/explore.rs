//! Exploration probabilities: uniform over what is eligible, scaled down per channel to stay within every limit.

/// What one eligible action of one customer counts towards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uses {
    /// Its channel, below `n_channels`.
    pub(crate) channel: usize,
    /// Its offer, below `n_offers`.
    pub(crate) offer: Option<usize>,
    /// Its expected cost.
    pub(crate) cost: f64,
    /// Whether its channel is in a pilot.
    pub(crate) pilot: bool,
}

/// Limits of a cycle as numbers; without limit is infinity.
pub(crate) struct ExploreLimits {
    pub(crate) budget: f64,
    /// Contacts and spend per channel.
    pub(crate) channels: Vec<(f64, f64)>,
    /// Contacts per offer.
    pub(crate) offers: Vec<f64>,
    /// Further ceilings: the limit, and the place and use of every action that counts towards it.
    pub(crate) further: Vec<(f64, Vec<(usize, f64)>)>,
}

/// Probability share kept for *none*.
const NONE_AT_LEAST: f64 = 0.5;

/// q_i(a) for each eligible action of each customer, in the same layout; the rest, at least half, is *none*.
///
/// `q_i(a) = s_channel(a) / (2 n_i)` with `n_i` eligible actions; with some of them in a pilot, these share one quarter
/// evenly and the others another. The scales are the largest scales `s <= 1` such that, with
/// every customer drawing, expected use is within every limit; then a random share `explore` of them stays
/// within the share `explore` of every limit in expectation. A limit that channels share (budget, offer cap) is
/// divided so that no channel gets more of it than the common level (water-filling), which keeps cheap channels
/// explored when dear ones are not affordable; channels in a pilot together may have as much of it as all others. A further ceiling is divided in the same way among the
/// actions that it covers, after the others, and lowers those alone. An action whose limit is zero has probability zero.
pub(crate) fn explore_probabilities(offsets: &[usize], uses: &[Uses], limits: &ExploreLimits) -> Vec<f64> {
    let mut q = vec![0.0; uses.len()];
    for pair in offsets.windows(2) {
        let own = &uses[pair[0]..pair[1]];
        let in_pilot = own.iter().filter(|uses| uses.pilot).count();
        let others = own.len() - in_pilot;
        let groups = usize::from(in_pilot > 0) + usize::from(others > 0);
        for (q, uses) in q[pair[0]..pair[1]].iter_mut().zip(own) {
            let sharing = if uses.pilot { in_pilot } else { others };
            *q = (1.0 - NONE_AT_LEAST) / (groups * sharing) as f64;
        }
    }
    let scales = channel_scales(uses, &q, limits);
    for (q, uses) in q.iter_mut().zip(uses) {
        *q *= scales[uses.channel];
    }
    let weights = weights(uses, limits.channels.len());
    for (limit, covered) in &limits.further {
        let mut expected = vec![0.0; weights.len()];
        for (place, amount) in covered {
            expected[uses[*place].channel] += q[*place] * amount;
        }
        let mut scales = vec![1.0; weights.len()];
        share_limit(&mut scales, &expected, &weights, *limit);
        for (place, _) in covered {
            q[*place] *= scales[uses[*place].channel];
        }
    }
    q
}

fn channel_scales(uses: &[Uses], q: &[f64], limits: &ExploreLimits) -> Vec<f64> {
    let n_channels = limits.channels.len();
    let mut count = vec![0.0; n_channels];
    let mut spend = vec![0.0; n_channels];
    let mut per_offer = vec![vec![0.0; n_channels]; limits.offers.len()];
    for (uses, q) in uses.iter().zip(q) {
        count[uses.channel] += q;
        spend[uses.channel] += q * uses.cost;
        if let Some(offer) = uses.offer {
            per_offer[offer][uses.channel] += q;
        }
    }
    let weights = weights(uses, n_channels);
    let mut scales = vec![1.0_f64; n_channels];
    for channel in 0..n_channels {
        let (capacity, budget) = limits.channels[channel];
        scales[channel] = within(count[channel], capacity).min(within(spend[channel], budget));
    }
    for (use_of_offer, cap) in per_offer.iter().zip(&limits.offers) {
        share_limit(&mut scales, use_of_offer, &weights, *cap);
    }
    share_limit(&mut scales, &spend, &weights, limits.budget);
    scales
}

/// The largest scale up to 1 that keeps an expected use within a limit.
fn within(expected: f64, limit: f64) -> f64 {
    if expected <= limit {
        1.0
    } else {
        (limit / expected).clamp(0.0, 1.0)
    }
}

/// What each channel may have of a shared limit, against the others: channels in a pilot together as much as all others,
/// and never less than one of them.
fn weights(uses: &[Uses], n_channels: usize) -> Vec<f64> {
    let (mut in_use, mut in_pilot) = (vec![false; n_channels], vec![false; n_channels]);
    for uses in uses {
        in_use[uses.channel] = true;
        in_pilot[uses.channel] |= uses.pilot;
    }
    let pilots = in_pilot.iter().filter(|pilot| **pilot).count();
    let others = in_use.iter().filter(|used| **used).count() - pilots;
    let of_pilot = (others as f64 / pilots.max(1) as f64).max(1.0);
    in_pilot
        .iter()
        .map(|pilot| if *pilot { of_pilot } else { 1.0 })
        .collect()
}

/// Lowers the scales of the largest users to a common level per weight until their use together is within the limit.
fn share_limit(scales: &mut [f64], use_at_full_scale: &[f64], weights: &[f64], limit: f64) {
    let mut current: Vec<(f64, f64)> = scales
        .iter()
        .zip(use_at_full_scale)
        .zip(weights)
        .map(|((scale, full), weight)| (scale * full, *weight))
        .collect();
    if current.iter().map(|(used, _)| used).sum::<f64>() <= limit {
        return;
    }
    current.sort_unstable_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let mut left = limit.max(0.0);
    let mut weight_left: f64 = weights.iter().sum();
    let mut level = 0.0;
    for (used, weight) in current {
        level = left / weight_left;
        if used > weight * level {
            break;
        }
        left -= used;
        weight_left -= weight;
    }
    for ((scale, full), weight) in scales.iter_mut().zip(use_at_full_scale).zip(weights) {
        if *scale * full > weight * level {
            *scale = weight * level / full;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dear_channel_does_not_starve_a_cheap_one() {
        // 100 customers, channel 0 costs 0.02, channel 1 costs 10; the budget is 20.
        let offsets: Vec<usize> = (0..=100).map(|i| 2 * i).collect();
        let uses: Vec<Uses> = (0..200)
            .map(|c| Uses {
                channel: c % 2,
                offer: None,
                cost: if c % 2 == 0 { 0.02 } else { 10.0 },
                pilot: false,
            })
            .collect();
        let free = (f64::INFINITY, f64::INFINITY);
        let limits = ExploreLimits {
            budget: 20.0,
            channels: vec![free, free],
            offers: vec![],
            further: vec![],
        };
        let q = explore_probabilities(&offsets, &uses, &limits);
        assert!((q[0] - 0.25).abs() < 1e-12, "cheap stays uniform");
        let spend: f64 = q.iter().zip(&uses).map(|(q, uses)| q * uses.cost).sum();
        assert!(
            (spend - 20.0).abs() < 1e-9,
            "the budget is used in expectation, {spend}"
        );
    }

    #[test]
    fn every_limit_holds_in_expectation_and_none_keeps_half() {
        let offsets: Vec<usize> = (0..=60).map(|i| 3 * i).collect();
        let uses: Vec<Uses> = (0..180)
            .map(|c| Uses {
                channel: c % 3,
                offer: (c % 3 > 0).then_some(0),
                cost: 1.0 + (c % 7) as f64,
                pilot: c % 3 == 2,
            })
            .collect();
        let limits = ExploreLimits {
            budget: 60.0,
            channels: vec![
                (4.0, f64::INFINITY),
                (f64::INFINITY, 15.0),
                (f64::INFINITY, f64::INFINITY),
            ],
            offers: vec![9.0],
            further: vec![(3.0, (0..90).filter(|c| c % 3 > 0).map(|c| (c, 1.0)).collect())],
        };
        let q = explore_probabilities(&offsets, &uses, &limits);
        let sum = |f: &dyn Fn(&Uses) -> f64| q.iter().zip(&uses).map(|(q, uses)| q * f(uses)).sum::<f64>();
        assert!(sum(&|u| u.cost) <= 60.0 + 1e-9);
        assert!(sum(&|u| f64::from(u.channel == 0)) <= 4.0 + 1e-9);
        assert!(sum(&|u| if u.channel == 1 { u.cost } else { 0.0 }) <= 15.0 + 1e-9);
        assert!(sum(&|u| f64::from(u.offer.is_some())) <= 9.0 + 1e-9);
        let covered: f64 = (0..90).filter(|c| c % 3 > 0).map(|c| q[c]).sum();
        assert!(
            (covered - 3.0).abs() < 1e-9 && (q[91] / q[1] - 1.5).abs() < 1e-9,
            "{covered} {} {}",
            q[91],
            q[1]
        );
        assert!(
            offsets
                .windows(2)
                .all(|pair| q[pair[0]..pair[1]].iter().sum::<f64>() <= 0.5 + 1e-12)
        );
    }

    #[test]
    fn a_pilot_gets_half_of_what_is_drawn() {
        // one customer with a pilot among three, one with the pilot alone, one without it
        let uses = |channel: usize, pilot: bool| Uses {
            channel,
            offer: None,
            cost: 1.0,
            pilot,
        };
        let all = [
            uses(0, false),
            uses(1, false),
            uses(2, true),
            uses(2, true),
            uses(0, false),
        ];
        let free = (f64::INFINITY, f64::INFINITY);
        let limits = ExploreLimits {
            budget: f64::INFINITY,
            channels: vec![free; 3],
            offers: vec![],
            further: vec![],
        };
        let q = explore_probabilities(&[0, 3, 4, 5], &all, &limits);
        assert_eq!(q, [0.125, 0.125, 0.25, 0.5, 0.5]);
    }

    #[test]
    fn a_pilot_may_have_half_of_a_limit_that_is_short() {
        // 100 customers, four channels at a cost of 1 each, the last in a pilot; the budget is 12 of 50
        let offsets: Vec<usize> = (0..=100).map(|i| 4 * i).collect();
        let uses: Vec<Uses> = (0..400)
            .map(|c| Uses {
                channel: c % 4,
                offer: None,
                cost: 1.0,
                pilot: c % 4 == 3,
            })
            .collect();
        let free = (f64::INFINITY, f64::INFINITY);
        let limits = ExploreLimits {
            budget: 12.0,
            channels: vec![free; 4],
            offers: vec![],
            further: vec![],
        };
        let q = explore_probabilities(&offsets, &uses, &limits);
        let spend = |channel: usize| {
            let own = q.iter().zip(&uses).filter(|(_, uses)| uses.channel == channel);
            own.map(|(q, _)| q).sum::<f64>()
        };
        assert!((spend(3) - 6.0).abs() < 1e-9 && (spend(0) - 2.0).abs() < 1e-9);
    }
}
