"""Writes the .npy files of this folder and expected.json. Run with: python make.py (NumPy 1.26 or newer)."""

import json
import pathlib

import numpy as np

here = pathlib.Path(__file__).parent
grid = np.array([[1, 2, 3], [4, 5, 6]])
texts = np.array([["Oslo", ""], ["杭州", "a\u00e9"]])
cube = np.arange(24).reshape(2, 3, 4)

arrays = {
    "float16": grid.astype("<f2") / 4,
    "float32": grid.astype("<f4") / 3,
    "float64": grid.astype("<f8") / 3,
    "float32-special": np.array([np.nan, np.inf, -np.inf, -0.0, 1e-40], "<f4"),
    "int8": (grid - 4).astype("i1"),
    "int16": (grid - 4).astype("<i2"),
    "int32": (grid - 4).astype("<i4"),
    "int64": np.array([2**63 - 1, -(2**63), 2**53 + 1], "<i8"),
    "uint8": grid.astype("u1"),
    "uint16": grid.astype("<u2"),
    "uint32": np.array([2**32 - 1, 0], "<u4"),
    "uint64": np.array([2**64 - 1, 0], "<u8"),
    "bool": grid > 3,
    "complex64": (grid + 1j).astype("<c8"),
    "unicode": texts,
    "unicode-big-endian": texts.astype(">U4"),
    "bytes": np.array([b"ab", b"\xff\x00c", b""]),
    "float32-big-endian": (grid / 4).astype(">f4"),
    "int64-big-endian": grid.astype(">i8"),
    "complex128-big-endian": (grid + 0.5j).astype(">c16"),
    "fortran": np.asfortranarray(cube.astype("<i4")),
    "fortran-complex": np.asfortranarray((grid - 2j).astype("<c8")),
    "fortran-unicode": np.asfortranarray(texts),
    "scalar": np.array(7, "<i4"),
    "empty": np.zeros((0, 3), "<f4"),
    "one-axis": np.array([1.5], "<f4"),
    "version-2": grid.astype("<i4"),
    "version-3": grid.astype("<i4"),
}
versions = {"version-2": (2, 0), "version-3": (3, 0)}


def plain(value):
    if isinstance(value, complex):
        return [plain(value.real), plain(value.imag)]
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return {"int": str(value)}
    return value


expected = {}
for name, array in arrays.items():
    with open(here / f"{name}.npy", "wb") as file:
        np.lib.format.write_array(file, array, version=versions.get(name))
    expected[name] = {
        "dtype": {"U": "string", "S": "string"}.get(array.dtype.kind, array.dtype.newbyteorder("=").name),
        "shape": list(array.shape),
        "values": [plain(value) for value in array.ravel(order="C").tolist()],
    }

document = {"numpy": np.__version__, "arrays": expected}
(here / "expected.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
