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

/// The lines `thalweg …`, `$ thalweg …` and `cargo run … -- …` inside fenced blocks.
fn shown(page: &Path) -> Vec<Shown> {
    let text = std::fs::read_to_string(page).unwrap();
    let (mut fenced, mut found) = (false, Vec::new());
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if let Some(line) = command(line).filter(|_| fenced) {
            found.push(Shown { place: format!("{}:{}", page.display(), number + 1), line });
        }
    }
    found
}

fn command(line: &str) -> Option<String> {
    let line = line.trim_start().trim_start_matches("$ ");
    if let Some(rest) = line.strip_prefix("cargo run ") {
        return rest.split_once("-- ").map(|(_, args)| format!("thalweg {args}"));
    }
    line.starts_with("thalweg ").then(|| line.to_owned())
}

/// The words up to a comment, a pipe or a redirection.
fn words(line: &str) -> Vec<String> {
    line.split_whitespace()
        .take_while(|word| !["#", "|", ">", "2>", ">>", "&&", ";"].contains(word))
        .map(|word| word.trim_matches(['"', '\'']).to_owned())
        .collect()
}

#[test]
fn every_command_line_in_the_documents_parses() {
    let all: Vec<Shown> = pages().iter().flat_map(|page| shown(page)).collect();
    assert!(all.len() > 20, "only {} command lines were found: has their form changed?", all.len());
    for Shown { place, line } in all {
        if let Err(error) = Cli::try_parse_from(words(&line)) {
            assert!(!error.use_stderr(), "{place}: {line}\n{error}");
        }
    }
}
