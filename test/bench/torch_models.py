"""Exports models as TorchScript and by PyTorch's own exporters, then runs them as told: the other side of torch-models.ts.

    torch_models.py FOLDER [NAME …]    writes what is missing and models.json, then reads lines "NAME"
    answers each with one line: the microseconds of processor time of one inference on one thread
"""

import contextlib
import json
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import torchvision

sys.path.insert(0, str(Path(__file__).parent.parent / "differential/torch"))
import constructs  # noqa: E402
import zoo_models  # noqa: E402

warnings.simplefilter("ignore")
torch.set_num_threads(1)
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def vision(name, size=224):
    return lambda: (torchvision.models.get_model(name, weights=None), [torch.randn(1, 3, size, size)])


def segmentation(name):
    return lambda: (torchvision.models.get_model(name, weights=None, weights_backbone=None), [torch.randn(1, 3, 224, 224)])


class FirstOutput(torch.nn.Module):
    """A transformers model without the class its outputs come in."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids, attention_mask=attention_mask, return_dict=False)[0]


def language(kind, config, **options):
    def build():
        import transformers

        model = getattr(transformers, kind)(getattr(transformers, config)(**options))
        return FirstOutput(model), [torch.randint(0, 1000, (1, 128)), torch.ones(1, 128, dtype=torch.long)]

    return build


class Lstm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(64, 128, 2, batch_first=True, bidirectional=True)

    def forward(self, x):
        return self.lstm(x)[0]


MODELS = {
    "resnet18": vision("resnet18"),
    "resnet50": vision("resnet50"),
    "mobilenet_v3_large": vision("mobilenet_v3_large"),
    "efficientnet_b0": vision("efficientnet_b0"),
    "densenet121": vision("densenet121"),
    "shufflenet_v2_x1_0": vision("shufflenet_v2_x1_0"),
    "regnet_y_400mf": vision("regnet_y_400mf"),
    "convnext_tiny": vision("convnext_tiny"),
    "vit_b_16": vision("vit_b_16"),
    "swin_t": vision("swin_t"),
    "deeplabv3_mobilenet_v3_large": segmentation("deeplabv3_mobilenet_v3_large"),
    "bert_base": language("BertModel", "BertConfig"),
    "distilbert": language("DistilBertModel", "DistilBertConfig"),
    "gpt2": language("GPT2Model", "GPT2Config", use_cache=False),
    "lstm": lambda: (Lstm(), [torch.randn(4, 64, 64)]),
    "deepfm": lambda: (constructs.DeepFM(fields=24, rows=10_000, dim=16), [torch.randint(0, 9000, (128, 24))]),
    "dcn_v2": lambda: (constructs.DCNv2(dim=256, experts=4, rank=64), [torch.randn(128, 256)]),
    "mmoe": lambda: (constructs.MMoE(dim=128, experts=8), [torch.randn(128, 128)]),
}


def export(name):
    """`name`.pt and its exports; returns what torch-models.ts has to know."""
    torch.manual_seed(1)
    module, inputs = MODELS[name]()
    module = module.eval()
    zoo_models.perturb(module)
    with torch.no_grad():
        if not (folder / f"{name}.pt").exists():
            torch.jit.trace(module, tuple(inputs), strict=False, check_trace=False).save(str(folder / f"{name}.pt"))
            script(name, module)
        exports = [
            one
            for one, options in (("torchscript", {"dynamo": False, "opset_version": 17}), ("dynamo", {"dynamo": True}))
            if exported(folder / f"{name}.{one}.onnx", module, inputs, options)
        ]
    # Rows are written as raw bytes, so that both sides compute the same.
    for i, value in enumerate(inputs):
        (folder / f"{name}.{i}.bin").write_bytes(value.numpy().tobytes())
    described = [{"dtype": str(value.dtype).removeprefix("torch."), "shape": list(value.shape)} for value in inputs]
    return {"name": name, "inputs": described, "exports": exports}


def script(name, module):
    """The scripted form of the two whose import is measured as one."""
    if name in ("resnet50", "swin_t"):
        torch.jit.script(module).save(str(folder / f"{name}.script.pt"))


def exported(path, module, inputs, options):
    if path.exists():
        return True
    try:
        axes = {} if options["dynamo"] else {"do_constant_folding": True}
        torch.onnx.export(module, tuple(inputs), str(path), **options, **axes)
        return True
    except Exception as error:  # An exporter that cannot is a row that is missing, not a benchmark that fails.
        print(f"{path.name}: {str(error).strip().splitlines()[0][:150]}", file=sys.stderr)
        path.unlink(missing_ok=True)
        return False


names = sys.argv[2:] or list(MODELS)
with contextlib.redirect_stdout(sys.stderr):  # exporters talk
    models = [export(name) for name in names]
(folder / "models.json").write_text(json.dumps(models))
print("ready", flush=True)

loaded = {}
for line in sys.stdin:
    name = line.strip()
    if name not in loaded:
        loaded.clear()  # one at a time: memory
        torch.manual_seed(1)
        loaded[name] = torch.jit.load(str(folder / f"{name}.pt")).eval(), MODELS[name]()[1]
    module, inputs = loaded[name]
    with torch.inference_mode():
        module(*inputs)  # brings back to the caches what the rivals have driven out
        start = time.process_time()
        module(*inputs)
        print((time.process_time() - start) * 1e6, flush=True)
