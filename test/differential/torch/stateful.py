"""Models that change what they keep: MODELS are those whose outputs do not depend on it, REFUSED those whose outputs do."""
from typing import Dict, List, Optional, Tuple

import torch
import torch.nn as nn
from torch import Tensor

MODELS, REFUSED, SCRIPT_ONLY = {}, {}, set()


def rows():
    """More than one call, since the first of them knows nothing of those before."""
    return [[torch.randn(n, 4)] for n in (2, 2, 3)]


def model(table, scripted=False, **buffers):
    """Makes a `forward` a model with a layer `fc` and buffers of these shapes."""

    def add(cls):
        def build():
            module = cls()
            module.fc = nn.Linear(4, 4)
            for name, shape in buffers.items():
                module.register_buffer(name, torch.zeros(shape))
            return module, rows()

        name = cls.__name__.lower()
        table[name] = build
        if scripted:
            SCRIPT_ONLY.add(name)
        return cls

    return add


@model(MODELS, n=())
class Counts(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls, self.loss = 0, 0.0

    def forward(self, x: Tensor) -> Tensor:
        self.n.add_(1)
        self.calls += 1
        self.loss = self.loss * 0.5 + 1.0
        return self.fc(x)


@model(MODELS, last=(4,))
class Overwrites(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        self.last = self.fc(x).mean(0)
        return self.last + x


@model(MODELS, mean=(4,), before=(4,))
class Watches(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        self.before.copy_(self.mean)
        self.mean.mul_(0.9).add_(x.mean(0), alpha=0.1)
        return self.fc(x)


@model(MODELS, scripted=True)
class Collects(nn.Module):
    seen: List[Tensor]

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return self.fc(x)


@model(MODELS, scripted=True, n=(1,))
class CountsSome(nn.Module):
    def __init__(self):
        super().__init__()
        self.hits = 0

    def forward(self, x: Tensor) -> Tensor:
        if bool(x.sum() > 0):
            self.hits += 1
            self.n += 1
        if self.hits % 100 == 0:
            print('hits', self.hits)
        return self.fc(x)


@model(MODELS, scripted=True)
class LazyMask(nn.Module):
    mask: Optional[Tensor]

    def __init__(self):
        super().__init__()
        self.mask = None

    def forward(self, x: Tensor) -> Tensor:
        mask = self.mask
        if mask is None or mask.size(0) != x.size(0):
            mask = torch.triu(torch.ones(x.size(0), x.size(0)), 1)
            self.mask = mask
        return torch.softmax(x @ x.t() - mask * 1000, -1) @ self.fc(x)


@model(MODELS, scripted=True)
class BiasCache(nn.Module):
    cache: Dict[str, Tensor]

    def __init__(self):
        super().__init__()
        self.cache = {}
        self.biases = nn.Parameter(torch.randn(3, 2))
        self.register_buffer('places', torch.tensor([0, 1, 2, 1]))

    def forward(self, x: Tensor) -> Tensor:
        key = str(x.device)
        if key not in self.cache:
            self.cache[key] = self.biases[self.places].t()
        return self.fc(x) + self.cache[key][0]


@model(REFUSED, n=(1,))
class Scales(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        self.n += 1
        return self.fc(x) * self.n


@model(REFUSED, mean=(4,))
class RunningNorm(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        self.mean.mul_(0.9).add_(x.mean(0), alpha=0.1)
        return self.fc(x - self.mean)


@model(REFUSED, scripted=True, h=(4,))
class Recurs(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = self.fc(x) + self.h
        self.h = y.mean(0)
        return y


@model(REFUSED, keys=(1, 8, 4))
class KeyCache(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        self.keys[:, : x.size(0)] = self.fc(x)
        return torch.softmax(x @ self.keys[0].t(), -1)


@model(REFUSED, scripted=True, keys=(0, 4))
class GrowingCache(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        self.keys = torch.cat([self.keys, self.fc(x)], 0)
        return x @ self.keys.t()


@model(REFUSED, scripted=True, totals=(4,), mean=(4,))
class Chain(nn.Module):
    """What the first call computes from is not what it changes."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.fc(x) + self.mean
        self.mean = self.totals * 0.5
        self.totals += x.sum(0)
        return y


@model(REFUSED, scripted=True)
class Warms(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > 1:
            x = x * 2
        return self.fc(x)


@model(REFUSED, scripted=True)
class Tells(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor) -> Tuple[Tensor, int]:
        self.calls += 1
        return self.fc(x), self.calls


@model(REFUSED, scripted=True)
class First(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.scale = True, 1.0

    def forward(self, x: Tensor) -> Tensor:
        if self.first:
            self.first = False
            self.scale = 2.0
            return x
        return self.fc(x) * self.scale


@model(REFUSED, scripted=True)
class OptionalCache(nn.Module):
    cache: Optional[Tensor]

    def __init__(self):
        super().__init__()
        self.cache = None

    def forward(self, x: Tensor) -> Tensor:
        cache = self.cache
        if cache is None:
            cache = torch.zeros(1, 4)
        y = torch.cat([cache, self.fc(x)], 0)
        self.cache = y[-1:]
        return y


@model(REFUSED, scripted=True)
class History(nn.Module):
    seen: List[Tensor]

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.mean(0))
        return self.fc(x) + torch.stack(self.seen).mean(0)


@model(REFUSED, scripted=True)
class ItemInPlace(nn.Module):
    parts: List[Tensor]

    def __init__(self):
        super().__init__()
        self.parts = [torch.zeros(4), torch.ones(4)]

    def forward(self, x: Tensor) -> Tensor:
        self.parts[0].add_(x.mean(0))
        return self.fc(x) + self.parts[0]


@model(REFUSED, scripted=True)
class Memory(nn.Module):
    memory: Dict[str, Tensor]

    def __init__(self):
        super().__init__()
        self.memory = {'h': torch.zeros(4)}

    def forward(self, x: Tensor) -> Tensor:
        y = self.fc(x) + self.memory['h']
        self.memory['h'] = y.mean(0)
        return y


@model(REFUSED, scripted=True)
class Calibrates(nn.Module):
    """Keeps what the first request brought."""

    mean: Optional[Tensor]

    def __init__(self):
        super().__init__()
        self.mean = None

    def forward(self, x: Tensor) -> Tensor:
        mean = self.mean
        if mean is None:
            mean = x.mean(0)
            self.mean = mean
        return self.fc(x - mean)


@model(REFUSED, scripted=True)
class FirstSize(nn.Module):
    """Keeps a table of the size that the first request had."""

    table: Optional[Tensor]

    def __init__(self):
        super().__init__()
        self.table = None

    def forward(self, x: Tensor) -> Tensor:
        table = self.table
        if table is None:
            table = torch.arange(x.size(0), dtype=torch.float32)
            self.table = table
        return self.fc(x) + table.sum()


@model(REFUSED)
class SharedMemory(nn.Module):
    """What one module writes another reads, through a tensor of its own."""

    def __init__(self):
        super().__init__()
        self.register_buffer('written', torch.zeros(4))
        self.register_buffer('read', self.written[:2])

    def forward(self, x: Tensor) -> Tensor:
        self.written.copy_(x.mean(0))
        return self.fc(x) + self.read.sum()
