"""Makes SavedModels, and tf2onnx's conversion of each, then runs them in TensorFlow as told: the other side of
tensorflow-models.ts.

    tensorflow_models.py FOLDER      writes what is missing, then reads lines "NAME BATCH"
    answers each with one line: the microseconds of processor time of one run, one thread
"""

import os
import subprocess
import sys
import time

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
folder = sys.argv[1]


# tf2onnx has no Erfc, and so no gelu: relu, for something to compare with.
def encoder():
    tokens = keras.Input((64,), dtype="int32", name="x")
    h = keras.layers.Embedding(8000, 256)(tokens)
    for _ in range(4):
        a = keras.layers.MultiHeadAttention(8, 32)(h, h)
        h = keras.layers.LayerNormalization(epsilon=1e-6)(h + a)
        f = keras.layers.Dense(256)(keras.layers.Dense(1024, activation="relu")(h))
        h = keras.layers.LayerNormalization(epsilon=1e-6)(h + f)
    return keras.Model(tokens, keras.layers.Dense(8)(keras.layers.GlobalAveragePooling1D()(h)))


def lstm():
    x = keras.Input((50, 32), name="x")
    return keras.Model(x, keras.layers.Dense(4)(keras.layers.LSTM(64)(keras.layers.LSTM(64, return_sequences=True)(x))))


def ranking():
    ids = keras.Input((40,), dtype="int32", name="x")
    h = keras.layers.Flatten()(keras.layers.Embedding(100_000, 16)(ids))
    for width in (512, 256, 64):
        h = keras.layers.Dense(width, activation="relu")(h)
    return keras.Model(ids, keras.layers.Dense(1, activation="sigmoid")(h))


images = dict(weights=None, input_shape=(224, 224, 3))
MODELS = {
    "mobilenet_v2": (lambda: keras.applications.MobileNetV2(**images), "float32", (224, 224, 3)),
    "resnet50": (lambda: keras.applications.ResNet50(**images), "float32", (224, 224, 3)),
    "efficientnet_b0": (lambda: keras.applications.EfficientNetB0(**images), "float32", (224, 224, 3)),
    "encoder": (encoder, "int32", (64,)),
    "lstm": (lstm, "float32", (50, 32)),
    "ranking": (ranking, "int32", (40,)),
}

for name, (build, dtype, dims) in MODELS.items():
    path = os.path.join(folder, name)
    if not os.path.exists(os.path.join(path, "saved_model.pb")):
        keras.utils.set_random_seed(1)
        build().export(path, format="tf_saved_model", verbose=False)
    if not os.path.exists(f"{path}.onnx"):
        convert = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", path, "--opset", "17", "--output", f"{path}.onnx"]
        subprocess.run(convert, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

loaded = {name: tf.saved_model.load(os.path.join(folder, name)) for name in MODELS}
calls = {name: model.signatures["serving_default"] for name, model in loaded.items()}
print("ready", flush=True)

for line in sys.stdin:
    name, batch = line.split()
    _, dtype, dims = MODELS[name]
    key = list(calls[name].structured_input_signature[1])[0]
    rng = np.random.default_rng(1)
    shape = (int(batch), *dims)
    values = rng.integers(0, 8000, shape) if dtype == "int32" else rng.uniform(-1, 1, shape)
    feeds = {key: tf.constant(values.astype(dtype))}
    calls[name](**feeds)
    runs, begun, before = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < 0.2:
        calls[name](**feeds)
        runs += 1
    print((time.process_time() - before) / runs * 1e6, flush=True)
