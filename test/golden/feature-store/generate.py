"""Writes the items of catalogue.ndjson as Parquet, in the ways that writers differ, and as CSV.

    pip install pyarrow==26.0.1
    python test/golden/feature-store/generate.py

catalogue.ndjson is what `catalogue()` of test/support/databases/catalogue.ts gives; a test says when it is not.
"""

import csv
import json
import os

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
