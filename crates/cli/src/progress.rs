//! Progress on stderr: a bar for work over a moment, nothing when it is not a terminal.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use thalweg_engine::Progress;

/// Draws one bar at a time.
pub(crate) struct Bars {
    visible: bool,
    current: Mutex<Option<ProgressBar>>,
}

impl Bars {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            visible: !json && std::io::stderr().is_terminal(),
            current: Mutex::new(None),
        }
    }

    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        if let Ok(mut current) = self.current.lock() {
            act(&mut current);
        }
    }
}

impl Progress for Bars {
    fn start(&self, what: &str, total: Option<usize>) {
        if !self.visible {
            return;
        }
        let bar = match total {
            Some(total) => {
                ProgressBar::new(total as u64).with_style(style("{msg:10} {bar:30} {pos}/{len}  {elapsed}"))
            }
            None => ProgressBar::new_spinner().with_style(style("{msg:10} {spinner} {elapsed}")),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(150));
        self.with(|current| {
            if let Some(old) = current.replace(bar) {
                old.finish_and_clear();
            }
        });
    }

    fn advance(&self, done: usize) {
        self.with(|current| {
            if let Some(bar) = current {
                bar.set_position(done as u64);
            }
        });
    }

    fn finish(&self) {
        self.with(|current| {
            if let Some(bar) = current.take() {
                bar.finish_and_clear();
            }
        });
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
