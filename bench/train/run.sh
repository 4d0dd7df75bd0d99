#!/usr/bin/env bash
# Times an epoch of the net beside scikit-learn, PyTorch and Keras. PyTorch's Linux wheel brings its GPU libraries: about 6 GB of disk.
set -euo pipefail
cd "$(dirname "$0")/../.."
target="${CARGO_TARGET_DIR:-target}"
peers="${PEERS:-$target/train-peers}"
[ -x "$peers/bin/python" ] || python3 -m venv "$peers"
"$peers/bin/pip" install -q -r bench/train/requirements.txt
cargo build -q -p thalweg-learn --example train_speed
"$peers/bin/python" bench/train/compare.py "$target/debug/examples/train_speed"
