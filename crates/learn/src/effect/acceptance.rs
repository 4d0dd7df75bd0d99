//! How often an offer is taken: beta-binomial beliefs per channel and offer.

use serde::{Deserialize, Serialize};
use thalweg_domain::{Action, Belief, Error, Result};

/// Nothing is believed to happen always or never, or without doubt: means stay this far from 0 and 1, sds above it.
const LEAST: f64 = 0.001;

/// Contacts and acceptances of one channel with one offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptanceCount {
    /// Index of the channel.
    pub channel: usize,
    /// Index of the offer.
    pub offer: usize,
    /// Customers who were offered it.
    pub offered: u64,
    /// Of these, customers who took it.
    pub accepted: u64,
}

/// A beta distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Beta {
    a: f64,
    b: f64,
}

/// Beliefs about acceptance: mean and sd of the share of those offered who accept.
///
/// Per offer, the assumed belief becomes Beta(a, b) by the method of moments: `a + b = m (1 - m) / sd² - 1`, not below 1.
/// For a pair of channel and offer, the prior's *mean* comes from the offer's other channels, the assumed prior updated by
/// their counts; its *strength* stays `a + b`, because acceptance differs between channels. The pair's own counts update that.
/// Every count is used once per pair. Source: the beta-binomial conjugate pair, Gelman et al., *Bayesian Data
/// Analysis*, 3rd ed., section 2.4.
///
/// Assumption that it cannot check: those offered it were as those who will be.
///
/// ```
/// use thalweg_domain::{Action, Belief};
/// use thalweg_learn::effect::{Acceptance, AcceptanceCount};
///
/// let assumed = Belief { mean: 0.25, sd: 0.10 };
/// let seen = AcceptanceCount { channel: 0, offer: 0, offered: 1000, accepted: 100 };
/// let acceptance = Acceptance::fit(&[assumed], &[seen])?;
/// assert!(acceptance.rate(Action { channel: 0, offer: Some(0) }).mean < 0.11);
/// # Ok::<(), thalweg_domain::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acceptance {
    priors: Vec<Beta>,
    counts: Vec<AcceptanceCount>,
}

impl Acceptance {
    /// Learns from assumed acceptance per offer and from counts (several rows of the same pair add up).
    ///
    /// # Errors
    /// `TW0720` when a belief's mean is not from 0 to 1 or its sd is negative, `TW0721` when counts name an
    /// unknown offer or more accepted than were offered.
    pub fn fit(assumed: &[Belief], counts: &[AcceptanceCount]) -> Result<Self> {
        let priors = assumed
            .iter()
            .map(|belief| beta(*belief))
            .collect::<Result<Vec<_>>>()?;
        match counts
            .iter()
            .find(|count| count.offer >= assumed.len() || count.accepted > count.offered)
        {
            Some(count) => Err(Error::new(
                "TW0721",
                format!("acceptance counts cannot be used: {count:?}"),
            )),
            None => Ok(Self {
                priors,
                counts: counts.to_vec(),
            }),
        }
    }

    /// Belief about the acceptance of an action: 0 without an offer or for an unknown one.
    #[must_use]
    pub fn rate(&self, action: Action) -> Belief {
        let Some((offer, prior)) = action
            .offer
            .and_then(|offer| Some((offer, *self.priors.get(offer)?)))
        else {
            return Belief { mean: 0.0, sd: 0.0 };
        };
        let (own, others): (Vec<_>, Vec<_>) = self
            .counts
            .iter()
            .filter(|count| count.offer == offer)
            .partition(|count| count.channel == action.channel);
        let strength = prior.a + prior.b;
        let mean = prior.updated(&others).belief().mean;
        Beta {
            a: mean * strength,
            b: (1.0 - mean) * strength,
        }
        .updated(&own)
        .belief()
    }
}

impl Beta {
    fn updated(self, counts: &[&AcceptanceCount]) -> Self {
        let accepted: u64 = counts.iter().map(|count| count.accepted).sum();
        let offered: u64 = counts.iter().map(|count| count.offered).sum();
        Self {
            a: self.a + accepted as f64,
            b: self.b + (offered - accepted) as f64,
        }
    }

    fn belief(self) -> Belief {
        let n = self.a + self.b;
        let mean = self.a / n;
        Belief {
            mean,
            sd: (mean * (1.0 - mean) / (n + 1.0)).sqrt(),
        }
    }
}

fn beta(belief: Belief) -> Result<Beta> {
    let Belief { mean, sd } = belief;
    if !((0.0..=1.0).contains(&mean) && sd >= 0.0 && sd.is_finite()) {
        let said = format!("an assumed acceptance of mean {mean} and sd {sd} cannot be used");
        return Err(Error::new("TW0720", said)
            .hint("give a mean from 0 to 1 and an sd of 0 or more, such as 0.25 and 0.10"));
    }
    let (mean, sd) = (mean.clamp(LEAST, 1.0 - LEAST), sd.max(LEAST));
    let strength = (mean * (1.0 - mean) / (sd * sd) - 1.0).max(1.0);
    Ok(Beta {
        a: mean * strength,
        b: (1.0 - mean) * strength,
    })
}
