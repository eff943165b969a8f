"""The example's model: wide and deep over bags of ids, attention over what the user has looked at, two tasks.

Its inputs and outputs have the names that TorchEasyRec's exports give them. Bags are pooled by differences of a running
sum, which any length of ids and any number of rows go through.
"""

from typing import Dict

import torch
from torch import Tensor, nn

from features import ITEM_DENSE, ITEM_IDS, SIZES, USER_DENSE, USER_IDS

DIM = 6
DENSE = {"weight": 1, "raw_3": 4, "price": 1, "price_by_age": 1}


@torch.jit.script
def times(values: Tensor, n: Tensor) -> Tensor:
    """All rows once for each of n."""
    return values.unsqueeze(0).expand([int(n), -1] + list(values.shape[1:])).reshape([-1] + list(values.shape[1:]))


@torch.jit.script
def sums(rows: Tensor, lengths: Tensor) -> Tensor:
    """[n, D] as bags of so many rows each: [B, D]."""
    running = torch.cat([torch.zeros_like(rows[:1]).to(torch.float64).sum(0, keepdim=True), rows.to(torch.float64).cumsum(0)])
    ends = lengths.cumsum(0)
    return (running[ends] - running[ends - lengths]).to(torch.float32)


@torch.jit.script
def bag_of(n: Tensor, lengths: Tensor) -> Tensor:
    """Which bag each of n rows is in."""
    starts = lengths.cumsum(0) - lengths
    marks = torch.zeros([n.shape[0] + 1], dtype=torch.int64).index_add(0, starts, torch.ones_like(starts))
    return marks.cumsum(0)[:-1] - 1


class Recommender(nn.Module):
    tile: int

    def __init__(self, tile: int = 0):
        super().__init__()
        self.tile = tile
        self.tables = nn.ModuleDict({name: nn.Embedding(size, DIM) for name, size in SIZES.items()})
        self.wide = nn.ModuleDict({name: nn.Embedding(size, 2) for name, size in SIZES.items()})
        width = len(SIZES) * DIM + sum(DENSE.values()) + 2 * DIM + 4
        self.deep = nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())
        self.ctr = nn.Linear(16, 1)
        self.cvr = nn.Linear(16, 1)
        for table in self.tables.values():
            nn.init.normal_(table.weight, std=0.3)
        for table in self.wide.values():
            nn.init.zeros_(table.weight)

    def forward(self, data: Dict[str, Tensor]) -> Dict[str, Tensor]:
        rows = data["item_id.lengths"]
        n = data["batch_size"] if self.tile > 0 else torch.ones([], dtype=torch.int64)
        parts = []
        wide = torch.zeros([1, 2])
        for (name, table), (_, weights) in zip(self.tables.items(), self.wide.items()):
            values, lengths = data[name + ".values"], data[name + ".lengths"].to(torch.int64)
            of_user = name == "user_id" or name == "age" or name == "city"
            if of_user and self.tile == 2:
                values, lengths = times(values, n), times(lengths, n)
            pooled, narrow = sums(table(values), lengths), sums(weights(values), lengths)
            if of_user and self.tile == 3:
                pooled, narrow = times(pooled, n), times(narrow, n)
            parts.append(pooled)
            wide = wide + narrow
        for name in ["weight", "raw_3", "price", "price_by_age"]:
            values = data[name + ".values"]
            if self.tile > 0 and (name == "weight" or name == "raw_3"):
                values = times(values, n)
            parts.append(values)

        # What the user has looked at, weighed by how it goes with the item.
        category, lengths = data["history__category.values"], data["history__category.lengths"].to(torch.int64)
        keys = data["history__tags.key_lengths"].to(torch.int64)
        for name, table in self.tables.items():
            if name == "category":
                steps = table(category)
                target = table(data["category.values"])
            if name == "tags":
                tags = sums(table(data["history__tags.values"]), keys)
        steps = torch.cat([steps + tags, data["history__price.values"]], dim=1)
        recent = sums(data["history__ts.values"], data["history__ts.lengths"].to(torch.int64))
        clicks = sums(data["click.values"], data["click.lengths"].to(torch.int64))
        if self.tile > 0:
            steps, lengths, recent, clicks = times(steps, n), times(lengths, n), times(recent, n), times(clicks, n)
        row = bag_of(steps, lengths)
        weight = torch.sigmoid((steps[:, :6] * target[row]).sum(1, keepdim=True))
        parts += [sums(steps[:, :6] * weight, lengths), sums(steps, lengths), recent, clicks * 0.1]

        hidden = self.deep(torch.cat(parts, dim=1))
        ctr = self.ctr(hidden).squeeze(1) + wide[:, 0]
        cvr = self.cvr(hidden).squeeze(1) + wide[:, 1]
        return {
            "logits_ctr": ctr,
            "probs_ctr": torch.sigmoid(ctr),
            "logits_cvr": cvr,
            "probs_cvr": torch.sigmoid(cvr),
        }


class Named(nn.Module):
    """The same with its tensors one after the other, as ONNX has them."""

    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *tensors):
        return tuple(self.model(dict(zip(self.names, tensors))).values())
