"""What constructs.py, programs.py and semantics.py are made with: models by their names, and inputs for them."""
import torch


class Registry:
    """Decorators for functions that build a model; `scripts` and `traces` name those that have that form only."""

    def __init__(self):
        self.models, self.scripts, self.traces = {}, set(), set()

    def model(self, build):
        self.models[build.__name__] = build
        return build

    def script_only(self, build):
        self.scripts.add(build.__name__)
        return self.model(build)

    def trace_only(self, build):
        self.traces.add(build.__name__)
        return self.model(build)


def floats(*shape):
    return torch.randn(*shape)


def ids(high, *shape):
    return torch.randint(0, high, shape)
