//! `thalweg explain`: what a code means, with an example and the remedy.

use std::process::ExitCode;

use serde_json::json;
use thalweg_domain::{CODES, CodeInfo, Error, Result, code_info};

use crate::args::ExplainArgs;
use crate::context::Context;
use crate::text::{hang, wrap};

pub(crate) fn run(context: &Context, args: &ExplainArgs) -> Result<ExitCode> {
    if args.code.eq_ignore_ascii_case("all") {
        let all: Vec<_> = CODES.iter().map(json).collect();
        context.output.result(&all, |_| {
            CODES
                .iter()
                .map(|info| format!("{}  {}\n", info.code, info.title))
                .collect()
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let info = code_info(&args.code).ok_or_else(|| {
        Error::new("TW0109", format!("there is no code \"{}\"", args.code))
            .hint("thalweg explain all lists every code")
    })?;
    context.output.result(&json(info), |_| text(info))?;
    Ok(ExitCode::SUCCESS)
}

fn json(info: &CodeInfo) -> serde_json::Value {
    json!({
        "code": info.code,
        "title": info.title,
        "exit": info.exit.code(),
        "cause": info.cause,
        "example": info.example,
        "remedy": info.remedy,
    })
}

fn text(info: &CodeInfo) -> String {
    let mut text = format!(
        "{}: {} (exit code {})\n\n",
        info.code,
        info.title,
        info.exit.code()
    );
    text.push_str(&wrap(&format!("Cause: {}.", info.cause), 2));
    text.push_str(&format!("\n  Example:\n{}\n", hang(info.example, 4, 6)));
    text.push_str(&wrap(&format!("Remedy: {}.", info.remedy), 2));
    text
}
