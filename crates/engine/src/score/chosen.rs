//! Which model scores: one of the workspace, or a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thalweg_domain::{Error, Result};
use thalweg_learn::outcome::{OutcomeModel, OutcomeTraining};

use super::ScoreRequest;
use crate::artifacts;
use crate::session::{Options, Session};
use crate::workspace::Workspace;

/// A model with what its workspace says about the data.
pub(crate) struct Chosen {
    /// Its id or file.
    pub(crate) name: String,
    pub(crate) model: OutcomeModel,
    /// Whether it is one of the workspace's models, by its id.
    pub(super) is_of_workspace: bool,
    /// Texts that mean missing, per column.
    pub(super) missing: BTreeMap<String, Vec<String>>,
    /// The key of the workspace's customers.
    pub(super) key: Option<String>,
    /// Whether the workspace makes features by SQL or from events, which a plain file does not have.
    makes_features: bool,
}

impl Chosen {
    /// Adds what the workspace knows about a column that is not there.
    pub(super) fn advise(&self, error: Error) -> Error {
        if error.code == "TW0305" && self.makes_features {
            return error.hint(
                "the workspace makes further features by [features] sql or from events; score a file that holds them as columns",
            );
        }
        error
    }
}

/// Finds and reads a model by its id, `champion` (when absent), `latest`, or its file.
pub(crate) fn choose_model(model: Option<&str>, dir: &Path, options: &Options) -> Result<Chosen> {
    let request = ScoreRequest {
        model: model.map(str::to_owned),
        data: String::new(),
        out: PathBuf::new(),
        key: None,
        keep: Vec::new(),
        decide: None,
        dir: dir.to_owned(),
        dir_given: false,
    };
    choose(&request, options)
}

/// Finds and reads the model.
pub(super) fn choose(request: &ScoreRequest, options: &Options) -> Result<Chosen> {
    let wanted = request.model.as_deref().unwrap_or("champion");
    let file = Path::new(wanted);
    if file.is_file() {
        let workspace = request
            .dir_given
            .then(|| Workspace::open(&request.dir))
            .transpose()?;
        return read(file, wanted, workspace.as_ref(), false);
    }
    let (workspace, id) = match wanted {
        "champion" | "latest" => recorded(request, options, wanted)?,
        id => (Workspace::open(&request.dir)?, id.to_owned()),
    };
    let path = workspace.artifact("models", &id, "json");
    if wanted == id && (!is_id(&id) || !path.is_file()) {
        return Err(no_model(&id));
    }
    read(&path, &id, Some(&workspace), true)
}

/// The champion's or the latest model's id; the ledger is closed again before anything is scored.
fn recorded(request: &ScoreRequest, options: &Options, wanted: &str) -> Result<(Workspace, String)> {
    let session = Session::open(&request.dir, options.clone())?;
    let row = match wanted {
        "champion" => session.ledger.champion()?,
        _ => session.ledger.models()?.pop(),
    };
    let id = row.ok_or_else(|| {
        Error::new(
            "TW0113",
            format!("there is no {wanted} model in the workspace yet"),
        )
        .hint("thalweg run makes one; or name a model: --model m-… or --model FILE.json")
    })?;
    Ok((session.workspace.clone(), id.model.model_hash))
}

/// `m-` and letters or digits: nothing that could lead out of the folder of models.
fn is_id(id: &str) -> bool {
    id.strip_prefix("m-")
        .is_some_and(|hash| !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn no_model(name: &str) -> Error {
    Error::new("TW0113", format!("there is no model \"{name}\""))
        .hint("give a model's id (m-…), champion, latest, or the path of a model file")
}

fn read(path: &Path, name: &str, workspace: Option<&Workspace>, is_of_workspace: bool) -> Result<Chosen> {
    let config = workspace.map(|workspace| &workspace.config);
    Ok(Chosen {
        name: name.to_owned(),
        is_of_workspace,
        model: parse(&artifacts::read(path)?)
            .map_err(|error| error.at(path.display().to_string(), None, None))?,
        missing: config.map_or_else(BTreeMap::new, |config| config.features.missing.clone()),
        key: config.and_then(|config| config.customers.key.clone()),
        makes_features: config
            .is_some_and(|config| config.features.sql.is_some() || config.outcome.column.is_none()),
    })
}

/// A workspace keeps the model with its training; a model alone will do.
fn parse(json: &str) -> Result<OutcomeModel> {
    let mut model = OutcomeTraining::from_json(json)
        .map(|training| training.model)
        .or_else(|_| OutcomeModel::from_json(json))?;
    crate::foreign::attach(&mut model)?;
    Ok(model)
}
