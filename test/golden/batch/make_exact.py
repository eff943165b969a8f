"""Writes exact.*: values that doubles, milliseconds and UTF-8 cannot hold.

    pip install pyarrow==26.0.1
    python make_exact.py
"""

import datetime
import decimal
import pathlib

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
D = decimal.Decimal


def times(unit, *counts):
    return pa.array(counts, pa.int64()).cast(pa.timestamp(unit))


table = pa.table(
    {
        "small": pa.array([D("0.119"), D("-4.350"), None], pa.decimal128(9, 3)),
        "long": pa.array([D("12345678901234567.89"), D("-0.01"), None], pa.decimal128(25, 2)),
        "date": pa.array([datetime.date(2020, 1, 13), datetime.date(1969, 12, 31), None]),
        "s": times("s", 1577836814, -1, None),
        "ms": times("ms", 253402300799999, -1, None),
        "us": times("us", 1577836814814804, -1, None),
        "ns": times("ns", 1609459214814814692, -1, None),
        "bytes": pa.array([b"\x0c\xff", b"text", None]),
        "rows": pa.array([{"a": [1, 2], "b": D("0.5")}, {"a": [], "b": None}, None], pa.struct({"a": pa.list_(pa.int64()), "b": pa.decimal128(5, 1)})),
    }
)
for version in ("1.0", "2.6"):
    name = "exact-old.parquet" if version == "1.0" else "exact.parquet"
    fit = table if version == "2.6" else table.drop_columns(["ns"])
    pq.write_table(fit, here / name, version=version, store_decimal_as_integer=version == "1.0")
with pa.ipc.new_file(here / "exact.arrow", table.schema) as writer:
    writer.write_table(table)
