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
        target = self.tables["category"](data["category.values"])
        tags = sums(self.tables["tags"](data["history__tags.values"]), keys)
        steps = torch.cat([self.tables["category"](category) + tags, data["history__price.values"]], dim=1)
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


class Dense(nn.Module):
    """What is left of the recommender where embeddings are looked up outside: rows of DIM + 2, deep and wide side by side."""

    def __init__(self, model):
        super().__init__()
        self.deep, self.ctr, self.cvr = model.deep, model.ctr, model.cvr

    def forward(self, data):
        n = data["batch_size"]
        tables = torch.cat([times(data["__BASE____ebc_user"], n), data["__BASE____ebc"]], dim=1)
        tables = tables.reshape(tables.shape[0], len(SIZES), DIM + 2)
        parts = [tables[:, :, :DIM].reshape(tables.shape[0], -1)]
        parts += [times(data[name + ".values"], n) for name in ("weight", "raw_3")]
        parts += [data[name + ".values"] for name in ("price", "price_by_age")]
        tags = sums(data["history__tags__ec"][:, :DIM], data["history__tags.key_lengths"])
        steps = torch.cat([data["history__category__ec"][:, :DIM] + tags, data["history__price.values"]], dim=1)
        lengths = times(data["history__category__lengths"].to(torch.int64), n)
        recent = sums(data["history__ts.values"], data["history__ts.lengths"].to(torch.int64))
        clicks = sums(data["click.values"], data["click.lengths"].to(torch.int64))
        steps, recent, clicks = times(steps, n), times(recent, n), times(clicks, n)
        target = tables[:, 4, :DIM]  # of the category, the fifth of SIZES
        weight = torch.sigmoid((steps[:, :DIM] * target[bag_of(steps, lengths)]).sum(1, keepdim=True))
        parts += [sums(steps[:, :DIM] * weight, lengths), sums(steps, lengths), recent, clicks * 0.1]
        hidden = self.deep(torch.cat(parts, dim=1))
        wide = tables[:, :, DIM:].sum(1)
        ctr = self.ctr(hidden).squeeze(1) + wide[:, 0]
        cvr = self.cvr(hidden).squeeze(1) + wide[:, 1]
        return {"probs_ctr": torch.sigmoid(ctr), "probs_cvr": torch.sigmoid(cvr)}


TOWER_DIM = 8
TOWER_INPUTS = [
    *["user_id.values", "user_id.lengths", "age.values", "age.lengths"],
    *["history__category.values", "history__category.lengths", "history__price.values"],
]


class UserTower(nn.Module):
    """The user side of a match model: one embedding of length 1."""

    def __init__(self):
        super().__init__()
        self.user, self.age, self.category = nn.Embedding(200, DIM), nn.Embedding(5, DIM), nn.Embedding(8, DIM)
        self.out = nn.Linear(3 * DIM + 1, TOWER_DIM)

    def forward(self, data):
        lengths = data["history__category.lengths"].to(torch.int64)
        parts = [
            sums(self.user(data["user_id.values"]), data["user_id.lengths"].to(torch.int64)),
            sums(self.age(data["age.values"]), data["age.lengths"].to(torch.int64)),
            sums(self.category(data["history__category.values"]), lengths) / lengths.unsqueeze(1),
            sums(data["history__price.values"], lengths) / lengths.unsqueeze(1),
        ]
        return {"user_tower_emb": nn.functional.normalize(self.out(torch.cat(parts, dim=1)), dim=1)}


class Interests(nn.Module):
    """Three interests of a user, made from his embedding: the shape that MIND gives, [1, 3, D]."""

    def __init__(self, tower):
        super().__init__()
        self.tower = tower

    def forward(self, data):
        one = self.tower(data)["user_tower_emb"]
        return {"user_tower_emb": torch.stack([one, one.roll(1, dims=1), -one], dim=1)}


class Named(nn.Module):
    """The same with its tensors one after the other, as ONNX has them."""

    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *tensors):
        return tuple(self.model(dict(zip(self.names, tensors))).values())
