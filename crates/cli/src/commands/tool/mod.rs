//! `thalweg tool …`: one file per piece of mathematics.

mod allocate;
mod fit;
mod layers;
mod power;
mod profile;
pub(crate) mod response;

use std::process::ExitCode;

use thalweg_domain::Result;

use crate::args::Tool;
use crate::context::Context;

pub(crate) fn run(context: &Context, tool: &Tool) -> Result<ExitCode> {
    match tool {
        Tool::Allocate(args) => allocate::run(context, args),
        Tool::Fit(args) => fit::run(context, args),
        Tool::Layers(args) => layers::run(context, args),
        Tool::Power(args) => power::run(context, args),
        Tool::Profile(args) => profile::run(context, args),
        Tool::Response(args) => response::run(context, args),
    }
}
