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
