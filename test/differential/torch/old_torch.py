"""Writes golden/zoo-torch-1.5.{json,bin.gz}: archives of a torch of long ago, in which some operators mean something else.

    python test/differential/torch/old_torch.py test/differential/torch/golden   # Python 3.7, torch 1.5.1, numpy 1.19

Imports nothing of its neighbours, which need a newer Python. Calls differ in batch and length.
"""
import gzip
import io
import json
import sys
from typing import Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor


class Divides(nn.Module):
    """Before version 4 integers are divided as integers."""

    def forward(self, x: Tensor, i: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        return torch.full([2, 3], 1.5), torch.true_divide(i, 3), x / 2 + torch.div(x, i.float())


class Resizes(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        y = F.gelu(self.norm(self.conv(x)))
        return F.interpolate(y, scale_factor=2.0, mode='bilinear', align_corners=False), F.interpolate(y, size=[5, 7])


class Recurrent(nn.Module):
    """Quantised layers of which each weight is packed by itself, in eight bits instead of seven."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(9, 4)
        self.lstm = nn.LSTM(4, 3, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.lstm(self.table(x))
        return self.linear(y[:, -1])


def quantised():
    torch.backends.quantized.engine = 'fbgemm'
    return torch.quantization.quantize_dynamic(Recurrent().eval(), {nn.Linear, nn.LSTM})


MODELS = {
    'divides': (Divides, [[torch.randn(n, 3), torch.arange(1, 4)] for n in (2, 1, 4)]),
    'resizes': (Resizes, [[torch.randn(n, 2, s, s)] for n, s in ((2, 4), (1, 5), (3, 4))]),
    'quantised_lstm': (quantised, [[torch.randint(0, 9, (n, t))] for n, t in ((2, 3), (1, 5), (4, 2))]),
}


class Container:
    """Bytes laid end to end."""

    def __init__(self):
        self.bytes = bytearray()

    def add(self, data):
        self.bytes += data
        return [len(self.bytes) - len(data), len(data)]

    def structure(self, value):
        if isinstance(value, (list, tuple)):
            return [self.structure(item) for item in value]
        dtype = str(value.dtype).split('.')[1]
        return {'dtype': dtype, 'shape': list(value.shape), 'at': self.add(value.contiguous().numpy().tobytes())[0]}


def main(folder):
    container, rows = Container(), []
    for name, (build, calls) in MODELS.items():
        torch.manual_seed(0)
        module = build().eval()
        with torch.no_grad():
            forms = {'script': torch.jit.script(module), 'trace': torch.jit.trace(module, tuple(calls[0]), check_trace=False)}
        for form, compiled in forms.items():
            file = io.BytesIO()
            torch.jit.save(compiled, file)
            with torch.no_grad():
                ran = [{'inputs': container.structure(call), 'outputs': container.structure(compiled(*call))} for call in calls]
            rows.append({'name': name, 'form': form, 'kind': 'plain', 'archive': container.add(file.getvalue()), 'calls': ran})
    origin = json.dumps(f'test/differential/torch/old_torch.py, torch {torch.__version__.split("+")[0]}')
    lines = ',\n'.join(json.dumps(row, separators=(',', ':')) for row in rows)
    with open(f'{folder}/zoo-torch-1.5.json', 'w') as index:
        index.write(f'{{"origin":{origin},"models":[\n{lines}\n]}}\n')
    with open(f'{folder}/zoo-torch-1.5.bin.gz', 'wb') as packed:
        packed.write(gzip.compress(bytes(container.bytes), 9))


if __name__ == '__main__':
    main(sys.argv[1])
