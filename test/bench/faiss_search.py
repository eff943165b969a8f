"""Makes FAISS index files, then searches them as told: the other side of recall.ts.

    faiss_search.py FOLDER ROWS DIMENSION K      writes what is missing, then reads lines "NAME PARAMETER"
    answers each with one line: the microseconds of processor time of one search, one thread, over all queries
"""

import os
import sys
import time

import faiss
import numpy as np

folder, rows, dimension, k = sys.argv[1], *map(int, sys.argv[2:])
factories = {"flat": "Flat", "ivf": "IVF1000,Flat", "hnsw": "HNSW32,Flat"}
rng = np.random.default_rng(1)
queries = rng.standard_normal((16, dimension)).astype("float32")
os.makedirs(folder, exist_ok=True)
queries.tofile(os.path.join(folder, "queries.f32"))

for name, factory in factories.items():
    path = os.path.join(folder, f"{name}-{rows}x{dimension}.faiss")
    if not os.path.exists(path):
        # Embeddings have fewer true dimensions than they have numbers; pure noise is nobody's data and HNSW's worst.
        basis = rng.standard_normal((16, dimension)).astype("float32")
        vectors = rng.standard_normal((rows, 16)).astype("float32") @ basis
        vectors += 0.1 * rng.standard_normal((rows, dimension)).astype("float32")
        index = faiss.index_factory(dimension, factory, faiss.METRIC_INNER_PRODUCT)
        index.train(vectors[:100_000])
        index.add(vectors)
        faiss.write_index(index, path)
        del vectors, index

faiss.omp_set_num_threads(1)
indexes = {name: faiss.read_index(os.path.join(folder, f"{name}-{rows}x{dimension}.faiss")) for name in factories}
print("ready", flush=True)

for line in sys.stdin:
    name, parameter = line.split()
    index = indexes[name]
    if name == "ivf":
        index.nprobe = int(parameter)
    if name == "hnsw":
        index.hnsw.efSearch = int(parameter)
    start = time.process_time()
    for i in range(len(queries)):
        index.search(queries[i : i + 1], k)
    print((time.process_time() - start) * 1e6 / len(queries), flush=True)
