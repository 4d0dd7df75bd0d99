"""Writes crates/onnx/tests/fixtures/operators.pb: the cases that the ONNX project tests its operators by.

For each operator that is read, the smallest cases of the PyPI package onnx (computed there with NumPy). The file is in the
protocol buffers format: field 1 repeated, a case: 1 name, 2 model, 3 input tensors, 4 expected first output.

    pip install -r bench/onnx/requirements.txt && python bench/onnx/operators.py
"""

import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

ROOT = Path(__file__).resolve().parents[2]
PER_OPERATOR, MAX_BYTES = 2, 4000
TYPES = {
    TensorProto.FLOAT,
    TensorProto.DOUBLE,
    TensorProto.INT64,
    TensorProto.INT32,
    TensorProto.BOOL,
    TensorProto.STRING,
}


def supported():
    page = (ROOT / "docs/decisions/009-onnx.md").read_text()
    return set(re.findall(r"\w+", page.split("Operators read. Default domain:")[1]))


def field(number, content):
    size, length = len(content), b""
    while size >= 0x80:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def plain(case):
    """One node, tensors of the types that are read, one tested output."""
    graph = case.model.graph
    if len(graph.node) != 1 or not case.data_sets:
        return None
    inputs, outputs = case.data_sets[0]
    tensors = []
    for value, info in zip([*inputs, outputs[0]], [*graph.input, graph.output[0]]):
        if info.type.WhichOneof("value") != "tensor_type" or info.type.tensor_type.elem_type not in TYPES:
            return None
        own = isinstance(value, TensorProto)
        tensor = TensorProto.FromString(value.SerializeToString()) if own else numpy_helper.from_array(np.asarray(value))
        tensor.name = info.name
        tensors.append(tensor)
    return case.model.SerializeToString(), tensors


def main():
    known, by_operator = supported(), defaultdict(list)
    for case in collect_testcases(None):
        if len(case.model.graph.node) != 1:
            continue
        node = case.model.graph.node[0]
        found = plain(case) if node.op_type in known else None
        if found:
            model, tensors = found
            parts = [tensor.SerializeToString() for tensor in tensors]
            content = field(1, case.name.encode()) + field(2, model)
            content += b"".join(field(3, part) for part in parts[:-1]) + field(4, parts[-1])
            if len(content) <= MAX_BYTES:
                by_operator[node.op_type].append((len(content), case.name, content))
    chosen = [each for cases in by_operator.values() for each in sorted(cases)[:PER_OPERATOR]]
    chosen.sort(key=lambda each: each[1])
    content = b"".join(field(1, each[2]) for each in chosen)
    (ROOT / "crates/onnx/tests/fixtures/operators.pb").write_bytes(content)
    print(f"{len(chosen)} cases of {len(by_operator)} operators, {len(content)} bytes; none of: {sorted(known - set(by_operator))}")


if __name__ == "__main__":
    main()
