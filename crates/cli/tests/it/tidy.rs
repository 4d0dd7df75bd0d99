//! Tidiness of the tree: crate arrows, opening sentences, stage table, error table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use thalweg_domain::{CODES, Stage};

use crate::support::root;

/// Who may depend on whom; ARCHITECTURE.md draws the same picture.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("learn", &["domain"]),
    ("plan", &["domain"]),
    ("response", &["domain"]),
    ("market", &["domain"]),
    ("collect", &["domain"]),
    ("channels", &["domain"]),
    ("ledger", &["domain"]),
    ("onnx", &["domain", "learn"]),
    (
        "engine",
        &[
            "domain", "learn", "plan", "response", "market", "collect", "channels", "ledger", "onnx",
        ],
    ),
    ("cli", &["domain", "engine"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn product_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (name, _) in ARROWS {
        sources(&root().join("crates").join(name).join("src"), &mut found);
    }
    found
}

/// A file's product code: without its tests.
fn product_text(path: &Path) -> String {
    let named_test = path.iter().any(|part| part == "tests" || part == "tests.rs");
    let text = fs::read_to_string(path).unwrap();
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    if named_test {
        String::new()
    } else {
        product.to_owned()
    }
}

#[test]
fn crates_depend_only_along_the_arrows() {
    let mut real = BTreeMap::new();
    for (name, _) in ARROWS {
        let manifest = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
        let product = manifest.split("[dev-dependencies]").next().unwrap();
        let edges: BTreeSet<String> = product
            .lines()
            .filter_map(|line| line.strip_prefix("thalweg-"))
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .map(str::to_owned)
            .collect();
        real.insert((*name).to_owned(), edges);
    }
    for (name, allowed) in ARROWS {
        let allowed: BTreeSet<String> = allowed.iter().map(|edge| (*edge).to_owned()).collect();
        assert!(
            real[*name].is_subset(&allowed),
            "{name} depends on {:?}, the arrows allow {allowed:?}",
            real[*name]
        );
    }
    let crates: BTreeSet<String> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    let listed: BTreeSet<String> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        crates, listed,
        "every crate has its arrows here and in ARCHITECTURE.md"
    );
}

#[test]
fn the_architecture_page_names_every_crate_and_arrow() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (name, _) in ARROWS {
        assert!(
            page.contains(&format!("`{name}`")),
            "ARCHITECTURE.md does not name the crate {name}"
        );
    }
    assert!(
        page.contains(
            "domain -> { learn, plan, response, market, collect, channels, ledger } -> engine -> cli"
        )
    );
}

#[test]
fn every_file_opens_with_a_sentence() {
    for path in product_sources() {
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! ") && first.len() > 20,
            "{} does not open with its sentence",
            path.display()
        );
    }
}

#[test]
fn only_the_named_crates_touch_the_world() {
    for path in product_sources() {
        let text = product_text(&path);
        let inside = |name: &str| path.to_string_lossy().contains(&format!("crates/{name}/src"));
        let pure = ["domain", "learn", "onnx", "plan", "response", "market"]
            .iter()
            .any(|name| inside(name));
        for word in [
            "std::fs",
            "SystemTime",
            "Instant::now",
            "std::net",
            "std::process",
        ] {
            assert!(
                !(pure && text.contains(word)),
                "{} uses {word}; it must stay pure",
                path.display()
            );
        }
        assert!(
            inside("ledger") || !text.contains("sqlx::"),
            "{} holds SQL of our tables",
            path.display()
        );
        let prints = text.contains("println!") || text.contains("print!(");
        assert!(
            inside("cli") || !prints,
            "{} prints; only cli may",
            path.display()
        );
    }
}

#[test]
fn every_stage_has_its_file_command_and_reference() {
    let cli = fs::read_to_string(root().join("docs/reference/cli.md")).unwrap();
    for stage in Stage::ALL {
        let name = stage.name();
        let info = stage.info();
        assert!(!info.question.is_empty() && !info.computation.is_empty());
        assert_eq!(Stage::from_name(name), Some(stage));
        assert!(
            root()
                .join(format!("crates/cli/src/commands/{name}.rs"))
                .is_file(),
            "no command file for {name}"
        );
        let stage_file = root().join(format!("crates/engine/src/stages/{name}.rs"));
        let folder = root().join(format!("crates/engine/src/stages/{name}/mod.rs"));
        assert!(
            stage_file.is_file() || folder.is_file(),
            "no stage file for {name}"
        );
        assert!(
            cli.contains(&format!("## thalweg {name}")),
            "no reference for {name}"
        );
    }
}

#[test]
fn the_error_table_is_ordered_complete_and_used() {
    let codes: Vec<&str> = CODES.iter().map(|info| info.code).collect();
    assert!(
        codes.windows(2).all(|pair| pair[0] < pair[1]),
        "codes are in order, none twice: {codes:?}"
    );
    let mut all = String::new();
    for path in product_sources()
        .iter()
        .filter(|path| !path.ends_with("domain/src/codes.rs"))
    {
        all.push_str(&product_text(path));
    }
    for info in CODES {
        assert!(
            all.contains(info.code),
            "{} is in the table, but nothing raises it",
            info.code
        );
        for text in [info.title, info.cause, info.example, info.remedy] {
            assert!(
                !text.is_empty() && !text.ends_with('.'),
                "{}: \"{text}\"",
                info.code
            );
        }
    }
    let mut rest = all.as_str();
    while let Some(at) = rest.find("\"TW0") {
        let code = rest.get(at + 1..at + 7).unwrap_or_default();
        assert!(
            CODES.iter().any(|info| info.code == code),
            "{code} is raised, but not in the table"
        );
        rest = &rest[at + 7..];
    }
}
