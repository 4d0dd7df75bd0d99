//! Where results and errors go: stdout for results, stderr for everything else.

use std::io::Write;
use std::process::ExitCode;

use owo_colors::OwoColorize;
use serde::Serialize;
use serde_json::json;
use thalweg_domain::{Error, Result};

use crate::text::hang;

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints a result: its JSON, or its text.
    pub(crate) fn result<T: Serialize>(self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        if self.json {
            let line = serde_json::to_string(value)
                .map_err(|cause| Error::new("TW0901", "internal error: a result is not JSON").cause(cause))?;
            put(&mut std::io::stdout(), &format!("{line}\n"));
        } else {
            put(&mut anstream::stdout(), &text(value));
        }
        Ok(())
    }
}

/// Writes; a closed pipe ends the output, not the program.
fn put(to: &mut impl Write, text: &str) {
    let _closed = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}

/// Prints a line on stderr.
pub(crate) fn note(line: &str) {
    put(&mut anstream::stderr(), &format!("{line}\n"));
}

/// Prints an error on stderr and gives its exit code.
pub(crate) fn error(error: &Error, json: bool) -> ExitCode {
    if json {
        put(&mut std::io::stderr(), &format!("{}\n", error_json(error)));
    } else {
        put(&mut anstream::stderr(), &error_text(error));
    }
    ExitCode::from(error.exit_code())
}

fn error_json(error: &Error) -> serde_json::Value {
    let at = error
        .at
        .as_ref()
        .map(|place| json!({"file": place.file, "row": place.row, "column": place.column}));
    json!({"error": {"code": error.code, "message": error.message, "hint": error.hint, "at": at}})
}

fn error_text(error: &Error) -> String {
    let line = error.to_string();
    let (head, rest) = line.split_once(": ").unwrap_or(("error", &line));
    let mut text = hang(&format!("{}: {rest}", head.red().bold()), 0, 2);
    if let Some(doing) = &error.doing {
        text.push_str(&hang(&format!("while {doing}"), 2, 4));
    }
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&hang(&format!("because {inner}"), 2, 4));
        cause = inner.source();
    }
    if let Some(hint) = &error.hint {
        text.push_str(&hang(&format!("{} {hint}", "hint:".cyan()), 2, 4));
    }
    text.push_str(&format!("  {} thalweg explain {}\n", "more:".cyan(), error.code));
    text
}

/// Prints clap's message; help and version are results, the rest is wrong usage.
pub(crate) fn usage(wrong: &clap::Error, json: bool) -> ExitCode {
    let asked = !wrong.use_stderr();
    if json && !asked {
        let said = wrong.to_string();
        let first = said
            .lines()
            .next()
            .unwrap_or("wrong usage")
            .trim_start_matches("error: ");
        return error(
            &Error::new("TW0109", first).hint("thalweg COMMAND --help shows how"),
            json,
        );
    }
    let _closed = wrong.print();
    if asked {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}
