//! The eight stages of the loop: the one list that commands, records and tests read.

/// One stage of the loop, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Profile the data and write the workspace file.
    Init,
    /// Read the sources into one typed table.
    Collect,
    /// Learn who will leave (buy) and whom an action changes.
    Train,
    /// Decide whether the models may be used.
    Evaluate,
    /// Choose channels, budgets and who gets what.
    Plan,
    /// Reach the customers.
    Deliver,
    /// Join what customers did to what was decided.
    Feedback,
    /// Measure, close the cycle, start the next.
    Iterate,
}

/// What a stage is for: one row of the stage table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageInfo {
    /// The command that runs it, also its name in records.
    pub name: &'static str,
    /// The question it answers.
    pub question: &'static str,
    /// What it computes.
    pub computation: &'static str,
}

impl Stage {
    /// All stages in the order in which the loop runs them.
    pub const ALL: [Self; 8] = [
        Self::Init,
        Self::Collect,
        Self::Train,
        Self::Evaluate,
        Self::Plan,
        Self::Deliver,
        Self::Feedback,
        Self::Iterate,
    ];

    /// The stage's row in the stage table.
    #[must_use]
    pub const fn info(self) -> StageInfo {
        let (name, question, computation) = match self {
            Self::Init => (
                "init",
                "what do I have, and what do I want to change?",
                "profile the data, write thalweg.toml",
            ),
            Self::Collect => (
                "collect",
                "what did we know about whom, when?",
                "sources to tables to point-in-time features, leakage scan",
            ),
            Self::Train => (
                "train",
                "who will leave (buy, fail, default), and whom does an action change?",
                "outcome model, effect model",
            ),
            Self::Evaluate => (
                "evaluate",
                "may these models be used?",
                "cross-validation, calibration, profit, named checks",
            ),
            Self::Plan => (
                "plan",
                "which channels to open, expand, hold, shrink, retire; what budget each; who gets what?",
                "allocation under constraints, hold-out and exploration",
            ),
            Self::Deliver => (
                "deliver",
                "who was really reached?",
                "contact policy, templates, outbox, channel adapters",
            ),
            Self::Feedback => (
                "feedback",
                "what did customers do and say?",
                "events joined to decisions",
            ),
            Self::Iterate => (
                "iterate",
                "what did we really change, what has drifted, what next?",
                "lift with intervals, drift, champion and challenger, next cycle",
            ),
        };
        StageInfo {
            name,
            question,
            computation,
        }
    }

    /// The stage's name: its command and its key in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.info().name
    }

    /// The stage of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}
