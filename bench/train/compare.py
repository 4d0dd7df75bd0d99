#!/usr/bin/env python3
"""One epoch of the net beside scikit-learn, PyTorch and Keras: CPU and wall time on two shapes, in one run.

    bench/train/run.sh

installs the peers of requirements.txt, builds the program and calls this file. Everybody trains the same net on as many rows of
noise: one hidden layer of rectified units, sigmoid output, cross-entropy, plain gradient descent on batches, fresh order every
epoch. Dropout of 0.5 is on unless a line says otherwise; scikit-learn has none. PyTorch runs the usual loop over a shuffled index (no
DataLoader, which would be slower), Keras its `fit` on TensorFlow. Each figure is the fastest of the epochs run, the first left out (Thalweg:
of three runs, without the cost of starting). Times of one program are taken while nothing else of this script runs.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve()
# inputs, hidden, rows, batch, epochs, epochs of the slow ones
SHAPES = {"reference": (20, 64, 10_000, 32, 200, 4), "wide": (100, 256, 100_000, 256, 8, 4)}


def epochs(run, n):
    """Wall and CPU milliseconds of the fastest epoch but the first."""
    best = [float("inf"), float("inf")]
    for number in range(n + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        times = (time.perf_counter() - wall, time.process_time() - cpu)
        if number > 0:
            best = [min(old, new * 1000) for old, new in zip(best, times)]
    return best


def data(inputs, rows):
    import numpy

    random = numpy.random.default_rng(1)
    x = random.uniform(-1.7, 1.7, (rows, inputs)).astype("float32")
    return x, (x[:, 0] + x[:, 1] > 0).astype("float32")


def torch_epochs(inputs, hidden, rows, batch, n, dropout, threads):
    import torch

    torch.set_num_threads(threads)
    x, y = (torch.from_numpy(cells) for cells in data(inputs, rows))
    layers = [torch.nn.Linear(inputs, hidden), torch.nn.ReLU()]
    layers += [torch.nn.Dropout(dropout)] if dropout else []
    net = torch.nn.Sequential(*layers, torch.nn.Linear(hidden, 1))
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01)
    loss = torch.nn.BCEWithLogitsLoss()

    def run():
        order = torch.randperm(rows)
        for start in range(0, rows, batch):
            index = order[start : start + batch]
            optimiser.zero_grad()
            loss(net(x[index]).squeeze(1), y[index]).backward()
            optimiser.step()

    return epochs(run, n)


def keras_epochs(inputs, hidden, rows, batch, n, dropout, threads):
    import keras
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    x, y = data(inputs, rows)
    layers = [keras.Input((inputs,)), keras.layers.Dense(hidden, activation="relu")]
    layers += [keras.layers.Dropout(dropout)] if dropout else []
    net = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])
    net.compile(optimizer=keras.optimizers.SGD(0.01), loss="binary_crossentropy")
    return epochs(lambda: net.fit(x, y, batch_size=batch, epochs=1, verbose=0), n)


def sklearn_epochs(inputs, hidden, rows, batch, n, dropout, threads):
    from sklearn.neural_network import MLPClassifier

    x, y = data(inputs, rows)
    net = MLPClassifier((hidden,), solver="sgd", alpha=0.0, batch_size=batch, learning_rate_init=0.01, momentum=0.0, nesterovs_momentum=False)
    net.partial_fit(x[:batch], y[:batch], classes=[0.0, 1.0])
    return epochs(lambda: net.partial_fit(x, y), n)


PEERS = {"scikit-learn": sklearn_epochs, "PyTorch": torch_epochs, "Keras": keras_epochs}


def apart(program, *arguments):
    """A process of its own, with as many threads as asked for everywhere."""
    threads = str(arguments[-1])
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    environment = {**os.environ, **{name: threads for name in names}, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    line = [sys.executable, str(HERE), "peer", program, *map(str, arguments)]
    out = subprocess.run(line, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    return json.loads(out.stdout.splitlines()[-1])


def ours(program, inputs, hidden, rows, batch, n, dropout, threads):
    line = [program, *map(str, (inputs, hidden, rows, batch, dropout, threads, n))]
    return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


def compare(program, shape, dropout, threads, peers):
    inputs, hidden, rows, batch, n, n_slow = SHAPES[shape]
    own = ours(program, inputs, hidden, rows, batch, n, dropout, threads)
    title = f"{shape}, dropout {dropout}, {threads} thread{'s' if threads > 1 else ''}"
    share = own["gflops"] / own["peak_gflops"]
    print(f"| {title} | Thalweg | {own['cpu_ms']:.2f} | {own['wall_ms']:.2f} | | | {own['gflops']:.1f} of {own['peak_gflops']:.1f} ({share:.0%}) |")
    for peer in peers:
        wall, cpu = apart(peer, inputs, hidden, rows, batch, n_slow, dropout, threads)
        ratios = f"{cpu / own['cpu_ms']:.1f} | {wall / own['wall_ms']:.1f}"
        print(f"| {title} | {peer} | {cpu:.2f} | {wall:.2f} | {ratios} | |", flush=True)


def main(program):
    print("| shape | program | CPU ms | wall ms | its : ours, CPU | its : ours, wall | GFLOP/s per CPU second, of the peak |")
    print("|---|---|---|---|---|---|---|")
    compare(program, "reference", 0.5, 1, ["scikit-learn", "PyTorch", "Keras"])
    compare(program, "wide", 0.5, 1, ["PyTorch", "Keras", "scikit-learn"])
    compare(program, "wide", 0, 1, ["PyTorch"])
    compare(program, "wide", 0.5, 2, ["PyTorch"])
    compare(program, "wide", 0, 2, ["PyTorch"])


if __name__ == "__main__":
    if sys.argv[1] == "peer":
        inputs, hidden, rows, batch, n = map(int, sys.argv[3:8])
        print(json.dumps(PEERS[sys.argv[2]](inputs, hidden, rows, batch, n, float(sys.argv[8]), int(sys.argv[9]))))
    else:
        main(sys.argv[1])
