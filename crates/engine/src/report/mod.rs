//! The report of the last cycle: one HTML file that needs no network.

mod chart;
mod decision;
mod facts;
mod groups;
mod html;
mod money;
mod partners;
mod people;
mod pilots;
mod proof;
mod response;
mod scenarios;
mod spread;
mod survival;
#[cfg(test)]
mod tests;
mod trust;
mod words;

use std::path::{Path, PathBuf};

use thalweg_domain::Result;

use self::facts::Facts;
pub(crate) use self::facts::latest_plan;
use self::html::{escape, put};
use crate::session::Session;

/// Light and dark, screen and A4.
const STYLE: &str = include_str!("style.css");

/// Writes the report; `out` defaults to `report.html` in the workspace.
pub(crate) fn report(session: &Session, out: Option<&Path>) -> Result<PathBuf> {
    let page = page(&Facts::gather(session)?)?;
    let path = out.map_or_else(|| session.workspace.dir.join("report.html"), Path::to_owned);
    thalweg_collect::write_bytes_atomic(&path, page.as_bytes())?;
    Ok(path)
}

/// The whole file.
fn page(facts: &Facts) -> Result<String> {
    let mut sections = vec![
        ("decision", "Decision", decision::section(facts)),
        ("money", "Money", money::section(facts)?),
        ("people", "People", people::section(facts)?),
        ("groups", "Groups", groups::section(facts)),
        ("proof", "Proof", proof::section(facts)?),
        ("trust", "Trust", trust::section(facts)?),
    ];
    if let Some(body) = response::section(facts)? {
        sections.insert(2, ("response", "Response", body));
    }
    let title = format!("{}, cycle {}", facts.name, facts.plan.cycle);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{}",
        escape(&title),
        header(facts),
    );
    out.push_str("<nav aria-label=\"Sections\">");
    for (id, name, _) in &sections {
        put(&mut out, format_args!("<a href=\"#{id}\">{name}</a>"));
    }
    out.push_str("</nav>\n<main>\n");
    for (id, name, body) in &sections {
        put(
            &mut out,
            format_args!(
                "<section id=\"{id}\" aria-labelledby=\"{id}-h\">\n<h2 id=\"{id}-h\">{name}</h2>\n{body}</section>\n"
            ),
        );
    }
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(out)
}

fn header(facts: &Facts) -> String {
    let delivered = facts
        .delivered_at
        .as_ref()
        .map_or_else(|| "not delivered yet".to_owned(), |at| format!("delivered {at}"));
    let line = format!(
        "Plan {} · made {} · {delivered} · report as of {}",
        facts.plan.plan, facts.made_at, facts.as_of
    );
    format!(
        "<header>\n<h1>{} <span>cycle {}</span></h1>\n<p class=\"note\">{}</p>\n</header>\n",
        escape(&facts.name),
        facts.plan.cycle,
        escape(&line)
    )
}
