//! Every key of `thalweg.toml`: the one list behind the unknown-key error and `docs/reference/config.md`.

/// One key: where it stands, what it takes, what it means.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The section, as in `plan` or `model.mlp`; `*` stands for any name.
    pub section: &'static str,
    /// The key.
    pub name: &'static str,
    /// What it takes, with the range.
    pub takes: &'static str,
    /// The default; `None` when the key is required or off unless given.
    pub default: Option<&'static str>,
    /// What it means.
    pub doc: &'static str,
}

const fn key(
    section: &'static str,
    name: &'static str,
    takes: &'static str,
    default: Option<&'static str>,
    doc: &'static str,
) -> Key {
    Key {
        section,
        name,
        takes,
        default,
        doc,
    }
}

/// The sections in the order in which the reference lists them, with their headings and meanings.
pub static SECTIONS: &[(&str, &str, &str)] = &[
    ("", "(top level)", "The sections of the file."),
    (
        "workspace",
        "[workspace]",
        "What the workspace is called and how it counts.",
    ),
    ("customers", "[customers]", "One row per customer."),
    (
        "events",
        "[[events]]",
        "Optional, repeatable: one row per event, for features and, without an [outcome] column, for the outcome.",
    ),
    ("features", "[features]", "What the models may see."),
    (
        "features.columns.*",
        "[features.columns.NAME]",
        "Settings of one column.",
    ),
    ("outcome", "[outcome]", "What the loop wants to change."),
    ("model", "[model]", "How risk is learned."),
    (
        "model.mlp",
        "[model.mlp]",
        "The neural network; the defaults are the reference net.",
    ),
    ("channel", "[[channel]]", "Repeatable: a way to reach people."),
    (
        "offer",
        "[[offer]]",
        "Repeatable: something offered through a channel.",
    ),
    (
        "belief",
        "assumed_effect, assumed_acceptance",
        "A belief held until measured.",
    ),
    ("plan", "[plan]", "Money and randomisation."),
    (
        "contact_policy",
        "[contact_policy]",
        "What delivery must respect.",
    ),
];

/// All keys.
pub static KEYS: &[Key] = &[
    key("", "workspace", "section", None, "name, currency, seed"),
    key("", "customers", "section", None, "where the customers are"),
    key("", "events", "list of sections", None, "where events are"),
    key("", "features", "section", None, "what the models may see"),
    key("", "outcome", "section", None, "what the loop wants to change"),
    key("", "model", "section", None, "how risk is learned"),
    key("", "channel", "list of sections", None, "ways to reach people"),
    key("", "offer", "list of sections", None, "what is offered"),
    key("", "plan", "section", None, "money and randomisation"),
    key(
        "",
        "contact_policy",
        "section",
        None,
        "what delivery must respect",
    ),
    key(
        "workspace",
        "name",
        "text",
        Some("the folder's name"),
        "the workspace's name in every output",
    ),
    key(
        "workspace",
        "currency",
        "text",
        Some("USD"),
        "currency of every amount",
    ),
    key(
        "workspace",
        "seed",
        "whole number",
        Some("42"),
        "every random draw follows from it; --seed overrides it",
    ),
    key(
        "customers",
        "source",
        "path or glob",
        None,
        "CSV, Parquet or JSON lines, relative to the workspace folder (required, unless the outcome is learned from events)",
    ),
    key(
        "customers",
        "key",
        "column",
        None,
        "the customer's key; without it rows are numbered, and files cannot be joined later",
    ),
    key(
        "customers",
        "since",
        "column",
        None,
        "a date column: since when each is a customer, when the outcome is learned from events; without it the first event counts",
    ),
    key(
        "customers",
        "cluster",
        "column",
        None,
        "who shares it (a household) gets the same arm",
    ),
    key(
        "customers",
        "decide_on",
        "auto, all or a SQL condition",
        Some("auto"),
        "whom to decide on: auto takes the rows with an empty outcome, or all rows of a labelled snapshot",
    ),
    key(
        "events",
        "source",
        "path or glob",
        None,
        "CSV, Parquet or JSON lines (required)",
    ),
    key("events", "key", "column", None, "the customer's key (required)"),
    key("events", "time", "column", None, "when it happened (required)"),
    key("events", "name", "column", None, "what happened"),
    key(
        "features",
        "exclude",
        "list of columns",
        Some("[]"),
        "columns the models must not see; init writes found leaks here",
    ),
    key(
        "features",
        "sql",
        "path",
        None,
        "a file with one SELECT over customers and events; :cutoff is the time of decision",
    ),
    key(
        "features",
        "columns",
        "section",
        None,
        "settings of single columns",
    ),
    key(
        "features.columns.*",
        "missing",
        "list of texts",
        Some("[]"),
        "texts that mean missing in this column, besides blank, NA and null",
    ),
    key(
        "outcome",
        "kind",
        "churn or conversion",
        Some("churn"),
        "an effect lowers churn, or raises conversion",
    ),
    key(
        "outcome",
        "column",
        "column",
        None,
        "the labelled outcome to learn from; without it the outcome is learned from [[events]]",
    ),
    key(
        "outcome",
        "positive",
        "text",
        None,
        "the value that means it happened; needed unless the column is true/false or 1/0",
    ),
    key(
        "outcome",
        "event",
        "text",
        Some("Outcome"),
        "the event that counts as the outcome after a decision, and in the past when there is no labelled column",
    ),
    key(
        "outcome",
        "absent",
        "true or false",
        Some("false"),
        "the outcome is that no such event comes within the horizon (learning from events only)",
    ),
    key(
        "outcome",
        "every",
        "days, as in 30d",
        Some("the horizon"),
        "how far apart the moments are at which customers are looked at (learning from events only)",
    ),
    key(
        "outcome",
        "cutoffs",
        "list of dates",
        None,
        "these moments instead; outcomes must be complete after each (learning from events only)",
    ),
    key(
        "outcome",
        "horizon",
        "days, as in 30d",
        Some("30d"),
        "how long after a decision the outcome counts",
    ),
    key(
        "outcome",
        "value",
        "SQL expression or number",
        Some("100"),
        "money at stake per customer",
    ),
    key(
        "model",
        "learner",
        "auto, mlp, gbdt or logistic",
        Some("auto"),
        "auto takes the least cross-validated log loss",
    ),
    key(
        "model",
        "folds",
        "2 to 20",
        Some("5"),
        "folds of the outer cross-validation",
    ),
    key(
        "model",
        "split",
        "rolling or random",
        Some("rolling with events, else random"),
        "rolling trains on earlier moments and tests on later ones; random splits customers",
    ),
    key("model", "mlp", "section", None, "the neural network's parameters"),
    key(
        "model.mlp",
        "hidden",
        "list of whole numbers",
        Some("[64]"),
        "units per hidden layer (ReLU)",
    ),
    key(
        "model.mlp",
        "dropout",
        "0 to 0.9",
        Some("0.5"),
        "share of hidden units switched off in training",
    ),
    key(
        "model.mlp",
        "loss",
        "cross_entropy or mse",
        Some("cross_entropy"),
        "mse is half the sum of squares, averaged over the batch",
    ),
    key(
        "model.mlp",
        "optimizer",
        "sgd, momentum or adam",
        Some("sgd"),
        "the update rule",
    ),
    key("model.mlp", "learning_rate", "above 0", Some("0.01"), "step size"),
    key("model.mlp", "batch", "1 or more", Some("32"), "rows per step"),
    key(
        "model.mlp",
        "epochs",
        "1 or more",
        Some("100"),
        "most passes over the data",
    ),
    key(
        "model.mlp",
        "validation",
        "0 to 0.5",
        Some("0.2"),
        "share kept for early stopping; 0 switches it off",
    ),
    key(
        "model.mlp",
        "patience",
        "1 or more",
        Some("5"),
        "epochs without improvement before stopping",
    ),
    key(
        "channel",
        "name",
        "name",
        None,
        "identifies the channel for ever (required)",
    ),
    key("channel", "adapter", "file", Some("file"), "how it is delivered"),
    key(
        "channel",
        "kind",
        "online, offline or partner",
        Some("online"),
        "what sort of channel it is",
    ),
    key(
        "channel",
        "unit_cost",
        "0 or more",
        None,
        "cost of one contact (required)",
    ),
    key(
        "channel",
        "capacity",
        "whole number",
        None,
        "contacts per cycle; without it no limit",
    ),
    key(
        "channel",
        "budget",
        "0 or more",
        None,
        "spend per cycle; without it only [plan] budget binds",
    ),
    key(
        "channel",
        "consent",
        "column",
        None,
        "a yes/no column; only customers with yes are eligible",
    ),
    key(
        "channel",
        "plain",
        "true or false",
        Some("true"),
        "may also be used without an offer",
    ),
    key(
        "channel",
        "assumed_effect",
        "{ mean, sd }",
        Some("{ mean = 0.05, sd = 0.05 }"),
        "relative effect believed until measured",
    ),
    key(
        "channel",
        "template",
        "path",
        None,
        "a liquid template for contacts without an offer",
    ),
    key(
        "offer",
        "name",
        "name",
        None,
        "identifies the offer for ever (required)",
    ),
    key(
        "offer",
        "cost",
        "SQL expression or number",
        None,
        "paid when accepted (required)",
    ),
    key(
        "offer",
        "assumed_effect",
        "{ mean, sd }",
        Some("{ mean = 0.05, sd = 0.05 }"),
        "relative effect on top of the channel's: 1-(1-m_channel)(1-m_offer)",
    ),
    key(
        "offer",
        "assumed_acceptance",
        "{ mean, sd }",
        Some("{ mean = 0.2, sd = 0.1 }"),
        "share of those contacted who take it, believed until measured",
    ),
    key(
        "offer",
        "template",
        "path",
        None,
        "a liquid template; its fields become columns of the delivery file",
    ),
    key(
        "offer",
        "channels",
        "list of channels",
        None,
        "where it may be used (required)",
    ),
    key(
        "offer",
        "cap",
        "whole number",
        None,
        "contacts with this offer per cycle; without it no limit",
    ),
    key("belief", "mean", "number", None, "expected value (required)"),
    key("belief", "sd", "above 0", None, "standard deviation (required)"),
    key("plan", "budget", "0 or more", None, "money per cycle (required)"),
    key(
        "plan",
        "holdout",
        "0 to 0.5",
        Some("0.10"),
        "share of customers never contacted, kept for ever",
    ),
    key(
        "plan",
        "explore",
        "0.02 to 0.5, or 0",
        Some("0.10"),
        "share of the others that is randomised each cycle; 0 learns nothing",
    ),
    key(
        "plan",
        "max_actions_per_customer",
        "1",
        Some("1"),
        "actions per customer and cycle",
    ),
    key(
        "contact_policy",
        "quiet_hours",
        "\"HH:MM-HH:MM\"",
        None,
        "local time in which nobody is contacted",
    ),
    key(
        "contact_policy",
        "max_per_week",
        "whole number",
        None,
        "most contacts per customer in seven days",
    ),
];

/// The keys of one section.
pub(crate) fn keys_of(section: &str) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.section == section)
}

/// The known key nearest to a misspelt one, if one is near.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .min()
        .filter(|(distance, name)| *distance <= 2.max(name.len() / 3))
        .map(|(_, name)| name)
}
