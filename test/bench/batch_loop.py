"""The loop that a data scientist writes: a file in, batches through onnxruntime, a file out.

    python batch_loop.py model.onnx rows.ndjson|rows.parquet out rows_per_batch

Prints rows per second, of a process that has everything loaded.
"""

import json
import sys
import time

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pyarrow.parquet as pq

model, path, out, batch_rows = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
feed = session.get_inputs()[0]
dtype = np.int64 if "int64" in feed.type else np.float32
output = session.get_outputs()[0].name


def score(values):
    return session.run([output], {feed.name: values})[0]


start = time.perf_counter()
rows = 0
if path.endswith(".parquet"):
    writer = None
    for batch in pq.ParquetFile(path).iter_batches(batch_size=batch_rows):
        column = batch.column(feed.name)
        values = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)
        scores = score(np.ascontiguousarray(values, dtype=dtype))
        flat = pa.array(scores.ravel())
        lists = pa.FixedSizeListArray.from_arrays(flat, scores.shape[1])
        table = pa.table({"id": batch.column("id"), output: lists})
        writer = writer or pq.ParquetWriter(out, table.schema)
        writer.write_table(table)
        rows += len(column)
    writer.close()
else:
    with open(path, encoding="utf-8") as lines, open(out, "w", encoding="utf-8") as results:

        def flush(ids, values):
            scores = score(np.array(values, dtype=dtype))
            for row_id, row in zip(ids, scores.tolist()):
                results.write(json.dumps({"id": row_id, output: row}) + "\n")

        ids, values = [], []
        for line in lines:
            row = json.loads(line)
            ids.append(row["id"])
            values.append(row[feed.name])
            rows += 1
            if len(ids) == batch_rows:
                flush(ids, values)
                ids, values = [], []
        if ids:
            flush(ids, values)
print(rows / (time.perf_counter() - start))
