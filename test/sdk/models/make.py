"""Writes the small ONNX models this suite serves, and manifest.json beside them.

    pip install onnx==1.23.2 && python make.py

echo.onnx        one Identity per dtype: in_float -> out_float, ...; in_scalar has rank 0
echo-torch.onnx  the dtypes a TorchRequest can carry, by position; position 7 has rank 0
torch-out.onnx   outputs of dtypes and rank that no reader of torch responses knows
slow.onnx        y = x after `count` matrix products; gives a request any duration
fail.onnx        y = x reshaped to `size`; fails at run time when x has another length
"""
import hashlib
import json
import pathlib

import onnx
from onnx import TensorProto, helper

OPSET = 17
IR_VERSION = 8
HERE = pathlib.Path(__file__).parent

DTYPES = {
    "float": TensorProto.FLOAT,
    "double": TensorProto.DOUBLE,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
    "int16": TensorProto.INT16,
    "uint16": TensorProto.UINT16,
    "bool": TensorProto.BOOL,
    "string": TensorProto.STRING,
    "float16": TensorProto.FLOAT16,
}
TORCH_ORDER = ["float", "double", "uint8", "int8", "int16", "int32", "int64"]


def value(name, dtype, shape):
    return helper.make_tensor_value_info(name, dtype, shape)


def scalar(name, dtype, number):
    return helper.make_tensor(name, dtype, [], [number])


def echo(names):
    """Every dimension has its own name, so that each tensor may have its own length."""
    rows = [(name, DTYPES[name], [f"n_{name}"]) for name in names] + [("scalar", TensorProto.FLOAT, [])]
    return helper.make_graph(
        [helper.make_node("Identity", [f"in_{name}"], [f"out_{name}"]) for name, _, _ in rows],
        "echo",
        [value(f"in_{name}", dtype, shape) for name, dtype, shape in rows],
        [value(f"out_{name}", dtype, shape) for name, dtype, shape in rows],
    )


def torch_out():
    return helper.make_graph(
        [
            helper.make_node("Cast", ["x"], ["half"], to=TensorProto.FLOAT16),
            helper.make_node("Greater", ["x", "zero"], ["flag"]),
            helper.make_node("Cast", ["x"], ["count"], to=TensorProto.UINT16),
            helper.make_node("ReduceSum", ["x"], ["total"], keepdims=0),
        ],
        "torch_out",
        [value("x", TensorProto.FLOAT, ["n"])],
        [
            value("half", TensorProto.FLOAT16, ["n"]),
            value("flag", TensorProto.BOOL, ["n"]),
            value("count", TensorProto.UINT16, ["n"]),
            value("total", TensorProto.FLOAT, []),
        ],
        [scalar("zero", TensorProto.FLOAT, 0.0)],
    )


def slow(size=256):
    """Each turn multiplies by a matrix whose entries are 1 / size, which leaves a constant matrix as it is."""
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["state", "weight"], ["next"]),
            helper.make_node("Identity", ["keep"], ["go_on"]),
        ],
        "turn",
        [value("turn", TensorProto.INT64, []), value("keep", TensorProto.BOOL, []), value("state", TensorProto.FLOAT, [size, size])],
        [value("go_on", TensorProto.BOOL, []), value("next", TensorProto.FLOAT, [size, size])],
    )
    share = helper.make_tensor("share", TensorProto.FLOAT, [1], [1.0 / size])
    return helper.make_graph(
        [
            helper.make_node("ConstantOfShape", ["square"], ["weight"], value=share),
            helper.make_node("Expand", ["x", "square"], ["start"]),
            helper.make_node("Squeeze", ["count", "axis"], ["turns"]),
            helper.make_node("Loop", ["turns", "yes", "start"], ["end"], body=body),
            helper.make_node("Gather", ["end", "first"], ["row"]),
            helper.make_node("Gather", ["row", "one"], ["y"]),
        ],
        "slow",
        [value("count", TensorProto.INT64, [1]), value("x", TensorProto.FLOAT, [1])],
        [value("y", TensorProto.FLOAT, [1])],
        [
            helper.make_tensor("square", TensorProto.INT64, [2], [size, size]),
            helper.make_tensor("axis", TensorProto.INT64, [1], [0]),
            helper.make_tensor("one", TensorProto.INT64, [1], [0]),
            scalar("first", TensorProto.INT64, 0),
            scalar("yes", TensorProto.BOOL, True),
        ],
    )


def fail():
    return helper.make_graph(
        [helper.make_node("Reshape", ["x", "size"], ["y"])],
        "fail",
        [value("x", TensorProto.FLOAT, ["n"]), value("size", TensorProto.INT64, [1])],
        [value("y", TensorProto.FLOAT, ["m"])],
    )


def main():
    graphs = {
        "echo.onnx": echo(DTYPES),
        "echo-torch.onnx": echo(TORCH_ORDER),
        "torch-out.onnx": torch_out(),
        "slow.onnx": slow(),
        "fail.onnx": fail(),
    }
    files = {}
    for name, graph in graphs.items():
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        model.producer_name = "eas-functions test/sdk/models/make.py"
        onnx.checker.check_model(model, full_check=True)
        data = model.SerializeToString(deterministic=True)
        (HERE / name).write_bytes(data)
        files[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest = {"tool": f"onnx {onnx.__version__}", "command": "python make.py", "opset": OPSET, "files": files}
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
