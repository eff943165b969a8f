"""Writes the files of this folder: the twelve held-out digits of packages/cli/examples/digits as tables and texts.

    pip install pyarrow==26.0.1 zstandard==0.25.0
    python make.py
"""

import csv
import gzip
import io
import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import zstandard

here = pathlib.Path(__file__).parent
digits = json.loads((here / "../../../packages/cli/examples/digits/held-out.json").read_text())
rows = digits["rows"]
# Ids that no double holds.
ids = [2**53 + 1 + 2 * i for i in range(len(rows))]
names = [f"digit {row['label']}, “{i}”" for i, row in enumerate(rows)]


def table(images):
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "name": pa.array(names, pa.string()).dictionary_encode(),
            "image": images,
            "score": pa.array([None if i % 5 == 4 else i / 4 for i in range(len(rows))], pa.float64()),
        }
    )


lists = pa.array([row["input"] for row in rows], pa.list_(pa.float32()))
fixed = pa.array([row["input"] for row in rows], pa.list_(pa.float32(), 64))
halves = table(lists)

pq.write_table(halves, here / "snappy.parquet", row_group_size=5)
pq.write_table(halves, here / "zstd-v2.parquet", compression="zstd", data_page_version="2.0", row_group_size=7)
pq.write_table(halves, here / "gzip.parquet", compression="gzip", use_dictionary=False, write_page_index=True)
pq.write_table(table(fixed), here / "fixed-lists.parquet", compression="none", data_page_size=512)
pq.write_table(halves.drop_columns(["image"]), here / "no-image.parquet")

with ipc.new_file(here / "file.arrow", halves.schema) as writer:
    writer.write_table(halves, max_chunksize=5)
with ipc.new_stream(here / "stream.arrows", halves.schema) as writer:
    writer.write_table(halves, max_chunksize=4)
feather.write_feather(table(fixed), here / "lz4.feather", compression="lz4", chunksize=6)
feather.write_feather(table(lists), here / "zstd.feather", compression="zstd")

lines = [
    json.dumps({"id": ids[i], "name": names[i], "image": row["input"]}, ensure_ascii=i % 2 == 0)
    for i, row in enumerate(rows)
]
text = "\n".join(lines) + "\n"
(here / "plain.ndjson").write_text(text, encoding="utf-8")
# Two members, as concatenated logs have them.
half = len(lines) // 2
members = ["\n".join(lines[:half]) + "\n", "\n".join(lines[half:]) + "\n"]
(here / "members.ndjson.gz").write_bytes(b"".join(gzip.compress(m.encode(), mtime=0) for m in members))
(here / "frames.ndjson.zst").write_bytes(b"".join(zstandard.compress(m.encode()) for m in members))

out = io.StringIO()
writer = csv.writer(out)
writer.writerow(["id", "name", "image"])
for i, row in enumerate(rows):
    writer.writerow([ids[i], names[i] + "\nof two lines", " ".join(map(str, row["input"]))])
(here / "quoted.csv").write_text(out.getvalue(), encoding="utf-8", newline="")
out = io.StringIO()
writer = csv.writer(out, delimiter="\t", lineterminator="\n")
writer.writerow(["id", *[f"pixel_{k}" for k in range(64)]])
for i, row in enumerate(rows):
    writer.writerow([ids[i], *row["input"]])
(here / "pixels.tsv").write_text(out.getvalue(), encoding="utf-8", newline="")

(here / "manifest.json").write_text(
    json.dumps(
        {
            "origin": "test/golden/batch/make.py: held-out digits of scikit-learn, see packages/cli/examples/digits/README.md",
            "command": "python make.py",
            "python": sys.version.split()[0],
            "pyarrow": pa.__version__,
            "zstandard": zstandard.__version__,
            "ids": [str(i) for i in ids],
            "names": names,
        },
        indent=2,
        ensure_ascii=False,
    )
    + "\n",
    encoding="utf-8",
)
