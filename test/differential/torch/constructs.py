"""Small modules, one per language construct or served architecture, exported by zoo.py.

Each entry of MODELS is a function returning (module, inputs by size), where every list of inputs is one call and the
first is the one that a trace sees. `DATA_DEPENDENT` names those whose trace would freeze a decision made on data.
"""
import enum
from collections import OrderedDict
from typing import Dict, List, NamedTuple, Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from registry import Registry, floats, ids

registry = Registry()
MODELS, SCRIPT_ONLY = registry.models, registry.scripts
model, script_only = registry.model, registry.script_only
DATA_DEPENDENT = set()


def data_dependent(build):
    DATA_DEPENDENT.add(build.__name__)
    return script_only(build)


# --- recommenders ----------------------------------------------------------------------------------------------------
class DeepFM(nn.Module):
    def __init__(self, fields: int = 6, rows: int = 50, dim: int = 8):
        super().__init__()
        self.linear = nn.Embedding(rows, 1)
        self.embed = nn.Embedding(rows, dim)
        self.mlp = nn.Sequential(nn.Linear(fields * dim, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
        self.register_buffer('offsets', torch.arange(fields).unsqueeze(0) * 5)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.offsets
        e = self.embed(x)
        square_of_sum = torch.sum(e, dim=1) ** 2
        sum_of_square = torch.sum(e ** 2, dim=1)
        fm = 0.5 * torch.sum(square_of_sum - sum_of_square, dim=1, keepdim=True)
        deep = self.mlp(e.view(-1, e.size(1) * e.size(2)))
        return torch.sigmoid(torch.sum(self.linear(x), dim=1) + fm + deep).squeeze(1)


@model
def deepfm():
    return DeepFM(), [[ids(20, n, 6)] for n in (3, 1, 7)]


class DCNv2(nn.Module):
    def __init__(self, dim: int = 12, experts: int = 2, rank: int = 4):
        super().__init__()
        self.u = nn.Parameter(torch.randn(2, experts, dim, rank) * 0.2)
        self.v = nn.Parameter(torch.randn(2, experts, rank, dim) * 0.2)
        self.b = nn.Parameter(torch.randn(2, dim))
        self.gate = nn.ModuleList([nn.Linear(dim, 1) for _ in range(experts)])
        self.out = nn.Linear(dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        x0 = x
        for i in range(2):
            outputs: List[Tensor] = []
            scores: List[Tensor] = []
            for e, gate in enumerate(self.gate):
                low = torch.tanh(torch.matmul(x, self.v[i, e].t()))
                outputs.append(x0 * (torch.matmul(low, self.u[i, e].t()) + self.b[i]))
                scores.append(gate(x))
            mix = torch.stack(scores, 1).softmax(1)
            x = torch.sum(torch.stack(outputs, 1) * mix, 1) + x
        return self.out(x)


@model
def dcn_v2():
    return DCNv2(), [[floats(n, 12)] for n in (4, 1, 9)]


class Dice(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.bn = nn.BatchNorm1d(dim, eps=1e-8)
        self.alpha = nn.Parameter(torch.randn(dim))

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 3:
            p = torch.sigmoid(self.bn(x.transpose(1, 2)).transpose(1, 2))
        else:
            p = torch.sigmoid(self.bn(x))
        return (1 - p) * self.alpha * x + p * x


class DIN(nn.Module):
    """Dict in, dict out; attention over a history padded with 0."""

    def __init__(self, rows: int = 40, dim: int = 8):
        super().__init__()
        self.items = nn.Embedding(rows, dim, padding_idx=0)
        self.users = nn.Embedding(rows, dim)
        self.attention = nn.Sequential(nn.Linear(4 * dim, 16), Dice(16), nn.Linear(16, 1))
        self.top = nn.Sequential(nn.Linear(3 * dim, 16), Dice(16), nn.Linear(16, 2))

    def forward(self, features: Dict[str, Tensor]) -> Dict[str, Tensor]:
        target = self.items(features['item'])
        history = self.items(features['history'])
        query = target.unsqueeze(1).expand(-1, history.size(1), -1)
        score = self.attention(torch.cat([query, history, query - history, query * history], dim=-1))
        mask = (features['history'] != 0).unsqueeze(-1)
        score = torch.where(mask, score, torch.full_like(score, -2.0 ** 32 + 1))
        pooled = (torch.softmax(score, dim=1) * history).sum(1)
        logits = self.top(torch.cat([self.users(features['user']), target, pooled], dim=1))
        return {'logits': logits, 'probs': torch.softmax(logits, dim=1)}


@model
def din():
    def call(n, t):
        history = ids(40, n, t)
        history[:, -1] = 0
        history[:, 0] = 3
        return [{'item': ids(40, n), 'history': history, 'user': ids(40, n)}]

    return DIN(), [call(3, 5), call(1, 7), call(6, 4)]


class DLRM(nn.Module):
    """List of sparse inputs beside the dense one, EmbeddingBags, and the lower triangle of dot products."""

    def __init__(self, rows: int = 30, dim: int = 8, tables: int = 3):
        super().__init__()
        self.bottom = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, dim), nn.ReLU())
        self.tables = nn.ModuleList([nn.EmbeddingBag(rows, dim, mode='sum') for _ in range(tables)])
        pairs = (tables + 1) * tables // 2
        self.top = nn.Sequential(nn.Linear(pairs + dim, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())

    def forward(self, dense: Tensor, offsets: List[Tensor], indices: List[Tensor]) -> Tensor:
        x = self.bottom(dense)
        rows = [x]
        for k, table in enumerate(self.tables):
            rows.append(table(indices[k], offsets[k]))
        stacked = torch.stack(rows, dim=1)
        z = torch.bmm(stacked, stacked.transpose(1, 2))
        rows_below: List[int] = []
        columns_below: List[int] = []
        for i in range(z.size(1)):
            for j in range(i):
                rows_below.append(i)
                columns_below.append(j)
        return self.top(torch.cat([x, z[:, torch.tensor(rows_below), torch.tensor(columns_below)]], dim=1))


@model
def dlrm():
    def call(n, lengths):
        offsets = [torch.arange(n) * l for l in lengths]
        return [floats(n, 5), offsets, [ids(30, n * l) for l in lengths]]

    return DLRM(), [call(4, (1, 2, 3)), call(2, (2, 1, 4)), call(1, (3, 3, 1))]


class MMoE(nn.Module):
    def __init__(self, dim: int = 10, experts: int = 3, tasks: int = 2):
        super().__init__()
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(dim, 8), nn.ReLU()) for _ in range(experts)])
        self.gates = nn.ModuleList([nn.Linear(dim, experts, bias=False) for _ in range(tasks)])
        self.towers = nn.ModuleDict({'ctr': nn.Linear(8, 1), 'cvr': nn.Linear(8, 1)})

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        expert = torch.stack([e(x) for e in self.experts], dim=1)
        mixed: List[Tensor] = []
        for gate in self.gates:
            mixed.append(torch.einsum('be,bed->bd', F.softmax(gate(x), dim=-1), expert))
        outputs: List[Tensor] = []
        for i, tower in enumerate(self.towers.values()):
            outputs.append(torch.sigmoid(tower(mixed[i])))
        return outputs[0], outputs[0] * outputs[1]


@model
def mmoe():
    return MMoE(), [[floats(n, 10)] for n in (4, 1, 6)]


class DSSM(nn.Module):
    def __init__(self, rows: int = 40, dim: int = 8):
        super().__init__()
        self.user = nn.EmbeddingBag(rows, dim, mode='mean')
        self.item = nn.Embedding(rows, dim)
        self.user_tower = nn.Sequential(nn.Linear(dim, 16), nn.Tanh(), nn.Linear(16, 8))
        self.item_tower = nn.Sequential(nn.Linear(dim, 16), nn.LeakyReLU(0.1), nn.Linear(16, 8))
        self.temperature = nn.Parameter(torch.tensor(0.07))

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        u = F.normalize(self.user_tower(self.user(user)), p=2.0, dim=1)
        i = F.normalize(self.item_tower(self.item(item)), p=2.0, dim=1)
        return F.cosine_similarity(u, i, dim=1) / self.temperature


@model
def dssm():
    return DSSM(), [[ids(40, n, t), ids(40, n)] for n, t in ((3, 4), (1, 6), (5, 4))]


class SASRec(nn.Module):
    def __init__(self, rows: int = 40, dim: int = 8, longest: int = 12):
        super().__init__()
        self.items = nn.Embedding(rows, dim, padding_idx=0)
        self.positions = nn.Embedding(longest, dim)
        self.norms = nn.ModuleList([nn.LayerNorm(dim) for _ in range(2)])
        self.attention = nn.ModuleList([nn.MultiheadAttention(dim, 2, dropout=0.1) for _ in range(2)])
        self.feedforward = nn.ModuleList([nn.Sequential(nn.Conv1d(dim, dim, 1), nn.ReLU(), nn.Conv1d(dim, dim, 1)) for _ in range(2)])
        self.last = nn.LayerNorm(dim)

    def forward(self, history: Tensor, candidates: Tensor) -> Tensor:
        x = self.items(history) * (8.0 ** 0.5)
        x = x + self.positions(torch.arange(history.size(1), device=history.device).unsqueeze(0))
        padding = history == 0
        x = x * (~padding).unsqueeze(-1)
        causal = torch.triu(torch.ones(history.size(1), history.size(1), device=x.device), diagonal=1) > 0
        for norm, attention, feedforward in zip(self.norms, self.attention, self.feedforward):
            y = x.transpose(0, 1)
            q = norm(y)
            y = q + attention(q, y, y, attn_mask=causal, need_weights=False)[0]
            x = y.transpose(0, 1)
            x = x + feedforward(x.transpose(1, 2)).transpose(1, 2)
            x = x * (~padding).unsqueeze(-1)
        return (self.items(candidates) * self.last(x)[:, -1, :].unsqueeze(1)).sum(-1)


@model
def sasrec():
    return SASRec(), [[ids(39, n, t) + 1, ids(40, n, 4)] for n, t in ((3, 6), (1, 9), (5, 6))]


class TextCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(60, 8)
        self.convs = nn.ModuleList([nn.Conv1d(8, 6, k) for k in (2, 3, 4)])
        self.fc = nn.Linear(18, 3)

    def forward(self, x: Tensor) -> Tensor:
        e = self.embedding(x).permute(0, 2, 1)
        return self.fc(torch.cat([F.max_pool1d(F.relu(c(e)), c(e).size(2)).squeeze(2) for c in self.convs], 1))


@model
def text_cnn():
    return TextCNN(), [[ids(60, n, t)] for n, t in ((2, 9), (1, 9), (4, 9))]


class Bag(nn.Module):
    """Ragged EmbeddingBag with weights and a closing offset."""

    def __init__(self):
        super().__init__()
        self.weighted = nn.EmbeddingBag(20, 6, mode='sum', include_last_offset=True)
        self.mean = nn.EmbeddingBag(20, 6, mode='mean', include_last_offset=True, padding_idx=2)
        self.max = nn.EmbeddingBag(20, 6, mode='max', include_last_offset=True)

    def forward(self, values: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
        return torch.cat([self.weighted(values, offsets, weights), self.mean(values, offsets), self.max(values, offsets)], 1)


@model
def embedding_bags():
    def call(lengths):
        offsets = torch.tensor([0] + lengths).cumsum(0)
        total = int(offsets[-1])
        return [ids(20, total), offsets, floats(total)]

    return Bag(), [call([2, 0, 3]), call([1]), call([0, 4, 1, 1, 2])]


# --- recurrent -------------------------------------------------------------------------------------------------------
class Tagger(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.embedding = nn.Embedding(30, 6)
        self.rnn = kind(6, 5, **options)

    def forward(self, x: Tensor):
        return self.rnn(self.embedding(x))


def recurrent(kind, **options):
    return lambda: (Tagger(kind, batch_first=True, **options), [[ids(30, n, t)] for n, t in ((2, 6), (1, 6), (4, 9))])


for name, kind, options in (
    ('lstm', nn.LSTM, {}), ('lstm_2_layers_both', nn.LSTM, {'num_layers': 2, 'bidirectional': True}),
    ('lstm_no_bias', nn.LSTM, {'bias': False}), ('lstm_projected', nn.LSTM, {'proj_size': 3}),
    ('gru', nn.GRU, {}), ('gru_2_layers_both', nn.GRU, {'num_layers': 2, 'bidirectional': True, 'dropout': 0.3}),
    ('rnn_tanh', nn.RNN, {}), ('rnn_relu_both', nn.RNN, {'nonlinearity': 'relu', 'bidirectional': True}),
):
    MODELS[name] = recurrent(kind, **options)


class TimeFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(4, 5)
        self.start = nn.Linear(4, 5)

    def forward(self, x: Tensor, first: Tensor) -> Tensor:
        y, h = self.rnn(x, torch.tanh(self.start(first)).unsqueeze(0))
        return torch.cat([y[-1], h[0]], 1)


@model
def gru_time_first():
    return TimeFirst(), [[floats(t, n, 4), floats(n, 4)] for n, t in ((2, 5), (3, 7), (1, 2))]


class Packed(nn.Module):
    def __init__(self, kind, both: bool = True):
        super().__init__()
        self.embedding = nn.Embedding(30, 6)
        self.rnn = kind(6, 5, batch_first=True, bidirectional=both)
        self.is_lstm = isinstance(self.rnn, nn.LSTM)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(x), lengths, batch_first=True, enforce_sorted=False)
        y = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)[0]
        return y.sum(1)


def packed(kind, both):
    return lambda: (
        Packed(kind, both),
        [[ids(30, len(l), max(l)), torch.tensor(l)] for l in ([3, 6, 2], [4, 5, 5], [6, 1, 4, 2])],
    )


MODELS['packed_lstm'] = packed(nn.LSTM, True)
MODELS['packed_gru'] = packed(nn.GRU, False)
MODELS['packed_rnn'] = packed(nn.RNN, True)


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTMCell(4, 5)
        self.gru = nn.GRUCell(5, 5)
        self.rnn = nn.RNNCell(5, 5, nonlinearity='relu')

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(x.size(0), 5)
        c = torch.zeros(x.size(0), 5)
        g = torch.zeros(x.size(0), 5)
        for t in range(x.size(1)):
            h, c = self.lstm(x[:, t], (h, c))
            g = self.gru(h, g)
        return self.rnn(g, c)


@model
def cells():
    return Cells(), [[floats(n, 4, 4)] for n in (2, 1, 5)]


# --- attention -------------------------------------------------------------------------------------------------------
@model
def mha():
    class Attend(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, q: Tensor, k: Tensor, mask: Tensor) -> Tuple[Tensor, Optional[Tensor]]:
            return self.attention(q, k, k, key_padding_mask=mask)

    def call(n, t, s):
        mask = torch.zeros(n, s, dtype=torch.bool)
        mask[:, -1] = True
        return [floats(n, t, 8), floats(n, s, 8), mask]

    return Attend(), [call(2, 3, 5), call(1, 4, 5), call(3, 6, 7)]


@model
def transformer_encoder():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation='gelu')
    return nn.TransformerEncoder(layer, 2), [[floats(n, t, 8)] for n, t in ((2, 5), (1, 5), (3, 7))]


@model
def transformer_encoder_norm_first():
    layer = nn.TransformerEncoderLayer(8, 2, 16, norm_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), [[floats(t, n, 8)] for n, t in ((2, 5), (1, 5), (3, 7))]


@model
def transformer():
    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)

        def forward(self, source: Tensor, target: Tensor) -> Tensor:
            mask = torch.triu(torch.full((target.size(1), target.size(1)), float('-inf')), diagonal=1)
            return self.body(source, target, tgt_mask=mask)

    return Whole(), [[floats(n, s, 8), floats(n, t, 8)] for n, s, t in ((2, 5, 4), (1, 5, 4), (3, 6, 3))]


# --- language --------------------------------------------------------------------------------------------------------
class Pair(NamedTuple):
    score: Tensor
    label: Tensor


@script_only
def named_tuple():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Pair:
            y = Pair(score=self.fc(x), label=x.argmax(1))
            return Pair(y.score * 2, y[1])

    return Named(), [[floats(n, 4)] for n in (2, 5)]


class Mode(enum.Enum):
    SUM = 1
    MEAN = 2


@script_only
def enums():
    class Enumerated(nn.Module):
        def __init__(self):
            super().__init__()
            self.mode = Mode.MEAN

        def forward(self, x: Tensor) -> Tensor:
            if self.mode == Mode.SUM:
                return x.sum(1)
            return x.mean(1) * self.mode.value + len(self.mode.name)

    return Enumerated(), [[floats(n, 4)] for n in (2, 5)]


@model
def dict_out():
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.heads = nn.ModuleDict(OrderedDict([('b', nn.Linear(4, 2)), ('a', nn.Linear(4, 3))]))

        def forward(self, x: Tensor) -> Dict[str, Tensor]:
            out: Dict[str, Tensor] = {}
            for name, head in self.heads.items():
                out[name] = head(x)
            return out

    return Heads(), [[floats(n, 4)] for n in (2, 5)]


@model
def nested_out():
    class Nested(nn.Module):
        def forward(self, x: Tensor, y: Tuple[Tensor, Tensor]) -> Tuple[Tensor, Tuple[Tensor, List[Tensor]]]:
            a, b = y
            return x + a, (x * b, [a, b - x])

    return Nested(), [[floats(n, 4), (floats(n, 4), floats(4))] for n in (2, 5)]


@model
def views_in_place():
    class Views(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = torch.zeros(x.size(0), 4, 6)
            y[:, 1:3, 2:4] = x[:, :2, :2]
            y[:, 0].copy_(x[:, 0, 0].unsqueeze(1).expand(-1, 6))
            left = y.view(x.size(0), 4, 2, 3)[:, :, 0]
            left += 1.0
            y.transpose(1, 2)[:, 5].mul_(3)
            first = y[:, 3]
            first[:, ::2] = 7.0
            return torch.relu_(y.sub_(0.5))

    return Views(), [[floats(n, 3, 3)] for n in (2, 5)]


@script_only
def interfaces():
    @torch.jit.interface
    class Head(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            pass

    class Linear(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(x)

    class Tanh(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.tanh(x)

    class Chosen(nn.Module):
        head: Head

        def __init__(self):
            super().__init__()
            self.head = Linear()
            self.other = Tanh()

        def forward(self, x: Tensor) -> Tensor:
            return self.head.forward(self.other(x))

    globals()['Head'] = Head
    return Chosen(), [[floats(n, 4)] for n in (2, 5)]


@torch.jit.script
class Accumulator:
    def __init__(self, start: Tensor):
        self.total = start
        self.parts: List[Tensor] = []

    def add(self, x: Tensor):
        self.total = self.total + x
        self.parts.append(x * 2)


@script_only
def script_class():
    class Uses(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
            a = Accumulator(torch.zeros_like(x[0]))
            for i in range(3):
                a.add(x[i])
            return a.total, torch.stack(a.parts)

    return Uses(), [[floats(n, 4)] for n in (3, 5)]


@model
def hooks():
    class Hooked(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 3)

            def before(module, x: Tuple[Tensor]) -> Tuple[Tensor]:
                return (x[0] * 2,)

            def after(module, x: Tuple[Tensor], y: Tensor) -> Tensor:
                return y + 1

            self.fc.register_forward_pre_hook(before)
            self.fc.register_forward_hook(after)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(x)

    return Hooked(), [[floats(n, 4)] for n in (2, 5)]


@script_only
def fork():
    class Forked(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(4, 3)
            self.b = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            later = torch.jit.fork(self.a, x)
            now = self.b(x)
            return torch.jit.wait(later) + now

    return Forked(), [[floats(n, 4)] for n in (2, 5)]


@model
def tied_weights():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(10, 4)
            self.out = nn.Linear(4, 10, bias=False)
            self.out.weight = self.embedding.weight
            self.register_buffer('column', torch.randn(6, 4).t())

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.embedding(x) @ self.column @ self.column.t())

    return Tied(), [[ids(10, n, 3)] for n in (2, 5)]


@model
def same_module_twice():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(torch.relu(self.fc(x))) + self.fc(x * 2)

    return Twice(), [[floats(n, 4)] for n in (2, 5)]


@model
def attributes():
    class Attributes(nn.Module):
        names: List[str]
        table: Dict[str, int]
        maybe: Optional[Tensor]

        def __init__(self):
            super().__init__()
            self.names = ['a', 'b']
            self.table = {'a': 2, 'b': 3}
            self.maybe = None
            self.sizes = (2, 2)
            self.scale = 0.5

        def forward(self, x: Tensor) -> Tensor:
            for name in self.names:
                x = x * float(self.table[name])
            maybe = self.maybe
            if maybe is not None:
                x = x + maybe
            return x.view(-1, self.sizes[0], self.sizes[1]) * self.scale

    return Attributes(), [[floats(n, 4)] for n in (2, 5)]


@model
def optional_input():
    class Optionals(nn.Module):
        def forward(self, x: Tensor, mask: Optional[Tensor] = None, scale: float = 2.0) -> Tensor:
            if mask is not None:
                x = x.masked_fill(mask, 0.0)
            return x * scale

    return Optionals(), [[floats(n, 4)] for n in (2, 5)]


# --- control flow on data --------------------------------------------------------------------------------------------
@data_dependent
def branch_mutates_list():
    class Branch(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            rows: List[Tensor] = [x]
            extra: Dict[str, Tensor] = {'k': x}
            if bool(x.sum() > 0):
                rows.append(x * 2)
                extra['k'] = x + 1
                rows[0] = rows[0] - 1
            else:
                rows.append(x * 3)
            return torch.cat(rows, 0) + extra['k'].sum()

    return Branch(), [[floats(3, 4).abs()], [-floats(2, 4).abs()]]


@data_dependent
def branch_in_place():
    class Branch(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = torch.zeros_like(x)
            row = y[0]
            if bool(x.mean() > 0):
                row.add_(1.0)
                y[:, 1] = 5.0
            else:
                y.sub_(2.0)
            return y + row

    return Branch(), [[floats(3, 4).abs()], [-floats(2, 4).abs()]]


@data_dependent
def branch_nested():
    class Branch(nn.Module):
        def forward(self, x: Tensor, k: Tensor) -> Tuple[Tensor, int]:
            n = 0
            if bool(k > 0):
                if bool(x.max() > 1):
                    x = x / x.max()
                    n = 2
                else:
                    n = 1
            return x * n, n

    return Branch(), [[floats(3, 4).abs() + 1, torch.tensor(1)], [floats(3, 4) * 0.1, torch.tensor(2)], [floats(2, 4), torch.tensor(-1)]]


@data_dependent
def newton():
    class Newton(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, int]:
            guess = x
            steps = 0
            while bool((guess * guess - x).abs().max() > 1e-4) and steps < 30:
                guess = 0.5 * (guess + x / guess)
                steps += 1
            return guess, steps

    return Newton(), [[torch.rand(n) * 9 + 1] for n in (3, 1, 6)]


@data_dependent
def greedy_decode():
    class Decode(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(9, 6)
            self.cell = nn.GRUCell(6, 6)
            self.out = nn.Linear(6, 9)

        def forward(self, start: Tensor, steps: int = 5) -> Tensor:
            h = torch.zeros(start.size(0), 6)
            token = start
            tokens: List[Tensor] = []
            for i in range(steps):
                h = self.cell(self.embedding(token), h)
                token = self.out(h).argmax(1)
                tokens.append(token)
            return torch.stack(tokens, 1)

    return Decode(), [[ids(9, n)] for n in (3, 1, 5)]


@data_dependent
def loop_with_buffer():
    class Loop(nn.Module):
        def forward(self, x: Tensor, n: Tensor) -> Tensor:
            out = torch.zeros(6, x.size(0))
            i = 0
            while i < int(n):
                out[i] = x * i
                i += 1
            return out

    return Loop(), [[floats(3), torch.tensor(4)], [floats(2), torch.tensor(1)]]


@data_dependent
def filter_rows():
    class Filter(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
            keep = torch.where(x[:, 0] > 0)[0]
            y = x[keep]
            if y.size(0) == 0:
                y = torch.zeros(1, x.size(1))
            return y, keep

    return Filter(), [[floats(n, 4)] for n in (6, 3, 9)]


@script_only
def long_loop():
    class Scan(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            h = torch.zeros(x.size(0))
            out: List[Tensor] = []
            for t in range(x.size(1)):
                h = 0.5 * h + x[:, t]
                out.append(h)
            return torch.stack(out, 1)

    return Scan(), [[floats(n, t)] for n, t in ((2, 8), (1, 8), (3, 8))]


@script_only
def raises_on_bad_shape():
    class Checks(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if x.dim() != 3:
                raise ValueError('expected 3 dimensions')
            assert x.size(2) == 4
            if x.size(1) > 4:
                return x[:, :4].sum(2)
            return x.sum(2)

    return Checks(), [[floats(n, 5, 4)] for n in (2, 5)]


@model
def shapes_into_views():
    class Windows(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            b, h, w, c = x.shape
            x = F.pad(x, (0, 0, 0, (2 - w % 2) % 2, 0, (2 - h % 2) % 2))
            ph, pw = x.shape[1], x.shape[2]
            x = x.view(b, ph // 2, 2, pw // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, c)
            x = (x @ x.transpose(1, 2)).softmax(-1) @ x
            x = x.view(b, ph // 2, pw // 2, 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(b, ph, pw, c)
            return x[:, :h, :w, :].contiguous()

    return Windows(), [[floats(n, 6, 4, 3)] for n in (2, 1, 3)]
