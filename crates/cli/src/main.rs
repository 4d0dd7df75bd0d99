//! The `thalweg` command: reads the command line, runs one command, prints its result.

mod args;
mod commands;
mod context;
#[cfg(test)]
mod documents;
mod output;
mod progress;
#[cfg(test)]
mod reference;
mod text;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::context::Context;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return output::usage(&usage, std::env::args().any(|word| word == "--json")),
    };
    let json = cli.global.json;
    let begun = Instant::now();
    let done = Context::new(&cli.global).and_then(|context| dispatch(&context, cli.command));
    if cli.global.timings {
        output::note(&format!("took {:.2} s", begun.elapsed().as_secs_f64()));
    }
    match done {
        Ok(code) => code,
        Err(error) => output::error(&error, json),
    }
}

fn dispatch(context: &Context, command: Command) -> thalweg_domain::Result<ExitCode> {
    match command {
        Command::Init(args) => commands::init::run(context, &args),
        Command::Run(args) => commands::run::run(context, &args),
        Command::Collect => commands::collect::run(context),
        Command::Train => commands::train::run(context),
        Command::Evaluate => commands::evaluate::run(context),
        Command::Plan(args) => commands::plan::run(context, &args),
        Command::Deliver(args) => commands::deliver::run(context, &args),
        Command::Feedback(args) => commands::feedback::run(context, &args),
        Command::Iterate => commands::iterate::run(context),
        Command::Score(args) => commands::score::run(context, &args),
        Command::Demo(args) => commands::demo::run(context, &args),
        Command::Compress(args) => commands::compress::run(context, &args),
        Command::Export(args) => commands::export::run(context, &args),
        Command::Segments(args) => commands::segments::run(context, &args),
        Command::Card => commands::card::run(context),
        Command::Status(args) => commands::status::run(context, &args),
        Command::Show(args) => commands::show::run(context, &args),
        Command::Report(args) => commands::report::run(context, &args),
        Command::Explain(args) => commands::explain::run(context, &args),
        Command::Tool { tool } => commands::tool::run(context, &tool),
    }
}
