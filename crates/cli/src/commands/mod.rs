//! One file per command: what it asks the engine, and how its result reads.

pub(crate) mod card;
pub(crate) mod collect;
pub(crate) mod compress;
pub(crate) mod deliver;
pub(crate) mod demo;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod feedback;
pub(crate) mod init;
pub(crate) mod iterate;
pub(crate) mod partners;
pub(crate) mod plan;
pub(crate) mod report;
mod robust;
pub(crate) mod run;
pub(crate) mod scenarios;
pub(crate) mod score;
pub(crate) mod segments;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod tool;
pub(crate) mod train;
mod what_if;

use std::process::ExitCode;

use thalweg_engine::wire::{CheckOut, StageOut};

use crate::text::{clip, verdict, wrap};

/// 4 when a check failed, else 0.
pub(crate) fn exit_for(checks: &[CheckOut]) -> ExitCode {
    if checks.iter().any(|check| check.verdict == "FAIL") {
        ExitCode::from(4)
    } else {
        ExitCode::SUCCESS
    }
}

/// The stage lines, with seconds.
pub(crate) fn stage_lines(stages: &[StageOut]) -> String {
    let line = |stage: &StageOut| {
        let what = if stage.state == "unchanged" {
            format!("unchanged · {}", stage.summary)
        } else {
            stage.summary.clone()
        };
        format!(
            "  {:<10}{:<76}{:>6.1} s\n",
            stage.stage,
            clip(&what, 76),
            stage.seconds
        )
    };
    stages.iter().map(line).collect()
}

/// Checks that are not PASS, each with its advice and where to read on.
pub(crate) fn check_lines(checks: &[CheckOut]) -> String {
    let mut text = String::new();
    for check in checks.iter().filter(|check| check.verdict != "PASS") {
        let more = check
            .code
            .as_ref()
            .map_or_else(String::new, |code| format!(" (thalweg explain {code})"));
        text.push_str(&wrap(
            &format!(
                "{} {}: {}{more}",
                verdict(&check.verdict),
                check.name,
                check.detail
            ),
            2,
        ));
        if let Some(advice) = &check.advice {
            text.push_str(&wrap(&format!("hint: {advice}"), 4));
        }
    }
    text
}
