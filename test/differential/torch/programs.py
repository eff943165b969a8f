"""Small models as people write them, exported by zoo.py: layers, decoders and post-processing that no library has.

The same shape as constructs.py. Names say what is unusual about each.
"""

import enum
import math
import warnings
from typing import Dict, Final, List, NamedTuple, Optional, Tuple, Union

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from registry import Registry, floats, ids

registry = Registry()
MODELS, SCRIPT_ONLY, TRACE_ONLY = registry.models, registry.scripts, registry.traces
model, script_only, trace_only = registry.model, registry.script_only, registry.trace_only
# Batches of the calls; the first is traced.
BATCHES = (2, 1, 5)


class LSTMState(NamedTuple):
    hx: Tensor
    cx: Tensor


class LSTMCell(nn.Module):
    def __init__(self, i: int, h: int):
        super().__init__()
        self.weight_ih = nn.Parameter(torch.randn(4 * h, i))
        self.weight_hh = nn.Parameter(torch.randn(4 * h, h))
        self.ln = nn.LayerNorm(4 * h)

    def forward(self, input: Tensor, state: LSTMState) -> Tuple[Tensor, LSTMState]:
        gates = self.ln(torch.mm(input, self.weight_ih.t()) + torch.mm(state.hx, self.weight_hh.t()))
        i, f, c, o = gates.chunk(4, 1)
        cy = torch.sigmoid(f) * state.cx + torch.sigmoid(i) * torch.tanh(c)
        hy = torch.sigmoid(o) * torch.tanh(cy)
        return hy, LSTMState(hy, cy)


def reverse(lst: List[Tensor]) -> List[Tensor]:
    out = torch.jit.annotate(List[Tensor], [])
    start, end, step = len(lst) - 1, -1, -1
    for i in range(start, end, step):
        out += [lst[i]]
    return out


class LSTMLayer(nn.Module):
    def __init__(self, i, h, rev):
        super().__init__()
        self.cell = LSTMCell(i, h)
        self.rev = rev

    def forward(self, input: Tensor, state: LSTMState) -> Tuple[Tensor, LSTMState]:
        inputs = input.unbind(0)
        outputs = torch.jit.annotate(List[Tensor], [])
        if self.rev:
            inputs2 = reverse(list(inputs))
        else:
            inputs2 = list(inputs)
        for i in range(len(inputs2)):
            out, state = self.cell(inputs2[i], state)
            outputs += [out]
        if self.rev:
            outputs = reverse(outputs)
        return torch.stack(outputs), state


@script_only
def custom_lstm():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.ModuleList([LSTMLayer(4, 5, False), LSTMLayer(5, 5, True)])

        def forward(self, x: Tensor, states: List[Tuple[Tensor, Tensor]]) -> Tuple[Tensor, List[LSTMState]]:
            outs = torch.jit.annotate(List[LSTMState], [])
            i = 0
            for layer in self.l:
                s = states[i]
                x, st = layer(x, LSTMState(s[0], s[1]))
                outs += [st]
                i += 1
            return x, outs

    class W(nn.Module):
        def __init__(self):
            super().__init__()
            self.m = M()

        def forward(self, x: Tensor, h: Tensor, c: Tensor):
            y, o = self.m(x, [(h[0], c[0]), (h[1], c[1])])
            return y, torch.stack([s.hx for s in o]), o[0].cx

    return W(), [[floats(t, n, 4), floats(2, n, 5), floats(2, n, 5)] for t, n in ((3, 2), (3, 4), (3, 1))]


@script_only
def break_continue():
    class M(nn.Module):
        def forward(self, x: Tensor, limit: int = 4) -> Tuple[Tensor, int]:
            y = x.clone()
            k = 0
            while True:
                k += 1
                if k == 2:
                    continue
                y = y + k
                if k >= limit:
                    break
            for i in range(10):
                if i % 3 == 0:
                    continue
                if i > 7:
                    break
                y[:, i % 4] *= float(i)
            return y, k

    return M(), [[floats(n, 4)] for n in BATCHES]


@script_only
def early_return_data():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(4, 3)
            self.b = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            if x.sum() > 0:
                return self.a(x)
            y = self.b(x)
            if y.mean() > 0.1:
                return y * 2
            return y - 1

    return M(), [[floats(3, 4).abs()], [-floats(2, 4).abs()], [-floats(1, 4).abs()]]


@script_only
def data_while_break():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, int]:
            n = 0
            while n < 20:
                x = x * 1.5
                if bool(x.abs().max() > 10):
                    break
                n += 1
            return x, n

    return M(), [[floats(3, 4)], [floats(2, 4) * 3], [floats(1, 4) * 0.1]]


@model
def module_dict_list():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.proj = nn.ModuleDict({'img': nn.Linear(4, 6), 'txt': nn.Linear(5, 6)})
            self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(6, 6), nn.GELU()) for _ in range(4)])
            self.names = ['img', 'txt']

        def forward(self, img: Tensor, txt: Tensor) -> Dict[str, Tensor]:
            out: Dict[str, Tensor] = {}
            a = self.proj['img'](img)
            b = self.proj['txt'](txt)
            h = a + b
            for i, blk in enumerate(self.blocks):
                if i % 2 == 0:
                    h = h + blk(h)
                else:
                    h = blk(h)
                out[f'h{i}'] = h
            for blk in self.blocks[1:3]:
                h = blk(h)
            out['final'] = h
            return out

    return M(), [[floats(n, 4), floats(n, 5)] for n in BATCHES]


@script_only
def comprehension_strings():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(3, 4))
            self.cfg: Dict[str, int] = {'a': 1, 'b': 2, 'c': 3}

        def forward(self, x: Tensor, tag: str = 'a_b') -> Dict[str, Tensor]:
            parts = tag.split('_')
            xs = [x * i for i in range(3)]
            sq = [t.pow(2) for t in xs]
            d = {k: torch.full((1,), float(v)) for k, v in self.cfg.items()}
            total = torch.zeros(1)
            for p in parts:
                if p in d:
                    total = total + d[p]
            key = '-'.join(parts).upper()
            assert len(parts) == 2, f'bad tag {tag}'
            return {key: torch.stack(sq).sum(0) @ self.w.t() + total, 'n'.replace('n', 'm'): x}

    return M(), [[floats(n, 4)] for n in BATCHES]


@script_only
def union_isinstance():
    class M(nn.Module):
        def helper(self, v: Union[Tensor, List[Tensor]]) -> Tensor:
            if isinstance(v, Tensor):
                return v * 2
            else:
                return torch.stack(v).sum(0)

        def forward(self, x: Tensor, extra: Optional[Tensor] = None) -> Tensor:
            y = self.helper(x) + self.helper([x, x + 1])
            if extra is None:
                extra = torch.ones_like(x)
            return y + extra

    return M(), [[floats(n, 4)] for n in BATCHES]


@model
def einsums():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(2, 3, 4))

        def forward(self, x: Tensor, y: Tensor):
            a = torch.einsum('bhid,bhjd->bhij', x, y)
            b = torch.einsum('bhij,bhjd->bhid', a.softmax(-1), y)
            c = torch.einsum('bhid,hde->bhie', b, self.w)
            d = torch.einsum('bhii->bhi', a)
            e = torch.einsum('bhid->dhb', x)
            f = torch.einsum('i,j->ij', x[0, 0, 0], y[0, 0, 0])
            g = torch.einsum('bhid->', x)
            return c, d, e, f, g

    return M(), [[floats(n, 2, 5, 3), floats(n, 2, 5, 3)] for n in BATCHES]


@model
def masks():
    class M(nn.Module):
        def forward(self, x: Tensor, lengths: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            T = x.size(1)
            mask = torch.arange(T, device=x.device)[None, :] < lengths[:, None]
            y = x.masked_fill(~mask.unsqueeze(-1), -1e9)
            m = y.max(dim=1)[0]
            z = x.clone()
            z[~mask] = 0.0
            mean = z.sum(1) / lengths.clamp(min=1).unsqueeze(1).to(x.dtype)
            causal = torch.tril(torch.ones(T, T, dtype=torch.bool))
            att = (x @ x.transpose(1, 2)) / math.sqrt(x.size(-1))
            att = att.masked_fill(causal.logical_not(), float('-inf')).softmax(-1)
            return m, mean, torch.where(mask[:, :, None] & causal[None], att, torch.zeros_like(att))

    return M(), [[floats(n, t, 4), torch.randint(1, t + 1, (n,))] for n, t in ((2, 5), (1, 5), (4, 7))]


@model
def scatter_gather():
    class M(nn.Module):
        def forward(self, x: Tensor, edge: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
            src, dst = edge[0], edge[1]
            msg = x[src]
            agg = torch.zeros_like(x).index_add(0, dst, msg)
            agg2 = torch.zeros_like(x).scatter_add_(0, dst.unsqueeze(1).expand_as(msg), msg)
            deg = torch.zeros(x.size(0)).scatter_add_(0, dst, torch.ones_like(dst, dtype=x.dtype))
            amax = torch.zeros_like(x).scatter_reduce(0, dst.unsqueeze(1).expand_as(msg), msg, reduce='amax', include_self=False)
            return agg / deg.clamp(min=1).unsqueeze(-1), agg2, amax, x.gather(1, (src[: x.size(0)] % 4).unsqueeze(1))

    return M(), [[floats(n, 4), ids(n, 2, e)] for n, e in ((5, 8), (6, 8), (3, 11))]


@model
def gat():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.lin = nn.Linear(4, 6, bias=False)
            self.a = nn.Parameter(torch.randn(2, 6))

        def forward(self, x: Tensor, adj: Tensor) -> Tensor:
            h = self.lin(x)
            e = F.leaky_relu((h @ self.a[0])[:, None] + (h @ self.a[1])[None, :], 0.2)
            e = torch.where(adj > 0, e, torch.full_like(e, -9e15))
            return F.elu(F.softmax(e, dim=1) @ h)

    return M(), [[floats(n, 4), (torch.rand(n, n) > 0.4).float() + torch.eye(n)] for n in (4, 7, 3)]


@model
def sorting():
    class M(nn.Module):
        def forward(self, x: Tensor):
            v, i = x.topk(3, dim=1)
            s, j = x.sort(dim=1, descending=True)
            k = x.argsort(dim=-1)
            c = x.cumsum(1)
            cm, ci = x.cummax(1)
            o = F.one_hot(i, 6).sum(1)
            kv, ki = torch.kthvalue(x, 2, dim=1)
            return v, i, s, j, k, c, cm, ci, o, kv, ki, x.median(1)[0], x.flip(1), x.roll(2, 1)

    return M(), [[floats(n, 6)] for n in BATCHES]


@model
def image_ops():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.theta = nn.Linear(3, 6)
            self.ps = nn.PixelShuffle(2)
            self.c = nn.Conv2d(3, 8, 3, padding='same', padding_mode='circular')

        def forward(self, x: Tensor):
            a = F.interpolate(x, scale_factor=2.0, mode='bilinear', align_corners=False)
            b = F.interpolate(x, size=(5, 7), mode='bicubic', align_corners=True)
            th = self.theta(x.mean((2, 3))).view(-1, 2, 3)
            g = F.affine_grid(th, x.size(), align_corners=False)
            c = F.grid_sample(x, g, mode='bilinear', padding_mode='border', align_corners=False)
            d = self.ps(self.c(x))
            e = F.unfold(x, 3, padding=1, stride=2)
            f = F.pad(x, (1, 2, 3, 0), mode='reflect')
            h = F.interpolate(x, scale_factor=0.5, mode='nearest', recompute_scale_factor=True)
            i = F.interpolate(x, size=x.shape[-1] * 2, mode='area')
            return a, b, c, d, e, f, h, i

    return M(), [[floats(n, 3, h, w)] for n, h, w in ((2, 8, 8), (1, 8, 8), (3, 12, 10))]


@script_only
def counter_buffer():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer('n', torch.zeros(1, dtype=torch.long))
            self.fc = nn.Linear(4, 4)
            self.calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.n += 1
            self.calls += 1
            return self.fc(x)

    return M(), [[floats(n, 4)] for n in BATCHES]


@model
def rope_attention():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv = nn.Linear(16, 48)
            self.o = nn.Linear(16, 16)
            self.h = 2
            self.register_buffer('inv', 1.0 / (10000 ** (torch.arange(0, 8, 2).float() / 8)))

        def rot(self, x: Tensor) -> Tensor:
            a, b = x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]
            return torch.cat((-b, a), dim=-1)

        def forward(self, x: Tensor) -> Tensor:
            B, T, C = x.shape
            q, k, v = self.qkv(x).reshape(B, T, 3, self.h, C // self.h).permute(2, 0, 3, 1, 4).unbind(0)
            t = torch.arange(T, device=x.device).type_as(self.inv)
            f = torch.outer(t, self.inv)
            emb = torch.cat((f, f), dim=-1)
            cos, sin = emb.cos()[None, None], emb.sin()[None, None]
            q, k = q * cos + self.rot(q) * sin, k * cos + self.rot(k) * sin
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.o(y.transpose(1, 2).contiguous().view(B, T, C))

    return M(), [[floats(n, t, 16)] for n, t in ((2, 5), (1, 5), (3, 9))]


@model
def llama_block():
    class RMS(nn.Module):
        def __init__(self, d):
            super().__init__()
            self.w = nn.Parameter(torch.ones(d))

        def forward(self, x: Tensor) -> Tensor:
            v = x.to(torch.float32).pow(2).mean(-1, keepdim=True)
            return self.w * (x * torch.rsqrt(v + 1e-6)).to(x.dtype)

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.n = RMS(8)
            self.g = nn.Linear(8, 16, bias=False)
            self.u = nn.Linear(8, 16, bias=False)
            self.d = nn.Linear(16, 8, bias=False)
            self.n2 = nn.RMSNorm(8)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.d(F.silu(self.g(self.n(x))) * self.u(self.n2(x)))

    return M(), [[floats(n, t, 8)] for n, t in ((2, 5), (1, 5), (3, 9))]


@model
def unet():
    class Up(nn.Module):
        def __init__(self, i, o):
            super().__init__()
            self.up = nn.ConvTranspose2d(i, i // 2, 2, stride=2)
            self.c = nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))

        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            a = self.up(a)
            dy = b.size()[2] - a.size()[2]
            dx = b.size()[3] - a.size()[3]
            a = F.pad(a, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
            return self.c(torch.cat([b, a], dim=1))

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.i = nn.Conv2d(3, 4, 3, padding=1)
            self.d = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.SiLU())
            self.u = Up(8, 4)
            self.o = nn.Conv2d(4, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            a = self.i(x)
            b = self.d(a)
            return self.o(self.u(b, a))

    return M(), [[floats(n, 3, h, w)] for n, h, w in ((2, 9, 8), (1, 9, 8), (3, 11, 13))]


@model
def wavenet():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.ModuleList([nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 8, 2, dilation=2**i)) for i in range(3)])
            self.s = nn.ModuleList([nn.Conv1d(4, 4, 1) for i in range(3)])

        def forward(self, x: Tensor) -> Tensor:
            skip = torch.zeros_like(x)
            for i, (c, s) in enumerate(zip(self.c, self.s)):
                y = c(F.pad(x, (1 << i, 0)))
                a, b = y.chunk(2, dim=1)
                z = torch.tanh(a) * torch.sigmoid(b)
                skip = skip + s(z)
                x = x + z
            return skip

    return M(), [[floats(n, 4, t)] for n, t in ((2, 16), (1, 16), (3, 21))]


@script_only
def moe_routing():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate = nn.Linear(4, 3)
            self.e = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])

        def forward(self, x: Tensor) -> Tensor:
            w, idx = torch.topk(F.softmax(self.gate(x), -1), 2, dim=-1)
            w = w / w.sum(-1, keepdim=True)
            out = torch.zeros_like(x)
            for i, e in enumerate(self.e):
                hits = torch.nonzero(idx == i)
                rows, nth = hits[:, 0], hits[:, 1]
                if rows.numel() > 0:
                    out[rows] += w[rows, nth, None] * e(x[rows])
            return out

    return M(), [[floats(n, 4)] for n in (6, 1, 9)]


@trace_only
def moe_dense():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate = nn.Linear(4, 3)
            self.e = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])

        def forward(self, x: Tensor) -> Tensor:
            w, idx = torch.topk(F.softmax(self.gate(x), -1), 2, dim=-1)
            out = torch.zeros_like(x)
            for i, e in enumerate(self.e):
                rows, nth = torch.where(idx == i)
                out.index_add_(0, rows, w[rows, nth, None] * e(x[rows]))
            return out

    return M(), [[floats(n, 4)] for n in (6, 1, 9)]


@model
def pointnet():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Conv1d(3, 16, 1)
            self.f = nn.Linear(16, 9)
            self.k = 3
            self.h = nn.Sequential(nn.Conv1d(3, 8, 1), nn.BatchNorm1d(8), nn.ReLU())

        def forward(self, x: Tensor):
            y = F.relu(self.c(x))
            y = torch.max(y, 2, keepdim=True)[0].view(-1, 16)
            t = self.f(y) + torch.eye(self.k).flatten().view(1, 9).repeat(x.size(0), 1)
            t = t.view(-1, self.k, self.k)
            x = torch.bmm(x.transpose(2, 1), t).transpose(2, 1)
            d = torch.cdist(x.transpose(1, 2), x.transpose(1, 2))
            nn_idx = d.topk(2, largest=False)[1]
            b = torch.arange(x.size(0)).view(-1, 1, 1)
            near = x.transpose(1, 2)[b, nn_idx]
            return self.h(x).max(dim=-1)[0], near, t

    return M(), [[floats(n, 3, p)] for n, p in ((2, 6), (1, 6), (3, 8))]


@script_only
def crf_viterbi():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.tr = nn.Parameter(torch.randn(4, 4))
            self.st = nn.Parameter(torch.randn(4))

        def forward(self, em: Tensor) -> Tuple[Tensor, Tensor]:
            score = self.st + em[0]
            hist: List[Tensor] = []
            for t in range(1, em.size(0)):
                nxt = score.unsqueeze(2) + self.tr + em[t].unsqueeze(1)
                score, ix = nxt.max(dim=1)
                hist.append(ix)
            best, last = score.max(dim=1)
            path = [last]
            for h in hist[::-1]:
                last = h.gather(1, last.unsqueeze(1)).squeeze(1)
                path.append(last)
            path.reverse()
            return best, torch.stack(path, 1)

    return M(), [[floats(t, n, 4)] for t, n in ((5, 2), (5, 1), (5, 4))]


@script_only
def decode_until_eos():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.e = nn.Embedding(7, 5)
            self.c = nn.GRUCell(5, 5)
            self.o = nn.Linear(5, 7)

        def forward(self, start: Tensor, max_len: int = 8) -> Tensor:
            h = torch.zeros(start.size(0), 5)
            tok = start
            out = torch.full((start.size(0), max_len), 0, dtype=torch.long)
            done = torch.zeros_like(start, dtype=torch.bool)
            for i in range(max_len):
                h = self.c(self.e(tok), h)
                tok = self.o(h).argmax(-1)
                tok = torch.where(done, torch.zeros_like(tok), tok)
                out[:, i] = tok
                done = done | (tok == 3)
                if bool(done.all()):
                    break
            return out

    return M(), [[ids(7, n)] for n in (3, 1, 5)]


@script_only
def append_until():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.e = nn.Embedding(7, 5)
            self.o = nn.Linear(5, 7)

        def forward(self, tok: Tensor) -> Tensor:
            outs: List[Tensor] = []
            n = 0
            while n < 6 and bool(tok.sum() != 0):
                tok = self.o(self.e(tok)).argmax(-1)
                outs.append(tok)
                n += 1
            return torch.stack(outs, 0)

    return M(), [[ids(7, n) + 0] for n in (3, 2, 5)]


@script_only
def rk4():
    class ODE(nn.Module):
        def __init__(self):
            super().__init__()
            self.n = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))

        def forward(self, t: float, y: Tensor) -> Tensor:
            return self.n(torch.cat([y, torch.full((y.size(0), 1), t)], 1))

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = ODE()
            self.dt = 0.1

        def forward(self, y: Tensor) -> Tensor:
            t = 0.0
            ys = [y]
            while t < 0.35:
                k1 = self.f(t, y)
                k2 = self.f(t + self.dt / 2, y + self.dt * k1 / 2)
                k3 = self.f(t + self.dt / 2, y + self.dt * k2 / 2)
                k4 = self.f(t + self.dt, y + self.dt * k3)
                y = y + self.dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
                t += self.dt
                ys.append(y)
            return torch.stack(ys)

    return M(), [[floats(n, 2)] for n in BATCHES]


@script_only
def export_unused_ignore():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 3)

        @torch.jit.unused
        def debug(self, x: Tensor) -> Tensor:
            import random

            return x * random.random()

        @torch.jit.export
        def embed(self, x: Tensor) -> Tensor:
            return self.fc(x) * 2

        def forward(self, x: Tensor) -> Tensor:
            if self.training:
                x = self.debug(x)
            return self.embed(x) + 1

    return M(), [[floats(n, 4)] for n in BATCHES]


@script_only
def mixed_outputs():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, int, float, bool, str, Optional[Tensor], List[int], Dict[str, List[Tensor]]]:
            n = x.size(0)
            return x.sum(), n, float(n) / 2, n > 3, 'ok', None, [1, 2, 3], {'a': [x, x + 1]}

    return M(), [[floats(n, 4)] for n in BATCHES]


@model
def dtypes():
    class M(nn.Module):
        def forward(self, img: Tensor, w: Tensor):
            x = img.to(torch.float32).div_(255.0)
            y = img.float() * w + 1
            z = (img > 128).long().sum(dim=(1, 2))
            a = img // 7 % 5
            b = (img & 15) | 16
            c = img.double().mean(-1).half().float()
            d = (x * 10).int() - 3
            e = x.round().to(torch.bool).any(1)
            return x, y, z, a, b, c, d, e, -d // 4, torch.div(d, 3, rounding_mode='trunc'), d**2, d.float() / 3

    return M(), [[torch.randint(0, 256, (n, 3, 4), dtype=torch.uint8), torch.rand(4, dtype=torch.float64)] for n in BATCHES]


@model
def slices_inplace():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x = x.clone()
            x[:, 0] += 1
            x[..., -1] = x[..., 0] * 2
            x[:, 1:3, ::2] = 9.0
            x[0] = x[0].flip(0)
            t = x[:, 1].clone()
            x[:, 1] = x[:, 2]
            x[:, 2] = t
            x[:, [0, 3]] = x[:, [3, 0]]
            y = x[:, :, None, :].expand(-1, -1, 2, -1)
            z = y.reshape(x.shape[0], -1)
            z[:, :2].zero_()
            v = x.view(-1)
            v[3:6].fill_(0.5)
            return torch.cat([z, x.flatten(1)], 1)

    return M(), [[floats(n, 4, 5)] for n in BATCHES]


@model
def bool_index():
    class M(nn.Module):
        def forward(self, x: Tensor, m: Tensor):
            a = x[m]
            b = x.masked_select(m.unsqueeze(1))
            c = torch.zeros_like(x)
            c[m] = x[m] * 2
            n = m.nonzero().squeeze(1)
            d = x.index_select(0, n)
            e = x.masked_scatter(m.unsqueeze(1).expand_as(x), x * 3)
            f = x.clone()
            f[m, 1] = -1.0
            return a, b, c, d, e, f, n, x[m].sum()

    return M(), [[floats(n, 4), torch.rand(n) > 0.4] for n in (5, 3, 8)]


@script_only
def number_python():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            n = x.size(0)
            t = x.size(1)
            a = (n + 3) // 4 * 4
            b = max(n, t, 3)
            c = min([n, t])
            d = -n // 2
            e = -n % 3
            f = float(t) ** 0.5
            g = round(2.5) + round(-3.5)
            h = abs(-n) + (1 << 3) + (n & 6)
            i = sum([1, 2, 3]) + int(3.7) + int(-3.7)
            j, k = divmod(17, 5)
            s = sorted([3, 1, 2])
            l = [p * q for p, q in zip([1, 2], [3, 4])]
            m = math.sqrt(2.0) + math.floor(2.7) + math.ceil(2.1) + math.pi
            return x * f + a + b + c + d + e + g + h + i + j + k + s[0] + l[1] + m + (1 if n > 2 else 0)

    return M(), [[floats(n, t)] for n, t in ((2, 5), (1, 5), (6, 5))]


@script_only
def list_of_lists():
    class M(nn.Module):
        def forward(self, xs: List[Tensor]) -> List[List[Tensor]]:
            out: List[List[Tensor]] = []
            for i, x in enumerate(xs):
                row: List[Tensor] = []
                for y in xs[: i + 1]:
                    row.append(x @ y.t())
                out.append(row)
            out[0].insert(0, xs[0])
            last = out.pop()
            last.extend([xs[-1]])
            out.append(last[::-1])
            return out

    return M(), [[[floats(n, 4), floats(n, 4), floats(2, 4)]] for n in BATCHES]


@model
def mixed_trace_script():
    @torch.jit.script
    def pick(x: Tensor, k: int) -> Tensor:
        if x.size(1) > k:
            return x[:, :k]
        return F.pad(x, (0, k - x.size(1)))

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(pick(x, 6))

    return M(), [[floats(n, t)] for n, t in ((2, 8), (1, 8), (3, 4))]


@model
def losses():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 3)

        def forward(self, x: Tensor, y: Tensor):
            l = self.fc(x)
            return (
                F.cross_entropy(l, y),
                F.nll_loss(F.log_softmax(l, 1), y, reduction='none'),
                F.mse_loss(l, l * 2),
                F.smooth_l1_loss(l, l + 1),
                F.binary_cross_entropy_with_logits(l, l.sigmoid()),
                F.kl_div(l.log_softmax(1), l.flip(1).softmax(1), reduction='batchmean'),
            )

    return M(), [[floats(n, 4), ids(3, n)] for n in BATCHES]


@model
def odd_layers():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.bl = nn.Bilinear(4, 5, 3)
            self.cos = nn.CosineSimilarity(dim=1)
            self.pd = nn.PairwiseDistance()
            self.lrn = nn.LocalResponseNorm(2)
            self.inorm = nn.InstanceNorm1d(4, affine=True, track_running_stats=True)
            self.pr = nn.PReLU(4)
            self.glu = nn.GLU(1)
            self.ln = nn.LayerNorm((4, 6))
            self.sp = nn.Softplus()
            self.rr = nn.RReLU()
            self.ce = nn.CELU(0.5)
            self.sh = nn.Softshrink()
            self.mi = nn.Mish()
            self.th = nn.Threshold(0.1, 20.0)

        def forward(self, x: Tensor, y: Tensor):
            z = x.unsqueeze(-1) * y[:, :1].unsqueeze(1).expand(-1, 4, 6)
            return (
                self.bl(x, y),
                self.cos(x, x * 2 + 1),
                self.pd(x, x + 1),
                self.lrn(z),
                self.inorm(z),
                self.pr(z),
                self.glu(x),
                self.ln(z),
                self.sp(x),
                self.rr(x),
                self.ce(x),
                self.sh(x),
                self.mi(x),
                self.th(x),
                x.logsumexp(1),
                F.hardtanh(x),
                F.tanhshrink(x),
                F.softmin(x, 1),
                F.logsigmoid(x),
            )

    return M(), [[floats(n, 4), floats(n, 5)] for n in BATCHES]


@model
def pools():
    class M(nn.Module):
        def forward(self, x: Tensor):
            a, i = F.max_pool2d(x, 2, stride=2, return_indices=True)
            return (
                a,
                i,
                F.max_unpool2d(a, i, 2, stride=2, output_size=x.shape[-2:]),
                F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False),
                F.adaptive_avg_pool2d(x, (3, 2)),
                F.adaptive_max_pool2d(x, 1),
                F.lp_pool2d(x, 2.0, 2),
                F.avg_pool1d(x[:, 0], 2),
                x.unfold(2, 3, 2).mean(-1),
                F.fold(F.unfold(x, 2, stride=2), x.shape[-2:], 2, stride=2),
            )

    return M(), [[floats(n, 3, 8, 8)] for n in BATCHES]


@model
def window_attention():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            w = 2
            self.w = w
            self.qkv = nn.Linear(4, 12)
            self.bias = nn.Parameter(torch.randn((2 * w - 1) ** 2, 1))
            c = torch.stack(torch.meshgrid(torch.arange(w), torch.arange(w), indexing='ij')).flatten(1)
            r = (c[:, :, None] - c[:, None, :]).permute(1, 2, 0).contiguous()
            r[:, :, 0] += w - 1
            r[:, :, 1] += w - 1
            r[:, :, 0] *= 2 * w - 1
            self.register_buffer('idx', r.sum(-1))

        def forward(self, x: Tensor) -> Tensor:
            B, H, W, C = x.shape
            s = torch.roll(x, shifts=(-1, -1), dims=(1, 2))
            m = torch.zeros((1, H, W, 1))
            cnt = 0
            for h in (slice(0, -2), slice(-2, -1), slice(-1, None)):
                for w in (slice(0, -2), slice(-2, -1), slice(-1, None)):
                    m[:, h, w, :] = cnt
                    cnt += 1

            def part(t):
                b, hh, ww, c = t.shape
                return t.view(b, hh // 2, 2, ww // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, c)

            mw = part(m).squeeze(-1)
            mask = (mw.unsqueeze(1) - mw.unsqueeze(2)).ne(0).float() * -100.0
            q, k, v = self.qkv(part(s)).chunk(3, -1)
            a = q @ k.transpose(-2, -1) + self.bias[self.idx.view(-1)].view(4, 4)
            nw = mask.shape[0]
            a = (a.view(B, nw, 4, 4) + mask.unsqueeze(0)).view(-1, 4, 4).softmax(-1)
            y = (a @ v).view(B, H // 2, W // 2, 2, 2, C).permute(0, 1, 3, 2, 4, 5).reshape(B, H, W, C)
            return torch.roll(y, (1, 1), (1, 2))

    return M(), [[floats(n, 6, 4, 4)] for n in BATCHES]


TRACE_ONLY.add('window_attention')


@model
def pos_embed_interp():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.pe = nn.Conv2d(3, 8, 4, 4)
            self.pos = nn.Parameter(torch.randn(1, 9, 8))
            self.cls = nn.Parameter(torch.randn(1, 1, 8))

        def forward(self, x: Tensor) -> Tensor:
            f = self.pe(x)
            h, w = f.shape[-2:]
            p = F.interpolate(self.pos.reshape(1, 3, 3, 8).permute(0, 3, 1, 2), size=(h, w), mode='bicubic', align_corners=False)
            t = f.flatten(2).transpose(1, 2) + p.flatten(2).transpose(1, 2)
            return torch.cat([self.cls.expand(x.shape[0], -1, -1), t], 1).mean(1)

    return M(), [[floats(n, 3, h, w)] for n, h, w in ((2, 16, 16), (1, 16, 16), (2, 12, 20))]


@script_only
def script_dynamic_count():
    class M(nn.Module):
        def forward(self, x: Tensor, n: Tensor) -> Tuple[Tensor, Tensor]:
            acc = torch.zeros_like(x)
            k = int(n.item())
            for i in range(k):
                acc = acc + x * float(i)
            y = torch.arange(k)
            return acc, y.float().sum() + torch.zeros(k, 2).size(0)

    return M(), [[floats(2, 3), torch.tensor(3)], [floats(1, 3), torch.tensor(0)], [floats(4, 3), torch.tensor(5)]]


class Color(enum.Enum):
    RED = 'red'
    GREEN = 'green'


@script_only
def enum_dispatch():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.cs = [Color.RED, Color.GREEN]

        def apply1(self, x: Tensor, c: Color) -> Tensor:
            if c == Color.RED:
                return x * 2
            elif c is Color.GREEN or c.value == 'green':
                return x - 1
            raise RuntimeError('no')

        def forward(self, x: Tensor) -> Tensor:
            x = self.apply1(x, Color.RED)
            for c in [Color.RED, Color.GREEN]:
                x = self.apply1(x, c)
            return x

    return M(), [[floats(n, 4)] for n in BATCHES]


@torch.jit.script
class Box:
    def __init__(self, lo: Tensor, hi: Tensor):
        self.lo = lo
        self.hi = hi

    def area(self) -> Tensor:
        return (self.hi - self.lo).clamp(min=0).prod(-1)

    def __mul__(self, o: float) -> 'Box':
        return Box(self.lo * o, self.hi * o)

    @staticmethod
    def unit(n: int):
        return Box(torch.zeros(n, 2), torch.ones(n, 2))


@script_only
def script_classes():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            b = Box(x[:, :2], x[:, 2:])
            c = b * 2.0
            bs: List[Box] = [b, c, Box.unit(x.size(0))]
            total = torch.zeros(x.size(0))
            for k in bs:
                total += k.area()
            return total

    return M(), [[floats(n, 4)] for n in BATCHES]


@script_only
def tuple_dict_inputs():
    class M(nn.Module):
        def forward(self, batch: Dict[str, Tensor], pair: Tuple[Tensor, Tensor], more: List[Tensor], flag: bool = True) -> Dict[str, Tensor]:
            a, b = pair
            out = {k: v * 2 for k, v in batch.items()}
            if 'x' in batch and flag:
                out['y'] = batch['x'] + a
            out['z'] = torch.cat(more, 0) * b.mean()
            return out

    return M(), [[{'x': floats(n, 3), 'w': floats(n, 2)}, (floats(n, 3), floats(n)), [floats(n, 2), floats(n, 2)]] for n in BATCHES]


@model
def vae_eval():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.e = nn.Linear(6, 8)
            self.d = nn.Linear(4, 6)

        def forward(self, x: Tensor):
            mu, lv = self.e(x).split(4, dim=1)
            z = mu + torch.exp(0.5 * lv) * torch.randn_like(lv) if self.training else mu
            return torch.sigmoid(self.d(z)), mu, lv

    return M(), [[floats(n, 6)] for n in BATCHES]


@model
def linalg():
    class M(nn.Module):
        def forward(self, x: Tensor):
            s = x @ x.transpose(-1, -2) + 3 * torch.eye(x.size(-1))
            return (
                torch.inverse(s),
                torch.det(s),
                torch.norm(x, dim=-1),
                torch.linalg.norm(x, ord=2, dim=(-1,)),
                F.normalize(x, dim=-1),
                torch.trace(x[0]),
                torch.diagonal(x, dim1=-2, dim2=-1),
                torch.tril(x),
                x.mT,
                torch.baddbmm(x, x, x, beta=0.5, alpha=2),
                torch.cross(x, x.roll(1, -1), dim=-1),
                torch.kron(x[0], x[0]),
            )

    return M(), [[floats(n, 3, 3)] for n in BATCHES]


@model
def creation():
    class M(nn.Module):
        def forward(self, x: Tensor):
            B, T = x.shape[:2]
            pos = torch.arange(T - 1, -1, -1, dtype=torch.float32)
            lin = torch.linspace(0, 1, T)
            m = torch.full((T, T), float('-inf')).triu(1)
            g = torch.stack(torch.meshgrid(torch.arange(B), torch.arange(T), indexing='xy'), -1)
            e = torch.eye(T)[None].repeat(B, 1, 1)
            z = x.new_zeros((B, 2))
            o = x.new_full((B, 1), 3.0)
            em = torch.empty(0)
            return (
                x + pos[None, :, None] + lin[:, None],
                m,
                g,
                e,
                z,
                o,
                torch.cat([z, o], 1),
                torch.ones_like(x[..., 0], dtype=torch.long),
                torch.tril_indices(T, T),
                torch.repeat_interleave(x, 2, dim=1),
                x.repeat(1, 2, 1),
                torch.logspace(0, 1, 3),
                torch.tensor(B * T),
            )

    return M(), [[floats(n, t, 2)] for n, t in ((2, 5), (1, 5), (4, 3))]


@script_only
def nested_functions_consts():
    SCALES = [1.0, 0.5, 0.25]

    class M(nn.Module):
        scales: Final[List[float]]
        mode: Final[str]

        def __init__(self):
            super().__init__()
            self.scales = SCALES
            self.mode = 'sum'
            self.dims = (1, 2)
            self.opt: Optional[int] = None

        def forward(self, x: Tensor) -> Tensor:
            outs = torch.jit.annotate(List[Tensor], [])
            for s in self.scales:
                outs.append(F.avg_pool1d(x * s, 2))
            y = torch.cat(outs, 1)
            if self.mode == 'sum':
                y = y.sum(self.dims, keepdim=True)
            elif self.mode == 'mean':
                y = y.mean(self.dims)
            k = self.opt
            if k is not None:
                y = y * k
            return y

    return M(), [[floats(n, 3, 6)] for n in BATCHES]


@script_only
def while_sizes():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Conv1d(4, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            # DPCNN
            while x.size(-1) > 2:
                p = F.max_pool1d(F.pad(x, [0, 1]), 3, 2)
                x = p + self.c(F.relu(p))
            return x.squeeze(-1)

    return M(), [[floats(n, 4, t)] for n, t in ((2, 9), (1, 9), (2, 17))]


@script_only
def if_none_state():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.GRU(3, 4, batch_first=True)

        def forward(self, x: Tensor, state: Optional[Tensor] = None) -> Tuple[Tensor, Tensor]:
            if state is None:
                state = torch.zeros(1, x.size(0), 4)
            y, s = self.rnn(x, state)
            return y, s

    return M(), [[floats(n, t, 3), floats(1, n, 4)] for n, t in ((2, 5), (1, 5), (3, 6))]


@script_only
def data_if_types():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, int, float, List[Tensor], Tuple[Tensor, bool]]:
            if bool(x.min() < -1):
                a = 1
                f = 2.5
                l = [x, x * 2]
                t = (x - 1, True)
            else:
                a = x.size(0)
                f = 1.0
                l = [x + 1, x]
                t = (x, False)
            return x * a * f, a, f, l, t

    return M(), [[floats(3, 4) * 3], [floats(2, 4).abs()], [floats(1, 4) - 5]]


@script_only
def loop_carried_shapes():
    class M(nn.Module):
        def forward(self, x: Tensor, n: Tensor) -> Tensor:
            i = 0
            while i < int(n):
                x = torch.cat([x, x[:1]], 0)
                i += 1
            return x

    return M(), [[floats(2, 3), torch.tensor(2)], [floats(1, 3), torch.tensor(0)], [floats(3, 3), torch.tensor(4)]]


@script_only
def assert_raise_helpers():
    def check(x: Tensor, n: int) -> Tensor:
        if x.ndim != n:
            raise ValueError(f'Expected {n} dims but got {x.ndim}: {x.shape}')
        torch._assert(x.size(1) == 4, 'need 4')
        assert torch.all(torch.isfinite(x)), 'nan'
        return x

    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return check(x, 2).sum(1)

    return M(), [[floats(n, 4)] for n in BATCHES]


@model
def spectral():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.utils.spectral_norm(nn.Linear(4, 4))
            self.b = nn.utils.weight_norm(nn.Linear(4, 3))

        def forward(self, x: Tensor) -> Tensor:
            return self.b(self.a(x))

    return M(), [[floats(n, 4)] for n in BATCHES]


TRACE_ONLY.add('spectral')


@model
def deform_like():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Conv2d(4, 4, 3, groups=4, padding=1)
            self.p = nn.Conv2d(4, 6, 1)
            self.se = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 3, 1), nn.ReLU6(), nn.Conv2d(3, 6, 1), nn.Hardsigmoid())
            self.t = nn.ConvTranspose2d(6, 4, 3, 2, 1, output_padding=1, groups=2)

        def forward(self, x: Tensor) -> Tensor:
            y = F.hardswish(self.p(self.c(x)))
            y = y * self.se(y)
            b, c, h, w = y.size()
            y = y.view(b, 2, c // 2, h, w).transpose(1, 2).contiguous().view(b, -1, h, w)
            a = y.mean(1, keepdim=True)
            m, _ = y.max(1, keepdim=True)
            return self.t(y * torch.sigmoid(a + m))

    return M(), [[floats(n, 4, h, w)] for n, h, w in ((2, 6, 6), (1, 6, 6), (3, 8, 5))]


@model
def conv3d_temporal():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Conv3d(2, 4, (3, 1, 1), padding=(1, 0, 0))
            self.b = nn.BatchNorm3d(4)
            self.t = nn.ConvTranspose3d(4, 2, 2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.t(F.avg_pool3d(self.b(self.c(x)), 2)) + F.interpolate(x, size=x.shape[2:], mode='trilinear')

    return M(), [[floats(n, 2, 4, 6, 6)] for n in BATCHES]


@script_only
def dict_state_machine():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb = nn.ModuleDict({'user': nn.Embedding(10, 4), 'item': nn.Embedding(20, 4)})
            self.dims: Dict[str, List[int]] = {'user': [0, 1], 'item': [2]}

        def forward(self, feats: Dict[str, Tensor]) -> Tuple[Tensor, Dict[str, Tensor]]:
            cache: Dict[str, Tensor] = {}
            for name, e in self.emb.items():
                cache[name] = e(feats[name])
            s = torch.zeros(1)
            for k in sorted(self.dims.keys()):
                for d in self.dims[k]:
                    s = s + cache[k].sum() * d
            ks = list(cache.keys())
            vs = list(cache.values())
            cache.pop('user')
            if cache.get('none') is None:
                cache['score'] = (vs[0] * vs[1]).sum(-1)
            del cache['item']
            return s, cache

    return M(), [[{'user': ids(10, n), 'item': ids(20, n)}] for n in BATCHES]


@script_only
def complex_slicing_negative():
    class M(nn.Module):
        def forward(self, x: Tensor, k: int = 2) -> List[Tensor]:
            return [
                x[-1],
                x[:-1],
                x[..., -k:],
                x[:, 1:-1:2],
                x[None, ..., 0],
                x[:, [0, -1]],
                x[torch.tensor([0, -1])],
                x[0, -2:, None],
                x.narrow(1, -3, 2),
                x.select(-1, -1),
                x.unsqueeze(-2).squeeze(),
                x.movedim(0, -1),
                x.swapaxes(0, 1),
                x.unflatten(-1, (2, -1)),
            ]

    return M(), [[floats(n, 5, 4)] for n in (2, 3, 5)]


@model
def shared_views():
    class M(nn.Module):
        def forward(self, x: Tensor):
            a = x + 0
            b = a.view(-1)
            c = a.t()
            a.add_(1)
            b[0] = 100.0
            c.mul_(2)
            d = b.chunk(2)
            d[0].sub_(3)
            e = a.unbind(0)
            e[1].zero_()
            return a, b, c, d[1], e[0]

    return M(), [[floats(4, m)] for m in (3, 5, 2)]


@script_only
def nested_loops_data():
    class M(nn.Module):
        def forward(self, m: Tensor) -> Tuple[Tensor, Tensor]:
            # NMS-like
            order = m.sum(1).argsort(descending=True)
            keep = torch.ones(m.size(0), dtype=torch.bool)
            i = 0
            n = m.size(0)
            while i < n:
                if bool(keep[order[i]]):
                    j = i + 1
                    while j < n:
                        if bool((m[order[i]] - m[order[j]]).abs().sum() < 2.5):
                            keep[order[j]] = False
                        j += 1
                i += 1
            return keep, m[keep]

    return M(), [[floats(5, 3)], [floats(5, 3)], [floats(4, 3)]]


@model
def timm_like():
    class DropPath(nn.Module):
        def __init__(self, p: float):
            super().__init__()
            self.p = p

        def forward(self, x: Tensor) -> Tensor:
            if self.p == 0.0 or not self.training:
                return x
            keep = 1 - self.p
            r = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(keep)
            return x * r / keep

    class Attn(nn.Module):
        fused: Final[bool]

        def __init__(self):
            super().__init__()
            self.fused = False
            self.qkv = nn.Linear(8, 24)
            self.qn = nn.Identity()
            self.proj = nn.Linear(8, 8)
            self.dp = nn.Dropout(0.1)
            self.num_heads = 2
            self.scale = 0.5

        def forward(self, x: Tensor) -> Tensor:
            B, N, C = x.shape
            qkv = self.qkv(x).reshape(B, N, 3, self.num_heads, 4).permute(2, 0, 3, 1, 4)
            q, k, v = qkv.unbind(0)
            q = self.qn(q)
            if self.fused:
                x = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dp.p if self.training else 0.0)
            else:
                a = (q * self.scale) @ k.transpose(-2, -1)
                x = self.dp(a.softmax(dim=-1)) @ v
            return self.proj(x.transpose(1, 2).reshape(B, N, C))

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = Attn()
            self.d = DropPath(0.1)
            self.n = nn.LayerNorm(8, eps=1e-6)
            self.g = nn.Parameter(torch.ones(8) * 1e-2)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.d(self.g * self.a(self.n(x)))

    return M(), [[floats(n, t, 8)] for n, t in ((2, 5), (1, 5), (3, 7))]


@script_only
def return_in_data_loop():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            for i in range(6):
                x = x * 1.7
                if bool(x.abs().sum() > 40):
                    return x + i
            return x - 100

    return M(), [[floats(3, 4)], [floats(2, 4) * 5], [floats(1, 4) * 0.01]]


@script_only
def return_in_data_while():
    class M(nn.Module):
        def forward(self, x: Tensor, n: Tensor) -> Tuple[Tensor, int]:
            k = 0
            while k < int(n):
                y = x.roll(1, 0) + k
                if bool(y[0, 0] > 2.0):
                    return y * 2, k
                x = y
                k += 1
            return x, -1

    return M(), [
        [floats(3, 4), torch.tensor(4)],
        [floats(2, 4) * 0.1, torch.tensor(1)],
        [floats(1, 4), torch.tensor(0)],
        [floats(1, 4) + 5, torch.tensor(3)],
    ]


@script_only
def collect_ints():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, int]:
            idx: List[int] = []
            vals: List[float] = []
            i = 0
            while i < 10 and bool(x.sum() > i):
                idx.append(i * 2)
                vals.append(float(x.max()) + i)
                i += 1
            return torch.tensor(idx), torch.tensor(vals), len(idx)

    return M(), [[floats(3, 4).abs()], [floats(2, 4).abs() * 3], [-floats(1, 4).abs()]]


@script_only
def beam_search():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.e = nn.Embedding(7, 6)
            self.c = nn.GRUCell(6, 6)
            self.o = nn.Linear(6, 7)
            self.k = 3

        def forward(self, h0: Tensor) -> Tuple[Tensor, Tensor]:
            B = h0.size(0)
            K = self.k
            h = h0.unsqueeze(1).repeat(1, K, 1).view(B * K, -1)
            scores = torch.full((B, K), float('-inf'))
            scores[:, 0] = 0.0
            seqs = torch.zeros(B, K, 1, dtype=torch.long)
            for t in range(4):
                h = self.c(self.e(seqs[:, :, -1].reshape(-1)), h)
                lp = F.log_softmax(self.o(h), -1).view(B, K, -1)
                total = (scores.unsqueeze(-1) + lp).view(B, -1)
                scores, ix = total.topk(K, 1)
                beam = torch.div(ix, 7, rounding_mode='floor')
                tok = ix % 7
                seqs = torch.cat([seqs.gather(1, beam.unsqueeze(-1).expand(-1, -1, seqs.size(-1))), tok.unsqueeze(-1)], -1)
                h = h.view(B, K, -1).gather(1, beam.unsqueeze(-1).expand(-1, -1, h.size(-1))).view(B * K, -1)
                if bool((tok == 0).all()):
                    break
            return seqs, scores

    return M(), [[floats(n, 6)] for n in BATCHES]


@script_only
def generate_cat():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.e = nn.Embedding(9, 6)
            self.a = nn.TransformerEncoderLayer(6, 2, 12, batch_first=True)
            self.o = nn.Linear(6, 9)

        def forward(self, toks: Tensor, max_new: int = 4) -> Tensor:
            for _ in range(max_new):
                m = torch.triu(torch.ones(toks.size(1), toks.size(1)), 1) > 0
                x = self.a(self.e(toks), src_mask=m)
                n = self.o(x[:, -1]).argmax(-1, keepdim=True)
                toks = torch.cat([toks, n], 1)
                if bool((n == 2).any()):
                    break
            return toks

    return M(), [[ids(9, n, 3)] for n in BATCHES]


@script_only
def data_slices():
    class M(nn.Module):
        def forward(self, x: Tensor, n: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
            k = int(n)
            a = x[:k]
            b = x[k:]
            y = torch.zeros(10, x.size(1))
            y[: a.size(0)] = a
            y[a.size(0) : a.size(0) + b.size(0), 1:3] = b[:, 1:3]
            return a.mean(0) if k > 0 else torch.zeros(x.size(1)), torch.cat([b, a]), y, F.pad(a, (0, 0, 0, 10 - k))

    return M(), [[floats(5, 4), torch.tensor(2)], [floats(4, 4), torch.tensor(0)], [floats(6, 4), torch.tensor(6)]]


@script_only
def optional_chain():
    class Enc(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.Linear(4, 4)

        def forward(
            self, x: Tensor, mask: Optional[Tensor] = None, prev: Optional[Tuple[Tensor, Tensor]] = None
        ) -> Tuple[Tensor, Optional[Tensor], Tuple[Tensor, Tensor]]:
            y = self.l(x)
            attn: Optional[Tensor] = None
            if mask is not None:
                attn = y.masked_fill(mask.unsqueeze(-1), 0.0)
                y = attn
            if prev is not None:
                p, q = prev
                y = y + p * q
            else:
                p = torch.zeros_like(x)
                q = torch.ones_like(x)
            return y, attn, (p, q)

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = Enc()
            self.b = Enc()

        def forward(self, x: Tensor, mask: Tensor):
            y, m, s = self.a(x)
            z, w, _ = self.b(y, mask=mask, prev=s)
            assert m is None
            if w is not None:
                z = z + w
            return z

    return M(), [[floats(n, 3, 4), torch.rand(n, 3) > 0.5] for n in BATCHES]


@script_only
def dict_of_modules_keys():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.m = nn.ModuleDict({f'f{i}': nn.Embedding(10, 3) for i in range(4)})
            self.groups: Dict[str, List[str]] = {'a': ['f0', 'f1'], 'b': ['f2', 'f3']}

        def forward(self, x: Dict[str, Tensor]) -> Dict[str, Tensor]:
            e: Dict[str, Tensor] = {}
            for k, m in self.m.items():
                if k in x:
                    e[k] = m(x[k])
            out: Dict[str, Tensor] = {}
            for g, ks in self.groups.items():
                out[g] = torch.cat([e[k] for k in ks], -1)
            return out

    return M(), [[{f'f{i}': ids(10, n) for i in range(4)}] for n in BATCHES]


@model
def inplace_everything():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.Linear(4, 4)

        def forward(self, x: Tensor, m: Tensor):
            y = self.l(x).relu_().add_(1).mul_(0.5).clamp_(0, 2)
            y.masked_fill_(m, -3)
            z = torch.empty_like(y).copy_(y).t_().contiguous()
            z.unsqueeze_(0).squeeze_(0)
            w = torch.zeros(5, 4)
            w.index_copy_(0, torch.tensor([0, 4]), y[:1].expand(2, 4))
            w.index_fill_(1, torch.tensor([2]), 8.0).index_add_(0, torch.tensor([1]), y[:1])
            v = y.clone()
            v.scatter_(1, torch.zeros(y.size(0), 1, dtype=torch.long), 7.0)
            v[:, 1].copy_(v[:, 2])
            v[v > 5] = 0
            v.diagonal().fill_(1.0)
            u = y.new_ones(3).fill_(2).exp_().neg_().abs_().sqrt_().pow_(2).floor_().sigmoid_()
            return y, z, w, v, u, y.sub_(1).div_(2).tanh_()

    return M(), [[floats(n, 4), torch.rand(n, 4) > 0.7] for n in (4, 4, 5)]


@model
def conv_family():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv1d(3, 6, 3, stride=2, padding='valid', dilation=2)
            self.b = nn.ConvTranspose1d(6, 3, 4, stride=2, padding=1, output_padding=1, bias=False)
            self.c = nn.LazyConv1d(4, 1)
            self.w = nn.Parameter(torch.randn(6, 1, 3))

        def forward(self, x: Tensor):
            y = self.a(x)
            z = self.b(y)
            c = self.c(z)
            d = F.conv1d(y, self.w, padding=1, groups=6)
            k = y.mean(-1).view(-1, 1, 1)[:4]
            e = F.conv1d(x[:1, :1], k.repeat(1, 1, 1), None)
            return c, d, e

    m = M()
    m.c(floats(1, 3, 9))
    return m, [[floats(n, 3, 20)] for n in BATCHES]


@model
def batch_as_group():
    class M(nn.Module):  # dynamic conv: per sample kernels
        def __init__(self):
            super().__init__()
            self.k = nn.Linear(3, 4 * 3 * 9)

        def forward(self, x: Tensor) -> Tensor:
            b, c, h, w = x.shape
            k = self.k(x.mean((2, 3))).view(b * 4, c, 3, 3)
            y = F.conv2d(x.reshape(1, b * c, h, w), k, padding=1, groups=b)
            return y.view(b, 4, h, w)

    return M(), [[floats(n, 3, 6, 6)] for n in BATCHES]


@model
def stats():
    class M(nn.Module):
        def forward(self, x: Tensor):
            return (
                x.std(1),
                x.var(1, unbiased=False),
                torch.std_mean(x, 1)[0],
                x.var(),
                x.mean(),
                x.prod(1),
                x.norm(p=1, dim=1),
                x.abs().amax(1),
                x.amin((0, 1)),
                x.aminmax(dim=1)[1],
                x.argmax(),
                x.argmin(1, keepdim=True),
                x.max(),
                x.min(1)[1],
                torch.quantile(x, 0.3, dim=1),
                torch.logcumsumexp(x, 1),
                torch.cov(x.t()),
                x.count_nonzero(1),
                x.any(),
                (x > 0).all(1),
                torch.histc(x, 4, -2, 2),
                x.nansum(1),
                torch.nan_to_num(x / 0.0),
                x.softmax(0).log(),
                x.clamp(min=x.mean()),
                torch.maximum(x, x.flip(1)),
                torch.lerp(x, x * 2, 0.3),
                torch.addcmul(x, x, x, value=0.1),
                torch.frac(x),
                torch.fmod(x, 0.7),
                torch.remainder(x, -0.7),
                torch.hypot(x, x),
                torch.atan2(x, x + 1),
                torch.sign(x),
                torch.trunc(x),
                torch.round(x, decimals=1),
                torch.heaviside(x, x),
                x.logit(1e-3),
                torch.special.expit(x),
                torch.erf(x),
                torch.xlogy(x.abs(), x.abs()),
            )

    return M(), [[floats(n, 5)] for n in (3, 2, 6)]


@script_only
def script_function_defaults():
    def norm(x: Tensor, dims: Optional[List[int]] = None, eps: float = 1e-5, keep: bool = True) -> Tensor:
        if dims is None:
            dims = [-1]
        m = x.mean(dims, keepdim=keep)
        v = (x - m).pow(2).mean(dims, keepdim=keep)
        return (x - m) * torch.rsqrt(v + eps)

    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return norm(x) + norm(x, [0, 1]) + norm(x, eps=1e-2, dims=[1])

    return M(), [[floats(n, 4)] for n in (2, 3, 5)]


@script_only
def tensor_subscripts_loop():
    class M(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            # DTW
            n = x.size(0)
            m = y.size(0)
            d = torch.full((n + 1, m + 1), float('inf'))
            d[0, 0] = 0.0
            for i in range(1, n + 1):
                for j in range(1, m + 1):
                    c = torch.abs(x[i - 1] - y[j - 1])
                    d[i, j] = c + torch.min(torch.stack([d[i - 1, j], d[i, j - 1], d[i - 1, j - 1]]))
            return d[n, m]

    return M(), [[floats(4), floats(5)], [floats(4), floats(5)], [floats(3), floats(2)]]


@script_only
def early_exit_layers():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.ls = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
            self.h = nn.ModuleList([nn.Linear(4, 3) for _ in range(3)])

        def forward(self, x: Tensor) -> Tuple[Tensor, int]:
            p = torch.zeros(x.size(0), 3)
            for i, (l, h) in enumerate(zip(self.ls, self.h)):
                x = torch.relu(l(x))
                p = h(x).softmax(-1)
                if bool(p.max() > 0.6):
                    return p, i
            return p, 3

    return M(), [[floats(n, 4)] for n in BATCHES]


@script_only
def act_halting():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.GRUCell(4, 4)
            self.h = nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
            B = x.size(0)
            s = torch.zeros(B, 4)
            acc = torch.zeros(B, 4)
            halt = torch.zeros(B)
            steps = torch.zeros(B)
            n = 0
            while bool((halt < 0.99).any()) and n < 6:
                s = self.c(x, s)
                p = torch.sigmoid(self.h(s)).squeeze(-1)
                run = (halt < 0.99).float()
                p = torch.where(halt + p > 0.99, 1 - halt, p) * run
                acc += p.unsqueeze(-1) * s
                halt = halt + p
                steps += run
                n += 1
            return acc, steps

    return M(), [[floats(n, 4)] for n in BATCHES]


@model
def tuple_unused_nested_modules():
    class Out(NamedTuple):
        a: Tensor
        b: Tuple[Tensor, Tensor]

    class Inner(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.Linear(4, 4)

        def forward(self, x: Tensor):
            return {'h': self.l(x), 'aux': x.sum()}

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.i = Inner()

        def forward(self, x: Tensor):
            d = self.i(x)
            return Out(d['h'], (d['aux'], x))

    return M(), [[floats(n, 4)] for n in BATCHES]


TRACE_ONLY.add('tuple_unused_nested_modules')


@trace_only
def hf_style_masks():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.e = nn.Embedding(20, 8)
            self.p = nn.Embedding(32, 8)
            self.q = nn.Linear(8, 8)
            self.register_buffer('pos', torch.arange(32).expand((1, -1)))

        def forward(self, input_ids, attention_mask=None):
            b, t = input_ids.shape
            if attention_mask is None:
                attention_mask = torch.ones((b, t))
            ext = attention_mask[:, None, None, :].to(dtype=torch.float32)
            ext = (1.0 - ext) * torch.finfo(torch.float32).min
            x = self.e(input_ids) + self.p(self.pos[:, :t])
            q = self.q(x).view(b, t, 2, 4).permute(0, 2, 1, 3)
            s = torch.matmul(q, q.transpose(-1, -2)) / math.sqrt(4) + ext
            y = torch.matmul(F.softmax(s, -1), q).permute(0, 2, 1, 3).contiguous()
            y = y.view(y.size()[:-2] + (8,))
            m = attention_mask.unsqueeze(-1).expand(y.size()).float()
            lens = torch.eq(input_ids, 3).int().argmax(-1) - 1
            last = y[torch.arange(b), lens]
            return {
                'pooled': (y * m).sum(1) / m.sum(1).clamp(min=1e-9),
                'last': last,
                'cum': (torch.cumsum(attention_mask, 1).type_as(attention_mask) * attention_mask).long(),
            }

    def call(n, t):
        m = torch.ones(n, t)
        m[0, -2:] = 0
        return [ids(20, n, t), m]

    return M(), [call(2, 6), call(1, 6), call(4, 9)]


@model
def multi_scale_fpn():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.b = nn.ModuleList([nn.Conv2d(3 if i == 0 else 4, 4, 3, 2, 1) for i in range(3)])
            self.l = nn.ModuleList([nn.Conv2d(4, 5, 1) for _ in range(3)])

        def forward(self, x: Tensor) -> List[Tensor]:
            fs: List[Tensor] = []
            for b in self.b:
                x = F.relu(b(x))
                fs.append(x)
            outs: List[Tensor] = []
            last = torch.zeros(1)
            i = len(fs) - 1
            for l in self.l:
                p = l(fs[i])
                if i < len(fs) - 1:
                    p = p + F.interpolate(last, size=p.shape[-2:], mode='nearest')
                last = p
                outs.insert(0, p)
                i -= 1
            return outs

    return M(), [[floats(n, 3, h, w)] for n, h, w in ((2, 16, 16), (1, 16, 16), (2, 20, 28))]


@model
def yolo_head():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Conv2d(4, 2 * 7, 1)
            self.register_buffer('anchors', torch.tensor([[1.0, 2.0], [3.0, 4.0]]))

        def forward(self, x: Tensor) -> Tensor:
            b, _, h, w = x.shape
            y = self.c(x).view(b, 2, 7, h, w).permute(0, 1, 3, 4, 2).contiguous()
            gy, gx = torch.meshgrid(torch.arange(h), torch.arange(w), indexing='ij')
            grid = torch.stack((gx, gy), 2).view(1, 1, h, w, 2).float()
            y = y.sigmoid()
            y[..., 0:2] = (y[..., 0:2] * 2.0 - 0.5 + grid) * 8
            y[..., 2:4] = (y[..., 2:4] * 2) ** 2 * self.anchors.view(1, 2, 1, 1, 2)
            return y.view(b, -1, 7)

    return M(), [[floats(n, 4, h, w)] for n, h, w in ((2, 4, 4), (1, 4, 4), (2, 3, 5))]


@script_only
def nms_script():
    class M(nn.Module):
        def forward(self, boxes: Tensor, scores: Tensor, thr: float = 0.5) -> Tensor:
            order = scores.argsort(0, descending=True)
            keep: List[Tensor] = []
            while order.numel() > 0:
                i = order[0]
                keep.append(i)
                if order.numel() == 1:
                    break
                b = boxes[order[1:]]
                a = boxes[i]
                lt = torch.max(a[:2], b[:, :2])
                rb = torch.min(a[2:], b[:, 2:])
                inter = (rb - lt).clamp(min=0).prod(1)
                iou = inter / ((a[2:] - a[:2]).prod() + (b[:, 2:] - b[:, :2]).prod(1) - inter)
                order = order[1:][iou <= thr]
            return torch.stack(keep)

    def call(n):
        xy = torch.rand(n, 2) * 5
        return [torch.cat([xy, xy + 2 + torch.rand(n, 2)], 1), torch.rand(n)]

    return M(), [call(8), call(8), call(12), call(1)]


@script_only
def state_dict_loop():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.ModuleList([nn.GRUCell(3, 4), nn.GRUCell(4, 4)])

        def forward(self, xs: Tensor) -> Tuple[Tensor, Dict[int, Tensor]]:
            st: Dict[int, Tensor] = {0: torch.zeros(xs.size(0), 4), 1: torch.zeros(xs.size(0), 4)}
            outs: List[Tensor] = []
            for t in range(xs.size(1)):
                x = xs[:, t]
                for i, c in enumerate(self.f):
                    st[i] = c(x, st[i])
                    x = st[i]
                outs.append(x)
            return torch.stack(outs, 1), st

    return M(), [[floats(n, 4, 3)] for n in BATCHES]


@script_only
def print_warn_str():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            print('shape', x.shape)
            if x.size(0) > 3:
                warnings.warn('big {}'.format(x.size(0)))
            s = 'abc'
            n = 0
            for c in s:
                if c != 'b':
                    n += ord(c)
            name = 'n={} %s' % 'a' + f'{n}'
            return x + n + len(name) + (s.find('c') + s.count('a')) + int('12') + float('1.5')

    return M(), [[floats(n, 4)] for n in BATCHES]


@model
def set_transformer():
    class MAB(nn.Module):
        def __init__(self):
            super().__init__()
            self.q = nn.Linear(8, 8)
            self.k = nn.Linear(8, 8)
            self.v = nn.Linear(8, 8)
            self.o = nn.Linear(8, 8)
            self.ln = nn.LayerNorm(8)

        def forward(self, Q: Tensor, K: Tensor) -> Tensor:
            q, k, v = self.q(Q), self.k(K), self.v(K)
            Q_ = torch.cat(q.split(4, 2), 0)
            K_ = torch.cat(k.split(4, 2), 0)
            V_ = torch.cat(v.split(4, 2), 0)
            A = torch.softmax(Q_.bmm(K_.transpose(1, 2)) / math.sqrt(8), 2)
            O = torch.cat((Q_ + A.bmm(V_)).split(Q.size(0), 0), 2)
            return self.ln(O + F.relu(self.o(O)))

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.I = nn.Parameter(floats(1, 3, 8))
            self.a = MAB()
            self.b = MAB()

        def forward(self, X: Tensor) -> Tensor:
            H = self.a(self.I.repeat(X.size(0), 1, 1), X)
            return self.b(X, H)

    return M(), [[floats(n, t, 8)] for n, t in ((2, 5), (1, 5), (3, 5))]


@model
def capsule_routing():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.W = nn.Parameter(floats(1, 6, 3, 4, 5) * 0.3)

        def squash(self, s: Tensor) -> Tensor:
            n = (s**2).sum(-1, keepdim=True)
            return n / (1 + n) * s / torch.sqrt(n + 1e-8)

        def forward(self, u: Tensor) -> Tensor:
            uh = torch.matmul(self.W, u[:, :, None, :, None]).squeeze(-1)
            b = torch.zeros(u.size(0), 6, 3, 1)
            v = torch.zeros(1)
            for r in range(3):
                c = F.softmax(b, dim=2)
                v = self.squash((c * uh).sum(1))
                if r < 2:
                    b = b + (uh * v.unsqueeze(1)).sum(-1, keepdim=True)
            return v.norm(dim=-1)

    return M(), [[floats(n, 6, 5)] for n in BATCHES]


@script_only
def frozen_attr_update():
    class M(nn.Module):
        hist: List[int]

        def __init__(self):
            super().__init__()
            self.scale = 1.0
            self.hist = []
            self.register_buffer('buf', torch.zeros(4))

        def forward(self, x: Tensor) -> Tensor:
            self.scale = 2.0
            self.hist.append(x.size(0))
            self.buf = x.mean(0)
            return x * self.scale + self.buf

    return M(), [[floats(2, 4)]]


@model
def sequence_pack_pad():
    class M(nn.Module):
        def forward(self, a: Tensor, b: Tensor) -> Tuple[Tensor, Tensor]:
            p = nn.utils.rnn.pad_sequence([a, b], batch_first=True, padding_value=-1.0)
            m = (p != -1.0).any(-1)
            return p, m

    return M(), [[floats(i, 3), floats(j, 3)] for i, j in ((4, 2), (3, 5), (2, 2))]


@script_only
def bucket_by_value():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            out = torch.zeros_like(x)
            for lo in [-1.0, 0.0, 1.0]:
                m = (x >= lo) & (x < lo + 1.0)
                if m.any():
                    out[m] = x[m].mean()
            u, inv, cnt = torch.unique(x.round(), return_inverse=True, return_counts=True)
            return out, u[inv], cnt.float() / x.numel()

    return M(), [[floats(n, 4)] for n in BATCHES]


@model
def bool_arith():
    class M(nn.Module):
        def forward(self, x: Tensor):
            m = x > 0
            return (
                m + m,
                m * x,
                m.sum(),
                m.float().mean(),
                ~m & (x < 1) | m ^ m,
                m.int().cumsum(0),
                torch.logical_xor(m, ~m),
                m == (x > 0.5),
                x * (x > 0.5),
                x[:, 0] > x[:, 1],
                m.to(torch.uint8),
                1 - m.long(),
                -x.long(),
                x.long() // 2,
                x.long() % 3,
                2 ** x.long().abs(),
                x.abs() ** 2.5,
                5 // (x.long().abs() + 1),
            )

    return M(), [[floats(n, 4)] for n in BATCHES]


TRACE_ONLY.add('bool_arith')


@script_only
def data_if_lists():
    class M(nn.Module):
        def forward(self, x: Tensor) -> List[Tensor]:
            out: List[Tensor] = []
            if bool(x.sum() > 0):
                out = [x, x + 1]
            else:
                out = [x - 1, x]
            out.append(x)
            return out

    return M(), [[floats(2, 3).abs()], [-floats(1, 3).abs()]]


@script_only
def data_if_dict():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Dict[str, Tensor]:
            d: Dict[str, Tensor] = {'a': x}
            if bool(x.max() > 1.0):
                d['b'] = x * 2
            else:
                d['b'] = x
                d['a'] = x + 5
            return d

    return M(), [[floats(2, 3) + 2], [floats(1, 3) * 0.1]]


@script_only
def attr_mutate_data():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.t = 0.0
            self.n = 0

        def forward(self, x: Tensor) -> Tuple[Tensor, int]:
            self.n = 0
            i = 0
            while i < 3 and bool(x.abs().max() < 50):
                self.n += 2
                x = x * 3
                i += 1
            return x, self.n

    return M(), [[floats(2, 3)], [floats(2, 3) * 30]]


@script_only
def loop_over_rows():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            outs = []
            for row in x:
                outs.append(torch.relu(self.l(row)))
            s = torch.zeros(3)
            for o in outs:
                s = s + o
            return torch.stack(outs) - s

    return M(), [[floats(n, 3)] for n in BATCHES]


@script_only
def loop_over_nonzero():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
            idx = torch.nonzero(x > 0).squeeze(1)
            acc = torch.zeros(1)
            parts: List[Tensor] = []
            for i in range(idx.size(0)):
                v = x[idx[i]]
                acc = acc * 0.5 + v
                parts.append(torch.stack([v, acc[0]]))
            if len(parts) == 0:
                return acc, torch.zeros(0, 2)
            return acc, torch.stack(parts)

    return M(), [[floats(6)], [floats(4)], [-floats(3).abs()]]


@script_only
def chunks_in_loop():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.LSTMCell(4, 4)

        def forward(self, x: Tensor, chunk: int = 2) -> Tensor:
            hs: List[Tensor] = []
            h = torch.zeros(x.size(0), 4)
            c = h.clone()
            for part in x.split(chunk, dim=1):
                for t in part.unbind(1):
                    h, c = self.l(t, (h, c))
                hs.append(h)
            return torch.cat(hs, dim=-1)

    return M(), [[floats(n, 6, 4)] for n in BATCHES]


@script_only
def string_mode():
    class M(nn.Module):
        def __init__(self, act):
            super().__init__()
            self.act = act
            self.modes = {'relu': 1, 'gelu': 2}

        def forward(self, x: Tensor, mode: Optional[str] = None) -> Tensor:
            m = self.act if mode is None else mode
            if m == 'relu':
                return F.relu(x)
            elif m == 'gelu':
                return F.gelu(x, approximate='tanh')
            elif m in ['tanh', 'sigmoid']:
                return torch.tanh(x) if m == 'tanh' else torch.sigmoid(x)
            else:
                raise NotImplementedError('unknown ' + m)

    return M('gelu'), [[floats(n, 3)] for n in BATCHES]


@script_only
def tuple_state_unpack():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.r = nn.ModuleList([nn.LSTM(3, 4), nn.LSTM(4, 4)])

        def forward(self, x: Tensor, states: Optional[List[Tuple[Tensor, Tensor]]] = None) -> Tuple[Tensor, List[Tuple[Tensor, Tensor]]]:
            new: List[Tuple[Tensor, Tensor]] = []
            for i, r in enumerate(self.r):
                if states is not None:
                    x, s = r(x, states[i])
                else:
                    x, s = r(x)
                new.append(s)
            return x, new

    return M(), [[floats(t, n, 3)] for t, n in ((3, 2), (3, 1), (5, 4))]


@model
def complex_free_fft():
    class M(nn.Module):  # DFT by matrices
        def __init__(self):
            super().__init__()
            n = 8
            k = torch.arange(n)[:, None] * torch.arange(n)[None] * (2 * math.pi / n)
            self.register_buffer('c', torch.cos(k))
            self.register_buffer('s', torch.sin(k))
            self.register_buffer('win', torch.hann_window(n))

        def forward(self, x: Tensor) -> Tensor:
            f = x.unfold(-1, 8, 4) * self.win
            return torch.sqrt((f @ self.c) ** 2 + (f @ self.s) ** 2 + 1e-9).log1p().transpose(1, 2)

    return M(), [[floats(n, t)] for n, t in ((2, 32), (1, 32), (3, 40))]


@model
def ctc_like():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Conv1d(4, 6, 3, padding=1)
            self.r = nn.GRU(6, 5, batch_first=True, bidirectional=True)
            self.o = nn.Linear(10, 7)

        def forward(self, x: Tensor, lens: Tensor):
            h = F.relu(self.c(x.transpose(1, 2))).transpose(1, 2)
            p = nn.utils.rnn.pack_padded_sequence(h, lens, batch_first=True, enforce_sorted=False)
            y, hn = self.r(p)
            y, l = nn.utils.rnn.pad_packed_sequence(y, batch_first=True, padding_value=-1.0, total_length=x.size(1))
            lp = F.log_softmax(self.o(y), -1)
            best = lp.argmax(-1)
            keep = torch.ones_like(best, dtype=torch.bool)
            keep[:, 1:] = best[:, 1:] != best[:, :-1]
            return lp, best.masked_fill(~keep | (best == 0), 0), l, hn

    return M(), [[floats(n, t, 4), torch.tensor(l)] for n, t, l in ((2, 6, [6, 4]), (1, 6, [5]), (3, 8, [8, 3, 6]))]


@model
def grouped_norms():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.g = nn.GroupNorm(2, 4)
            self.i = nn.InstanceNorm2d(4, affine=True)
            self.l = nn.LayerNorm([4, 6, 6], elementwise_affine=False)
            self.b = nn.BatchNorm2d(4, affine=False)
            self.s = nn.BatchNorm2d(4)

        def forward(self, x: Tensor):
            y = x.permute(0, 2, 3, 1)
            y = F.layer_norm(y, (4,)).permute(0, 3, 1, 2)
            m = x.mean((2, 3), keepdim=True)
            v = x.var((2, 3), keepdim=True, unbiased=False)
            return (
                self.g(x) + self.i(x),
                self.l(x),
                self.b(x) + self.s(y),
                (x - m) / torch.sqrt(v + 1e-5),
                F.local_response_norm(x, 3),
                F.normalize(x, dim=1),
            )

    return M(), [[floats(n, 4, 6, 6)] for n in BATCHES]


@model
def transformer_decoder():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.e = nn.Embedding(20, 8)
            self.d = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True, norm_first=True), 2, norm=nn.LayerNorm(8))
            self.o = nn.Linear(8, 20)

        def forward(self, tgt: Tensor, mem: Tensor, pad: Tensor) -> Tensor:
            m = nn.Transformer.generate_square_subsequent_mask(tgt.size(1))
            return self.o(self.d(self.e(tgt), mem, tgt_mask=m, memory_key_padding_mask=pad))

    def call(n, t, s):
        p = torch.zeros(n, s, dtype=torch.bool)
        p[:, -1] = True
        return [ids(20, n, t), floats(n, s, 8), p]

    return M(), [call(2, 4, 5), call(1, 4, 5), call(3, 6, 4)]


@model
def encoder_with_padding():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.e = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation='relu'), 2)

        def forward(self, x: Tensor, pad: Tensor) -> Tensor:
            return self.e(x, src_key_padding_mask=pad)

    def call(n, t):
        p = torch.zeros(n, t, dtype=torch.bool)
        p[0, -2:] = True
        return [floats(n, t, 8), p]

    return M(), [call(2, 5), call(2, 5), call(3, 7)]


@model
def sdpa_variants():
    class M(nn.Module):
        def forward(self, q: Tensor, k: Tensor, v: Tensor, m: Tensor):
            a = F.scaled_dot_product_attention(q, k, v)
            b = F.scaled_dot_product_attention(q, k, v, attn_mask=m)
            c = F.scaled_dot_product_attention(q, k, v, attn_mask=m.float().log().clamp(min=-1e4))
            d = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3)
            e = F.scaled_dot_product_attention(q.repeat(1, 2, 1, 1), k, v, enable_gqa=True)
            return a, b, c, d, e

    def call(n, t):
        m = torch.rand(t, t) > 0.3
        m.fill_diagonal_(True)
        return [floats(n, 2, t, 4), floats(n, 2, t, 4), floats(n, 2, t, 4), m]

    return M(), [call(2, 5), call(1, 5), call(3, 7)]


@script_only
def recursion_free_tree():
    class Node(NamedTuple):
        left: int
        right: int
        value: float

    class M(nn.Module):
        nodes: List[Tuple[int, int, float]]

        def __init__(self):
            super().__init__()
            self.nodes = [(1, 2, 0.0), (-1, -1, 0.5), (3, 4, 0.1), (-1, -1, 2.0), (-1, -1, 3.0)]
            self.feat = torch.jit.Attribute([0, -1, 1, -1, -1], List[int])

        def forward(self, x: Tensor) -> Tensor:
            out = torch.zeros(x.size(0))
            reach: Dict[int, Tensor] = {0: torch.ones(x.size(0), dtype=torch.bool)}
            for i, (l, r, v) in enumerate(self.nodes):
                if l < 0:
                    out = torch.where(reach[i], torch.full_like(out, v), out)
                else:
                    go = x[:, i % 2] > v
                    reach[l] = reach[i] & ~go
                    reach[r] = reach[i] & go
            return out

    return M(), [[floats(n, 3)] for n in BATCHES]


@model
def embedding_variants():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Embedding(10, 4, padding_idx=0)
            self.b = nn.EmbeddingBag(10, 4, mode='max')
            self.c = nn.EmbeddingBag(10, 4, mode='sum', padding_idx=1)
            self.w = nn.Parameter(floats(10, 4))
            self.h = nn.ParameterList([nn.Parameter(floats(4)) for _ in range(2)])
            self.pd = nn.ParameterDict({'k': nn.Parameter(floats(4))})

        def forward(self, x: Tensor, off: Tensor, wt: Tensor):
            return (
                self.a(x) + self.h[0],
                self.b(x),
                self.c(x.flatten(), off, per_sample_weights=wt.flatten()),
                F.embedding(x, self.w) * self.h[1] * self.pd['k'],
                F.embedding_bag(x.flatten(), self.w, off, mode='mean'),
                F.one_hot(x, 10).float() @ self.w,
            )

    return M(), [[ids(10, n, 3), torch.arange(n) * 3, floats(n, 3)] for n in BATCHES]


@model
def torchscript_bits():
    class M(nn.Module):
        def forward(self, x: Tensor):
            h = (x * 1000).long().abs()
            h = (h * 2654435761) % 4294967296
            h = (h ^ (h >> 16)) & 1023
            b = torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0]))
            s = torch.searchsorted(torch.tensor([[-1.0, 0.0, 1.0]]).expand(x.size(0), -1).contiguous(), x, right=True)
            return h, b, s, h % 7, h // 3, torch.bitwise_or(h, 1), h << 2, torch.isin(b, torch.tensor([1, 2]))

    return M(), [[floats(n, 4)] for n in BATCHES]


@script_only
def any_all_loops():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[bool, bool, Tensor, int]:
            flags = [bool((x > i).any()) for i in range(3)]
            c = 0
            for f in flags:
                if f:
                    c += 1
            return any(flags), all(flags), x * c, c

    return M(), [[floats(n, 4) * 2] for n in BATCHES]


@script_only
def inplace_list_items():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
            bufs = [torch.zeros_like(x) for _ in range(2)]
            views = [b[:, 0] for b in bufs]
            for i in range(2):
                bufs[i].add_(x * (i + 1))
                views[i].mul_(-1)
            a, b = bufs
            a[0], b[0] = b[0].clone(), a[0].clone()
            return a, b

    return M(), [[floats(n, 4)] for n in BATCHES]


@script_only
def multi_output_none():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.MultiheadAttention(8, 2)

        def forward(self, x: Tensor) -> Tuple[Tensor, Optional[Tensor], Tensor]:
            y, w = self.a(x, x, x, need_weights=False)
            z, w2 = self.a(x, x, x, need_weights=True, average_attn_weights=False)
            assert w2 is not None
            return y, w, z * w2.sum()

    return M(), [[floats(t, n, 8)] for t, n in ((3, 2), (3, 1), (4, 3))]


@script_only
def filter_append():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, int, Tensor]:
            outs: List[Tensor] = []
            ids: List[int] = []
            for i in range(x.size(0)):
                if bool(x[i].sum() > 0):
                    outs.append(x[i] * 2)
                    ids.append(i)
            if len(outs) == 0:
                return torch.zeros(0, x.size(1)), 0, torch.zeros(0, dtype=torch.long)
            return torch.stack(outs), len(outs), torch.tensor(ids)

    return M(), [[floats(5, 3)], [floats(5, 3)], [-floats(3, 3).abs()]]


@script_only
def hand_nms():
    class M(nn.Module):
        def forward(self, boxes: Tensor, scores: Tensor, thr: float = 0.3) -> Tensor:
            order = scores.argsort(descending=True)
            sup = torch.zeros(boxes.size(0), dtype=torch.bool)
            area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
            keep: List[Tensor] = []
            for k in range(boxes.size(0)):
                i = order[k]
                if not bool(sup[i]):
                    keep.append(i)
                    lt = torch.max(boxes[i, :2], boxes[:, :2])
                    rb = torch.min(boxes[i, 2:], boxes[:, 2:])
                    inter = (rb - lt).clamp(min=0).prod(1)
                    sup = sup | (inter / (area[i] + area - inter) > thr)
            return torch.stack(keep)

    def call(n):
        xy = torch.rand(n, 2) * 5
        return [torch.cat([xy, xy + 2 + torch.rand(n, 2)], 1), torch.rand(n)]

    return M(), [call(8), call(8), call(6)]


@script_only
def conditional_else_append():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            outs: List[Tensor] = [x[0]]
            for i in range(3):
                if bool(x[0, i] > 0):
                    outs.append(x[i] + 1)
                else:
                    if bool(x[1, i] > 0):
                        outs.append(x[i] - 1)
                        outs.append(x[i])
            return torch.cat(outs)

    return M(), [[floats(3, 3)], [floats(3, 3)], [floats(3, 3)]]


@script_only
def loop_cond_append():
    class M(nn.Module):
        def forward(self, x: Tensor, n: Tensor) -> Tuple[Tensor, int]:
            outs: List[Tensor] = [x[0]]
            for i in range(int(n)):
                if bool(x[i, 0] > 0):
                    outs.append(x[i] * 2)
            return torch.stack(outs), len(outs)

    return M(), [[floats(5, 3), torch.tensor(4)], [floats(5, 3), torch.tensor(0)]]


@script_only
def loop_cond_append_empty():
    class M(nn.Module):
        def forward(self, x: Tensor, n: Tensor) -> int:
            outs: List[int] = []
            for i in range(int(n)):
                if bool(x[i, 0] > 0):
                    outs.append(i)
            return len(outs)

    return M(), [[floats(5, 3), torch.tensor(4)], [floats(5, 3), torch.tensor(0)]]


@script_only
def append_after():
    class M(nn.Module):
        def forward(self, x: Tensor, n: Tensor) -> Tuple[Tensor, Tensor]:
            outs: List[Tensor] = []
            for i in range(int(n)):
                outs.append(x[i])
            outs.append(x[0] + 100)
            last = outs[-1]
            first = outs[0]
            tot = torch.zeros(3)
            for o in outs:
                tot += o
            return torch.stack(outs, 1), tot + last - first

    return M(), [[floats(5, 3), torch.tensor(4)], [floats(5, 3), torch.tensor(1)]]


@script_only
def reads_what_it_fills():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.Linear(3, 3)

        def forward(self, x: Tensor, n: Tensor) -> Tuple[Tensor, int, Tensor]:
            outs: List[Tensor] = [x]
            for i in range(int(n)):
                outs.append(torch.tanh(self.l(outs[-1])) + len(outs))
            lens: List[int] = [1]
            k = 0
            while k < int(n):
                lens.append(lens[k] * 2 + len(lens))
                k += 1
            return torch.stack(outs), len(outs), torch.tensor(lens)

    return M(), [[floats(2, 3), torch.tensor(4)], [floats(2, 3), torch.tensor(0)], [floats(1, 3), torch.tensor(1)]]


@script_only
def beam_of_nothing_yet():
    """What is gathered from has no elements in the first step."""

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.cell, self.out = nn.Embedding(9, 6), nn.GRUCell(6, 6), nn.Linear(6, 9)

        def forward(self, h0: Tensor) -> Tuple[Tensor, Tensor]:
            n = h0.size(0)
            h = h0.unsqueeze(1).expand(n, 3, 6).reshape(n * 3, 6)
            token = torch.zeros(n, 3, dtype=torch.long)
            score = torch.full((n, 3), -1e4)
            score[:, 0] = 0.0
            found = torch.zeros(n, 3, 0, dtype=torch.long)
            for _ in range(4):
                h = self.cell(self.embed(token.view(-1)), h)
                total = score.unsqueeze(-1) + F.log_softmax(self.out(h), -1).view(n, 3, 9)
                score, at = total.view(n, -1).topk(3, dim=-1)
                parent, token = torch.div(at, 9, rounding_mode='floor'), at % 9
                h = h.view(n, 3, 6).gather(1, parent.unsqueeze(-1).expand(-1, -1, 6)).view(n * 3, 6)
                found = found.gather(1, parent.unsqueeze(-1).expand(-1, -1, found.size(2)))
                found = torch.cat([found, token.unsqueeze(-1)], 2)
            return found, score

    return M(), [[floats(n, 6)] for n in BATCHES]


@model
def bags_of_a_matrix():
    """As many ids in each bag, and rows that a limit shortens."""

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.sum = nn.EmbeddingBag(20, 4, mode='sum', max_norm=1.0)
            self.mean = nn.EmbeddingBag(20, 4, mode='mean', padding_idx=0)
            self.max = nn.EmbeddingBag(20, 4, mode='max')

        def forward(self, x: Tensor, w: Tensor) -> Tensor:
            return torch.cat([self.sum(x, per_sample_weights=w), self.mean(x), self.max(x)], 1)

    return M(), [[ids(20, n, t), floats(n, t)] for n, t in ((2, 3), (1, 3), (3, 5))]


class Modes(nn.Module):
    """Products of the lowest frequencies, as neural operators make them."""

    def __init__(self):
        super().__init__()
        self.low = nn.Parameter(torch.randn(2, 2, 3, 3, dtype=torch.cfloat) * 0.2)
        self.high = nn.Parameter(torch.randn(2, 2, 3, 3, dtype=torch.cfloat) * 0.2)

    def forward(self, x: Tensor) -> Tensor:
        f = torch.fft.rfft2(x)
        out = torch.zeros(x.size(0), 2, x.size(-2), x.size(-1) // 2 + 1, dtype=torch.cfloat)
        out[:, :, :3, :3] = torch.einsum('bixy,ioxy->boxy', f[:, :, :3, :3], self.low)
        out[:, :, -3:, :3] = torch.einsum('bixy,ioxy->boxy', f[:, :, -3:, :3], self.high)
        return torch.fft.irfft2(out, s=(x.size(-2), x.size(-1)))


@model
def neural_operator():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.modes, self.skip = Modes(), nn.Conv2d(2, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return F.gelu(self.modes(x) + self.skip(x))

    return M(), [[floats(n, 2, 8, 10)] for n in BATCHES]


@trace_only
def complex_in_place():
    """What is written to a view of complex numbers shows in them, and the other way round."""

    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            y = x * 1.0
            z = torch.view_as_complex(y)
            real, copy = z.real, z.clone()
            y.add_(1.0)
            z[:, 0].mul_(2.0)
            torch.view_as_real(z)[:, 1].add_(3.0)
            z.imag.mul_(0.5)
            copy.mul_(2.0)
            return torch.view_as_real(z), real + 0.0, torch.view_as_real(copy)

    return M(), [[floats(n, 3, 2)] for n in BATCHES]


@trace_only
def complex_products():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
            z = torch.view_as_complex(x)
            gram = z @ z.transpose(1, 2).conj()
            rows = [torch.exp(row) + torch.ones_like(row) for row in z.unbind(1)]
            return torch.view_as_real(gram), torch.view_as_real(torch.stack(rows, 1).mean(1, keepdim=True) ** 2)

    return M(), [[floats(n, 3, 4, 2)] for n in BATCHES]


@trace_only
def grouped_experts():
    """A mixture of experts as transformers runs it: rows sorted by expert, one product of groups."""

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate, self.experts = nn.Linear(8, 3), nn.Parameter(torch.randn(3, 8, 16) * 0.3)

        def forward(self, x: Tensor) -> Tensor:
            expert = self.gate(x).argmax(-1)
            order = torch.argsort(expert, stable=True)
            ends = torch.cumsum((expert.unsqueeze(1) == torch.arange(3)).sum(0), 0).to(torch.int32)
            y = torch._grouped_mm(x[order], self.experts, offs=ends)
            return torch.zeros(x.shape[0], 16).index_copy(0, order, y)

    return M(), [[floats(n, 8)] for n in (7, 1, 12)]
