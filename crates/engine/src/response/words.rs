//! The same faults and advice in the words of `thalweg.toml`: options of `tool response` become keys of `[response]`.

use thalweg_domain::Error;

use crate::wire::ResponseOut;

/// An error about an option as one about a key.
pub(crate) fn in_config(error: Error) -> Error {
    Error {
        message: text(&error.message),
        hint: error.hint.as_deref().map(text),
        ..error
    }
}

impl ResponseOut {
    /// Reasons, notes and experiments name keys instead of options.
    pub(crate) fn say_keys(&mut self) {
        let all = self.reasons.iter_mut().chain(&mut self.notes);
        let of_concerns = self
            .concerns
            .iter_mut()
            .flat_map(|own| [&mut own.what, &mut own.experiment]);
        for own in all.chain(of_concerns) {
            *own = text(own);
        }
    }
}

/// `--max-change` becomes `[response] max_change`.
fn text(option: &str) -> String {
    let option = option
        .replace(
            "thalweg tool response --help lists what each option takes",
            "docs/reference/config.md lists what each key of [response] takes",
        )
        .replace("--lift-tests", "[[response.lift_test]]");
    let mut parts = option.split("--");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|own: char| !own.is_ascii_lowercase() && own != '-')
            .unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        if name.is_empty() {
            out.push_str("--");
        } else {
            out.push_str("[response] ");
            out.push_str(&name.replace('-', "_"));
        }
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn options_become_keys() {
        for (option, key) in [
            (
                "give a --budget in that range, or a greater --max-change",
                "give a [response] budget in that range, or a greater [response] max_change",
            ),
            (
                "give the result by --lift-tests; or not",
                "give the result by [[response.lift_test]]; or not",
            ),
            (
                "dates: --date-format \"%m\"",
                "dates: [response] date_format \"%m\"",
            ),
            ("a dash -- stays", "a dash -- stays"),
            ("nothing to say", "nothing to say"),
        ] {
            assert_eq!(text(option), key);
        }
    }
}
