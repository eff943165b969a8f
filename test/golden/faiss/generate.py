"""Writes FAISS index files and what FAISS finds in them.

    pip install faiss-cpu==1.15.1
    python test/golden/faiss/generate.py test/golden/faiss/generated          # the small ones beside this script
    python test/golden/faiss/generate.py /tmp/faiss-large --large             # for test/golden/faiss/differential.ts

Vectors of whole numbers make every score exact in float32, and many of them equal: ids must then agree to the last tie.
Vectors of any numbers show that the arithmetic is the same up to rounding.
"""

import argparse
import json
import os

import faiss
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--large", action="store_true")
options = parser.parse_args()
os.makedirs(options.folder, exist_ok=True)
faiss.omp_set_num_threads(1)  # with more, FAISS may split one query's search and join ties differently

IP, L2 = faiss.METRIC_INNER_PRODUCT, faiss.METRIC_L2
metric_names = {IP: "ip", L2: "l2"}
cases = []


def vectors(rng, n, d, kind):
    if kind == "whole":
        return rng.integers(-2, 3, (n, d)).astype("float32")
    return rng.standard_normal((n, d)).astype("float32")


def round_centroids(index):
    quantizer = faiss.downcast_index(faiss.extract_index_ivf(index).quantizer)
    centroids = np.round(quantizer.reconstruct_n(0, quantizer.ntotal))
    quantizer.reset()
    quantizer.add(centroids)


def add_case(name, factory, metric, kind, n, d, searches, ids=None, nq=5):
    """`searches`: pairs of k and parameters."""
    rng = np.random.default_rng(len(cases) + 1)
    xb, queries = vectors(rng, n, d, kind), vectors(rng, nq, d, kind)
    index = factory if not isinstance(factory, str) else faiss.index_factory(d, factory, metric)
    if n and not index.is_trained:
        index.train(xb)
        if kind == "whole":
            round_centroids(index)
    if n:
        index.add_with_ids(xb, ids(n)) if ids else index.add(xb)
    file = f"{name}.faiss"
    faiss.write_index(index, os.path.join(options.folder, file))
    index = faiss.read_index(os.path.join(options.folder, file))
    for k, params in searches:
        inner = faiss.downcast_index(index)
        while not hasattr(inner, "nprobe") and not hasattr(inner, "hnsw") and hasattr(inner, "index"):
            inner = faiss.downcast_index(inner.index)
        if "nprobe" in params:
            inner.nprobe = params["nprobe"]
        if "efSearch" in params:
            inner.hnsw.efSearch = params["efSearch"]
        D, I = index.search(queries, k)
        cases.append(
            {
                "file": file,
                "metric": metric_names[metric],
                "exact": kind == "whole",
                "n": n,
                "d": d,
                "k": k,
                "params": params,
                "queries": queries.ravel().tolist(),
                "D": D.ravel().tolist(),
                "I": [str(i) for i in I.ravel()],
            }
        )


big = lambda n: np.arange(n, dtype="int64") * 7 - (1 << 62)


def small():
    for metric in (IP, L2):
        m = metric_names[metric]
        for d in (1, 3, 6, 17):
            add_case(f"flat_{m}_d{d}", "Flat", metric, "whole", 90, d, [(1, {}), (10, {}), (120, {})], nq=3)
        add_case(f"flat_{m}_ties", "Flat", metric, "whole", 1500, 2, [(99, {}), (100, {}), (130, {})], nq=3)
        add_case(f"flat_{m}_real", "Flat", metric, "real", 300, 13, [(7, {}), (150, {})], nq=3)
        add_case(f"ivf_{m}_ties", "IVF12,Flat", metric, "whole", 500, 3, [(5, {"nprobe": 3}), (60, {"nprobe": 12})], nq=3)
        add_case(f"ivf_{m}_many", "IVF130,Flat", metric, "whole", 600, 3, [(20, {"nprobe": 110}), (150, {"nprobe": 800})], nq=2)
        add_case(f"ivf_{m}_idmap", "IDMap,IVF8,Flat", metric, "whole", 200, 5, [(9, {"nprobe": 4})], ids=big, nq=3)
        add_case(f"ivf_{m}_own_ids", "IVF8,Flat", metric, "whole", 200, 4, [(9, {"nprobe": 8})], ids=big, nq=3)
        add_case(f"ivf_{m}_hnsw", "IVF20_HNSW8,Flat", metric, "real", 400, 6, [(9, {"nprobe": 3})], nq=3)
        add_case(f"hnsw_{m}", "HNSW6,Flat", metric, "real", 400, 7, [(1, {"efSearch": 4}), (10, {"efSearch": 16}), (40, {"efSearch": 8})])
        add_case(f"hnsw_{m}_ties", "HNSW4,Flat", metric, "whole", 300, 4, [(10, {"efSearch": 12}), (30, {"efSearch": 20})], nq=4)
        add_case(f"ivfpq_{m}", "IVF6,PQ3x8np", metric, "real", 400, 6, [(8, {"nprobe": 3})], nq=3)
        add_case(f"ivfpq_{m}_bits5", "IVF6,PQ3x5np", metric, "real", 300, 6, [(8, {"nprobe": 6})], nq=3)
        add_case(f"pca_{m}", "PCA4,Flat", metric, "real", 120, 9, [(8, {})], nq=3)
        add_case(f"opq_{m}", "OPQ2,IVF4,PQ2x4np", metric, "real", 300, 6, [(8, {"nprobe": 2})], nq=3)
        add_case(f"norm_{m}", "L2norm,RR5,Flat", metric, "real", 90, 5, [(8, {})], nq=3)
        add_case(f"empty_{m}", "Flat", metric, "real", 0, 4, [(3, {})], nq=2)
        add_case(f"empty_hnsw_{m}", "HNSW4,Flat", metric, "real", 0, 4, [(3, {})], nq=2)
    quantizer = faiss.IndexFlatL2(6)
    index = faiss.IndexIVFPQ(quantizer, 6, 5, 2, 4, L2)
    index.by_residual = False
    add_case("ivfpq_l2_plain", index, L2, "real", 200, 6, [(8, {"nprobe": 2})], nq=3)
    center = faiss.IndexPreTransform(faiss.CenteringTransform(4), faiss.IndexFlatIP(4))
    add_case("center_ip", center, IP, "real", 80, 4, [(8, {})], nq=3)
    remap = faiss.IndexPreTransform(faiss.RemapDimensionsTransform(4, 6, True), faiss.IndexFlatIP(6))
    add_case("remap_ip", remap, IP, "real", 80, 4, [(8, {})], nq=3)


def large():
    for metric in (IP, L2):
        m = metric_names[metric]
        for kind in ("whole", "real"):
            n, d = 60_000, 24
            ks = (1, 10, 99, 100, 200, 1000)
            add_case(f"flat_{m}_{kind}", "Flat", metric, kind, n, d, [(k, {}) for k in ks], nq=20)
            probes = (1, 16, 150, 800)
            add_case(f"ivf_{m}_{kind}", "IVF256,Flat", metric, kind, n, d, [(k, {"nprobe": p}) for k in (10, 200) for p in probes], nq=20)
            searches = [(k, {"efSearch": ef}) for k in (1, 10, 200) for ef in (16, 64, 300)]
            add_case(f"hnsw_{m}_{kind}", "HNSW32,Flat", metric, kind, n, d, searches, nq=20)
        add_case(f"hnsw_{m}_ties", "HNSW4,Flat", metric, "whole", 300, 4, [(10, {"efSearch": 12}), (30, {"efSearch": 20})], nq=4)
        add_case(f"ivfpq_{m}", "IVF64,PQ8x8np", metric, "real", 30_000, 32, [(k, {"nprobe": 16}) for k in (10, 200)], nq=20)


(large if options.large else small)()
with open(os.path.join(options.folder, "expected.json"), "w") as file:
    origin = {"tool": "faiss-cpu", "version": faiss.__version__, "script": "test/golden/faiss/generate.py"}
    file.write('{"origin": %s,\n"cases": [\n' % json.dumps(origin))
    file.write(",\n".join(json.dumps(case) for case in cases))
    file.write("\n]}\n")
