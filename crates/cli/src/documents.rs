//! Every `thalweg` command line that the documents show must be one that the program accepts.

use std::path::{Path, PathBuf};

use clap::Parser;

use crate::args::Cli;

/// A command line in a fenced block, and where it stands.
struct Shown {
    place: String,
    line: String,
}

/// The repository's Markdown: the pages at the root and everything under `docs`.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = Vec::new();
    push_pages(&root, &mut pages, false);
    push_pages(&root.join("docs"), &mut pages, true);
    pages.sort();
    pages
}

fn push_pages(folder: &Path, pages: &mut Vec<PathBuf>, deeper: bool) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && deeper {
            push_pages(&path, pages, true);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}

/// Each `thalweg …` and `cargo run … -- …` inside fenced blocks, also behind `$ `, `&&`, `;` and `|`.
fn shown(page: &Path) -> Vec<Shown> {
    let text = std::fs::read_to_string(page).unwrap();
    let (mut fenced, mut found) = (false, Vec::new());
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            let place = format!("{}:{}", page.display(), number + 1);
            found.extend(commands(line).map(|line| Shown {
                place: place.clone(),
                line,
            }));
        }
    }
    found
}

fn commands(line: &str) -> impl Iterator<Item = String> {
    let typed = line
        .trim_start()
        .trim_start_matches("$ ")
        .replace("&&", ";")
        .replace('|', ";");
    let parts: Vec<String> = typed.split(';').map(|part| part.trim().to_owned()).collect();
    parts
        .into_iter()
        .filter_map(|part| match part.strip_prefix("cargo run ") {
            Some(rest) => rest.split_once("-- ").map(|(_, args)| format!("thalweg {args}")),
            None => part.starts_with("thalweg ").then_some(part),
        })
}

/// The words up to a comment or a redirection.
fn words(line: &str) -> Vec<String> {
    line.split_whitespace()
        .take_while(|word| !["#", ">", "2>", ">>"].contains(word))
        .map(|word| word.trim_matches(['"', '\'']).to_owned())
        .collect()
}

#[test]
fn every_command_line_in_the_documents_parses() {
    let all: Vec<Shown> = pages().iter().flat_map(|page| shown(page)).collect();
    assert!(
        all.len() > 20,
        "only {} command lines were found: has their form changed?",
        all.len()
    );
    for Shown { place, line } in all {
        if let Err(error) = Cli::try_parse_from(words(&line)) {
            assert!(!error.use_stderr(), "{place}: {line}\n{error}");
        }
    }
}
