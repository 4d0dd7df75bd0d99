//! The pages of docs/reference, made from the code, and the test that keeps them true.

use std::fmt::Write as _;

use clap::CommandFactory;
use serde::de::DeserializeOwned;
use serde_reflection::{ContainerFormat, Format, Registry, Samples, Tracer, TracerConfig};
use thalweg_domain::CODES;
use thalweg_engine::config::{KEYS, SECTIONS};
use thalweg_engine::score::ScoreOut;
use thalweg_engine::wire;

use crate::args::Cli;

/// Every page: its file name and its text.
fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("cli.md", cli_page()),
        ("config.md", config_page()),
        ("errors.md", errors_page()),
        ("json.md", json_page()),
    ]
}

fn cli_page() -> String {
    let mut page =
        "# Command line\n\nMade from the code by `just reference`; a test keeps it true.\n".to_owned();
    let mut root = Cli::command();
    root.build();
    push_help(&mut page, &mut root.clone(), "thalweg");
    push_commands(&mut page, &root, "thalweg");
    page
}

/// The help of every command, and of the commands of a command.
fn push_commands(page: &mut String, parent: &clap::Command, title: &str) {
    for command in parent
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
    {
        let title = format!("{title} {}", command.get_name());
        push_help(page, &mut command.clone(), &title);
        push_commands(page, command, &title);
    }
}

fn push_help(page: &mut String, command: &mut clap::Command, title: &str) {
    let help = command.clone().term_width(100).render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(
        page,
        "\n## {title}\n\n```text\n{}\n```\n",
        lines.join("\n").trim_end()
    );
}

fn config_page() -> String {
    let mut page = "# thalweg.toml\n\nMade from the code by `just reference`; a test keeps it true.\n\
                    Unknown keys are errors (TW0107).\n"
        .to_owned();
    for (section, title, doc) in SECTIONS {
        let _ = write!(
            page,
            "\n## {title}\n\n{doc}\n\n| key | takes | default | meaning |\n|---|---|---|---|\n"
        );
        for key in KEYS.iter().filter(|key| key.section == *section) {
            let default = key
                .default
                .map_or_else(String::new, |default| format!("`{default}`"));
            let _ = writeln!(
                page,
                "| `{}` | {} | {default} | {} |",
                key.name, key.takes, key.doc
            );
        }
    }
    page
}

fn errors_page() -> String {
    let mut page =
        "# Error and check codes\n\nMade from the code by `just reference`; a test keeps it true.\n"
            .to_owned();
    for info in CODES {
        let _ = write!(
            page,
            "\n## {}: {}\n\nExit code {}. Cause: {}.\n\n```text\n{}\n```\n\nRemedy: {}.\n",
            info.code,
            info.title,
            info.exit.code(),
            info.cause,
            info.example,
            info.remedy
        );
    }
    page
}

fn json_page() -> String {
    let mut page = "# JSON keys\n\nMade from the code by `just reference`; a test keeps it true.\n\
                    Every command takes `--json` and prints one object on stdout. `[]` is a list, `NAME` any name.\n"
        .to_owned();
    for (command, keys) in contracts() {
        let _ = write!(page, "\n## {command}\n\n```text\n{}\n```\n", keys.join("\n"));
    }
    page
}

/// Every command's keys, in the order in which they are printed.
fn contracts() -> Vec<(&'static str, Vec<String>)> {
    vec![
        ("init", keys::<wire::InitOut>()),
        ("run", keys::<wire::RunOut>()),
        ("collect", keys::<wire::TableOut>()),
        ("train", keys::<wire::TrainOut>()),
        ("evaluate", keys::<wire::EvaluationOut>()),
        ("plan", keys::<wire::PlanOut>()),
        ("plan --scenario", keys::<wire::ScenariosOut>()),
        ("deliver", keys::<wire::DeliverOut>()),
        ("feedback", keys::<wire::FeedbackOut>()),
        ("iterate", keys::<wire::IterateOut>()),
        ("demo", keys::<wire::DemoOut>()),
        ("status", keys::<wire::StatusOut>()),
        ("segments", keys::<wire::SegmentPageOut>()),
        ("score", keys::<ScoreOut>()),
        ("compress", keys::<wire::CompressOut>()),
        ("export", keys::<wire::ExportOut>()),
        ("tool profile", keys::<wire::ProfileOut>()),
        ("tool fit", fit_keys()),
        ("tool layers", keys::<wire::LayersOut>()),
        ("tool power", keys::<wire::PowerOut>()),
        ("tool allocate", keys::<wire::AllocateOut>()),
        ("tool response", keys::<wire::ResponseOut>()),
    ]
}

/// Those of `evaluate`, and what was read: the tracer does not see through the flattening.
fn fit_keys() -> Vec<String> {
    let empty = serde_json::to_value(wire::FitOut::default()).unwrap();
    let of_evaluation = serde_json::to_value(wire::EvaluationOut::default()).unwrap();
    let own = empty.as_object().unwrap().keys();
    let mut keys: Vec<String> = own
        .filter(|key| of_evaluation.get(*key).is_none())
        .cloned()
        .collect();
    keys.extend(self::keys::<wire::EvaluationOut>());
    keys
}

fn keys<T: DeserializeOwned>() -> Vec<String> {
    let (mut tracer, samples) = (Tracer::new(TracerConfig::default()), Samples::new());
    let (format, _) = tracer.trace_type_once::<T>(&samples).unwrap();
    let registry = tracer.registry().unwrap();
    let mut keys = Vec::new();
    push_keys(&registry, &format, "", &mut keys);
    keys
}

fn push_keys(registry: &Registry, format: &Format, path: &str, keys: &mut Vec<String>) {
    match format {
        Format::TypeName(name) => match &registry[name] {
            ContainerFormat::Struct(fields) => {
                for field in fields {
                    let dot = if path.is_empty() { "" } else { "." };
                    push_keys(
                        registry,
                        &field.value,
                        &format!("{path}{dot}{}", field.name),
                        keys,
                    );
                }
            }
            other => panic!("a wire type must be a struct, not {other:?}"),
        },
        Format::Option(inner) => push_keys(registry, inner, path, keys),
        Format::Seq(inner) => push_keys(registry, inner, &format!("{path}[]"), keys),
        Format::Map { value, .. } => push_keys(registry, value, &format!("{path}.NAME"), keys),
        _ => keys.push(path.to_owned()),
    }
}

mod tests {
    use super::pages;

    /// `THALWEG_REWRITE=1 cargo test -p thalweg-cli` rewrites the pages; otherwise they are compared.
    #[test]
    fn reference_pages_are_true() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
        for (name, text) in pages() {
            let path = folder.join(name);
            if std::env::var_os("THALWEG_REWRITE").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let written = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                written == text,
                "{name} is out of date: run THALWEG_REWRITE=1 cargo test -p thalweg-cli reference"
            );
        }
    }
}
