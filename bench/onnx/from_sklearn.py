"""Models by scikit-learn, exported by skl2onnx."""

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC

from models import CATEGORIES, N_TRAIN, NUMBERS, scaled

OPSET = {"": 18, "ai.onnx.ml": 3}


def named(*steps):
    """One input per column: imputed and scaled numbers, encoded categories, then the model."""
    encoder, model = steps
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return make_pipeline(ColumnTransformer([("n", numbers, NUMBERS), ("c", encoder, CATEGORIES)]), model)


def typed():
    numbers = [(name, FloatTensorType([None, 1])) for name in NUMBERS]
    return numbers + [(name, StringTensorType([None, 1])) for name in CATEGORIES]


def export(fixtures):
    table, y = fixtures.table.iloc[:N_TRAIN], fixtures.y[:N_TRAIN]
    churn = np.where(y == 1, "Yes", "No")
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    cases = {
        "sk_logistic_zipmap": (named(one_hot, LogisticRegression(max_iter=500)), churn, {}),
        "sk_forest_named": (
            named(one_hot, RandomForestClassifier(12, max_depth=5, random_state=1)),
            y,
            {"zipmap": False},
        ),
        "sk_ordinal_boosted": (
            named(ordinal, GradientBoostingClassifier(n_estimators=25, random_state=1)),
            churn,
            {"zipmap": "columns"},
        ),
        "sk_mlp_named": (named(one_hot, MLPClassifier((12, 6), random_state=1, max_iter=300)), y, {"zipmap": False}),
    }
    for name, (model, target, options) in cases.items():
        model.fit(table, target)
        proto = to_onnx(model, initial_types=typed(), options={id(model): options}, target_opset=OPSET)
        fixtures.add(name, proto)
    matrices(fixtures, y)


def matrices(fixtures, y):
    """One matrix input whose columns are in the order of NUMBERS."""
    x, tried = scaled(fixtures.table.iloc[:N_TRAIN]), scaled(fixtures.rows)
    charges = fixtures.table["monthly_charges"].to_numpy()[:N_TRAIN]
    thirds = np.digitize(charges, [40.0, 80.0])
    hist = x.copy()
    hist[::7, 2] = np.nan
    cases = {
        "sk_hist_boosted": (HistGradientBoostingClassifier(max_iter=20, max_depth=3, random_state=1), hist, y),
        "sk_calibrated": (CalibratedClassifierCV(LinearSVC(), method="sigmoid", cv=3), x, y),
        "sk_isotonic": (CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=2), x, y),
        "sk_minmax_tanh": (make_pipeline(MinMaxScaler(), MLPClassifier((8,), activation="tanh", random_state=2)), x, y),
        "sk_three_classes": (RandomForestClassifier(8, max_depth=4, random_state=1), x[:, [0, 2, 3]], thirds),
        "sk_multinomial": (LogisticRegression(max_iter=300), x[:, [0, 2, 3]], thirds),
        "sk_linear_value": (LinearRegression(), x[:, [0, 2, 3]], charges),
        "sk_boosted_value": (GradientBoostingRegressor(n_estimators=15, random_state=1), x[:, [0, 2, 3]], charges),
    }
    for name, (model, features, target) in cases.items():
        model.fit(features, target)
        columns = NUMBERS if features.shape[1] == 4 else [NUMBERS[0], NUMBERS[2], NUMBERS[3]]
        own = tried if features.shape[1] == 4 else tried[:, [0, 2, 3]]
        options = {} if "value" in name else {id(model): {"zipmap": False}}
        proto = to_onnx(model, features[:1], options=options, target_opset=OPSET)
        fixtures.add(name, proto, columns, own)
