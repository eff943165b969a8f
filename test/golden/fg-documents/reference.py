"""Feature generation as TorchEasyRec's documentation describes it, one cell at a time: what the documents of generate.py
are compared with. It shares nothing with the TypeScript. Needs numpy.

A cell is a list of (value, type); a row is a cell, or of a sequence a list of cells. A feature that reads nothing of
items has one row, which stands for every item.
"""

import math

import numpy as np

# libstdc++'s std::hash of a string: MurmurHash64A with this seed, and a tail that is not multiplied before.
M = 0xC6A4A7935BD1E995
MASK = (1 << 64) - 1


def std_hash(b):
    n = len(b)
    h = (0xC70F6907 ^ (n * M)) & MASK
    i = 0
    while i + 8 <= n:
        k = int.from_bytes(b[i : i + 8], "little")
        k = k * M & MASK
        k ^= k >> 47
        k = k * M & MASK
        h ^= k
        h = h * M & MASK
        i += 8
    if i < n:
        t = int.from_bytes(b[i:], "little")
        h ^= t
        h = h * M & MASK
    h ^= h >> 47
    h = h * M & MASK
    h ^= h >> 47
    return h


def number_text(v, f32):
    if f32:
        v = np.float32(v)
        if v == int(v):
            return str(int(v))
        s = str(v)
        return s
    if v == int(v):
        return str(int(v))
    return repr(float(v))


def value_text(v, of):
    if of == "string":
        return v
    if of in ("int", "long"):
        return str(v)
    return number_text(v, of == "float")


def kind_of(kind):
    if kind.endswith("_feature"):
        return "scalar", kind[:-8]
    if kind.endswith("_lists"):
        return "lists", kind[:-6]
    if kind.endswith("_list"):
        return "list", kind[:-5]
    if kind.endswith("_map"):
        return "map", kind[:-4].split("_")[1]


# a cell = list of (value, of) with value str/num, or [('map',dict,of)]
def plain_cell(f, sep):
    if f is None or f.get("kind") is None:
        return []
    form, of = kind_of(f["kind"])
    v = f["value"]
    if form == "scalar":
        if of == "string":
            return [(p, "string") for p in (v.split(sep) if sep else [v]) if p != ""]
        return [(v, of)]
    if form == "list":
        return [(x, of) for x in v if x != ""]
    if form == "lists":
        return [(x, of) for l in v for x in l if x != ""]
    return [("map", v, of)] if v else []


def seq_cells(f, sep, delim, length):
    if f is None or f.get("kind") is None:
        return [[]]
    form, of = kind_of(f["kind"])
    v = f["value"]
    sp = lambda t: [(p, "string") for p in (t.split(sep) if sep else [t]) if p != ""]
    if form == "scalar":
        if of == "string":
            if v == "":
                return [[]]
            c = [sp(x) for x in v.split(delim)]
        else:
            c = [[(v, of)]]
    elif form == "list":
        c = [sp(x) if of == "string" else [(x, of)] for x in v]
    elif form == "lists":
        c = [[(y, of) for y in x if y != ""] for x in v]
    else:
        c = [plain_cell(f, sep)]
    if not c:
        return [[]]
    return c[:length] if length else c


def to_number(x, of):
    if of != "string":
        return float(x)
    try:
        return float(x)
    except ValueError:
        return None


class Document:
    def __init__(self, fg, req, items=None):
        self.fg = fg
        self.req = req
        self.out = {}
        self.before = {}
        self.n = max(1, len(req["item_ids"]))
        self.feats = []
        for e in fg["features"]:
            if "features" in e:
                for m in e["features"]:
                    self.feats.append((m, e))
            else:
                self.feats.append((e, None))
        self.names = {self.full(m, g): (m, g) for m, g in self.feats}
        self.items = items or {}

    def full(self, m, g):
        return (g["sequence_name"] + "__" if g else "") + m["feature_name"]

    def run(self):
        return {n: self.value(n) for n, (m, g) in self.names.items() if not m.get("stub_type")}

    # value: dict(rows=[row]) row = cell or list of cells for seq
    def sequence_of(self, m, g):
        if g:
            return g["sequence_delim"], g["sequence_length"]
        t = m["feature_type"]
        if t.startswith("sequence_") or m.get("is_sequence") or (t in ("bool_mask_feature",) and "sequence_delim" in m):
            return m.get("sequence_delim", ";"), m.get("sequence_length", 0)
        return None

    def inputs(self, m, g, refs, sep, tables=0, allseq=False):
        si = self.sequence_of(m, g)
        parsed = [r.split(":", 1) for r in refs]
        marks = []
        for side, name in parsed:
            if not si or side == "const":
                marks.append(False)
                continue
            if m.get("sequence_fields"):
                marks.append(name in m["sequence_fields"])
            elif len(refs) == 1:
                marks.append(side != "feature")
            else:
                marks.append(side == "item")
        none = not any(marks)
        res = []
        for i, (side, name) in enumerate(parsed):
            isq = bool(si) and side != "const" and (marks[i] or (none and i < len(refs) - tables) or allseq)
            res.append((side, name, isq, marks[i]))
        return res, si

    def column(self, m, g, inp, si, sep):
        """list of rows; each row either ('p',cell) or ('s',[cells])"""
        side, name, isq, pref = inp
        if side == "const":
            return [("p", plain_cell({"kind": "string_feature", "value": name}, sep))]
        if side == "feature":
            fn = (g["sequence_name"] + "__" + name) if g and g["sequence_name"] + "__" + name in self.names else name
            v = self.value(fn)
            rows = []

            def resp(c):
                o = []
                for x in c:
                    if x[0] == "map":
                        o.append(x)
                    elif isinstance(x[0], str):
                        o += [(p, "string") for p in (x[0].split(sep) if sep else [x[0]]) if p != ""]
                    else:
                        o.append((float(np.float32(x[0])), "float") if isinstance(x[0], float) else (x[0], "long"))
                return o

            for r in v["rows"]:
                if v["seq"]:
                    cs = [resp(c) for c in r]
                    rows.append(
                        ("s", cs[: si[1]] if si and si[1] else cs) if isq else ("p", [x for c in cs for x in c])
                    )
                else:
                    c = resp(r)
                    rows.append(("s", ([[x] for x in c] or [[]])) if isq else ("p", c))
            return rows
        nm = name
        if g and pref:
            nm = g["sequence_name"] + "__" + name
        R = self.req
        if side == "user":
            fs = [R["user"].get(nm)]
        elif side == "context":
            fs = R["context"].get(nm, [None])
        else:
            if g and pref:
                if nm in R["user"]:
                    fs = [R["user"][nm]]
                elif nm in R["item"]:
                    fs = R["item"][nm]
                else:
                    pk = g["sequence_pk"].split(":", 1)[1]
                    ids = [(c[0][0] if c else None) for c in seq_cells(R["user"].get(pk), None, *si)]
                    if ids == [None] and not R["user"].get(pk):
                        return [("s", [[]])]
                    cells = [
                        plain_cell(self.items.get(str(i), {}).get(name), sep) if i is not None else [] for i in ids
                    ]
                    return [("s", cells)]
            else:
                sent = R["item"].get(nm)
                if not R["item_ids"]:
                    fs = [None]
                else:
                    fs = [
                        (
                            sent[i]
                            if sent and sent[i] and sent[i].get("kind")
                            else self.items.get(R["item_ids"][i], {}).get(nm)
                        )
                        for i in range(self.n)
                    ]
        if isq:
            return [("s", seq_cells(f, sep, *si)) for f in fs]
        return [("p", plain_cell(f, sep)) for f in fs]

    def align(self, cols):
        rows = max(len(c) for c in cols) if any(len(c) != 1 for c in cols) else 1
        for c in cols:
            if len(c) != 1:
                rows = len(c)
        out = []
        seq = any(r[0] == "s" for c in cols for r in c)
        for i in range(rows):
            rr = [c[0] if len(c) == 1 else c[i] for c in cols]
            if not seq:
                out.append([r[1] for r in rr])
                continue
            L = max(len(r[1]) for r in rr if r[0] == "s")
            steps = []
            for k in range(L):
                cells = []
                for r in rr:
                    if r[0] == "p":
                        cells.append(r[1])
                    elif len(r[1]) == 1:
                        cells.append(r[1][0])
                    else:
                        cells.append(r[1][k] if k < len(r[1]) else [])
                steps.append(cells)
            out.append(steps)
        return out, seq

    def value(self, n):
        if n in self.out:
            return self.out[n]
        m, g = self.names[n]
        t = m["feature_type"]
        if t.startswith("sequence_"):
            t = t[9:]
        seq = self.sequence_of(m, g) is not None
        sep = m.get("separator", "\x1d")
        fn = getattr(self, "op_" + t)
        refs, compute, fin = fn(m, g, n, sep, seq)
        infos, si = self.inputs(m, g, refs["refs"], sep, refs.get("tables", 0), refs.get("allseq", False))
        cols = [self.column(m, g, inf, si, refs["seps"][i]) for i, inf in enumerate(infos)]
        rows, isseq = self.align(cols)
        if isseq:
            res = [[fin(compute(c)) for c in r] for r in rows]
        else:
            res = [fin(compute(r)) for r in rows]
        v = {"rows": res, "seq": isseq, "m": m, "declared": seq}
        self.out[n] = v
        return v

    # finishers
    def finish_texts(self, m, sep, seq, keep, dsep=None):
        d = m.get("default_value", "")
        if seq and d == "":
            d = "0"
        dv = [p for p in d.split(dsep or sep) if p != ""]
        buck = self.bucket(m)
        w = m.get("weighted")

        def fin(vals):  # list of (text[,weight])
            if not vals:
                vals = [(x, 1.0) for x in dv]
            elif keep:
                vals = vals[:keep]
            if buck:
                return [(int(buck(x[0])),) + ((x[1],) if w else ()) for x in vals]
            return [(x[0], "string") for x in vals]

        return fin

    def bucket(self, m):
        if "hash_bucket_size" in m:
            return lambda t: std_hash(t.encode()) % m["hash_bucket_size"]
        if "num_buckets" in m:

            def nb(t):
                try:
                    v = int(t) if isinstance(t, str) and t.strip().lstrip("+-").isdigit() else math.trunc(float(t))
                except (ValueError, OverflowError):
                    return 0
                return v if 0 <= v < m["num_buckets"] else 0

            return nb
        if "vocab_list" in m:
            d = {w: i for i, w in enumerate(m["vocab_list"])}
            return lambda t: d.get(t, m["default_bucketize_value"])
        if "vocab_dict" in m:
            return lambda t: m["vocab_dict"].get(t, m["default_bucketize_value"])
        if "boundaries" in m:
            bs = [np.float32(b) for b in m["boundaries"]]
            return lambda x: sum(1 for b in bs if b <= np.float32(float(x)))

    def norm(self, m):
        z = m.get("normalizer")
        if not z:
            return lambda x: x
        kv = dict(p.split("=", 1) for p in z.split(",")) if "expr=" not in z else None
        if kv is None:
            e = z.split("expr=", 1)[1]
            return lambda x: eval(
                e,
                {
                    "x": x,
                    "sign": lambda v: (v > 0) - (v < 0),
                    "log": lambda v: math.log(v) if v > 0 else (float("-inf") if v == 0 else float("nan")),
                    "abs": abs,
                    "max": max,
                    "min": min,
                },
            )
        if kv["method"] == "log10":
            return lambda x: math.log10(x) if x > float(kv["threshold"]) else float(kv["default"])
        if kv["method"] == "zscore":
            return lambda x: (x - float(kv["mean"])) / float(kv["standard_deviation"])
        return lambda x: (x - float(kv["min"])) / (float(kv["max"]) - float(kv["min"]))

    def finish_numbers(self, m, sep, seq, dim, keep=None, norm=True, dsep=None, default=None):
        """vals: list of floats or None = missing"""
        d = m.get("default_value", "") if default is None else default
        if seq and d == "":
            d = "0"
        dv = [float(p) for p in d.split(dsep or sep) if p != ""]
        if dim and len(dv) == 1:
            dv = dv * dim
        dv = dv[:dim] if dim else dv
        buck = self.bucket(m)
        nz = self.norm(m) if norm else (lambda x: x)
        cols = max(dim, 1)

        def fin(vals):
            if vals is not None:
                vals = [nz(x) for x in vals]
                k = keep if keep is not None else (dim if buck else cols)
                if not buck:
                    k = cols
                if k:
                    vals = vals[:k]
                if (k and len(vals) < k) or not vals or any(math.isnan(x) for x in vals):
                    vals = None
            if vals is None:
                vals = list(dv)
                if not buck:
                    vals = (vals + [0.0] * cols)[:cols]
            if buck:
                return [(int(buck(x)),) for x in vals]
            return [(float(x), "num") for x in vals]

        return fin

    def texts_of(self, c):
        o = []
        for x in c:
            if x[0] == "map":
                o += [f"{k}:{value_text(v,x[2])}" for k, v in x[1].items()]
            else:
                o.append(value_text(x[0], x[1]))
        return o

    def numbers_of(self, c):
        o = []
        for x in c:
            if x[0] == "map":
                return None
            v = to_number(x[0], x[1])
            if v is None or math.isnan(v):
                return None
            o.append(v)
        return o or None

    def table_of(self, c, bare, first):
        if not c:
            return None
        d = {}
        for x in c:
            if x[0] == "map":
                d.update({str(k): (value_text(v, x[2]) if x[2] == "string" else (v, x[2])) for k, v in x[1].items()})
                continue
            t = value_text(x[0], x[1])
            if ":" in t:
                k, v = t.split(":", 1) if first else t.rsplit(":", 1)
                d[k] = v
            elif bare is not None:
                d[t] = bare
        return d

    # ops
    def op_id_feature(self, m, g, n, sep, seq):
        keep = m.get("value_dim", 0)
        if m.get("weighted"):

            def comp(cs):
                o = []
                for x in cs[0]:
                    if x[0] == "map":
                        o += [(str(k), float(v)) for k, v in x[1].items()]
                    else:
                        t = value_text(*x)
                        if ":" in t:
                            k, w = t.rsplit(":", 1)
                            o.append((k, float(w)))
                        else:
                            o.append((t, 1.0))
                return o

        else:
            comp = lambda cs: [(t,) for t in self.texts_of(cs[0])]
        return {"refs": [m["expression"]], "seps": [sep]}, comp, self.finish_texts(m, sep, seq, keep)

    def op_raw_feature(self, m, g, n, sep, seq):
        return (
            {"refs": [m["expression"]], "seps": [sep]},
            (lambda cs: self.numbers_of(cs[0])),
            self.finish_numbers(m, sep, seq, m.get("value_dim", 1)),
        )

    def op_combo_feature(self, m, g, n, sep, seq):
        def comp(cs):
            res = [""]
            first = True
            for c in cs:
                t = self.texts_of(c)
                if not t:
                    return []
                res = t if first else [a + "_" + b for a in res for b in t]
                first = False
            return [(x,) for x in res]

        return {"refs": m["expression"], "seps": [sep] * 9}, comp, self.finish_texts(m, sep, seq, m.get("value_dim", 0))

    COMB = {
        "sum": sum,
        "mean": lambda v: sum(v) / len(v),
        "avg": lambda v: sum(v) / len(v),
        "min": min,
        "max": max,
        "count": lambda v: float(len(v)),
    }

    def op_combine_feature(self, m, g, n, sep, seq):
        nz = self.norm(m)

        def comp(cs):
            vm = m.get("value_map")
            if vm:
                v = [vm[t] for t in self.texts_of(cs[0]) if t in vm]
            else:
                v = self.numbers_of(cs[0])
            if not v:
                return None
            return [nz(self.COMB[m["combiner"]](v))]

        return {"refs": [m["expression"]], "seps": [sep]}, comp, self.finish_numbers(m, sep, seq, 1, norm=False)

    def op_lookup_feature(self, m, g, n, sep, seq):
        dis = m["needDiscrete"]

        def hits(cs):
            mp = self.table_of(cs[1], None, True)
            if mp is None:
                return []
            return [(k, mp[k]) for k in self.texts_of(cs[0]) if k in mp]

        if dis:

            def comp(cs):
                o = []
                for k, v in hits(cs):
                    t = v if isinstance(v, str) else value_text(*v)
                    if t != "":
                        o.append(((k + "_" if m["needKey"] else "") + t,))
                return o

            fin = self.finish_texts(m, sep, seq, 0, dsep="\x1d")
        else:
            nz = self.norm(m)

            def comp(cs):
                o = []
                for k, v in hits(cs):
                    x = to_number(v, "string") if isinstance(v, str) else float(v[0])
                    if x is not None and not math.isnan(x):
                        o.append(nz(x))
                if not o:
                    return None
                return [self.COMB[m["combiner"]](o)] if m["combiner"] else o

            fin = self.finish_numbers(
                m,
                sep,
                seq,
                1 if m["combiner"] else m.get("value_dim", 1),
                keep=1 if m["combiner"] else 0,
                norm=False,
                dsep="\x1d",
            )
        return {"refs": [m["key"], m["map"]], "seps": [sep, "\x1d"], "tables": 1}, comp, fin

    def op_match_feature(self, m, g, n, sep, seq):
        refs = []
        lit = []
        for k in ("category", "item"):
            lit.append(m[k] == "ALL")
            if m[k] != "ALL":
                refs.append(m[k])
        refs.append(m["user"])

        def table(c):
            d = {}
            if not c:
                return d
            for x in c:
                if x[0] == "map":
                    ents = [(str(k), str(v)) for k, v in x[1].items()]
                else:
                    ents = [e.split("^", 1) for e in value_text(*x).split("|") if "^" in e]
                for k, v in ents:
                    dd = d.setdefault(k, {})
                    for p in v.split(","):
                        if ":" in p:
                            a, b = p.split(":", 1)
                            dd[a] = b
            return d

        def comp0(cs):
            cs = list(cs)
            tb = table(cs[-1])
            ks = cs[:-1]
            pk = None if lit[0] else self.texts_of(ks.pop(0))
            sk = None if lit[1] else self.texts_of(ks.pop(0))
            o = []
            for a in (tb.keys() if pk is None else pk):
                if a not in tb:
                    continue
                for b in (tb[a].keys() if sk is None else sk):
                    if b in tb[a]:
                        o.append((a, b, tb[a][b]))
            return o

        if m["needDiscrete"]:
            pre = n + "_" if "hash_bucket_size" in m else ""

            def comp(cs):
                return [
                    (pre + (a + "_" if m["show_category"] else "") + (b + "_" if m["show_item"] else "") + v,)
                    for a, b, v in comp0(cs)
                ]

            fin = self.finish_texts(m, sep, seq, 0, dsep="\x1d")
        else:
            nz = self.norm(m)

            def comp(cs):
                v = [nz(float(x[2])) for x in comp0(cs)]
                return [sum(v)] if v else None

            fin = self.finish_numbers(m, sep, seq, 1, norm=False, dsep="\x1d")
        return {"refs": refs, "seps": [sep] * (len(refs) - 1) + [None], "tables": 1}, comp, fin

    def op_expr_feature(self, m, g, n, sep, seq):
        names = [v.split(":", 1)[1] for v in m["variables"]]

        def comp(cs):
            vs = [self.numbers_of(c) for c in cs]
            if any(v is None for v in vs):
                if "fill_missing" not in m:
                    return None
                vs = [v if v is not None else [m["fill_missing"]] for v in vs]
            return self.EXPR[m["expression"]](names, vs)

        return (
            {"refs": m["variables"], "seps": [sep] * 9},
            comp,
            self.finish_numbers(m, sep, seq, m.get("value_dim", 0)),
        )

    @staticmethod
    def ew(f):
        def h(names, vs):
            L = max(len(v) for v in vs)
            return [f(*[v[0] if len(v) == 1 else (v[i] if i < len(v) else float("nan")) for v in vs]) for i in range(L)]

        return h

    def op_overlap_feature(self, m, g, n, sep, seq):
        def comp(cs):
            q, t = self.texts_of(cs[0]), self.texts_of(cs[1])
            if not q or not t:
                return [0.0]
            me = m["method"]
            idx = next((i for i in range(len(t) - len(q) + 1) if t[i : i + len(q)] == q), -1)
            if me == "query_common_ratio":
                return [sum(x in t for x in q) / len(q)]
            if me == "title_common_ratio":
                return [sum(x in q for x in t) / len(t)]
            if me == "is_contain":
                return [float(idx >= 0)]
            if me == "is_equal":
                return [float(q == t)]
            if me == "index_of":
                return [float(idx)]
            if me == "proximity_min_cover":
                best = 0
                for i in range(len(t)):
                    for j in range(i + 1, len(t) + 1):
                        if set(q) <= set(t[i:j]) and (best == 0 or j - i < best):
                            best = j - i
                return [float(best)]

        return (
            {"refs": [m["query"], m["title"]], "seps": [sep, sep]},
            comp,
            self.finish_numbers(m, sep, seq, 1, default="0"),
        )

    def op_kv_dot_product(self, m, g, n, sep, seq):
        def comp(cs):
            a, b = self.table_of(cs[0], 1.0, False), self.table_of(cs[1], 1.0, False)
            if a is None or b is None:
                return None
            f = lambda v: float(v[0]) if isinstance(v, tuple) else float(v)
            return [sum(f(a[k]) * f(b[k]) for k in a if k in b)]

        return (
            {"refs": [m["query"], m["document"]], "seps": [sep, sep]},
            comp,
            self.finish_numbers(m, sep, seq, 1, default=m.get("default_value") or "0"),
        )

    def op_bool_mask_feature(self, m, g, n, sep, seq):
        def comp(cs):
            v, k = self.texts_of(cs[0]), self.texts_of(cs[1])
            return [(x,) for x, y in zip(v, k) if y in ("1", "true")]

        return (
            {"refs": m["expression"], "seps": [sep, sep]},
            comp,
            self.finish_texts(m, sep, seq, m.get("value_dim", 0)),
        )


Document.EXPR = {
    "a == b ? 1 : 0": Document.ew(lambda a, b: 1.0 if a == b else 0.0),
    "a+b*2-1": Document.ew(lambda a, b: a + b * 2 - 1),
    "max(a,b)/(1+abs(a))": Document.ew(lambda a, b: max(a, b) / (1 + abs(a))),
    "a > 1 && b < 5 ? a ^ 2 : sqrt(abs(b))": Document.ew(lambda a, b: a**2 if (a > 1 and b < 5) else math.sqrt(abs(b))),
    "dot(a,b)": lambda n, v: [sum(x * y for x, y in zip(*v))] if len(v[0]) == len(v[1]) else [float("nan")],
    "sigmoid(a)": Document.ew(lambda a: 1 / (1 + math.exp(-a))),
    "log(1+abs(a))": Document.ew(lambda a: math.log(1 + abs(a))),
    "reduce_sum(a)": lambda n, v: [sum(v[0])],
}


def tensors(doc, res):
    out = {}
    n = doc.n
    for name, v in res.items():
        m = v["m"]
        rows = v["rows"]
        seq = v["declared"]
        if len(rows) == 1 and n != 1:
            rows = rows * n
        sparse = any(k in m for k in ("hash_bucket_size", "num_buckets", "vocab_list", "vocab_dict", "boundaries"))
        w = m.get("weighted")
        cells = [c for r in rows for c in r] if v["seq"] else rows
        lens = [len(r) for r in rows]
        if sparse:
            out[name + ".values"] = [x[0] for c in cells for x in c]
            if w:
                out[name + ".weights"] = [x[1] for c in cells for x in c]
            out[name + ".lengths"] = lens
            if seq:
                out[name + ".key_lengths?"] = [len(c) for c in cells]
        else:
            out[name + ".values"] = [x[0] for c in cells for x in c]
            if seq:
                out[name + ".lengths"] = lens
    return out
