"""Writes ROWS items of 20 columns as Parquet: feature_store_parquet.py PATH ROWS"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

path, rows = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(1)
columns = {"item_id": pa.array([f"item_{i}" for i in range(rows)])}
for i in range(5):
    columns[f"text{i}"] = pa.array([f"value {v}" for v in rng.integers(0, 10 ** (i + 2), rows)])
    columns[f"long{i}"] = pa.array(rng.integers(-(2**60), 2**60, rows))
    columns[f"int{i}"] = pa.array(rng.integers(0, 1000, rows, dtype="int32"))
    columns[f"double{i}"] = pa.array(rng.standard_normal(rows))
pq.write_table(pa.table(columns), path, row_group_size=100_000)
