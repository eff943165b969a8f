"""Exports models with random weights as archives, with inputs and torch's own outputs.

    python test/differential/torch/zoo.py golden test/differential/torch/golden [family …]  # what the tests run
    python test/differential/torch/zoo.py constructs|programs|semantics|small|full <folder> [name …]  # for run.ts; `full` is gigabytes

Each model is saved in every form torch can make of it: trace, script, and both frozen. Every call of an archive is run by
torch from the file, so that what a trace has frozen is expected of the importer too; a call that torch fails on is left out.
"""
import gzip
import io
import json
import sys
import warnings
import zlib
from pathlib import Path

import torch

import constructs
import programs
import semantics
import stateful
import zoo_models
from ops import Container, describe, without_debug

FORMS = ('trace', 'script', 'frozen-trace', 'frozen-script')


def structure(container, value):
    """A value as JSON: a tensor as an object with `at`, a dict as `{"dict": {…}}`, the rest as it is."""
    if isinstance(value, torch.Tensor):
        return describe(container, value)
    if isinstance(value, dict):
        return {'dict': {key: structure(container, item) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return [structure(container, item) for item in value]
    return value


def copied(value):
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(copied(item) for item in value)
    return value


def coarse(value):
    """Rounded to four bits of mantissa: numbers as good as any, that take a quarter of the room when packed."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        mantissa, exponent = torch.frexp(value.detach())
        return torch.ldexp((mantissa * 16).round() / 16, exponent).to(value.dtype)
    if isinstance(value, dict):
        return {key: coarse(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(coarse(item) for item in value)
    return value


def archives(name, module, call, script_only, trace_only):
    """(form, bytes) of every form, and (form, error) of those torch cannot make."""
    made = {}
    for form in ('trace', 'script'):
        if (form == 'trace' and script_only) or (form == 'script' and trace_only):
            continue
        try:
            with torch.no_grad():
                if form == 'script':
                    made[form] = torch.jit.script(module)
                else:
                    made[form] = torch.jit.trace(module, tuple(copied(call)), strict=False, check_trace=False)
        except Exception as error:
            print(f'  {name} {form}: not made: {str(error).strip().splitlines()[-1][:150]}', file=sys.stderr)
            continue
        try:
            made[f'frozen-{form}'] = torch.jit.freeze(made[form])
        except Exception as error:
            print(f'  {name} frozen-{form}: not made: {str(error).strip().splitlines()[-1][:150]}', file=sys.stderr)
    for form, compiled in made.items():
        file = io.BytesIO()
        torch.jit.save(compiled, file)
        yield form, file.getvalue()


def export(container, name, build, folder=None, script_only=False, trace_only=False, kind='plain', forms=FORMS):
    torch.manual_seed(zlib.crc32(name.encode()))
    module, calls = build()
    module = module.eval()
    if kind != 'quantised':
        zoo_models.perturb(module)
    if not folder:
        calls = [coarse(call) for call in calls]
        with torch.no_grad():
            for value in [*module.parameters(), *module.buffers()]:
                if value.layout == torch.strided and not value.is_quantized:
                    value.copy_(coarse(value))
    rows = []
    for form, archive in archives(name, module, calls[0], script_only, trace_only):
        if form not in forms:
            continue
        loaded = torch.jit.load(io.BytesIO(archive))
        ran = []
        for call in calls:
            try:
                with torch.no_grad():
                    outputs = loaded(*copied(call))
            except Exception as error:
                print(f'  {name} {form}: torch fails on a call: {str(error).strip().splitlines()[-1][:150]}', file=sys.stderr)
                continue
            ran.append({'inputs': structure(container, call), 'outputs': structure(container, outputs)})
        row = {'name': name, 'form': form, 'kind': kind}
        if folder:
            (folder / f'{name}-{form}.pt').write_bytes(archive)
            row['file'] = f'{name}-{form}.pt'
        else:
            row['archive'] = container.add(without_debug(archive))
        if ran:
            rows.append({**row, 'calls': ran})
    return rows


def kind_of(name):
    return 'detection' if name in zoo_models.DETECTION else 'quantised' if name in zoo_models.QUANTISED else 'plain'


def write(path, rows, container, packed):
    origin = f'test/differential/torch/zoo.py, torch {torch.__version__.split("+")[0]}'
    lines = ',\n'.join(json.dumps(row, separators=(',', ':')) for row in rows)
    Path(f'{path}.json').write_text(f'{{"origin":{json.dumps(origin)},"models":[\n{lines}\n]}}\n')
    if packed:
        Path(f'{path}.bin.gz').write_bytes(gzip.compress(bytes(container.bytes), 9, mtime=0))
    else:
        Path(f'{path}.bin').write_bytes(bytes(container.bytes))


# Both frozen forms differ in few operators: the repository keeps what covers most per byte, run.ts runs the rest.
LATER = {name for i, name in enumerate(sorted(programs.MODELS)) if i % 2}
GOLDEN = {
    'constructs-trace': (constructs.MODELS, sorted(constructs.MODELS), ('trace',)),
    'constructs-script': (constructs.MODELS, sorted(constructs.MODELS), ('script',)),
    'programs-1': (programs.MODELS, sorted(programs.MODELS.keys() - LATER), ('script', 'frozen-trace')),
    'programs-2': (programs.MODELS, sorted(LATER), ('trace', 'frozen-script')),
    'semantics': (semantics.MODELS, sorted(semantics.MODELS), ('trace', 'script')),
    'stateful': (stateful.MODELS, sorted(stateful.MODELS), FORMS),
    'refused': (stateful.REFUSED, sorted(stateful.REFUSED), ('trace', 'script', 'frozen-script')),
    'vision-1': (zoo_models.SMALL, 'resnet resnext mobilenet_v3 squeeze'.split(), ('trace',)),
    'vision-2': (zoo_models.SMALL, 'efficientnet convnext inception vgg'.split(), ('script',)),
    'attention-1': (zoo_models.SMALL, 'vit swin swin_v2 maxvit'.split(), ('script',)),
    'attention-2': (zoo_models.SMALL, 'bert_sdpa roberta_eager distilbert_sdpa gpt2_eager llama t5_encoder'.split(), ('trace',)),
    'dense': (zoo_models.SMALL, 'fcn deeplab lraspp video'.split(), ('script',)),
    'detection': (zoo_models.SMALL, 'fasterrcnn keypointrcnn_traced maskrcnn ssd_traced'.split(), ('trace', 'script')),
    'quantised': (zoo_models.SMALL, [name for name in zoo_models.SMALL if name in zoo_models.QUANTISED], ('trace', 'frozen-script')),
}
SCRIPT_ONLY = constructs.SCRIPT_ONLY | programs.SCRIPT_ONLY | semantics.SCRIPT_ONLY | stateful.SCRIPT_ONLY
TRACE_ONLY = zoo_models.TRACE_ONLY | programs.TRACE_ONLY | semantics.TRACE_ONLY


def golden(folder, families):
    for family, (builders, names, forms) in GOLDEN.items():
        if families and family not in families:
            continue
        container, rows = Container(), []
        for name in names:
            rows += export(container, name, builders[name], None, name in SCRIPT_ONLY, name in TRACE_ONLY, kind_of(name), forms)
        write(folder / f'zoo-{family}', rows, container, True)
        print(family, len(rows), 'archives', (folder / f'zoo-{family}.bin.gz').stat().st_size)


def main(which, folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    if which == 'golden':
        return golden(folder, names)
    builders = {'constructs': constructs.MODELS, 'programs': programs.MODELS, 'semantics': semantics.MODELS, 'small': zoo_models.SMALL, 'full': zoo_models.FULL}[which]
    for name in names or builders:
        container = Container()
        try:
            rows = export(container, name, builders[name], folder, name in SCRIPT_ONLY, name in TRACE_ONLY, kind_of(name))
        except Exception as error:
            print(f'{name}: {str(error).strip().splitlines()[-1][:200]}', file=sys.stderr)
            continue
        write(folder / name, rows, container, False)
        print(name, ' '.join(f'{row["form"]}×{len(row["calls"])}' for row in rows), flush=True)


if __name__ == '__main__':
    warnings.simplefilter('ignore')
    torch.set_num_threads(1)
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
