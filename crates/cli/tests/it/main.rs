//! The command line as a whole: scenarios, contracts, crash safety, real data, and tidiness of the tree.

mod support;
mod tidy;
