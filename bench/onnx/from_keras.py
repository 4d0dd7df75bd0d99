"""Nets by Keras, exported by its own exporter (tf2onnx underneath)."""

import tempfile
from pathlib import Path

import keras
import numpy as np

from models import N_TRAIN, NUMBERS, scaled


def export(fixtures):
    keras.utils.set_random_seed(7)
    x, tried = scaled(fixtures.table.iloc[:N_TRAIN]), scaled(fixtures.rows)
    y = fixtures.y[:N_TRAIN]
    layers = keras.layers
    plain = keras.Sequential(
        [keras.Input((4,), name="x"), layers.Dense(16, activation="relu"), layers.Dropout(0.5), layers.Dense(1, activation="sigmoid")]
    )
    rich = keras.Sequential(
        [
            keras.Input((4,), name="x"),
            layers.Rescaling(2.0, offset=-1.0),
            layers.Dense(12, activation="elu"),
            layers.BatchNormalization(),
            layers.Dense(8, activation="selu"),
            layers.LayerNormalization(),
            layers.Dense(6, activation="swish"),
            layers.Dense(2, activation="softmax"),
        ]
    )
    for name, net, loss in [
        ("keras_sigmoid", plain, "binary_crossentropy"),
        ("keras_softmax", rich, "sparse_categorical_crossentropy"),
    ]:
        net.compile("adam", loss)
        net.fit(x, y, epochs=5, batch_size=64, verbose=0)
        path = Path(tempfile.mkdtemp()) / "net.onnx"
        net.export(path, format="onnx", verbose=False)
        fixtures.add(name, path.read_bytes(), NUMBERS, tried)
        assert np.isfinite(fixtures.cases[name]["expected"]).all()
