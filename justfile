# The commands of the README and the longer studies. `just` lists them.

default:
    @just --list

# The main job on the real telecom customers.
run:
    cargo run -- run examples/telco

# All tests.
test:
    cargo test --workspace

# What CI checks besides the tests.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Rewrite docs/reference from the code.
reference:
    THALWEG_REWRITE=1 cargo test -p thalweg-cli reference

# The demo on ten seeds, with the mean share of the informed plan's profit.
study-demo:
    bash bench/study_demo.sh 10

# Kill -9 at 20 random moments of run and deliver.
study-kills:
    THALWEG_KILLS=20 cargo test -p thalweg-cli --test it kill -- --nocapture
