"""The part of TorchEasyRec that writes fg.json, without what it imports to train: those modules are empty shells here."""

import glob
import importlib
import importlib.abc
import importlib.machinery
import logging
import os
import sys
import tempfile
import types

SHELLS = ("torch", "torchrec", "pyfg", "fbgemm_gpu", "torchmetrics", "dynamicemb", "graphlearn", "common_io", "odps")
SHELLS += ("faiss", "alibabacloud_credentials", "triton", "sklearn", "pandas", "psutil", "safetensors", "anytree")
OWN_SHELLS = ("modules.dense_embedding_collection", "utils.dynamicemb_util", "utils.init_util", "datasets.utils")


class Anything:
    def __init__(self, *args, **kwargs):
        pass

    def __class_getitem__(cls, item):
        return cls

    def reset_executor(self):
        pass

    def vocab_size(self):
        return 10

    def user_features(self):
        return set()

    def sequence_feature_to_name(self):
        return {}


Anything.create = staticmethod(lambda *args: Anything())


class Shell(types.ModuleType):
    __path__ = []
    __file__ = "/pyfg/__init__.py"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (Anything,), {"__module__": self.__name__})
        setattr(self, name, made)
        return made


class Shells(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in SHELLS:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Shell(spec.name)

    def exec_module(self, module):
        pass


def load(checkout):
    """Gives feature_pb2, text_format, and a function of a list of FeatureConfig to fg.json."""
    logging.disable(logging.CRITICAL)
    sys.meta_path.insert(0, Shells())
    import grpc_tools
    from grpc_tools import protoc

    built = tempfile.mkdtemp()
    protos = [os.path.relpath(p, checkout) for p in glob.glob(f"{checkout}/tzrec/protos/**/*.proto", recursive=True)]
    published = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
    assert protoc.main(["protoc", f"-I{checkout}", f"-I{published}", f"--python_out={built}", *protos]) == 0
    for name, paths in {
        "": [f"{checkout}/tzrec"],
        ".protos": [f"{built}/tzrec/protos"],
        ".protos.models": [f"{built}/tzrec/protos/models"],
        **{f".{part}": [f"{checkout}/tzrec/{part}"] for part in ("modules", "datasets", "features", "utils")},
    }.items():
        module = types.ModuleType(f"tzrec{name}")
        module.__path__ = paths
        sys.modules[f"tzrec{name}"] = module
    sys.path.insert(0, built)
    for name in OWN_SHELLS:
        parent, child = f"tzrec.{name}".rsplit(".", 1)
        sys.modules[f"tzrec.{name}"] = Shell(f"tzrec.{name}")
        setattr(sys.modules[parent], child, sys.modules[f"tzrec.{name}"])
    for path in glob.glob(f"{checkout}/tzrec/features/*.py"):
        name = os.path.basename(path)[:-3]
        if not name.endswith("_test") and name != "__init__":
            importlib.import_module(f"tzrec.features.{name}")
    from google.protobuf import text_format
    from tzrec.features import feature
    from tzrec.protos import feature_pb2
    from tzrec.protos.data_pb2 import FgMode

    def fg_json(configs):
        return feature.create_fg_json(feature.create_features(configs, fg_mode=FgMode.FG_NORMAL))

    return feature_pb2, text_format, fg_json
