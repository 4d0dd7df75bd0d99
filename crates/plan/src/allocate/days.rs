//! Pacing: a day of the cycle for every chosen contact, evenly, within so many a day.

use thalweg_domain::{Error, Result};

use super::problem::{Constraint, Resource};

/// At most so many contacts a day of some actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// How messages call it.
    pub name: String,
    /// The actions that count; `None` is all.
    pub actions: Option<Vec<u16>>,
    /// Contacts a day, at most.
    pub per_day: u64,
}

impl Pace {
    /// What must hold over the whole cycle so that every day's limit can: `per_day` times the days.
    #[must_use]
    pub fn constraint(&self, n_days: u16) -> Constraint {
        let limit = self.per_day as f64 * f64::from(n_days);
        Constraint {
            actions: self.actions.clone(),
            ..Constraint::at_most(&self.name, Resource::Rows, limit)
        }
    }

    fn counts(&self, action: u16) -> bool {
        self.actions.as_ref().is_none_or(|own| own.contains(&action))
    }
}

/// Checks that of any two paces one lies within the other or they share no action: then even dealing keeps all of them.
///
/// # Errors
/// `TW0502` for two that overlap, for none a day, and for a cycle without days.
pub fn check_paces(paces: &[Pace], n_actions: u16, n_days: u16) -> Result<()> {
    if n_days == 0 && !paces.is_empty() {
        return Err(Error::new("TW0502", "pacing needs at least one day")
            .hint("say over how many days contacts are spread: days = 20"));
    }
    for (place, pace) in paces.iter().enumerate() {
        for other in &paces[..place] {
            let both = |action: &u16| pace.counts(*action) && other.counts(*action);
            let shared = (0..n_actions).filter(both).count();
            let own = (0..n_actions).filter(|action| pace.counts(*action)).count();
            let others = (0..n_actions).filter(|action| other.counts(*action)).count();
            if shared > 0 && shared < own.min(others) {
                return Err(Error::new(
                    "TW0502",
                    format!(
                        "pacing \"{}\" and \"{}\" overlap, neither lies within the other",
                        other.name, pace.name
                    ),
                )
                .hint("pace by one kind of group, such as channels, and at most their total"));
            }
        }
    }
    Ok(())
}

/// A day from 1 to `n_days` for every contact, given by its action, in order.
///
/// Contacts are dealt out to the days in turn, those of one pace after the other. So every pace's contacts, and all
/// together, differ by at most one between any two days, and `per_day` holds wherever the [`Pace::constraint`] does.
/// The paces must pass [`check_paces`].
#[must_use]
pub fn days(actions: &[u16], paces: &[Pace], n_days: u16) -> Vec<u16> {
    let mut by_size: Vec<&Pace> = paces.iter().collect();
    let last = actions.iter().max().copied().unwrap_or(0);
    by_size.sort_by_key(|pace| std::cmp::Reverse((0..=last).filter(|action| pace.counts(*action)).count()));
    // the paces that an action counts towards, widest first: contacts of one pace come together
    let key = |action: u16| {
        by_size
            .iter()
            .map(|pace| pace.counts(action))
            .collect::<Vec<bool>>()
    };
    let keys: Vec<Vec<bool>> = (0..=last).map(key).collect();
    let mut order: Vec<usize> = (0..actions.len()).collect();
    order.sort_by(|a, b| {
        keys[usize::from(actions[*a])]
            .cmp(&keys[usize::from(actions[*b])])
            .then(a.cmp(b))
    });
    let mut days = vec![1; actions.len()];
    for (place, contact) in order.into_iter().enumerate() {
        days[contact] = (place % usize::from(n_days.max(1))) as u16 + 1;
    }
    days
}
