"""Small models that are called in more than one way, with what their frameworks answer.

    python make.py torch         (torch 2.13.0)
    python make.py tensorflow    (tensorflow 2.21.0)

Writes next to itself: `signatures/`, a SavedModel with three signatures of which one looks a word up; `frozen.pb`, a
frozen graph; `choosing.pt`, a script that computes another thing for wide inputs than for narrow ones; `noisy.pt`, a trace
that adds random numbers of [0, 1); `answers.json`.
"""

import json
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

if "torch" in sys.argv:
    import torch

    class Choosing(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.shape[1] > 4:
                return x.sum(1)
            return x.prod(1)


    torch.jit.script(Choosing()).save(str(HERE / "choosing.pt"))

    class Noisy(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + torch.rand_like(x)

    torch.jit.trace(Noisy(), torch.zeros(2, 3), check_trace=False).save(str(HERE / "noisy.pt"))

if "tensorflow" in sys.argv:
    import tensorflow as tf


    class Signatures(tf.Module):
        def __init__(self):
            self.w = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
            keys = tf.constant(["red", "green", "blue"])
            init = tf.lookup.KeyValueTensorInitializer(keys, tf.constant([0, 1, 1], tf.int64))
            self.table = tf.lookup.StaticHashTable(init, 0)

        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
        def serving_default(self, x):
            return {"y": x @ self.w, "twice": 2.0 * x}

        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
        def negative(self, x):
            return {"y": -(x @ self.w)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="colour")])
        def lookup(self, colour):
            return {"row": tf.gather(self.w, self.table.lookup(tf.strings.lower(colour)))}


    model = Signatures()
    shutil.rmtree(HERE / "signatures", ignore_errors=True)
    tf.saved_model.save(
        model,
        str(HERE / "signatures"),
        signatures={name: getattr(model, name) for name in ("serving_default", "negative", "lookup")},
    )

    graph = tf.Graph()
    with graph.as_default():
        a = tf.compat.v1.placeholder(tf.float32, [None, 2], name="a")
        b = tf.compat.v1.placeholder(tf.float32, [None, 2], name="b")
        total = tf.add(a, b, name="total")
        tf.reduce_sum(total, axis=1, name="rows")
        tf.multiply(a, 3.0, name="thrice")
    tf.io.write_graph(graph, str(HERE), "frozen.pb", as_text=False)

    x = tf.constant([[1.0, 2.0], [0.5, -1.0], [0.0, 3.0]])
    answers = {
        "x": x.numpy().tolist(),
        "y": model.serving_default(x)["y"].numpy().tolist(),
        "colours": ["Red", "BLUE", "no colour"],
        "rows": model.lookup(tf.constant(["Red", "BLUE", "no colour"]))["row"].numpy().tolist(),
    }
    (HERE / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")
