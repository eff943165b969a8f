"""What Python and torch mean by a line of code, in small models exported by zoo.py: numbers and texts that sizes or data decide,
tensors that share memory, complex numbers, half types, and numbers that are drawn.

The same shape as constructs.py. Calls differ where a wrong reading would give other numbers.
"""
import math
from typing import Dict, List, Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from registry import Registry, floats

registry = Registry()
MODELS, SCRIPT_ONLY, TRACE_ONLY = registry.models, registry.scripts, registry.traces
model, script_only, trace_only = registry.model, registry.script_only, registry.trace_only
# Batches of the calls; the first is traced.
BATCHES = (2, 1, 5)


# --- Python ------------------------------------------------------------------------------------------------------------
@script_only
def number_in_list():
    class M(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tuple[Tensor, int, int]:
            k = int(t[0])
            if k in [1, 2, 3]:
                x = x + 10
            if k not in [0, 5]:
                x = x * 2
            numbers = [int(t[0]), int(t[1]), 3]
            return x, numbers.count(3), sorted(numbers)[0]

    return M(), [[floats(2, 3), torch.tensor(v)] for v in ([2, 3], [0, 1], [7, 9], [5, 3])]


@script_only
def key_of_data():
    class M(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            names: Dict[int, str] = {1: 'one', 2: 'two'}
            return x * 2 if int(t[0]) in names else x

    return M(), [[floats(2, 3), torch.tensor([v])] for v in (1, 3)]


@script_only
def text_of_sizes():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            scales = {'2x3': 1.0, '1x3': 5.0, '5x3': 9.0}
            key = '{}x{}'.format(x.size(0), x.size(1))
            return x * scales[key] if key in scales else x

    return M(), [[floats(n, 3)] for n in (2, 1, 5, 7)]


@script_only
def share_of_a_size():
    """A share of a size is rounded as a float: 29 % of 100 are 28."""

    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, int, int, int, int, int, int]:
            n = x.size(0)
            rows = x[: int(n * 0.29) + 1].sum(0)
            return rows, math.ceil(n * 0.1), int(n / 3), math.floor(n * 0.7), int(n / 49), int(-n * 0.3), int((n - 25) / 2)

    return M(), [[floats(n, 3)] for n in (2, 30, 100, 70, 10, 50, 200, 98)]


@script_only
def float_functions():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            a = float(x.abs().max())
            b = math.log1p(a) + math.atan2(a, 2.0) + math.fabs(-a) + math.copysign(1.0, -a) + math.log10(a)
            return x + b + a // 0.3 + a % 0.3 + float(math.isnan(a)) + math.degrees(a) + math.fmod(a, 0.7)

    return M(), [[floats(2, 3) * v] for v in (1.0, 2.0, 3.0)]


@script_only
def bits_of_data():
    class M(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            a, b = int(t[0]), int(t[1])
            return x + float(a >> 1) + float(a << 2) + float(a & b) + float(a | b) + float(a ^ b) + float(abs(a))

    return M(), [[floats(2, 3), torch.tensor(v)] for v in ([7, 2], [-7, 2], [9, 3])]


@script_only
def slice_from_the_end():
    class M(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
            k = int(t[0])
            y = x.clone()
            y[k:] = 0.0
            return x[k:], x[:k], x[:, -k:], y

    return M(), [[floats(4, 4), torch.tensor([v])] for v in (1, -1, -3, 0, 9)]


@trace_only
def constants_are_numbers():
    """
    Constants without dimensions count as Python numbers, and do not widen tensors without dimensions, but where a quotient is
    rounded.
    """

    class M(nn.Module):
        def forward(self, x: Tensor, i: Tensor) -> Tuple[Tensor, ...]:
            tensor = torch.tensor(0.25, dtype=torch.float64)
            whole = i.to(torch.uint8).sum().to(torch.uint8)
            rounded = [i // 0.75, x.sum() // 0.25, i.int().sum() // 2, torch.div(x.half()[0], 0.25, rounding_mode='trunc'), x // 0.25]
            return x.sum() * 0.25, x.sum() * tensor, i.sum() * 0.5, i * tensor, whole * 3, x.half().sum() * 0.5 + x.half()[0], *rounded

    return M(), [[floats(3), torch.arange(3)]]


@script_only
def named_as_values():
    """Inputs with the names that values of the graph get."""

    class M(nn.Module):
        def forward(self, v0: Tensor, v1: Tensor, c2: Tensor, v3: Tensor) -> Tuple[Tensor, Tensor]:
            a, b = v0 * 2 + v1, c2.exp() - v3
            return a @ b.t(), (a * b).softmax(-1)

    return M(), [[floats(n, 3) for _ in range(4)] for n in BATCHES]


# --- shared memory -----------------------------------------------------------------------------------------------------
@script_only
def one_of_two_in_place():
    """On one side of a branch a tensor of its own, on the other one that is there already."""

    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            out = x * 2
            kept = out
            if bool(x.sum() > 0):
                out = out + 1
            out += 2
            kept[0] = 7.0
            out[:, 1] *= 3
            z = x.clone()
            w = z
            if bool(x[0, 0] > 0):
                w = z * 5
            w[0, 0] = 100.0
            if bool(x[0, 1] > 0):
                z[0, 1] = -50.0
            else:
                w = w - 1
            w.mul_(2)
            return out, kept, z + w

    return M(), [[x] for x in (floats(2, 4), -floats(2, 4), floats(2, 4), floats(2, 4), floats(2, 4))]


@model
def copies_of_turned_tensors():
    """What is computed of a transposed tensor lies in memory as that does: making it contiguous copies it."""

    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
            y = torch.relu(x.transpose(1, 2))
            z = y.contiguous()
            z[:, 0] = 9.0
            a = x.permute(0, 2, 1) * 2
            b = a.reshape(x.size(0), -1)
            b[:, 0] = -5.0
            c = x.transpose(1, 2).clone()
            d = c.flatten(1)
            d += 1
            return y, z, a, c

    return M(), [[floats(n, 3, 4)] for n in (2, 3, 5)]


@model
def nearest_by_odd_scales():
    """Neighbours by torch's rounding, where other ways of computing places come to others."""

    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
            odd = F.interpolate(x, scale_factor=0.29, mode='nearest')
            large = F.interpolate(x, scale_factor=2.7, mode='nearest-exact')
            sized = F.interpolate(x, size=(x.size(2) + 7, x.size(3) * 3 // 2), mode='nearest')
            return odd, large, sized, F.interpolate(x, scale_factor=0.29, mode='bilinear')

    return M(), [[floats(1, 1, h, w)] for h, w in ((20, 30), (100, 14), (13, 17))]


@trace_only
def written_where_expanded():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = x * 1
            y.unsqueeze(0).expand(1, -1, -1).squeeze(0)[0, 0] = 9
            return y

    return M(), [[floats(n, 4)] for n in BATCHES]


# --- complex numbers ---------------------------------------------------------------------------------------------------
def parts(*tensors):
    return tuple(torch.view_as_real(t.resolve_conj()) if t.is_complex() else t for t in tensors)


def complex_model(compute, *shape):
    class M(nn.Module):
        def forward(self, x: Tensor):
            return parts(*compute(torch.view_as_complex(x)))

    return M(), [[floats(n, *(shape or (4, 6)), 2)] for n in (2, 1, 3)]


@trace_only
def complex_moves():
    def compute(z):
        return (
            *z.chunk(2, -1), z.roll(1, -1), z.flip(1), torch.rot90(z, 1, (1, 2)), torch.hstack([z, z]), z.tril(), z.triu(1),
            z.repeat(1, 2, 1), z.repeat_interleave(2, 1), z.movedim(0, -1), z.diagonal(dim1=-2, dim2=-1), z.unfold(2, 3, 1),
            torch.diag_embed(z[:, 0]), F.pad(z, (1, 0, 2, 1), value=0.5), z.cumsum(1), z.diff(dim=-1), z.mT, z.mH,
        )

    return complex_model(compute)


@trace_only
def complex_places():
    def compute(z):
        order = z.real.argsort(1)
        zeros = torch.zeros_like(z)
        return (
            z[:, [0, 2]], z[torch.arange(z.size(0)), 0], torch.where(z.real > 0, z, 0), torch.where(z.imag > 0, z, z.conj()),
            z.masked_fill(z.real > 0, 1.5), z.gather(1, order), torch.take_along_dim(z, order, 1), zeros.scatter_add(1, order, z),
            zeros.index_add(1, torch.tensor([0, 1, 1, 2]), z), zeros.scatter(1, order, z), z == z.conj(), z != z, z == 0,
        )

    return complex_model(compute)


@trace_only
def complex_functions():
    def compute(z):
        return (
            z.exp(), z.log(), z.sqrt(), z.sin(), z.cos(), z.sinh(), z.cosh(), z.reciprocal(), z.sgn(), z**3, z**0.5, 1 - z,
            z - 1j, z * (2 + 3j), 2 / z, z.real * 1j, torch.exp(-1j * z.real), z.norm(dim=1), torch.linalg.vector_norm(z, dim=-1),
            z.real.to(torch.complex64), (z.real > 0).to(torch.cfloat) * z, torch.eye(4, dtype=torch.cfloat) @ z,
        )

    return complex_model(compute)


@model
def complex_layers():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.line = nn.Parameter(torch.randn(3, 6, dtype=torch.cfloat))
            self.kernel = nn.Parameter(torch.randn(3, 4, 3, dtype=torch.cfloat))
            self.bias = nn.Parameter(torch.randn(3, dtype=torch.cfloat))

        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
            z = torch.view_as_complex(x)
            lines = F.linear(z, self.line)
            waves = F.conv1d(z, self.kernel, self.bias, padding=1)
            row = z[0, 0]
            outer = torch.outer(row, row)
            dots = torch.stack([torch.dot(row, row), torch.vdot(row, row)])
            return torch.view_as_real(lines), torch.view_as_real(waves), torch.view_as_real(outer), torch.view_as_real(dots)

    return M(), [[floats(n, 4, 6, 2)] for n in BATCHES]


@trace_only
def complex_views_in_place():
    def compute(z):
        y = z.clone()
        y[:, 0] = 0.0
        y[:, :, ::2] *= 2
        y[:, 2] = z[:, 3]
        y.real[:, 3] = 5.0
        y[y.real > 2] = 0
        first, second = y.chunk(2, 1)
        first.mul_(1j)
        y.diagonal(dim1=1, dim2=2).zero_()
        y.transpose(1, 2)[:, 0] += 2
        y.view(-1)[0] = 7.0
        second.fill_(1.5)
        return y, first

    return complex_model(compute)


@script_only
def imaginary_literals():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            y = (x + 2.5j) * (2 + 3j)
            return torch.view_as_real(x * 1j), torch.view_as_real(torch.exp(-2j * x)), torch.view_as_real(y)

    return M(), [[floats(n, 3)] for n in BATCHES]


@model
def state_space():
    """The kernel of S4D, which is computed in the frequency domain."""

    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.C = nn.Parameter(torch.randn(4, 3, 2))
            self.log_A = nn.Parameter(torch.rand(4, 3))
            self.A_imag = nn.Parameter(math.pi * torch.arange(3).repeat(4, 1).float())
            self.log_dt = nn.Parameter(torch.rand(4))

        def forward(self, u: Tensor) -> Tensor:
            L = u.size(-1)
            A = -torch.exp(self.log_A) + 1j * self.A_imag
            dtA = A * torch.exp(self.log_dt).unsqueeze(-1)
            C = torch.view_as_complex(self.C) * (torch.exp(dtA) - 1.0) / A
            K = 2 * torch.einsum('hn,hnl->hl', C, torch.exp(dtA.unsqueeze(-1) * torch.arange(L))).real
            return torch.fft.irfft(torch.fft.rfft(u, n=2 * L) * torch.fft.rfft(K, n=2 * L), n=2 * L)[..., :L]

    return M(), [[floats(n, 4, 8)] for n in BATCHES]


# --- half types --------------------------------------------------------------------------------------------------------
class Halves(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv1d(3, 8, 3), nn.BatchNorm1d(8)
        self.line, self.layer = nn.Linear(8, 8), nn.LayerNorm(8)
        self.table, self.mix = nn.Embedding(10, 8), nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor, ids: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
        y = F.gelu(self.norm(self.conv(x))).transpose(1, 2)
        h = self.layer(self.line(y)) + self.table(ids).unsqueeze(1)
        z = self.mix(h, h, h)[0]
        return z, h.softmax(-1), torch.where(z > 0, z, z.abs().sqrt()).mean(1), F.max_pool1d(x, 2).cumsum(-1)


def halves(dtype):
    return Halves().to(dtype), [[floats(n, 3, t).to(dtype), torch.randint(0, 10, (n,))] for n, t in ((2, 6), (1, 6), (3, 9))]


@model
def float16_layers():
    return halves(torch.float16)


@model
def bfloat16_layers():
    return halves(torch.bfloat16)


@model
def float64_layers():
    return halves(torch.float64)


# --- numbers that are drawn --------------------------------------------------------------------------------------------
@model
def random_numbers():
    """Told by what many of them come to: each output is a round number, the next of which is twenty deviations away."""

    class M(nn.Module):
        def forward(self, x: Tensor) -> List[Tensor]:
            n = x.size(0) * 20000
            r = torch.rand(n, 2)
            out = [(r.mean(0) * 10).round(), (r.var(0) * 120).round(), (r >= 0).all(), (r < 1).all()]
            out.append((r[:, 0] * r[:, 1]).mean().mul(40).round())
            g = torch.randn(n)
            wide = torch.randn_like(x.expand(20000, -1, -1).reshape(-1, 3)) * 2 + 1
            out += [(g.abs().mean() * 10).round(), (g.var() * 5).round(), wide.mean(0).mul(4).round()]
            i = torch.randint(3, 7, (n,))
            out += [i.min(), i.max(), torch.bincount(i, minlength=8).mul(8).add(n).div(2 * n, rounding_mode='floor')]
            i = torch.randint_like(torch.zeros(n, dtype=torch.long), 5)
            out += [i.min(), i.max(), torch.randperm(x.size(0) + 5).sort()[0]]
            out += [(torch.normal(2.0, 3.0, (n,)).std() * 2).round(), torch.normal(torch.full((n,), 5.0), torch.ones(n)).mean().round()]
            out += [torch.normal(torch.zeros(n), 2.0).std().mul(3).round(), torch.normal(1.0, torch.full((n,), 0.5)).mean().mul(3).round()]
            e = torch.empty(n)
            e.normal_(1.0, 0.5)
            out.append((e.mean() * 3).round())
            e.uniform_(-2.0, 4.0)
            out += [(e.mean() * 3).round(), (e >= -2).all(), (e < 4).all()]
            e.exponential_(2.0)
            out += [(e.mean() * 4).round(), (e > 0).all()]
            e.bernoulli_(0.25)
            out.append((e.mean() * 8).round())
            e.random_(10)
            out += [e.max(), e.min(), (torch.rand_like(e).mean() * 10).round(), (torch.bernoulli(e, p=0.5).mean() * 10).round()]
            out.append((torch.bernoulli(torch.full((n, 2), 0.75)).mean(0) * 4).round())
            drawn = torch.multinomial(torch.tensor([[0.0, 1.0, 3.0], [2.0, 0.0, 0.0]]), n, replacement=True)
            out += [(drawn.float().mean(1) * 4).round(), torch.amin(drawn, 1), torch.amax(drawn, 1)]
            out.append(torch.multinomial(torch.tensor([0.1, 0.0, 0.5, 0.4]), 3).sort()[0])
            out.append(torch.multinomial(torch.tensor([0.0, 0.0, 1.0]), 1))
            hard = F.gumbel_softmax(torch.tensor([[1.0, 1.0, -50.0]]).expand(n, 3), hard=True)
            out += [(hard.mean(0) * 4).round(), hard.sum(1).round().min()]
            return out

    return M(), [[floats(n, 3)] for n in (2, 1, 3)]


# --- texts, options and lists of modules ----------------------------------------------------------------------------------
@script_only
def functions_of_texts():
    class M(nn.Module):
        def forward(self, x: Tensor, mode: str = 'a_b_a') -> Tensor:
            numbers = [mode.count('a'), mode.count('a', 1), mode.find('a', 1), mode.rfind('a'), mode.find('z'), len('%s:%d' % (mode, 5))]
            numbers += [len(mode.split('_', 1)), len(mode.rsplit('_', 1)[0]), len(mode.zfill(9)), len(mode.center(8, '*')), mode.ljust(7).find(' ')]
            before, by, after = mode.partition('_')
            if before == 'a' and by == '_' and after == 'b_a' and mode.swapcase() == 'A_B_A' and mode.startswith('b', 2):
                x = x * 2
            for i, n in enumerate(numbers):
                x = x + float(n) * 3.0 ** i
            return x

    return M(), [[floats(n, 3)] for n in BATCHES]


@script_only
def unwrapped_options():
    class M(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y: Optional[Tensor] = None
            if x.size(0) > 2:
                y = x * 2
            return torch.jit._unwrap_optional(y) if y is not None else x

    return M(), [[floats(n, 3)] for n in BATCHES]


@torch.jit.interface
class Step(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        pass


class Shifted(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1


class Scaled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 3


@script_only
def module_by_index():
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.steps = nn.ModuleList([Shifted(), Scaled()])
            self.named = nn.ModuleDict({'shift': Shifted(), 'scale': Scaled()})

        def forward(self, x: Tensor, i: int = 1, name: str = 'shift') -> Tensor:
            step: Step = self.steps[i]
            last: Step = self.steps[i - 1]
            named: Step = self.named[name]
            return named.forward(last.forward(step.forward(x)))

    return M(), [[floats(n, 3)] for n in BATCHES]
