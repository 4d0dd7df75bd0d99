//! The error table: every code, its exit class, cause, example and remedy. `thalweg explain CODE` prints a row.
//!
//! Ranges: 01 usage and config · 02 data · 03 training · 04 checks · 05 planning · 06 delivery ·
//! 07 feedback and iteration · 08 workspace and ledger · 09 internal. A code is never reused.

/// What kind of failure it is; decides the exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitClass {
    /// 1: a fault of the program.
    Internal,
    /// 2: wrong usage or config.
    Usage,
    /// 3: data refused.
    Data,
    /// 4: a check failed, infeasible, not identifiable, no overlap.
    Check,
    /// 5: not allowed (policy or permission).
    NotAllowed,
    /// 6: the outside world failed; retry later.
    Outside,
}

impl ExitClass {
    /// The process exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Data => 3,
            Self::Check => 4,
            Self::NotAllowed => 5,
            Self::Outside => 6,
        }
    }
}

/// One row of the error table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// `TW` and four digits.
    pub code: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// The exit class.
    pub exit: ExitClass,
    /// Why it happens.
    pub cause: &'static str,
    /// What it looks like.
    pub example: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// The row for a code.
#[must_use]
pub fn code_info(code: &str) -> Option<&'static CodeInfo> {
    CODES.iter().find(|info| info.code.eq_ignore_ascii_case(code))
}

/// Every code, in order.
pub static CODES: &[CodeInfo] = &[
    // 01 usage and config
    CodeInfo {
        code: "TW0101",
        title: "no workspace here",
        exit: ExitClass::Usage,
        cause: "the folder has no thalweg.toml, so there is nothing to run",
        example: "error[TW0101]: no thalweg.toml in \"data/\"",
        remedy: "name the workspace folder (-C DIR), or make one: thalweg init DIR --from customers.csv --key customer_id --target churn",
    },
    CodeInfo {
        code: "TW0102",
        title: "thalweg.toml cannot be read as TOML",
        exit: ExitClass::Usage,
        cause: "the file breaks TOML's grammar at the named line",
        example: "error[TW0102]: thalweg.toml:12: expected `=` after a key",
        remedy: "mend the named line; strings need quotes, tables need [brackets]",
    },
    CodeInfo {
        code: "TW0103",
        title: "a required key is missing",
        exit: ExitClass::Usage,
        cause: "the configuration lacks a key without which nothing can run",
        example: "error[TW0103]: thalweg.toml: [outcome] needs \"column\" or \"event\"",
        remedy: "add the key; docs/reference/config.md lists every key with an example",
    },
    CodeInfo {
        code: "TW0104",
        title: "a configuration value is out of range or of the wrong type",
        exit: ExitClass::Usage,
        cause: "a key is there, but its value cannot be used",
        example: "error[TW0104]: thalweg.toml:40: [plan] holdout = 1.5 is not a share between 0 and 0.5",
        remedy: "give a value in the range that the message names",
    },
    CodeInfo {
        code: "TW0105",
        title: "the configuration names something that does not exist",
        exit: ExitClass::Usage,
        cause: "an offer names an unknown channel, or a key names a column that the table does not have",
        example: "error[TW0105]: [[offer]] \"discount-10\" names channel \"emial\"",
        remedy: "use one of the names that the message lists",
    },
    CodeInfo {
        code: "TW0106",
        title: "two entries have the same name",
        exit: ExitClass::Usage,
        cause: "channel and offer names identify decisions for ever, so they must be unique",
        example: "error[TW0106]: thalweg.toml:31: two [[channel]] are called \"email\"",
        remedy: "rename one of them",
    },
    CodeInfo {
        code: "TW0107",
        title: "unknown key",
        exit: ExitClass::Usage,
        cause: "a key in thalweg.toml is not one that Thalweg knows; it would have been ignored silently",
        example: "error[TW0107]: thalweg.toml:31: unknown key \"chanels\" in [[offer]]",
        remedy: "use the nearest known key that the hint names, or delete the line",
    },
    // 03 training
    CodeInfo {
        code: "TW0301",
        title: "the outcome has one class only",
        exit: ExitClass::Data,
        cause: "every row with a known outcome has the same one, so there is nothing to tell apart",
        example: "error[TW0301]: every row that could be learned from is negative: there is nothing to tell apart",
        remedy: "check [outcome] column and positive, and that the source holds customers of both kinds",
    },
    CodeInfo {
        code: "TW0302",
        title: "too few of one class for cross-validation",
        exit: ExitClass::Data,
        cause: "each fold needs customers with and without the outcome, inside and outside of it",
        example: "error[TW0302]: only 7 customers with the outcome, too few for 5 folds",
        remedy: "collect more history or a longer horizon, or use fewer folds",
    },
    CodeInfo {
        code: "TW0303",
        title: "nothing to learn from",
        exit: ExitClass::Data,
        cause: "the table has no rows, or no column differs between rows",
        example: "error[TW0303]: there is nothing to learn from: no column varies over the training rows",
        remedy: "check the source, the filters and [features] exclude",
    },
    CodeInfo {
        code: "TW0304",
        title: "a number that cannot be used",
        exit: ExitClass::Data,
        cause: "a feature is infinite, or a weight or value is not a positive number",
        example: "error[TW0304]: column \"balance\" is infinite in row 12 of the table",
        remedy: "mend the cell or leave it empty: missing cells are imputed",
    },
    CodeInfo {
        code: "TW0305",
        title: "a column of the model is missing",
        exit: ExitClass::Data,
        cause: "the model was trained with a column that the table to score lacks",
        example: "error[TW0305]: the model was trained with column \"tenure\", which this table lacks",
        remedy: "add the column to the source (its cells may be empty), or train again without it",
    },
    CodeInfo {
        code: "TW0306",
        title: "a column has changed its kind",
        exit: ExitClass::Data,
        cause: "a column that was, say, a number in training is text in the table to score",
        example: "error[TW0306]: column \"plan\" was of kind category in training, here it is number",
        remedy: "give the column the same kind as in training, or train again on the new table",
    },
    CodeInfo {
        code: "TW0307",
        title: "a learner's parameter is out of range",
        exit: ExitClass::Usage,
        cause: "a key under [model] or its sub-tables has a value with which no model can be fitted",
        example: "error[TW0307]: [model.mlp] dropout = 1.5 cannot be used",
        remedy: "give a value in the range that the hint names",
    },
    CodeInfo {
        code: "TW0308",
        title: "training did not converge",
        exit: ExitClass::Check,
        cause: "the loss became infinite, or the optimiser did not reach an optimum",
        example: "error[TW0308]: the net's loss stopped being a number in epoch 3",
        remedy: "lower the learning rate, choose another learner, or look for columns on a huge scale",
    },
    CodeInfo {
        code: "TW0309",
        title: "a stored model cannot be read",
        exit: ExitClass::Data,
        cause: "the artifact is damaged, or another version of Thalweg wrote it",
        example: "error[TW0309]: a stored model cannot be read",
        remedy: "train again: thalweg train",
    },
    // 04 checks
    CodeInfo {
        code: "TW0401",
        title: "a column gives the outcome away",
        exit: ExitClass::Check,
        cause: "one column alone tells the outcome almost perfectly, so it was probably written after the outcome or because of it; a model with it looks perfect and is useless",
        example: "error[TW0401]: column \"closed_at\" alone separates the outcome: AUC 0.998",
        remedy: "exclude it: [features] exclude = [\"closed_at\"]; if it is really known beforehand, no model is needed: act on it",
    },
    CodeInfo {
        code: "TW0402",
        title: "a column carries no usable information",
        exit: ExitClass::Check,
        cause: "nearly every row has a value of its own (a key), or all rows have the same",
        example: "error[TW0402]: column \"product_id\" has 10000 values in 10000 rows",
        remedy: "exclude it, or name it as [customers] key if it is the key",
    },
    CodeInfo {
        code: "TW0403",
        title: "the arms do not have the sizes they were drawn with",
        exit: ExitClass::Check,
        cause: "somewhere between drawing and measuring, customers of one arm were lost or added (sample-ratio mismatch), so the arms can no longer be compared",
        example: "error[TW0403]: sample ratio: 9120 and 880 customers, drawn as 90.0 % and 10.0 %; p = 0.00006",
        remedy: "find where customers went missing (delivery filter, feedback file, join on the key) before believing any effect",
    },
    CodeInfo {
        code: "TW0404",
        title: "no overlap between arms",
        exit: ExitClass::Check,
        cause: "for some action there are no comparable customers without it, or none with it, so its effect cannot be measured",
        example: "error[TW0404]: no customer intended for \"email\" was drawn to none",
        remedy: "raise [plan] explore, or wait for the next cycle",
    },
    CodeInfo {
        code: "TW0405",
        title: "the customers have changed",
        exit: ExitClass::Check,
        cause: "the new table is distributed unlike the one that the model learned from (population stability index of 0.25 or more)",
        example: "error[TW0405]: column \"monthly_charges\": stability index 0.41",
        remedy: "look at the named column at its source; if the change is real, train again before planning",
    },
    CodeInfo {
        code: "TW0410",
        title: "too few customers of one class",
        exit: ExitClass::Check,
        cause: "with fewer than 20 customers of a kind no figure means anything (FAIL); below 100 intervals are wide (REVIEW)",
        example: "too_few_positives FAIL 12 positives among 4000 rows",
        remedy: "collect more history or a longer horizon before money depends on the model",
    },
    CodeInfo {
        code: "TW0411",
        title: "the model may rank no better than chance",
        exit: ExitClass::Check,
        cause: "the 95 % interval of the AUC includes 0.5",
        example: "discrimination REVIEW AUC 0.520 (0.480 to 0.560)",
        remedy: "add features that could say something about the outcome",
    },
    CodeInfo {
        code: "TW0412",
        title: "probabilities are off",
        exit: ExitClass::Check,
        cause: "in a bin of at least 30 out-of-fold rows the mean probability is more than 0.05 away from the share observed, beyond doubt",
        example: "calibration REVIEW the top bin predicts 0.81, sees 0.74 (n = 212)",
        remedy: "try another learner, or look for a group of rows unlike the rest",
    },
    CodeInfo {
        code: "TW0413",
        title: "the model has learned its rows by heart",
        exit: ExitClass::Check,
        cause: "the AUC on the rows it was fitted on is more than 0.10 above the one out of fold",
        example: "overfit_gap REVIEW AUC 0.990 on its own rows, 0.780 out of fold",
        remedy: "the out-of-fold figures are honest; a simpler learner may do as well",
    },
    CodeInfo {
        code: "TW0414",
        title: "folds disagree",
        exit: ExitClass::Check,
        cause: "one fold's AUC is further from the mean than chance explains",
        example: "fold_stability REVIEW AUC 0.610 to 0.830 over 5 folds",
        remedy: "look for a column that splits the table in two worlds, such as a change of system",
    },
    // 05 planning
    CodeInfo {
        code: "TW0501",
        title: "the numbers to plan with cannot be used",
        exit: ExitClass::Data,
        cause: "a value, cost or limit is NaN or infinite, or lists that belong together differ in length",
        example: "error[TW0501]: cannot plan: value NaN of candidate 17 is not a finite number",
        remedy: "look for a missing value or an overflow in the value and cost expressions",
    },
    CodeInfo {
        code: "TW0502",
        title: "a constraint cannot be used",
        exit: ExitClass::Usage,
        cause: "a constraint names a resource or customers that do not exist, or its limit is not a number it can have",
        example: "error[TW0502]: constraint \"budget\" has the limit NaN",
        remedy: "name an existing resource column and give a finite limit",
    },
    CodeInfo {
        code: "TW0503",
        title: "several actions per customer cannot be planned with exploration",
        exit: ExitClass::Usage,
        cause: "the plan logs one propensity per action, which is defined for one action per customer and cycle",
        example: "error[TW0503]: max_actions_per_customer = 2 cannot be planned",
        remedy: "set max_actions_per_customer = 1; thalweg tool allocate takes any number",
    },
    CodeInfo {
        code: "TW0504",
        title: "the constraints cannot all hold",
        exit: ExitClass::Check,
        cause: "what some constraints require at least is more than others allow at most",
        example: "error[TW0504]: no plan keeps all constraints: \"north at least\", \"budget\" cannot hold together",
        remedy: "lower a requirement or raise a limit among the constraints that the message names",
    },
    CodeInfo {
        code: "TW0505",
        title: "a power calculation has no answer",
        exit: ExitClass::Usage,
        cause: "a rate, effect, level or power lies outside its range, so that no number of customers would do",
        example: "error[TW0505]: baseline 0.1 with an effect of 0.2 gives a rate outside 0 to 1",
        remedy: "give rates strictly between 0 and 1 and an effect that is not zero",
    },
    CodeInfo {
        code: "TW0506",
        title: "the shares for hold-out or exploration are out of range",
        exit: ExitClass::Usage,
        cause: "hold-out must lie in [0, 1) and exploration in [0, 1]",
        example: "error[TW0506]: holdout = 1.5 is not a share from 0 to below 1",
        remedy: "usual values are holdout = 0.10 and explore = 0.10",
    },
    CodeInfo {
        code: "TW0590",
        title: "a simulated market of that size cannot be made",
        exit: ExitClass::Usage,
        cause: "the number of simulated customers is outside 200 to 5,000,000",
        example: "error[TW0590]: a simulated market of 10 customers is outside 200 to 5000000",
        remedy: "give a number in that range: thalweg demo --customers 20000",
    },
    // 06 delivery
    CodeInfo {
        code: "TW0601",
        title: "the outbox cannot be written",
        exit: ExitClass::Outside,
        cause: "the folder for delivery files is missing, read-only or full",
        example: "error[TW0601]: \"outbox/1/call.csv\" cannot be written",
        remedy: "make the folder writable or free some space, then deliver again: nothing was sent twice",
    },
    CodeInfo {
        code: "TW0602",
        title: "a template has a syntax error",
        exit: ExitClass::Usage,
        cause: "the template is not valid Liquid at the named line",
        example: "error[TW0602]: templates/discount.liquid:3: a tag is not closed",
        remedy: "mend the named line; fields are written {{ first_name }}",
    },
    CodeInfo {
        code: "TW0603",
        title: "a template uses a field that does not exist",
        exit: ExitClass::Usage,
        cause: "the template names something that is neither a column of the customers' table nor a field of the message",
        example: "error[TW0603]: templates/discount.liquid:2: unknown field \"fist_name\"",
        remedy: "use one of the fields that the hint lists",
    },
    CodeInfo {
        code: "TW0604",
        title: "a contact policy cannot be read",
        exit: ExitClass::Usage,
        cause: "quiet hours are not two times of day, or the weekly limit is not a number",
        example: "error[TW0604]: quiet hours \"21-8\" are not two times of day",
        remedy: "write quiet_hours = \"21:00-08:00\": from, until, on a 24-hour clock",
    },
    CodeInfo {
        code: "TW0605",
        title: "a template file cannot be read",
        exit: ExitClass::Usage,
        cause: "the offer names a template that is missing or not UTF-8 text",
        example: "error[TW0605]: template \"templates/discount.liquid\" cannot be read",
        remedy: "check the path (it is relative to the workspace) and save the file as UTF-8",
    },
    CodeInfo {
        code: "TW0606",
        title: "a template cannot be filled in",
        exit: ExitClass::Usage,
        cause: "a filter of the template cannot use the value of a field",
        example: "error[TW0606]: templates/discount.liquid: cannot be filled in for decision \"p-1-0000007\"",
        remedy: "make the template cope with every value of the field, or give it a default: {{ age | default: 0 }}",
    },
    CodeInfo {
        code: "TW0607",
        title: "two messages for one decision",
        exit: ExitClass::Internal,
        cause: "a decision is delivered once per channel, yet two different messages name it",
        example: "error[TW0607]: internal error: two messages for decision \"p-1-0000007\" on channel \"email\"",
        remedy: "report it with the command and the code; nothing was sent",
    },
    // 07 feedback and iteration
    CodeInfo {
        code: "TW0701",
        title: "a line of a feedback file is not a JSON object",
        exit: ExitClass::Data,
        cause: "every line must be one JSON object; this one is cut off, or is something else",
        example: "error[TW0701]: events.jsonl:17: not a JSON object",
        remedy: "mend or drop the line, then load the file again: what was loaded is not counted twice",
    },
    CodeInfo {
        code: "TW0702",
        title: "an event has no messageId",
        exit: ExitClass::Data,
        cause: "without messageId duplicates cannot be told apart, so the event cannot be counted",
        example: "error[TW0702]: events.jsonl:17: the event has no \"messageId\"",
        remedy: "let the sender set messageId (the Segment specification asks for it)",
    },
    CodeInfo {
        code: "TW0703",
        title: "an event names no user",
        exit: ExitClass::Data,
        cause: "userId is the customer key; an event without it cannot be joined to a decision",
        example: "error[TW0703]: events.jsonl:17: the event has no \"userId\"",
        remedy: "set userId to the customer's key; anonymous events can be left out",
    },
    CodeInfo {
        code: "TW0704",
        title: "an event's timestamp cannot be read",
        exit: ExitClass::Data,
        cause: "timestamp is missing or is not a point in time with an offset (RFC 3339)",
        example: "error[TW0704]: events.jsonl:17: \"2026-13-01\" is not a timestamp",
        remedy: "write it as 2026-03-01T09:30:00Z",
    },
    CodeInfo {
        code: "TW0705",
        title: "an event's type is unknown",
        exit: ExitClass::Data,
        cause: "type is none of identify, track, page, group, alias",
        example: "error[TW0705]: events.jsonl:17: unknown type \"screen\"",
        remedy: "use one of the five types, or leave the line out",
    },
    CodeInfo {
        code: "TW0706",
        title: "a track event has no name",
        exit: ExitClass::Data,
        cause: "a track event says what happened in its key event",
        example: "error[TW0706]: events.jsonl:17: a track event needs \"event\"",
        remedy: "add the name, such as \"event\": \"Subscription Cancelled\"",
    },
    CodeInfo {
        code: "TW0707",
        title: "a feedback file cannot be read",
        exit: ExitClass::Data,
        cause: "the file is missing, unreadable or not UTF-8 text",
        example: "error[TW0707]: events.jsonl: the file cannot be read",
        remedy: "check the path and save the file as UTF-8, one JSON object per line",
    },
    CodeInfo {
        code: "TW0708",
        title: "an event's properties are not an object",
        exit: ExitClass::Data,
        cause: "properties (traits in an identify event) must be a JSON object, and decision_id in it text",
        example: "error[TW0708]: events.jsonl:17: \"properties\" is not an object",
        remedy: "write \"properties\": {\"decision_id\": \"…\"}",
    },
    CodeInfo {
        code: "TW0720",
        title: "an assumption about effects cannot be used",
        exit: ExitClass::Usage,
        cause: "an assumed effect or acceptance, or a setting of the effect model, is not a number in its range",
        example: "error[TW0720]: an assumed acceptance of mean 1.5 and sd 0.1 cannot be used",
        remedy: "give a mean and an sd in the range that the message names",
    },
    CodeInfo {
        code: "TW0721",
        title: "rows to measure from cannot be used",
        exit: ExitClass::Data,
        cause: "decisions and outcomes do not fit together: a propensity is 0, a number is missing, or a row names an unknown action",
        example: "error[TW0721]: a propensity of 0 cannot be used",
        remedy: "export the decisions again; a propensity must be above 0 and at most 1 for what was logged",
    },
    CodeInfo {
        code: "TW0722",
        title: "the effect model has no solution",
        exit: ExitClass::Internal,
        cause: "the normal equations are not positive definite in floating point",
        example: "error[TW0722]: the effect model's equations have no solution",
        remedy: "standardise the features (mean 0, sd 1) and look for enormous values",
    },
    CodeInfo {
        code: "TW0723",
        title: "too few customers to measure",
        exit: ExitClass::Check,
        cause: "an effect needs at least two customers with and two without the action",
        example: "error[TW0723]: 1 customer in the hold-out: no effect can be measured",
        remedy: "let more customers in, or run more cycles",
    },
    CodeInfo {
        code: "TW0724",
        title: "a statistical setting is out of range",
        exit: ExitClass::Usage,
        cause: "a level, share or planned number of customers is not in its range",
        example: "error[TW0724]: expected shares sum to 0.9",
        remedy: "give shares above 0 that sum to 1, levels between 0 and 1, numbers above 0",
    },
    // 08 workspace and ledger
    CodeInfo {
        code: "TW0801",
        title: "the ledger cannot be opened",
        exit: ExitClass::Outside,
        cause: "the folder is missing, or the file may not be read or written",
        example: "error[TW0801]: \"shop/thalweg.db\" cannot be opened for reading and writing",
        remedy: "check that the folder exists and that you may write to it and to the file",
    },
    CodeInfo {
        code: "TW0802",
        title: "the ledger is damaged",
        exit: ExitClass::Data,
        cause: "the file is not a database, or its pages, tables or rows are not as this program wrote them",
        example: "error[TW0802]: \"shop/thalweg.db\" is damaged or is not a ledger",
        remedy: "restore the file from a copy; moving it away starts a new ledger, and what was decided is lost",
    },
    CodeInfo {
        code: "TW0803",
        title: "the ledger belongs to a newer version",
        exit: ExitClass::Usage,
        cause: "a newer Thalweg has changed the ledger's tables",
        example: "error[TW0803]: \"shop/thalweg.db\" has tables of version 9, which this program does not know",
        remedy: "use that version, or restore the copy from before the update",
    },
    CodeInfo {
        code: "TW0804",
        title: "the ledger is in use",
        exit: ExitClass::Outside,
        cause: "another process has been writing to the ledger for more than five seconds",
        example: "error[TW0804]: another process is writing to \"shop/thalweg.db\"",
        remedy: "wait until the other command has finished, then run this one again",
    },
    CodeInfo {
        code: "TW0805",
        title: "the disk failed or is full",
        exit: ExitClass::Outside,
        cause: "the ledger could not be read or written; the step that was running left nothing behind",
        example: "error[TW0805]: no space left to write \"shop/thalweg.db\"",
        remedy: "free some space or check the disk, then run the same command again",
    },
    CodeInfo {
        code: "TW0806",
        title: "the ledger could not be used",
        exit: ExitClass::Internal,
        cause: "the database gave an error that Thalweg does not expect",
        example: "error[TW0806]: the ledger could not be used while keeping the plan",
        remedy: "run again; if it happens again, report it with the command, the code and the cause",
    },
    CodeInfo {
        code: "TW0807",
        title: "the ledger does not rewrite history",
        exit: ExitClass::NotAllowed,
        cause: "something tried to change or delete a decision, a plan or an audit entry",
        example: "error[TW0807]: the ledger refuses to rewrite history while keeping the plan",
        remedy: "what was decided stays; record a correction instead",
    },
    CodeInfo {
        code: "TW0808",
        title: "not in the ledger",
        exit: ExitClass::Usage,
        cause: "a plan, cycle or model was named that the ledger does not have",
        example: "error[TW0808]: the ledger has no plan \"p-12\"",
        remedy: "thalweg status shows what there is",
    },
    CodeInfo {
        code: "TW0810",
        title: "the cycle's plan was delivered already",
        exit: ExitClass::NotAllowed,
        cause: "after deliver, a plan is what was done; another cannot take its place",
        example: "error[TW0810]: plan \"p-12\" of cycle 3 was delivered, so it cannot be replaced",
        remedy: "finish the cycle (thalweg iterate); changes take effect in the next one",
    },
    CodeInfo {
        code: "TW0811",
        title: "the plan or cycle is no longer open",
        exit: ExitClass::NotAllowed,
        cause: "a superseded plan cannot be delivered, and a closed cycle takes no plan",
        example: "error[TW0811]: cycle 3 is closed",
        remedy: "plan and deliver in the open cycle; thalweg status names it",
    },
    // 09 internal
    CodeInfo {
        code: "TW0901",
        title: "a fault of the program",
        exit: ExitClass::Internal,
        cause: "something that cannot happen has happened",
        example: "error[TW0901]: internal error: …",
        remedy: "run again with the same command; if it happens again, report it with the command and the code",
    },
];
