//! compress: a smaller, quicker model in place of the one in use, if it loses too little to matter.

use std::path::PathBuf;
use std::time::Instant;

use thalweg_domain::{Error, Result, Table};
use thalweg_learn::compress::{CompressParams, CompressTo, compress};
use thalweg_learn::outcome::{OutcomeModel, OutcomeTraining};

use crate::artifacts;
use crate::count::to_f64;
use crate::session::Session;
use crate::stages::{collect, train};
use crate::wire::CompressOut;

/// What to compress, to what.
#[derive(Debug, Clone)]
pub struct CompressRequest {
    /// A model's id; the one in use when absent.
    pub model: Option<String>,
    /// `int8`, `pruned` or `distilled`.
    pub to: String,
    /// Share of the weights taken away by `pruned`.
    pub sparsity: Option<f64>,
    /// Hidden units of a `distilled` net, layer by layer.
    pub hidden: Option<Vec<usize>>,
    /// The largest loss of the metric (AUC for two classes) that is accepted.
    pub bound: f64,
    /// Where to write the compressed model.
    pub out: Option<PathBuf>,
    /// Put it in the place of the model in use.
    pub replace: bool,
}

impl Session {
    /// Compresses a model and says what that saves and costs; replaces the one in use only within the bound.
    ///
    /// # Errors
    /// `TW0307` and `TW0334` for what cannot be compressed that way, `TW0333` when the loss may be beyond the bound and a replacement
    /// was asked for, `TW0113` for a model that there is not.
    pub fn compress(&self, request: &CompressRequest) -> Result<CompressOut> {
        let (_, table) = self.collect()?;
        let (_, trained) = self.train()?;
        let id = request.model.clone().unwrap_or_else(|| trained.model.clone());
        if id != trained.model && !self.workspace.artifact("models", &id, "json").is_file() {
            return Err(Error::new("TW0113", format!("there is no model \"{id}\""))
                .hint(format!("the model in use is {}", trained.model)));
        }
        let collected = collect::load(self, &table.table)?;
        let training = train::load(self, &id)?;
        let rows = train::rows_of(self, &collected, &training)?;
        let config = &self.workspace.config.model;
        let params = CompressParams {
            to: kind(request)?,
            learners: training.search.best(&config.params(0, self.seed()).learners),
            seed: self.seed(),
        };
        let made = compress(&training, &rows.set(), &params)?;
        let accepted = made.report.replaces_champion(request.bound);
        let speeds = [
            speed(&training.model, &rows.table)?,
            speed(&made.model, &rows.table)?,
        ];
        let refused = accepted.as_ref().err().map(|error| error.message.clone());
        let report = &made.report;
        let mut out = CompressOut {
            model: id,
            to: report.to.clone(),
            bytes: [report.bytes_before, report.bytes_after],
            net_bytes: report.net_bytes.map(|(before, after)| [before, after]),
            rows_per_second: speeds,
            metric: report.metric.clone(),
            before: report.before,
            after: report.after,
            loss: report.loss.into(),
            bound: request.bound,
            within_bound: refused.is_none(),
            replaced: None,
            file: request.out.as_ref().map(|path| path.display().to_string()),
        };
        if let Some(path) = &request.out {
            thalweg_collect::write_bytes_atomic(path, made.model.to_json()?.as_bytes())?;
        }
        if request.replace {
            accepted?;
            out.replaced = Some(self.replace(&out.model, made.model, made.out_of_fold)?);
        }
        Ok(out)
    }

    /// The training of `id` with another model in its place, as the model in use.
    fn replace(&self, id: &str, model: OutcomeModel, out_of_fold: Vec<f64>) -> Result<String> {
        let path = self.workspace.artifact("models", id, "json");
        let mut training = OutcomeTraining::from_json(&artifacts::read(&path)?)?;
        training.model = model;
        training.out_of_fold = out_of_fold;
        train::put_in_place(self, &training)
    }
}

fn kind(request: &CompressRequest) -> Result<CompressTo> {
    let usual = CompressTo::from_name(&request.to).ok_or_else(|| {
        Error::new("TW0109", format!("--to {} is no kind of compression", request.to))
            .hint("give int8, pruned or distilled")
    })?;
    Ok(match usual {
        CompressTo::Int8 => CompressTo::Int8,
        CompressTo::Pruned { sparsity } => CompressTo::Pruned {
            sparsity: request.sparsity.unwrap_or(sparsity),
        },
        CompressTo::Distilled {
            hidden,
            teacher_share,
        } => CompressTo::Distilled {
            hidden: request.hidden.clone().unwrap_or(hidden),
            teacher_share,
        },
    })
}

/// Rows scored a second, preparation included: the best of three.
fn speed(model: &OutcomeModel, table: &Table) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let begun = Instant::now();
        model.predict_all(table)?;
        best = best.min(begun.elapsed().as_secs_f64());
    }
    Ok(to_f64(table.n_rows()) / best.max(1e-9))
}
