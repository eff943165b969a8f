"""Writes nested-*.parquet: columns of lists and of everything beside them, with nulls everywhere, in each encoding,
compression and version of pages.

    pip install pyarrow==26.0.1
    python make_nested.py
"""

import datetime
import decimal
import pathlib
import random

import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
random.seed(9)
rows = 150


def maybe(value, share=0.15):
    return None if random.random() < share else value


def lists(make, nulls=True, longest=6):
    """A list per row: some null, some empty, some with nulls in them, and now and then a long one."""
    out = []
    for _ in range(rows):
        length = random.choice([0, 1, 2, longest, 40 if random.random() < 0.1 else 3])
        values = [maybe(make(), 0.1) if nulls else make() for _ in range(length)]
        out.append(maybe(values) if nulls else values)
    return out


def number():
    return random.choice([random.random(), random.randrange(-5, 5), float("inf"), -0.0])


def small():
    return random.randrange(-100, 100)


def wide():
    return random.choice([random.randrange(-(2**63), 2**63), random.randrange(20)])


def word():
    return random.choice(["a", "ü–", "", "longer text", f"{random.random()}"])


item = pa.field("element", pa.float32(), nullable=False)
table = pa.table(
    {
        "floats": pa.array(lists(number), pa.list_(pa.float32())),
        "floats_required": pa.array(lists(number, nulls=False), pa.list_(item)),
        "same_length": pa.array([[number() for _ in range(8)] for _ in range(rows)], pa.list_(pa.float32(), 8)),
        "doubles": pa.array(lists(number), pa.list_(pa.float64())),
        "halves": pa.array(lists(lambda: random.randrange(-8, 8) / 4), pa.list_(pa.float16())),
        "int64s": pa.array(lists(wide), pa.list_(pa.int64())),
        "int32s": pa.array(lists(small, longest=20), pa.list_(pa.int32())),
        "uint64s": pa.array(lists(lambda: random.randrange(2**64)), pa.list_(pa.uint64())),
        "uint32s": pa.array(lists(lambda: random.randrange(2**32)), pa.list_(pa.uint32())),
        "int8s": pa.array(lists(small), pa.list_(pa.int8())),
        "truths": pa.array(lists(lambda: random.random() < 0.5), pa.list_(pa.bool_())),
        "words": pa.array(lists(word), pa.list_(pa.string())),
        "only_nulls": pa.array([None] * rows, pa.list_(pa.float32())),
        "only_empty": pa.array([[] for _ in range(rows)], pa.list_(pa.int64())),
        "long_rows": pa.array([[float(i)] * (500 if i % 50 == 7 else 1) for i in range(rows)], pa.list_(pa.float32())),
        "deep": pa.array(lists(lambda: [small(), small()]), pa.list_(pa.list_(pa.int32()))),
        "deep_struct": pa.array(lists(lambda: {"a": small()}), pa.list_(pa.struct({"a": pa.int32()}))),
        "struct": pa.array([maybe({"a": maybe(small()), "b": [1, 2]}) for _ in range(rows)]),
        "map": pa.array([[("k", small())] for _ in range(rows)], pa.map_(pa.string(), pa.int64())),
        "float": pa.array([maybe(number()) for _ in range(rows)], pa.float32()),
        "int64": pa.array([maybe(wide()) for _ in range(rows)], pa.int64()),
        "row": pa.array(range(rows), pa.int64()),
        "truth": pa.array([maybe(random.random() < 0.5) for _ in range(rows)], pa.bool_()),
        "word": pa.array([maybe(word()) for _ in range(rows)], pa.string()),
        "date": pa.array([maybe(datetime.date(2024, 1, 1 + i % 28)) for i in range(rows)], pa.date32()),
        "time": pa.array([maybe(1_700_000_000_000_000 + i) for i in range(rows)], pa.timestamp("us")),
        "decimal": pa.array([maybe(decimal.Decimal(small()) / 4) for _ in range(rows)], pa.decimal128(9, 2)),
        "bytes": pa.array([maybe(word().encode()[:2].ljust(2)) for _ in range(rows)], pa.binary(2)),
        "nothing": pa.array([None] * rows, pa.int32()),
    }
)

numbers = {
    name: "BYTE_STREAM_SPLIT" if name in ("floats", "doubles", "float") else "DELTA_BINARY_PACKED"
    for name in ("floats", "doubles", "float", "int64s", "int32s", "int64", "row")
}
paths = {name: f"{name}.list.element" if name.endswith("s") else name for name in numbers}
encodings = {paths[name]: encoding for name, encoding in numbers.items()}

kinds = {
    "v1-snappy": {"row_group_size": 60},
    "v2-zstd": {"data_page_version": "2.0", "compression": "zstd", "data_page_size": 300, "write_batch_size": 8},
    "v1-none-pages": {"compression": "none", "data_page_size": 200, "write_batch_size": 7, "use_dictionary": False},
    "v2-none-pages": {
        "compression": "none",
        "data_page_version": "2.0",
        "data_page_size": 200,
        "write_batch_size": 5,
        "dictionary_pagesize_limit": 64,
    },
    "v1-gzip-index": {"compression": "gzip", "write_page_index": True, "data_page_size": 400, "write_batch_size": 16},
    "v2-brotli-delta": {
        "compression": "brotli",
        "data_page_version": "2.0",
        "use_dictionary": False,
        "column_encoding": encodings | {"word": "DELTA_BYTE_ARRAY", "words.list.element": "DELTA_LENGTH_BYTE_ARRAY"},
    },
    "v1-lz4-old-lists": {"compression": "lz4", "use_compliant_nested_type": False, "row_group_size": 149},
}
for name, options in kinds.items():
    pq.write_table(table, here / f"nested-{name}.parquet", **options)
