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

# 10,000 random small allocation problems beside their exact optimum.
study-allocate:
    THALWEG_ALLOCATIONS=10000 cargo test -p thalweg-plan --test it allocate

# Replay every command shown in the READMEs and guides, and redraw the picture of the main job.
replay-docs:
    cargo build
    python3 bench/replay_docs.py "${CARGO_TARGET_DIR:-target}/debug/thalweg"

# The learners beside Keras, LightGBM and scikit-learn on the same folds (a Python environment of about 2 GB).
bench-peers:
    cargo build
    python3 -m venv target/peers
    target/peers/bin/pip install -q -r bench/telco_peers/requirements.txt
    target/peers/bin/python bench/telco_peers/compare.py "${CARGO_TARGET_DIR:-target}/debug/thalweg"

# How long an allocation takes, and its gap, by size.
bench-allocate-size:
    cargo run -p thalweg-plan --example allocate_size

# thalweg tool allocate beside OR-Tools and HiGHS (a Python environment of about 0.4 GB; up to 20 minutes).
bench-allocate:
    cargo build
    python3 -m venv target/allocate-peers
    target/allocate-peers/bin/pip install -q -r bench/allocate/requirements.txt
    target/allocate-peers/bin/python bench/allocate/compare.py "${CARGO_TARGET_DIR:-target}/debug/thalweg"

# How long an epoch of the reference net takes.
bench-epoch:
    cargo test -p thalweg-learn --lib measure_epoch -- --ignored --nocapture

# How fast files are scored, and in how much memory, beside scikit-learn and pandas (a Python environment of about 0.4 GB).
bench-score:
    cargo build --release
    python3 -m venv target/score-peers
    target/score-peers/bin/pip install -q -r bench/score/requirements.txt
    target/score-peers/bin/python bench/score/measure.py "${CARGO_TARGET_DIR:-target}/release/thalweg"

# The media-mix model on fifty simulated weekly businesses with known contributions: coverage and error.
study-response:
    cargo run -p thalweg-response --example study -- 50

# The media-mix model beside PyMC-Marketing with nutpie, on its own example and on five simulated businesses (1.5 GB of Python).
bench-response:
    cargo build
    python3 -m venv target/response-peers
    target/response-peers/bin/pip install -q -r bench/response/requirements.txt
    target/response-peers/bin/python bench/response/compare.py "${CARGO_TARGET_DIR:-target}/debug/thalweg"
    cargo run -p thalweg-response --example study -- 5 target/businesses
    target/response-peers/bin/python bench/response/compare.py "${CARGO_TARGET_DIR:-target}/debug/thalweg" --businesses target/businesses
