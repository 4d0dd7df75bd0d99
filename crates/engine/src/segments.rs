//! The groups and the market sheet of the plan in force, read from its record.

use thalweg_domain::{Error, Result};

use crate::report::latest_plan;
use crate::session::Session;
use crate::wire::{PlanOut, SegmentPageOut};

pub(crate) fn page(session: &Session) -> Result<SegmentPageOut> {
    let row = latest_plan(session)?.ok_or_else(|| {
        Error::new("TW0740", "there is no plan whose segments could be shown").hint(session.suggest("run"))
    })?;
    let old = |error: Error| error.hint(session.suggest("run --again"));
    let plan: PlanOut = serde_json::from_str(&row.plan.summary).map_err(|cause| {
        old(Error::new(
            "TW0823",
            "the plan was kept by another version and cannot be read",
        )
        .cause(cause))
    })?;
    if plan.segments.groups.is_empty() {
        return Err(old(Error::new(
            "TW0823",
            format!(
                "plan {} was made by a version that looked for no segments",
                plan.plan
            ),
        )));
    }
    Ok(SegmentPageOut {
        plan: plan.plan,
        cycle: plan.cycle,
        segments: plan.segments,
        market: plan.market,
    })
}
