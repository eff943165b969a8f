"""Trains two small models on scikit-learn's handwritten digits and writes them in every format served here.

    python make.py

Writes next to itself: a PyTorch model as TorchScript (traced and scripted) and as ONNX, a TensorFlow model as
SavedModel and as ONNX, twelve held-out rows with the answers of both frameworks, and a manifest of it all.
"""

import hashlib
import json
import logging
import os
import platform
import re
import shutil
import struct
import sysconfig
import warnings
from importlib.metadata import version
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["KERAS_BACKEND"] = "tensorflow"
warnings.filterwarnings("ignore", category=DeprecationWarning)

import torch

# Makes torch load Triton, whose LLVM has to come into the process before TensorFlow's: the other order crashes.
torch.use_deterministic_algorithms(True)

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

logging.getLogger("tf2onnx").setLevel(logging.ERROR)

HERE = Path(__file__).resolve().parent
SEED = 20
OPSET = 17
MAX_ABS_DIFF = 1e-5
QUICK_START_LABEL = 7
SPLIT_RULE = (
    f"train_test_split(range(1797), test_size=0.2, stratify=labels, random_state={SEED}) of scikit-learn: "
    "one row in five of each digit is held out and never trained on"
)
TOOLS = ["torch", "tensorflow-cpu", "keras", "tf2onnx", "onnx", "onnxruntime", "scikit-learn", "numpy"]


# Data


def load_rows():
    """All 1797 rows, 8x8 grey values 0..16 brought to [0, 1], and the indices of both parts of the split."""
    digits = load_digits()
    rows = (digits.data / 16).astype(np.float32)
    labels = digits.target.astype(np.int64)
    train, held_out = train_test_split(np.arange(len(rows)), test_size=0.2, stratify=labels, random_state=SEED)
    return rows, labels, train, held_out


def choose_samples(labels, held_out):
    """The first held-out row of each digit, then the next two, in held-out order."""
    first_of_each = [next(index for index in held_out if labels[index] == digit) for digit in range(10)]
    others = [index for index in held_out if index not in first_of_each]
    return np.array(first_of_each + others[:2])


# PyTorch


class DigitsNet(torch.nn.Module):
    """[N, 64] grey values to [N, 10] logits."""

    def __init__(self):
        super().__init__()
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(1, 16, kernel_size=3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(16, 32, kernel_size=3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
        )
        self.classifier = torch.nn.Linear(128, 10)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features = self.features(image.reshape(-1, 1, 8, 8))
        return self.classifier(torch.flatten(features, 1))


def train_torch(rows, labels):
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    model = DigitsNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-4)
    # Smoothed labels keep the logits near 5; unsmoothed they reach 29, where float32 rounding exceeds MAX_ABS_DIFF.
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    images, targets = torch.from_numpy(rows), torch.from_numpy(labels)
    for _ in range(40):
        for batch in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            loss_of(model(images[batch]), targets[batch]).backward()
            optimizer.step()
    return model.eval()


def save_torch(model, example):
    image = torch.from_numpy(example)
    for path, module in [
        (HERE / "digits.trace.pt", torch.jit.trace(model, image)),
        (HERE / "digits.script.pt", torch.jit.script(model)),
    ]:
        module.save(str(path))
        shorten_source_paths(path)
    torch.onnx.export(
        model,
        (image,),
        str(HERE / "digits.onnx"),
        input_names=["image"],
        output_names=["scores"],
        dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )


def shorten_source_paths(path):
    """TorchScript remembers in `*.debug_pkl` where each line of Python stood; only the file's own part is kept."""
    reader = torch._C.PyTorchFileReader(str(path))
    records = {name: reader.get_record(name) for name in reader.get_all_records()}
    del reader
    writer = torch._C.PyTorchFileWriter(str(path))
    for name, data in records.items():
        if name in ("version", "byteorder") or name.startswith(".data/"):
            continue  # the writer adds its own
        if name.endswith(".debug_pkl"):
            data = shorten_pickled_paths(data)
        writer.write_record(name, data, len(data))
    writer.write_end_of_file()


def shorten_pickled_paths(data):
    """Rewrites BINUNICODE strings (`X`, 4 bytes of length, UTF-8) that start with a folder of this machine."""
    for folder in (sysconfig.get_paths()["purelib"], str(HERE)):
        prefix = folder.encode() + b"/"
        pattern = re.compile(rb"X(....)(?=" + re.escape(prefix) + rb")", re.DOTALL)
        while found := pattern.search(data):
            length = struct.unpack("<I", found[1])[0]
            kept = data[found.end() + len(prefix) : found.end() + length]
            data = data[: found.start()] + b"X" + struct.pack("<I", len(kept)) + kept + data[found.end() + length :]
    return data


# TensorFlow


def train_tf(rows, labels):
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    model = keras.Sequential(
        [
            keras.Input((64,), name="images"),
            keras.layers.Reshape((8, 8, 1)),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(3e-3), loss="sparse_categorical_crossentropy")
    model.fit(rows, labels, batch_size=64, epochs=40, verbose=0)
    return model


def save_tf(model):
    @tf.function(input_signature=[tf.TensorSpec((None, 64), tf.float32, name="images")])
    def serve(images):
        return {"scores": model(images, training=False)}

    folder = HERE / "digits.savedmodel"
    shutil.rmtree(folder, ignore_errors=True)
    module = tf.Module()
    module.variables_of_model = model.trainable_variables
    module.serve = serve
    tf.saved_model.save(module, str(folder), signatures={"serving_default": serve})

    proto, _ = tf2onnx.convert.from_function(serve, input_signature=serve.input_signature, opset=OPSET)
    onnx.save(with_names(proto, "images", "scores"), str(HERE / "digits-tf.onnx"))


def with_names(model, input_name, output_name):
    """One input and one output under the given names, both with a first dimension called `batch`."""
    graph = model.graph
    renamed = {graph.input[0].name: input_name, graph.output[0].name: output_name}
    for value in (graph.input[0], graph.output[0]):
        value.name = renamed[value.name]
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    del graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    return model


# Proof


def run_torch(module, rows):
    with torch.no_grad():
        return module(torch.from_numpy(rows)).numpy()


def run_saved_model(rows):
    serve = tf.saved_model.load(str(HERE / "digits.savedmodel")).signatures["serving_default"]
    return serve(images=tf.constant(rows))["scores"].numpy()


def run_onnx(path, rows):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    [model_input], [model_output] = session.get_inputs(), session.get_outputs()
    print(f"{path.name}: {model_input.name} {model_input.shape} -> {model_output.name} {model_output.shape}")
    return session.run(None, {model_input.name: rows})[0]


def assert_same(name, actual, expected):
    max_abs_diff = float(np.abs(actual - expected).max())
    print(f"{name}: max abs diff {max_abs_diff:.3g} over {len(expected)} held-out rows")
    assert actual.shape == expected.shape and max_abs_diff < MAX_ABS_DIFF, name
    return max_abs_diff


def report(name, scores, expected_labels, max_abs_diffs):
    correct = int((scores.argmax(axis=1) == expected_labels).sum())
    accuracy = correct / len(expected_labels)
    print(f"{name}: {correct} of {len(expected_labels)} held-out rows correct, accuracy {accuracy:.4f}")
    return {
        "accuracy": accuracy,
        "correct": correct,
        "heldOutRows": len(expected_labels),
        "maxAbsDiff": max_abs_diffs,
    }


# Files


def write_json(path, value):
    """Indented, but every array of numbers on one line."""
    flat = re.sub(
        r"\[[\d\s.,e+-]*\]",
        lambda found: json.dumps(json.loads(found[0])),
        json.dumps(value, indent=2),
    )
    path.write_text(flat + "\n")


def numbers(array):
    """A float32 is exactly a double, so the JSON number reads back as the same float32."""
    return [float(value) for value in array]


def manifest_entry(path):
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def main():
    rows, labels, train, held_out = load_rows()
    samples = choose_samples(labels, held_out)
    held_out_rows, held_out_labels = rows[held_out], labels[held_out]

    torch_model = train_torch(rows[train], labels[train])
    save_torch(torch_model, rows[samples])
    torch_scores = run_torch(torch_model, held_out_rows)
    torch_diffs = {
        name: assert_same(name, run_torch(torch.jit.load(str(HERE / name)), held_out_rows), torch_scores)
        for name in ("digits.trace.pt", "digits.script.pt")
    } | {"digits.onnx": assert_same("digits.onnx", run_onnx(HERE / "digits.onnx", held_out_rows), torch_scores)}

    tf_model = train_tf(rows[train], labels[train])
    save_tf(tf_model)
    tf_scores = tf_model(held_out_rows, training=False).numpy()
    tf_diffs = {
        "digits.savedmodel": assert_same("digits.savedmodel", run_saved_model(held_out_rows), tf_scores),
        "digits-tf.onnx": assert_same("digits-tf.onnx", run_onnx(HERE / "digits-tf.onnx", held_out_rows), tf_scores),
    }

    scores_of = {int(index): (torch_scores[at], tf_scores[at]) for at, index in enumerate(held_out)}
    quick_start = next(int(index) for index in samples if labels[index] == QUICK_START_LABEL)
    assert all(scores.argmax() == QUICK_START_LABEL for scores in scores_of[quick_start])
    np.save(HERE / "digit.npy", rows[quick_start : quick_start + 1])

    held_out_path = HERE / "held-out.json"
    write_json(
        held_out_path,
        {
            "split": {"rule": SPLIT_RULE, "trainingRows": len(train), "heldOutRows": len(held_out)},
            "models": {
                "torch": {"scores": "logits", **report("torch", torch_scores, held_out_labels, torch_diffs)},
                "tf": {"scores": "softmax probabilities", **report("tf", tf_scores, held_out_labels, tf_diffs)},
            },
            "digit.npy": {"index": quick_start, "label": QUICK_START_LABEL},
            "rows": [
                {
                    "index": int(index),
                    "label": int(labels[index]),
                    "input": numbers(rows[index]),
                    "torchScores": numbers(scores_of[int(index)][0]),
                    "tfScores": numbers(scores_of[int(index)][1]),
                }
                for index in samples
            ],
        },
    )

    made = ["digits.trace.pt", "digits.script.pt", "digits.onnx", "digits-tf.onnx", "digit.npy", "held-out.json"]
    paths = [HERE / name for name in made] + sorted(p for p in (HERE / "digits.savedmodel").rglob("*") if p.is_file())
    write_json(
        HERE / "manifest.json",
        {
            "command": "python make.py",
            "versions": {"python": platform.python_version()} | {tool: version(tool) for tool in TOOLS},
            "files": {path.relative_to(HERE).as_posix(): manifest_entry(path) for path in paths},
        },
    )
    print(f"{len(paths)} files, {sum(path.stat().st_size for path in paths)} bytes")


if __name__ == "__main__":
    main()
