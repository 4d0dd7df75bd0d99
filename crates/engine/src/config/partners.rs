//! `terms` of a `[[channel]]` of kind partner: what the partner asks for.

use thalweg_domain::{ChannelKind, Result};

use super::read::money;
use super::toml_view::Section;

/// What a partner asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Share of the expected incremental value of each contact.
    pub revenue_share: f64,
    /// Paid once per cycle when the partner is used.
    pub fixed_fee: f64,
    /// Contacts that the partner gets at least when used.
    pub minimum_volume: u64,
}

/// Reads `terms`, which only a partner may have.
pub(super) fn terms(section: &Section<'_>, kind: ChannelKind) -> Result<Option<Terms>> {
    let Some(inner) = section.section("terms", "terms", "[[channel]] terms")? else {
        return Ok(None);
    };
    if kind != ChannelKind::Partner {
        return Err(section
            .refuse(
                "terms",
                &format!(
                    "is for partners, and this channel is of the kind {}",
                    kind.as_str()
                ),
            )
            .hint("set kind = \"partner\", or leave terms away"));
    }
    if inner.names().is_empty() {
        return Err(section
            .refuse("terms", "names no term")
            .hint("give revenue_share, fixed_fee or minimum_volume"));
    }
    let revenue_share = inner.number_in("revenue_share", 0.0..=1.0, 0.0)?;
    if revenue_share >= 1.0 {
        return Err(inner.refuse("revenue_share", "= 1 leaves nothing for us: give a share below 1"));
    }
    Ok(Some(Terms {
        revenue_share,
        fixed_fee: money(&inner, "fixed_fee")?.map_or(0.0, thalweg_domain::Money::get),
        minimum_volume: inner.whole("minimum_volume", 0)?.unwrap_or(0),
    }))
}

/// Refuses a minimum that the channel's own capacity rules out.
pub(super) fn check_minimum(
    section: &Section<'_>,
    terms: Option<Terms>,
    capacity: Option<u64>,
) -> Result<()> {
    match (terms, capacity) {
        (Some(terms), Some(capacity)) if terms.minimum_volume > capacity => Err(section.refuse(
            "terms",
            &format!(
                "minimum_volume = {} is above the capacity of {capacity}",
                terms.minimum_volume
            ),
        )),
        _ => Ok(()),
    }
}

/// In words: `15 % of what a contact brings, a fee of 500, at least 200 contacts`.
pub(super) fn said(terms: &Option<Terms>) -> String {
    terms.map_or_else(
        || "without terms".to_owned(),
        |terms| {
            format!(
                "a share of {:.1} %, a fee of {:.2}, at least {} contacts",
                100.0 * terms.revenue_share,
                terms.fixed_fee,
                terms.minimum_volume
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    fn workspace(channel: &str) -> String {
        format!(
            "[customers]\nsource = \"c.csv\"\nkey = \"id\"\n[outcome]\ncolumn = \"churn\"\n[plan]\nbudget = 10\n\
             [[channel]]\nname = \"shops\"\nunit_cost = 1\n{channel}\n"
        )
    }

    #[test]
    fn terms_are_read_and_each_may_be_left_away() {
        let text = workspace("kind = \"partner\"\nterms = { fixed_fee = 500.0, minimum_volume = 200 }");
        let terms = parse("thalweg.toml", &text, "w").unwrap().channels[0]
            .terms
            .unwrap();
        assert!((terms.fixed_fee - 500.0).abs() < 1e-12 && terms.revenue_share.abs() < 1e-12);
        assert_eq!(terms.minimum_volume, 200);
    }

    #[test]
    fn terms_that_cannot_be_are_refused() {
        let cases = [
            ("terms = { fixed_fee = 1 }", "TW0104", "is for partners"),
            ("kind = \"partner\"\nterms = {}", "TW0104", "names no term"),
            (
                "kind = \"partner\"\nterms = { revenue_share = 1 }",
                "TW0104",
                "below 1",
            ),
            (
                "kind = \"partner\"\nterms = { revenue_share = 1.5 }",
                "TW0104",
                "between 0 and 1",
            ),
            (
                "kind = \"partner\"\nterms = { fixed_fee = -1 }",
                "TW0104",
                "negative",
            ),
            (
                "kind = \"partner\"\nterms = { minimum_volume = 1.5 }",
                "TW0104",
                "whole number",
            ),
            (
                "kind = \"partner\"\nterms = { fixed_fees = 1 }",
                "TW0107",
                "unknown key",
            ),
            (
                "kind = \"partner\"\ncapacity = 5\nterms = { minimum_volume = 6 }",
                "TW0104",
                "above the capacity",
            ),
        ];
        for (channel, code, words) in cases {
            let error = parse("thalweg.toml", &workspace(channel), "w").unwrap_err();
            assert!(
                error.code == code && error.message.contains(words),
                "{channel}: {} {}",
                error.code,
                error.message
            );
        }
    }
}
