//! The contract's form of a fit: names beside numbers.

use thalweg_domain::Estimate;
use thalweg_response::fit::Fit;
use thalweg_response::results::{ChannelResult, Results, Scenario};

use super::ResponseSettings;
use super::dates::iso;
use super::panel::Read;
use crate::wire::{
    AttemptOut, BudgetOut, BudgetShareOut, CurvePointOut, Learned90, Mean90, Named90, ResponseChannelOut,
    ResponseCheckOut, ResponseConcernOut, ResponseDiagnosticsOut, ResponseHeldOut, ResponseOut,
};

/// Everything that `tool response` prints.
pub(super) fn describe(settings: &ResponseSettings, read: &Read, fit: &Fit) -> ResponseOut {
    let panel = &read.panel;
    let mut out = ResponseOut {
        data: settings.data.clone(),
        outcome: settings.outcome.clone(),
        periods: panel.periods(),
        days_per_period: panel.step,
        from: panel.days.first().map(|day| iso(*day)).unwrap_or_default(),
        to: panel.days.last().map(|day| iso(*day)).unwrap_or_default(),
        geographies: if settings.geo.is_some() {
            panel.series.iter().map(|own| own.name.clone()).collect()
        } else {
            Vec::new()
        },
        saturation: fit.saturation.as_str().to_owned(),
        adstock: settings.adstock.clone(),
        verdict: if fit.results.is_some() {
            "published"
        } else {
            "not_identifiable"
        }
        .to_owned(),
        reasons: fit.reasons.clone(),
        notes: read.notes.iter().chain(&fit.notes).cloned().collect(),
        concerns: fit
            .concerns
            .iter()
            .map(|own| ResponseConcernOut {
                channels: own.channels.clone(),
                what: own.what.clone(),
                experiment: own.experiment.clone(),
            })
            .collect(),
        ..ResponseOut::default()
    };
    if let Some(last) = fit.attempts.last() {
        out.diagnostics = ResponseDiagnosticsOut {
            r_hat: Some(last.r_hat).filter(|own| own.is_finite()),
            ess: Some(last.ess).filter(|own| own.is_finite()),
            divergences: last.divergences,
            draws: last.draws,
            worst: last.worst.clone(),
            attempts: fit
                .attempts
                .iter()
                .map(|own| AttemptOut {
                    remedy: own.remedy.clone(),
                    r_hat: Some(own.r_hat).filter(|own| own.is_finite()),
                    ess: Some(own.ess).filter(|own| own.is_finite()),
                    divergences: own.divergences,
                })
                .collect(),
        };
    }
    out.held_out = fit.held_out.map(|own| ResponseHeldOut {
        periods: own.periods,
        coverage: own.coverage,
        error: own.error,
    });
    if let Some(results) = &fit.results {
        fill(&mut out, panel.channels.as_slice(), results);
    }
    out
}

fn fill(out: &mut ResponseOut, names: &[String], results: &Results) {
    out.channels = results.channels.iter().map(channel).collect();
    out.check = Some(ResponseCheckOut {
        r2: results.check.r2,
        coverage: results.check.coverage,
        p_deviation: results.check.p_deviation,
        p_autocorrelation: results.check.p_autocorrelation,
    });
    out.base = results
        .base
        .iter()
        .map(|(name, own)| Named90 {
            name: name.clone(),
            mean: own.mean,
            ci90: [own.low, own.high],
        })
        .collect();
    let mut optimum = budget(names, &results.optimum, &results.current);
    for (share, spread) in optimum.channels.iter_mut().zip(&results.optimum_spread) {
        share.ci90 = Some([spread.low, spread.high]);
    }
    out.optimum = Some(optimum);
    out.scenarios = results
        .scenarios
        .iter()
        .map(|own| budget(names, own, &results.current))
        .collect();
}

fn channel(own: &ChannelResult) -> ResponseChannelOut {
    ResponseChannelOut {
        name: own.name.clone(),
        spend: own.spend,
        contribution: own.contribution.into(),
        returned: own.returned.into(),
        marginal_return: own.marginal.into(),
        saturation: own.saturation.into(),
        half_spend: own.half.map(Mean90::from),
        adstock: own.adstock.into(),
        learned: own
            .learned
            .iter()
            .map(|own| Learned90 {
                parameter: own.parameter.clone(),
                prior: own.prior.into(),
                posterior: own.posterior.into(),
            })
            .collect(),
        curve: own
            .curve
            .iter()
            .map(|own| CurvePointOut {
                spend: own.spend,
                outcome: own.outcome.into(),
            })
            .collect(),
        workspace_channel: None,
    }
}

fn budget(names: &[String], own: &Scenario, current: &[f64]) -> BudgetOut {
    let estimate = |own: Estimate| Mean90::from(own);
    BudgetOut {
        budget: own.budget,
        change: own.change,
        outcome: estimate(own.outcome),
        gain: estimate(own.gain),
        channels: names
            .iter()
            .zip(&own.spend)
            .zip(current)
            .map(|((name, spend), before)| BudgetShareOut {
                name: name.clone(),
                spend: *spend,
                before: *before,
                ci90: None,
            })
            .collect(),
    }
}
