"""Writes cases.jsonl: documents of random features, as TorchEasyRec itself writes fg.json for a pipeline.config, with
random requests and items, and the tensors that reference.py makes of them.

    python generate.py <checkout of TorchEasyRec> [documents] [seed]

Python 3.11, with numpy, pyarrow, protobuf and grpcio-tools; TorchEasyRec 54cac31, of which only what turns configurations
into fg.json runs (torcheasyrec.py): neither torch nor the feature generator is needed.
"""

import json
import pathlib
import random
import re
import sys

import numpy as np

from reference import Document, tensors
from torcheasyrec import load

feature_pb2, text_format, fg_json = load(sys.argv[1])
N = int(sys.argv[2]) if len(sys.argv) > 2 else 50
R = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
WORDS = [
    "a",
    "b",
    "c",
    "1",
    "2",
    "10",
    "汉字",
    "x y",
    "é",
    "007",
    "A-1",
    "-1",
    "3.0",
    "2.5",
    "abc_d",
    "😀",
    "0",
    "a^b",
    "q=1",
]


def q(text):
    return json.dumps(text, ensure_ascii=False)


class G:
    def __init__(self):
        self.user = {}
        self.ctx = {}
        self.item = {}
        self.cat = {}
        self.n = R.choice([1, 1, 2, 3, 7])
        self.k = 0
        self.ids = [R.choice(["i%d" % j for j in range(6)]) for _ in range(self.n)]
        self.cfgs = []

    # logical value generators
    def words(self, m):
        return [R.choice(WORDS) for _ in range(m)]

    def nums(self, m):
        return [R.choice([0, 1, 2, -3, 10, 0.5, 0.25, -1.75, 0.1, 3.3, 100, 1e-3, 12345.678, 5]) for _ in range(m)]

    def ints(self, m):
        return [R.choice([0, 1, 2, 3, 7, 9, 12, 99, -2]) for _ in range(m)]

    def enc(self, vals, ty, sep, multi=True):
        """a PBFeature of a plain cell"""
        if vals is None:
            return R.choice(
                [
                    None,
                    {"kind": None},
                    {"kind": "string_feature", "value": ""},
                    {"kind": "string_list", "value": []},
                    {"kind": "int_list", "value": []},
                ]
            )
        txt = [v if isinstance(v, str) else (str(v)) for v in vals]
        o = [
            {"kind": "string_feature", "value": sep.join(txt)},
            {"kind": "string_list", "value": txt},
            {"kind": "string_lists", "value": [txt]},
        ]
        if all(isinstance(v, int) for v in vals):
            o += [
                {"kind": "int_list", "value": vals},
                {"kind": "long_list", "value": vals},
                {"kind": "long_lists", "value": [vals]},
            ]
            if len(vals) == 1:
                o += [{"kind": "int_feature", "value": vals[0]}, {"kind": "long_feature", "value": vals[0]}]
        if all(not isinstance(v, str) for v in vals):
            f = [float(np.float32(v)) for v in vals]
            d = [float(v) for v in vals]
            o += [
                {"kind": "float_list", "value": f},
                {"kind": "double_list", "value": d},
                {"kind": "float_lists", "value": [f]},
            ]
            if len(vals) == 1:
                o += [{"kind": "float_feature", "value": f[0]}, {"kind": "double_feature", "value": d[0]}]
        # when list elements must not be split
        if any(sep in t for t in txt):
            return o[0]
        return R.choice(o)

    def encseq(self, steps, sep, delim):
        if steps is None:
            return self.enc(None, None, sep)
        txt = [[v if isinstance(v, str) else str(v) for v in st] for st in steps]
        flat = [sep.join(t) for t in txt]
        o = []
        if any(flat):
            o.append({"kind": "string_feature", "value": delim.join(flat)})
        o += [{"kind": "string_list", "value": flat}, {"kind": "string_lists", "value": txt}]
        allv = [v for st in steps for v in st]
        if all(len(st) == 1 for st in steps):
            v1 = [st[0] for st in steps]
            if all(isinstance(v, int) for v in v1):
                o += [{"kind": "int_list", "value": v1}, {"kind": "long_list", "value": v1}]
            if all(not isinstance(v, str) for v in v1):
                o += [
                    {"kind": "float_list", "value": [float(np.float32(v)) for v in v1]},
                    {"kind": "double_list", "value": [float(v) for v in v1]},
                ]
        if allv and all(not isinstance(v, str) for v in allv):
            o.append({"kind": "float_lists", "value": [[float(np.float32(v)) for v in st] for st in steps]})
        return R.choice(o)

    def put(self, side, nm, mk):
        if R.random() < 0.06:
            return
        if side == "user":
            f = mk()
            if f is not None:
                self.user[nm] = f
        elif side == "context":
            self.ctx[nm] = [mk() or {"kind": None} for _ in range(self.n)]
        elif side == "item":
            if R.random() < 0.4:
                self.item[nm] = [mk() or {"kind": None} for _ in range(self.n)]
            if R.random() < 0.8:
                self.cat[nm] = mk

    def logical(self, ty, maxm=3):
        if R.random() < 0.15:
            return None
        m = R.choice([1, 1, 1, 2, maxm])
        return {"w": self.words, "n": self.nums, "i": self.ints}[ty](m)

    def col(self, side, ty, sep, maxm=3):
        self.k += 1
        nm = "%s%d" % (ty, self.k)
        self.put(side, nm, lambda: self.enc(self.logical(ty, maxm), ty, sep))
        return nm

    def mapf(self, keys, vt, bare=False, sep="\x1d"):
        if R.random() < 0.12:
            return self.enc(None, None, sep)
        d = {}
        for _ in range(R.choice([1, 2, 4, 6])):
            d[R.choice(keys)] = (
                R.choice([0.5, 1, 2, -1, 0.25, 3.5])
                if vt == "n"
                else R.choice(WORDS) if vt == "w" else R.choice([1, 2, 3, 4])
            )
        o = [
            {"kind": "string_feature", "value": sep.join(f"{k}:{v}" for k, v in d.items())},
            {"kind": "string_list", "value": [f"{k}:{v}" for k, v in d.items()]},
        ]
        if vt == "w":
            o.append({"kind": "string_string_map", "value": d})
        else:
            o += [{"kind": "string_float_map", "value": d}, {"kind": "string_double_map", "value": d}]
            if all(isinstance(v, int) for v in d.values()):
                o += [{"kind": "string_int_map", "value": d}, {"kind": "string_long_map", "value": d}]
            if all(k.isdigit() and str(int(k)) == k for k in d):
                o += [{"kind": "int_float_map", "value": d}, {"kind": "long_double_map", "value": d}]
        return R.choice(o)

    def mapcol(self, side, keys, vt, sep="\x1d"):
        self.k += 1
        nm = "m%d" % self.k
        self.put(side, nm, lambda: self.mapf(keys, vt, sep=sep))
        return nm

    def seqcol(self, side, nm, ty, sep, delim, maxm, length, join):
        def steps():
            if R.random() < 0.12:
                return None
            L = R.choice([1, 1, 2, 3, length + 2])
            f = {"w": self.words, "n": self.nums, "i": self.ints}[ty]
            return [f(0 if R.random() < 0.12 else R.choice([1, 1, maxm])) for _ in range(L)]

        if join:
            self.cat.setdefault(nm[1], lambda: self.enc(self.logical(ty, maxm), ty, sep))
        else:
            self.put(side, nm[0], lambda: self.encseq(steps(), sep, delim))


def bucket(ty):
    k = R.choice(["hash", "hash", "zch", "list", "list2", "dict", "dict2"] + (["num"] if ty == "i" else []))
    v = R.sample(WORDS, 4)
    return {
        "hash": "hash_bucket_size:%d" % R.choice([10, 100, 1000003]),
        "zch": "zch{zch_size:10 eviction_interval:2 lfu{}}",
        "list": " ".join("vocab_list:" + q(x) for x in v),
        "list2": " ".join("vocab_list:" + q(x) for x in v) + " default_bucketize_value:%d" % R.choice([0, 3]),
        "dict": " ".join("vocab_dict{key:%s value:%d}" % (q(x), R.choice([2, 3, 9])) for x in v),
        "dict2": " ".join("vocab_dict{key:%s value:%d}" % (q(x), R.choice([0, 3, 9])) for x in v)
        + " default_bucketize_value:7",
        "num": "num_buckets:%d" % R.choice([10, 5]),
    }[k]


def sepopt():
    s = R.choice(["\x1d", "\x1d", "\x1d", "|", ","])
    return s, ("" if s == "\x1d" else 'separator:"%s"' % s)


def norm():
    return R.choice(
        [
            "",
            "",
            "normalizer:'method=log10,threshold=1e-10,default=-10'",
            "normalizer:'method=zscore,mean=1.5,standard_deviation=2.0'",
            "normalizer:'method=minmax,min=-1,max=3'",
            "normalizer:'method=expression,expr=sign(x)'",
            "normalizer:'method=expression,expr=max(x,1)'",
        ]
    )


BND = "boundaries:[-1,0.1,0.5,1,2.5,10]"


def feature(g, ft, name, ref, seq=None):
    """ref(ty,sep,maxm,pref_side)-> 'side:name'; returns text of message"""
    sep, so = sepopt()
    dv = lambda c: "" if R.random() < 0.4 else "default_value:%s" % q(R.choice(c))
    if ft == "id_feature":
        ty = R.choice(["w", "i", "w", "n"])
        w = seq is None and R.random() < 0.15
        if w:
            sd = R.choice(["user", "item"])
            r = "%s:%s" % (sd, g.mapcol(sd, ["a", "b", "c", "1"], "n", sep))
            b = "hash_bucket_size:100 weighted:true"
        else:
            r = ref(ty, sep, 3)
            b = bucket(ty)
        vd = R.choice(["", "value_dim:0", "value_dim:1"])
        return f'feature_name:"{name}" expression:{q(r)} embedding_dim:4 {b} {vd if not w else ""} {so} {dv(["0","1","a","汉字"])}'
    if ft == "raw_feature":
        d = R.choice([1, 1, 2, 3])
        r = ref("n", sep, d)
        b = R.choice(["", BND + " embedding_dim:4"])
        return (
            f'feature_name:"{name}" expression:{q(r)} value_dim:{d} {b} {so if d>1 else ""} {norm()} {dv(["0","0.1","2"] + ([sep.join(["1","0.5","3"][:d])] if d>1 else []))}'
            if not (d == 1 and sep != "x1d" and False)
            else ""
        )
    if ft == "combo_feature":
        k = R.choice([2, 2, 3])
        rs = [ref(R.choice("wi"), sep, 2) for _ in range(k)]
        return f'feature_name:"{name}" {" ".join("expression:"+q(r) for r in rs)} embedding_dim:4 {bucket("w")} {so} {dv(["0","a_b"])} {R.choice(["","value_dim:1"])}'
    if ft == "combine_feature":
        vm = R.random() < 0.5
        r = ref("w" if vm else "n", sep, 3)
        vmt = (
            " ".join("value_map{key:%s value:%s}" % (q(x), R.choice(["1", "2.5", "0.5"])) for x in R.sample(WORDS, 6))
            if vm
            else ""
        )
        b = R.choice(["", "num_buckets:100 embedding_dim:4", BND + " embedding_dim:4"])
        return f'feature_name:"{name}" expression:{q(r)} combiner:"{R.choice(["sum","mean","avg","min","max","count"])}" {vmt} {b} {so} {norm() if "num" not in b else ""} {dv(["0","1.5"])}'
    if ft == "lookup_feature":
        b = R.choice(
            [
                "",
                "",
                BND + " embedding_dim:4",
                "hash_bucket_size:100 embedding_dim:4",
                "vec",
                "num_buckets:5 embedding_dim:4",
                'vocab_list:"1" vocab_list:"2" vocab_list:"a" embedding_dim:4',
            ]
        )
        keys = ["a", "b", "c", "1", "2", "10"]
        sd = R.choice(["user", "user", "item"])
        if b == "vec":
            s2 = sd
            g.k += 1
            nm = "mv%d" % g.k
            vs = R.choice([",", "|"])

            def mk():
                d = {R.choice(keys): vs.join(str(x) for x in g.nums(3)) for _ in range(3)}
                return R.choice(
                    [
                        {"kind": "string_feature", "value": "\x1d".join(f"{k}:{v}" for k, v in d.items())},
                        {"kind": "string_string_map", "value": d},
                        None,
                    ]
                )

            g.put(s2, nm, mk)
            mp = f"{s2}:{nm}"
            k = ref("key", "\x1d", 1)
            return f'feature_name:"{name}" map:"{mp}" key:{q(k)} value_dim:3 value_separator:"{vs}" {norm()} {R.choice(["",BND+" embedding_dim:4"])}'
        mp = "%s:%s" % (
            sd,
            g.mapcol(
                sd,
                keys,
                "i" if "num_b" in b else R.choice("nn") if ("hash" not in b and "vocab" not in b) else R.choice("wi"),
            ),
        )
        k = ref("key", sep, 3)
        nk = R.choice(["", "need_key:true"]) if "hash" in b else ""
        return f'feature_name:"{name}" map:"{mp}" key:{q(k)} combiner:"{R.choice(["sum","mean","min","max","count","sum"])}" {b} {so} {nk} {norm() if ("hash" not in b and "num_" not in b and "vocab" not in b) else ""} {dv(["0","1"])}'
    if ft == "match_feature":
        b = R.choice(
            ["", "", BND + " embedding_dim:4", "hash_bucket_size:100 embedding_dim:4", "num_buckets:5 embedding_dim:4"]
        )
        sd = R.choice(["user", "user", "item"])
        g.k += 1
        nm = "mm%d" % g.k

        def mk():
            if R.random() < 0.1:
                return None
            d = {}
            for _ in range(3):
                d[R.choice(["a", "b", "1", "2", "ALL"])] = {
                    R.choice(["c", "1", "x y", "10"]): R.choice([1, 2, 3] if "num_" in b else [1, 2, 0.5, -1])
                    for _ in range(3)
                }
            dd = {k: ",".join(f"{a}:{v}" for a, v in x.items()) for k, x in d.items()}
            return R.choice(
                [
                    {"kind": "string_feature", "value": "|".join(f"{k}^{v}" for k, v in dd.items())},
                    {"kind": "string_string_map", "value": dd},
                ]
            )

        g.put(sd, nm, mk)
        pk = R.choice(["ALL"] + ["x"] * 4)
        sk = R.choice(["ALL"] + ["x"] * 4)
        if pk != "ALL":
            pk = ref("key", "\x1d", 1)
        if sk != "ALL":
            sk = ref("key", "\x1d", 1)
        sh = R.choice(["", "show_pkey:true", "show_skey:true", "show_pkey:true show_skey:true"]) if "hash" in b else ""
        return f'feature_name:"{name}" nested_map:"{sd}:{nm}" pkey:{q(pk)} skey:{q(sk)} {b} {sh} {norm() if ("hash" not in b and "num_" not in b) else ""} {dv(["0","2"])}'
    if ft == "expr_feature":
        e = R.choice(BASE)
        vec = "dot" in e or "reduce" in e
        nv = 2 if "b" in e.replace("abs", "").replace("sub", "") else 1
        rs = [ref("n1" if not vec else "n3", sep, 1) for _ in range(nv)]
        # variable names must be a,b
        return (
            "EXPR",
            name,
            e,
            rs,
            so,
            R.choice(["", BND + " embedding_dim:4"]),
            dv(["0", "0.5"]),
            ("" if vec else R.choice(["", "", "fill_missing:2"])),
            vec,
        )
    if ft == "overlap_feature":
        a, b = ref("w", sep, 3), ref("w", sep, 5)
        return f'feature_name:"{name}" query:{q(a)} title:{q(b)} method:"{R.choice(["query_common_ratio","title_common_ratio","is_contain","is_equal","index_of","proximity_min_cover"])}" {so} {R.choice(["",BND+" embedding_dim:4"])} {norm()}'
    if ft == "kv_dot_product":
        keys = ["a", "b", "c", "1"]
        sa, sb = R.choice(["user", "item"]), R.choice(["user", "item", "context"])
        a = f'{sa}:{g.mapcol(sa,keys,"n",sep)}'
        b = ref("w", sep, 3) if R.random() < 0.4 else f'{sb}:{g.mapcol(sb,keys,"n",sep)}'
        return f'feature_name:"{name}" query:{q(a)} document:{q(b)} {so} {R.choice(["",BND+" embedding_dim:4"])} {dv(["0","3"])}'
    if ft == "bool_mask_feature":
        a = ref("w", sep, 3)
        b = ref("mask", sep, 3)
        return f'feature_name:"{name}" expression:{q(a)} expression:{q(b)} embedding_dim:4 hash_bucket_size:100 {so} {R.choice(["","value_dim:0","value_dim:1"])} {dv(["0","z"])}'


BASE = list(Document.EXPR)
TY = [
    "id_feature",
    "id_feature",
    "raw_feature",
    "combo_feature",
    "combine_feature",
    "lookup_feature",
    "match_feature",
    "overlap_feature",
    "kv_dot_product",
    "bool_mask_feature",
    "expr_feature",
]


def mkcol(g, side, ty, sep, maxm, nm):
    def L():
        if R.random() < 0.15:
            return None
        if ty == "key":
            return [R.choice(["a", "b", "c", "1", "2", "10", "x y"]) for _ in range(R.choice([1, maxm]))]
        if ty == "mask":
            return [R.choice(["true", "false", "1", "0"]) for _ in range(R.choice([1, 2, 3]))]
        if ty == "n1":
            return g.nums(1)
        if ty == "n3":
            return g.nums(3)
        if ty == "n":
            return g.nums(R.choice([maxm, maxm, maxm, 1, 4]))
        return {"w": g.words, "i": g.ints}[ty](R.choice([1, maxm]))

    return L


def build():
    g = G()
    msgs = []
    for i in range(14):
        ft = R.choice(TY)
        name = "f%d" % i
        mode = R.choice(["plain", "plain", "seq", "group"])
        if ft == "bool_mask_feature" and mode == "seq":
            mode = R.choice(["seq", "plain"])
        delim = R.choice([";", ";", "|", "#"])
        length = R.choice([3, 5, 100])
        sname = "s%d" % i

        def ref(ty, sep, maxm):
            g.k += 1
            nm = "%s%d" % (ty[0], g.k)
            side = R.choice(["user", "item", "item", "context"])
            L = mkcol(g, side, ty, sep, maxm, nm)
            if mode == "plain":
                g.put(side, nm, lambda: g.enc(L(), ty, sep))
                return f"{side}:{nm}"

            def steps():
                if R.random() < 0.1:
                    return None
                return [(L() or []) for _ in range(R.choice([1, 1, 2, 3, length + 1 if length < 10 else 4]))]

            dl = delim if delim != sep else ";"
            if mode == "seq":
                side = R.choice(["user", "user", "item"])
                g.cur["delim"] = dl
                g.put(side, nm, lambda: g.encseq(steps(), sep, dl))
                return f"{side}:{nm}"
            # group
            side = R.choice(["item", "item", "user"])
            g.cur.setdefault("delim", dl)
            dl = g.cur["delim"]
            single = ft in ("id_feature", "raw_feature", "combine_feature")
            if side == "item":
                if R.random() < 0.3:
                    g.put("user", f"{sname}__{nm}", lambda: g.encseq(steps(), sep, dl))
                g.cat[nm] = lambda: g.enc(L(), ty, sep)
            elif single:
                g.put("user", f"{sname}__{nm}", lambda: g.encseq(steps(), sep, dl))
            else:
                g.put("user", nm, lambda: g.enc(L(), ty, sep))
            return f"{side}:{nm}"

        g.cur = {}
        # delim must differ from separator: retry
        m = feature(g, ft, name, ref, None if mode == "plain" else mode)
        if isinstance(m, tuple):
            _, nm_, e, rs, so, b, d, fm, vec = m
            if mode != "plain" and vec:
                continue
            names = [r.split(":")[1] for r in rs]
            ee = re.sub(r"\ba\b", names[0], e)
            if len(names) > 1:
                ee = re.sub(r"\bb\b", names[1], ee)
            Document.EXPR[ee] = Document.EXPR[e]
            m = f'feature_name:"{name}" expression:{q(ee)} {" ".join("variables:"+q(r) for r in rs)} {so} {b} {d} {fm} value_dim:1'
        dl = g.cur.get("delim", ";")
        if mode == "plain":
            t = f"{ft} {{ {m} }}"
        elif mode == "seq":
            t = f'sequence_{ft} {{ {m} sequence_length:{length} sequence_delim:"{dl}" }}'
        else:
            t = f'sequence_feature {{ sequence_name:"{sname}" sequence_length:{length} sequence_delim:"{dl}" sequence_pk:"user:{sname}_pk" features {{ {ft} {{ {m} }} }} }}'
            ids = [
                R.choice(["i%d" % j for j in range(8)])
                for _ in range(R.choice([1, 2, length + 1 if length < 10 else 5]))
            ]
            if R.random() < 0.85:
                g.user[f"{sname}_pk"] = R.choice(
                    [{"kind": "string_feature", "value": dl.join(ids)}, {"kind": "string_list", "value": ids}]
                )
        msgs.append(t)
    # DAG
    for j in range(4):
        mode = R.choice(["plain", "seq", "group"])
        pre = "" if mode == "plain" else "sequence_"
        seqo = "" if mode != "seq" else 'sequence_length:4 sequence_delim:";"'
        sn = "d%d" % j

        def C(side, ty, maxm=2, allowseq=True):
            g.k += 1
            nm = "%s%d" % (ty[0], g.k)
            L = mkcol(g, side, ty, "\x1d", maxm, nm)

            def steps():
                if R.random() < 0.1:
                    return None
                return [(L() or []) for _ in range(R.choice([1, 2, 5]))]

            if mode == "plain" or not allowseq:
                g.put(side, nm, lambda: g.enc(L(), ty, "\x1d"))
            elif mode == "seq":
                g.put(side, nm, lambda: g.encseq(steps(), "\x1d", ";"))
            else:
                if side == "item":
                    g.cat[nm] = lambda: g.enc(L(), ty, "\x1d")
                else:
                    g.put("user", f"{sn}__{nm}", lambda: g.encseq(steps(), "\x1d", ";"))
            return f"{side}:{nm}"

        def M(keys):
            return "user:" + g.mapcol("user", keys, "n")

        ss = R.choice(["user", "item"])
        fs = []
        k = R.choice(["combo", "lookup", "expr", "lookvec"])
        sd = lambda c: "default_value:%s" % q(R.choice(c)) if R.random() < 0.6 else ""
        if k == "combo":
            fs.append(
                (
                    "id_feature",
                    f'feature_name:"st{j}" expression:"{C(ss,"w")}" embedding_dim:4 stub_type:true {R.choice(["value_dim:0",""])} {sd(["a","0"])}',
                )
            )
            other = C("item", "i") if mode != "plain" else C(R.choice(["user", "item", "context"]), "w")
            sf = "" if mode != "group" else f'sequence_fields:"st{j}" sequence_fields:"{other.split(":")[1]}"'
            fs.append(
                (
                    "combo_feature",
                    f'feature_name:"rd{j}" expression:"feature:st{j}" expression:"{other}" hash_bucket_size:100 embedding_dim:4 {sf} {sd(["0"])}',
                )
            )
        elif k == "lookup":
            stub = R.choice(["stub_type:true", ""])
            fs.append(
                (
                    "raw_feature",
                    f'feature_name:"st{j}" expression:"{C(ss,"n",1)}" {BND} embedding_dim:4 {stub} {sd(["0.5","2"])}',
                )
            )
            sf = "" if mode != "group" else f'sequence_fields:"st{j}"'
            fs.append(
                (
                    "lookup_feature",
                    f'feature_name:"rd{j}" map:"{M(["0","1","2","3","4","5","6"])}" key:"feature:st{j}" {sf} {R.choice(["",BND+" embedding_dim:4"])} {sd(["1"])}',
                )
            )
        elif k == "expr":
            fs.append(
                (
                    "raw_feature",
                    f'feature_name:"st{j}" expression:"{C(ss,"n1",1)}" stub_type:true {norm()} {sd(["0.5","2"])}',
                )
            )
            o = C("item", "n1", 1)
            on = o.split(":")[1]
            sf = "" if mode != "group" else f'sequence_fields:"st{j}" sequence_fields:"{on}"'
            ee = f"st{j}+{on}*2-1"
            Document.EXPR[ee] = Document.EXPR["a+b*2-1"]
            fs.append(
                (
                    "expr_feature",
                    f'feature_name:"rd{j}" expression:"{ee}" variables:"feature:st{j}" variables:"{o}" value_dim:1 {sf} {R.choice(["",BND+" embedding_dim:4"])} {sd(["1"])}',
                )
            )
        else:
            fs.append(
                (
                    "id_feature",
                    f'feature_name:"st{j}" expression:"{C(ss,"w")}" embedding_dim:4 hash_bucket_size:50 {R.choice(["stub_type:true",""])} {R.choice(["value_dim:0",""])}',
                )
            )
            sf = "" if mode != "group" else f'sequence_fields:"st{j}"'
            fs.append(
                (
                    "id_feature",
                    f'feature_name:"rd{j}" expression:"feature:st{j}" embedding_dim:4 num_buckets:50 {sf} value_dim:0 {sd(["7"])}',
                )
            )
        R.shuffle(fs)
        if mode == "group":
            msgs.append(
                f'sequence_feature {{ sequence_name:"{sn}" sequence_length:4 sequence_delim:";" sequence_pk:"user:{sn}_pk" '
                + " ".join(f"features {{ {a} {{ {b} }} }}" for a, b in fs)
                + " }"
            )
            ids = [R.choice(["i%d" % j for j in range(8)]) for _ in range(R.choice([1, 2, 6]))]
            g.user[f"{sn}_pk"] = {"kind": "string_list", "value": ids}
        else:
            for a, b in fs:
                msgs.append(f"{pre}{a} {{ {b} {seqo} }}")
    cfgs = []
    for t in msgs:
        c = feature_pb2.FeatureConfig()
        try:
            text_format.Parse(t, c)
        except Exception as e:
            print("PARSE", e, t)
            raise
        cfgs.append(c)
    fg = json.loads(json.dumps(fg_json(cfgs)))
    items = {"i%d" % j: {k: (mk() or {"kind": None}) for k, mk in g.cat.items()} for j in range(5)}
    req = {"user": {k: v for k, v in g.user.items() if v}, "context": g.ctx, "item": g.item, "item_ids": g.ids}
    return fg, req, items


def pairs(value):
    """Maps as lists of pairs, since a JavaScript object does not keep the order of keys that are numbers."""
    if isinstance(value, dict):
        if str(value.get("kind")).endswith("_map"):
            return {"kind": value["kind"], "value": [[k, v] for k, v in value["value"].items()]}
        return {k: pairs(v) for k, v in value.items()}
    return [pairs(v) for v in value] if isinstance(value, list) else value


def exact(values):
    return [str(v) if isinstance(v, int) and abs(v) > 2**53 else v for v in values]


if __name__ == "__main__":
    with open(pathlib.Path(__file__).parent / "cases.jsonl", "w") as out:
        for k in range(N):
            fg, request, items = build()
            document = Document(fg, request, items)
            expected = {name: exact(values) for name, values in tensors(document, document.run()).items()}
            # The document as text: it has integers beyond 2^53.
            case = {"fg": json.dumps(fg), "request": pairs(request), "items": pairs(items), "tensors": expected}
            out.write(json.dumps(case, ensure_ascii=False) + "\n")
