"""Writes golden/ops-*.{json,bin}.gz: one scripted module per case, its inputs, and torch's outputs.

    python test/differential/torch/ops.py [folder [family …]]

Cases are in ops_cases.py and ops_grid.py. Values come from a generator seeded with the case's name, so that a new case moves no other.
"""
import gzip
import io
import json
import math  # noqa: F401  for bodies, as the imports below
import re
import sys
import zlib
from pathlib import Path
from typing import Dict, List, Optional, Tuple  # noqa: F401  names that scripted bodies may use

import torch
import torch.nn.functional as F  # noqa: F401
import torchvision  # noqa: F401  registers its operators
from torch import Tensor  # noqa: F401

import ops_grid  # noqa: F401  lengthens the families
from ops_cases import FAMILIES

DTYPES = {
    'f32': torch.float32, 'f64': torch.float64, 'f16': torch.float16, 'bf16': torch.bfloat16, 'i64': torch.int64,
    'i32': torch.int32, 'i16': torch.int16, 'i8': torch.int8, 'u8': torch.uint8, 'b': torch.bool,
}
NAMES = {
    torch.float32: 'float32', torch.float64: 'float64', torch.float16: 'float16', torch.bfloat16: 'bfloat16',
    torch.int64: 'int64', torch.int32: 'int32', torch.int16: 'int16', torch.int8: 'int8', torch.uint8: 'uint8',
    torch.bool: 'bool',
}
SPEC = re.compile(r'^(?:(\w+):)?(f32|f64|f16|bf16|i64|i32|i16|i8|u8|b)\[([\d,]*)\](.*)$')


def make(spec, generator):
    """A tensor as a case describes it: `f32[2,3]` and a word on the values, see ops_cases.py."""
    name, dtype, dims, values = SPEC.match(spec).groups()
    shape = [int(d) for d in dims.split(',') if d]
    count = 1
    for d in shape:
        count *= d
    if values.startswith('='):
        flat = torch.tensor([float(v) for v in values[1:].split(',')], dtype=torch.float64)
    elif values == '!':  # all different, and far enough apart that no rounding changes their order
        flat = (torch.randperm(count, generator=generator).double() - count // 2) * (1 if dtype[0] in 'iu' else 0.37)
    elif values == '+':
        flat = torch.rand(count, generator=generator, dtype=torch.float64) * 3 + 0.1
        flat = flat.ceil() if dtype[0] in 'iu' else flat
    elif values == 'u':
        flat = torch.rand(count, generator=generator, dtype=torch.float64) * 1.9 - 0.95
    elif values.startswith('<'):
        flat = torch.randint(0, int(values[1:]), (count,), generator=generator).double()
    elif values.startswith('~'):
        flat = torch.randint(-int(values[1:]), int(values[1:]), (count,), generator=generator).double()
    elif dtype == 'b':
        flat = torch.randint(0, 2, (count,), generator=generator).double()
    elif dtype[0] in 'iu':
        flat = torch.randint(0 if dtype == 'u8' else -9, 10, (count,), generator=generator).double()
    else:
        flat = torch.randn(count, generator=generator, dtype=torch.float64)
    return name, flat.reshape(shape).to(DTYPES[dtype])


def script(body, arity, buffers):
    # A class of its own for every case: torch keeps one compiled type per Python class.
    module = type('Case', (torch.nn.Module,), {})()
    for name, value in buffers:
        module.register_buffer(name, value)
    module = torch.jit.script(module.eval())
    lines = body.strip().split('\n') if '\n' in body or body.lstrip().startswith('return ') else [f'return {body}']
    arguments = ', '.join('abcdef'[:arity])
    module.define(f'def forward(self, {arguments}):\n' + '\n'.join(f'    {line}' for line in lines) + '\n')
    return module


def renamed(body, arity, old, new):
    """A compiled function in which one operator goes by another name."""
    unit = torch.jit.CompilationUnit()
    unit.define(f'def forward({", ".join("abcdef"[:arity])}):\n    return {body}\n')
    text = re.sub('# <string>.*', '', str(unit.forward.graph))
    old, new = (name if '::' in name else f'aten::{name}' for name in (old, new))
    assert f'{old}(' in text, f'{old} is not in {text}'
    return torch._C._create_function_from_graph('forward', torch._C.parse_ir(text.replace(f'{old}(', f'{new}(')))


def without_debug(archive):
    """The archive, written by torch's own writer, without the source maps that half of it is."""
    reader = torch._C.PyTorchFileReader(io.BytesIO(archive))
    packed = io.BytesIO()
    writer = torch._C.PyTorchFileWriter(packed)
    writer.set_min_version(int(reader.get_record('version' if reader.has_record('version') else '.data/version')))
    for name in reader.get_all_records():
        if not name.endswith('.debug_pkl') and not name.startswith(('version', '.data/')):
            record = reader.get_record(name)
            writer.write_record(name, record, len(record))
    writer.write_end_of_file()
    return packed.getvalue()


def flatten(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for item in value for t in flatten(item)]
    return [torch.tensor(value)]


def raw(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return tensor.numpy().tobytes()


class Container:
    """Bytes laid end to end, and an index of them."""

    def __init__(self):
        self.bytes = bytearray()
        self.seen = {}

    def add(self, data):
        if data not in self.seen:
            self.seen[data] = len(self.bytes)
            self.bytes += data
        return [self.seen[data], len(data)]


def describe(container, tensor):
    return {'dtype': NAMES[tensor.dtype], 'shape': list(tensor.shape), 'at': container.add(raw(tensor))[0]}


def build(op, body, specs, buffers, rename):
    name = f'{op} {" ".join(specs)}'
    generator = torch.Generator().manual_seed(zlib.crc32(f'{name} {body}'.encode()))
    values = [make(spec, generator)[1] for spec in specs]
    if rename:
        module = renamed(body, len(values), *rename)
    else:
        module = script(body, len(values), [make(spec, generator) for spec in buffers])
    file = io.BytesIO()
    torch.jit.save(module, file)
    with torch.no_grad():
        outputs = flatten(module(*[value.clone() for value in values]))
    return without_debug(file.getvalue()), values, outputs


def main(folder, wanted):
    folder.mkdir(parents=True, exist_ok=True)
    total = failed = 0
    for family, cases in FAMILIES.items():
        if wanted and family not in wanted:
            continue
        container, index, names = Container(), [], set()
        for op, body, variants, buffers, rename in cases:
            for variant in variants or ['']:
                specs = variant.split()
                name = f'{op} {variant}'.strip()
                while name in names:
                    name += "'"
                names.add(name)
                try:
                    archive, inputs, outputs = build(op, body, specs, buffers, rename)
                except Exception as error:
                    failed += 1
                    print(f'{family}: {name}: {body!r}: {str(error).strip().splitlines()[-1][:160]}', file=sys.stderr)
                    continue
                index.append({
                    'name': name,
                    'body': body.strip(),
                    'archive': container.add(archive),
                    'inputs': [describe(container, t) for t in inputs],
                    'outputs': [] if family == 'refused' else [describe(container, t) for t in outputs],
                })
        total += len(index)
        origin = json.dumps(f'test/differential/torch/ops.py, torch {torch.__version__.split("+")[0]}')
        rows = ',\n'.join(json.dumps(case, separators=(',', ':')) for case in index)
        text = f'{{"origin":{origin},"cases":[\n{rows}\n]}}\n'
        (folder / f'ops-{family}.json.gz').write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        (folder / f'ops-{family}.bin.gz').write_bytes(gzip.compress(bytes(container.bytes), 9, mtime=0))
        print(family, len(index), 'cases', len(container.bytes), '->', (folder / f'ops-{family}.bin.gz').stat().st_size)
    print(total, 'cases,', failed, 'failed')


if __name__ == '__main__':
    torch.set_num_threads(1)
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / 'golden', sys.argv[2:])
