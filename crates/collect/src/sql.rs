//! SQL over our tables: DataFusion, held behind blocking functions.

mod expressions;
mod feature_query;
mod message;

use std::future::Future;

use datafusion::execution::context::SessionContext;
use datafusion::prelude::SessionConfig;
use thalweg_domain::{Error, Result};

pub(crate) use expressions::{Evaluated, evaluate};
pub(crate) use feature_query::{FeatureQuery, run as run_features};

/// DataFusion plans recursively and is compiled unoptimised in the dev profile, so it gets a large stack of its own.
const STACK_BYTES: usize = 64 << 20;

/// Runs a future to its end on a thread of its own.
fn block_on<T: Send>(future: impl Future<Output = Result<T>> + Send) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|cause| unavailable(&cause))?;
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .name("sql".to_owned())
            .stack_size(STACK_BYTES);
        let handle = worker
            .spawn_scoped(scope, || runtime.block_on(future))
            .map_err(|cause| unavailable(&cause))?;
        handle
            .join()
            .unwrap_or_else(|_| Err(Error::new("TW0901", "internal error: the SQL engine stopped")))
    })
}

fn unavailable(cause: &std::io::Error) -> Error {
    Error::new(
        "TW0901",
        format!("internal error: cannot start the SQL engine: {cause}"),
    )
}

/// One partition and names as written: results come in a fixed order, and `Income` need not be quoted.
fn session() -> SessionContext {
    let mut config = SessionConfig::new()
        .with_target_partitions(1)
        .with_information_schema(false);
    config.options_mut().sql_parser.enable_ident_normalization = false;
    let context = SessionContext::new_with_config(config);
    for name in UNREPEATABLE {
        context.deregister_udf(name);
    }
    context
}

/// Functions that give something else on every run: the same inputs must give the same table.
const UNREPEATABLE: &[&str] = &[
    "current_date",
    "current_time",
    "current_timestamp",
    "now",
    "random",
    "today",
    "uuid",
];
