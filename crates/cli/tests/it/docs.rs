//! The documents hold together: links lead somewhere, the two READMEs are in step, the README's commands are those that run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::root;

/// Every Markdown file of the repository, outside of build output and hidden folders.
fn markdown() -> Vec<PathBuf> {
    let mut found = Vec::new();
    push_markdown(&root(), &mut found);
    found
}

fn push_markdown(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            push_markdown(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// The text outside of fenced blocks, and the fenced blocks with their language.
fn split(text: &str) -> (String, Vec<(String, String)>) {
    let (mut prose, mut blocks) = (String::new(), Vec::new());
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, block))) => block.push_str(&format!("{line}\n")),
            (None, None) => prose.push_str(&format!("{line}\n")),
        }
    }
    (prose, blocks)
}

/// Targets of `[text](target)` and `![text](target)`.
fn links(prose: &str) -> Vec<&str> {
    prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect()
}

/// A heading's anchor, as forges make it.
fn anchor(heading: &str) -> String {
    let kept = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_' || letter == ' ';
    heading
        .trim_matches(['#', ' '])
        .to_lowercase()
        .chars()
        .filter(|letter| kept(*letter))
        .collect::<String>()
        .replace(' ', "-")
}

fn headings(text: &str) -> Vec<String> {
    split(text)
        .0
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// The lines of the fenced blocks that people type.
fn commands(text: &str) -> Vec<String> {
    let mut typed = Vec::new();
    for (language, block) in split(text).1 {
        let lines = block
            .lines()
            .filter(|line| language == "sh" || line.starts_with("$ "));
        typed.extend(lines.map(|line| line.trim_start_matches("$ ").to_owned()));
    }
    typed
}

#[test]
fn every_relative_link_leads_somewhere() {
    for page in markdown() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&split(&text).0) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, mark) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(path)
            };
            assert!(
                target.exists(),
                "{}: the link to {link} leads nowhere",
                page.display()
            );
            if !mark.is_empty() {
                let there = headings(&fs::read_to_string(&target).unwrap());
                assert!(
                    there.iter().any(|heading| anchor(heading) == mark),
                    "{}: no heading for {link}",
                    page.display()
                );
            }
        }
    }
}

#[test]
fn both_readmes_have_the_same_sections_and_commands() {
    let english = fs::read_to_string(root().join("README.md")).unwrap();
    let chinese = fs::read_to_string(root().join("README.zh-CN.md")).unwrap();
    let depths = |text: &str| {
        headings(text)
            .iter()
            .map(|line| line.chars().take_while(|c| *c == '#').count())
            .collect::<Vec<_>>()
    };
    assert_eq!(depths(&english), depths(&chinese), "the sections differ");
    assert_eq!(split(&english).1, split(&chinese).1, "the fenced blocks differ");
    assert_eq!(
        links(&split(&english).0).len(),
        links(&split(&chinese).0).len(),
        "one README links to something that the other does not"
    );
}

#[test]
fn the_two_commands_of_the_readme_are_those_of_the_recipes_and_of_continuous_integration() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let justfile = fs::read_to_string(root().join("justfile")).unwrap();
    let pipeline = fs::read_to_string(root().join(".ci/run")).unwrap();
    let typed = commands(&readme);
    let [main_job, tests, ..] = typed.as_slice() else {
        panic!("the README shows no two commands")
    };
    let recipe = |name: &str| {
        let (_, rest) = justfile
            .split_once(&format!("\n{name}:\n"))
            .unwrap_or_else(|| panic!("no recipe {name}"));
        rest.lines().next().unwrap().trim().to_owned()
    };
    assert_eq!(*main_job, recipe("run"));
    assert_eq!(*tests, recipe("test"));
    assert!(
        pipeline.lines().any(|line| line == tests),
        ".ci/run does not run {tests}"
    );
    let contributing = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    assert!(
        contributing.contains(tests.as_str()),
        "CONTRIBUTING.md does not name {tests}"
    );
}
