"""Writes the items of catalogue.ndjson as Parquet, in the ways that writers differ, and as CSV.

    pip install pyarrow==26.0.1 duckdb==2.0.0
    python test/golden/feature-store/generate.py

catalogue.ndjson is what `catalogue()` of test/support/databases/catalogue.ts gives; a test says when it is not.
types.parquet holds the types that catalogues seldom have, packed.parquet unsigned integers as DuckDB's version 2 packs them.
"""

import csv
import datetime
import decimal
import json
import os

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(folder, "catalogue.ndjson"), encoding="utf-8") as file:
    items = [json.loads(line) for line in file]

schema = pa.schema(
    [
        ("item_id", pa.string()),
        ("age", pa.int32()),
        ("clicks", pa.int64()),
        ("ctr", pa.float32()),
        ("price", pa.float64()),
        ("title", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("sizes", pa.list_(pa.int64())),
        ("vector", pa.list_(pa.float32())),
        ("weights", pa.map_(pa.string(), pa.float64())),
    ]
)


def column(name):
    values = [item[name] for item in items]
    return [list(value.items()) if isinstance(value, dict) else value for value in values]


table = pa.table({name: pa.array(column(name), type=schema.field(name).type) for name in schema.names}, schema=schema)

ways = {
    "snappy": dict(compression="snappy"),
    "gzip-groups": dict(compression="gzip", row_group_size=7),
    "zstd-plain": dict(compression="zstd", use_dictionary=False, data_page_version="2.0"),
    "none-index": dict(compression="none", write_page_index=True, data_page_size=256),
    "brotli": dict(compression="brotli"),
    "lz4": dict(compression="lz4", version="1.0"),
}
for name, options in ways.items():
    pq.write_table(table, os.path.join(folder, f"catalogue-{name}.parquet"), **options)

with open(os.path.join(folder, "catalogue.csv"), "w", encoding="utf-8", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(schema.names)
    for item in items:
        texts = [json.dumps(v, ensure_ascii=False) if isinstance(v, (list, dict)) else v for v in item.values()]
        writer.writerow(["" if text is None else text for text in texts])

time = datetime.datetime(1965, 1, 2, 3, 4, 5, 678901)
rare = {
    "item_id": pa.array(["a", "b", "c"]),
    "uint32": pa.array([4_000_000_000, None, 1], pa.uint32()),
    "uint64": pa.array([2**64 - 1, None, 1], pa.uint64()),
    "uint64s": pa.array([[2**63, 5], None, []], pa.list_(pa.uint64())),
    "float16": pa.array([0.5, None, -2.25], pa.float16()),
    "fixed": pa.array([b"0042", None, b"abcd"], pa.binary(4)),
    "decimal": pa.array([decimal.Decimal("0.3"), None, decimal.Decimal("-70.7")], pa.decimal128(9, 1)),
    "time": pa.array([time, None, datetime.datetime(2026, 1, 2)], pa.timestamp("us")),
    "time96": pa.array([time, None, datetime.datetime(2026, 1, 2)], pa.timestamp("ns")),
    "json": pa.array(['{"a": 1}', None, "[]"], pa.json_()),
}
table = pa.table(rare)
pq.write_table(table.drop_columns("time"), os.path.join(folder, "types.parquet"), use_deprecated_int96_timestamps=True)
pq.write_table(table, os.path.join(folder, "types-time.parquet"))

for name, largest in {"packed": 2**31, "packed-small": 2**31 - 1}.items():
    path = os.path.join(folder, f"{name}.parquet")
    rows = f"SELECT 'i' || i AS item_id, ({largest} - 999 + i)::UINTEGER AS hash FROM range(1000) t(i)"
    duckdb.sql(f"COPY ({rows}) TO '{path}' (PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1)")
