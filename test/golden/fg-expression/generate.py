"""Writes cases.json: expressions with values of their variables and the results of an evaluator that shares nothing
with ours: shunting-yard to postfix, then one row at a time with Python's math.

    python generate.py     (Python 3.11 or newer, no packages)

Numbers that JSON lacks are "nan", "inf" and "-inf".
"""
import json
import math
import pathlib
import random
import re
import sys

random.seed(20)
NAN, INF = math.nan, math.inf
PRECEDENCE = {"?": 0, "||": 1, "&&": 2, "|": 3, "&": 4, "<=": 5, ">=": 5, "!=": 5, "==": 5, ">": 5, "<": 5,
              "+": 6, "-": 6, "*": 7, "/": 7, "neg": 8, "^": 9}
TOKEN = re.compile(r"\s*(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|\w+|\|\||&&|<=|>=|!=|==|.)")


def to_int(x):
    return int(x) if abs(x) < 2**63 else None


def bits(x, y, f):
    a, b = to_int(x), to_int(y)
    return NAN if a is None or b is None else float(f(a, b))


def divide(x, y):
    if y != 0:
        return x / y
    if x == 0 or x != x:
        return NAN
    return math.copysign(INF, x) * math.copysign(1, y)


def power(x, y):
    try:
        return math.pow(x, y)
    except OverflowError:
        return -INF if x < 0 and y % 2 == 1 else INF
    except ValueError:
        if x == 0:
            return math.copysign(INF, x) if y == int(y) and y % 2 == 1 else INF
        return NAN


def guarded(f, at=None):
    """C's results where Python raises: NaN outside of the domain, infinity for overflow or at a pole."""
    def call(x):
        try:
            return f(x)
        except OverflowError:
            return INF if f is not math.sinh or x > 0 else -INF
        except ValueError:
            return at(x) if at and x == x else NAN
    return call


def round_away(x):
    return x if not math.isfinite(x) else math.copysign(math.floor(abs(x) + 0.5) if abs(x) != 0.49999999999999994 else 0, x)


def keep(f):
    return lambda x: float(f(x)) if math.isfinite(x) else x


def kilometers(lng1, lat1, lng2, lat2):
    sin, cos = guarded(math.sin), guarded(math.cos)
    a, b, c, d = map(math.radians, (lng1, lat1, lng2, lat2))
    h = sin((d - b) / 2) ** 2 + cos(b) * cos(d) * sin((c - a) / 2) ** 2
    return NAN if h != h else 2 * 6371 * math.asin(min(1, math.sqrt(h)))


def least(*xs):
    r = xs[0]
    for x in xs[1:]:
        r = x if x < r else r
    return r


def most(*xs):
    r = xs[0]
    for x in xs[1:]:
        r = x if r < x else r
    return r


LOG0 = lambda x: -INF if x == 0 else NAN
SCALAR = {
    "isnan": lambda x: float(x != x), "sin": guarded(math.sin), "cos": guarded(math.cos), "tan": guarded(math.tan),
    "asin": guarded(math.asin), "acos": guarded(math.acos), "atan": math.atan, "sinh": guarded(math.sinh),
    "cosh": guarded(math.cosh), "tanh": math.tanh, "asinh": math.asinh, "acosh": guarded(math.acosh),
    "atanh": guarded(math.atanh, lambda x: math.copysign(INF, x) if abs(x) == 1 else NAN),
    "log2": guarded(math.log2, LOG0), "log10": guarded(math.log10, LOG0), "log": guarded(math.log, LOG0),
    "ln": guarded(math.log, LOG0), "exp": guarded(math.exp), "sqrt": guarded(math.sqrt),
    "sign": lambda x: float((x > 0) - (x < 0)), "abs": abs, "rint": keep(round), "floor": keep(math.floor),
    "ceil": keep(math.ceil), "trunc": keep(math.trunc), "round": round_away,
    "roundp": lambda x, d: round_away(x * 10.0**d) / 10.0**d,
    "mod": lambda x, y: math.fmod(x, y) if y != 0 and math.isfinite(x) and y == y else NAN,
    "sigmoid": lambda x: 1 / (1 + guarded(math.exp)(-x)), "sphere_dist": kilometers, "haversine": kilometers,
    "min": least, "max": most, "sum": lambda *xs: sum(xs[1:], xs[0]), "avg": lambda *xs: sum(xs[1:], xs[0]) / len(xs),
}
BINARY = {
    "||": lambda x, y: float(x != 0 or y != 0), "&&": lambda x, y: float(x != 0 and y != 0),
    "|": lambda x, y: bits(x, y, int.__or__), "&": lambda x, y: bits(x, y, int.__and__),
    "<=": lambda x, y: float(x <= y), ">=": lambda x, y: float(x >= y), "!=": lambda x, y: float(x != y),
    "==": lambda x, y: float(x == y), ">": lambda x, y: float(x > y), "<": lambda x, y: float(x < y),
    "+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y, "/": divide, "^": power,
}


def moments(xs):
    mean = math.fsum(xs) / len(xs)
    return math.fsum((x - mean) ** 2 for x in xs)


def corr(a, b):
    ma, mb = math.fsum(a) / len(a), math.fsum(b) / len(b)
    return divide(math.fsum((x - ma) * (y - mb) for x, y in zip(a, b)), math.sqrt(moments(a) * moments(b)))


VECTOR = {
    "len": lambda a: float(len(a)), "l2_norm": lambda a: math.sqrt(math.fsum(x * x for x in a)),
    "squared_norm": lambda a: math.fsum(x * x for x in a), "dot": lambda a, b: math.fsum(x * y for x, y in zip(a, b)),
    "euclid_dist": lambda a, b: math.sqrt(math.fsum((x - y) ** 2 for x, y in zip(a, b))), "corr": corr,
    "std_dev": lambda a: math.sqrt(moments(a) / len(a)), "variance": lambda a: moments(a) / len(a),
    "pop_std_dev": lambda a: math.sqrt(divide(moments(a), len(a) - 1)),
    "pop_variance": lambda a: divide(moments(a), len(a) - 1), "reduce_min": lambda a: least(*a),
    "reduce_max": lambda a: most(*a), "reduce_sum": lambda a: math.fsum(a),
    "reduce_mean": lambda a: math.fsum(a) / len(a), "reduce_prod": math.prod,
}


def postfix(source):
    """Tokens in postfix order: ("number", x), ("name", n), ("op", o), ("call", n, argument count), ("?:",)."""
    out, stack, operand, counts = [], [], True, []

    def flush(precedence):
        while stack and stack[-1] in PRECEDENCE and PRECEDENCE[stack[-1]] >= precedence and stack[-1] != "?":
            out.append(("op", stack.pop()))

    def flush_ternaries():
        flush(0.5)
        while stack and stack[-1] == ":":
            stack.pop()
            out.append(("?:",))
            flush(0.5)

    tokens = TOKEN.findall(source.strip())
    for i, token in enumerate(tokens):
        if token[0].isdigit() or token[0] == ".":
            out.append(("number", float(token)))
            operand = False
        elif token[0].isalpha() or token[0] == "_":
            if i + 1 < len(tokens) and tokens[i + 1] == "(":
                stack.append("call " + token)
                counts.append(1)
            else:
                out.append(("name", token))
                operand = False
        elif token == "(":
            stack.append("(")
            operand = True
        elif token == ",":
            flush_ternaries()
            counts[-1] += 1
            operand = True
        elif token == ")":
            flush_ternaries()
            assert stack.pop() == "("
            if stack and stack[-1].startswith("call "):
                out.append(("call", stack.pop()[5:], counts.pop()))
            operand = False
        elif token == "?":
            flush(0.5)
            stack.append("?")
            operand = True
        elif token == ":":
            flush_ternaries()
            assert stack.pop() == "?"
            stack.append(":")
            operand = True
        elif operand and token == "-":
            stack.append("neg")
        elif operand and token == "+":
            pass
        else:
            if token != "^":
                flush(PRECEDENCE[token])
            stack.append(token)
            operand = True
    flush_ternaries()
    assert not stack, stack
    return out


def spread(columns, fill):
    """Numbers and vectors of one element repeated, shorter vectors filled; None when there is no vector."""
    lengths = [len(c) for c in columns if isinstance(c, list)]
    if not lengths:
        return None
    n = max(lengths)
    return [[c] * n if not isinstance(c, list) else c * n if len(c) == 1 else c + [fill] * (n - len(c)) for c in columns]


def elementwise(f, columns, fill):
    vectors = spread(columns, fill)
    if vectors is None:
        return f(*columns)
    return [f(*xs) for xs in zip(*vectors)]


def evaluate(source, row, fill):
    stack = []
    for kind, *rest in postfix(source):
        if kind == "number":
            stack.append(rest[0])
        elif kind == "name":
            stack.append({"_pi": math.pi, "_e": math.e}.get(rest[0]) if rest[0].startswith("_") else row[rest[0]])
        elif kind == "?:":
            b, a, c = stack.pop(), stack.pop(), stack.pop()
            stack.append(elementwise(lambda c, a, b: a if c != 0 else b, [c, a, b], fill))
        elif rest[0] == "neg":
            stack.append(elementwise(lambda x: -x, [stack.pop()], fill))
        elif kind == "op":
            y, x = stack.pop(), stack.pop()
            stack.append(elementwise(BINARY[rest[0]], [x, y], fill))
        else:
            name, count = rest
            args = [stack.pop() for _ in range(count)][::-1]
            if name in VECTOR:
                stack.append(VECTOR[name](*(spread(args, fill) or [[x] for x in args])))
            else:
                stack.append(elementwise(SCALAR[name], args, fill))
    (result,) = stack
    return result


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, NAN, INF, -INF, 1e300, -1e-300, 3e9, 7.0, 12.0]


def number():
    return random.choice(SPECIAL) if random.random() < 0.3 else round(random.uniform(-20, 20), 3)


def vector(n=None):
    return [round(random.uniform(-5, 5), 3) for _ in range(n or random.choice([1, 2, 3, 5]))]


def literal():
    return random.choice(["0", "1", "2", "3.5", ".25", "1e2", "2.5e-3", "10", "_pi", "_e"])


def expression(depth, names):
    if depth == 0 or random.random() < 0.15:
        return random.choice(names) if random.random() < 0.75 else literal()
    pick = random.random()
    sub = lambda: expression(depth - 1, names)
    if pick < 0.5:
        blank = random.choice(["", " "])
        return sub() + blank + random.choice(list(BINARY)) + blank + sub()
    if pick < 0.62:
        return f"({sub()})"
    if pick < 0.70:
        return f"-{sub()}"
    if pick < 0.78:
        return f"{sub()} ? {sub()} : {sub()}"
    name = random.choice(sorted(SCALAR))
    count = {"roundp": 2, "mod": 2, "sphere_dist": 4, "haversine": 4, "min": 3, "max": 2, "sum": 3, "avg": 4}.get(name, 1)
    return f"{name}({','.join(sub() for _ in range(count))})" if name != "roundp" else f"roundp({sub()},2)"


def plain(x):
    if isinstance(x, list):
        return [plain(y) for y in x]
    return "nan" if x != x else "inf" if x == INF else "-inf" if x == -INF else x


HAND = ["-2^2", "2^3^2", "2^-2", "-a^2", "a^-b", "1+2*3-4/5", "1<2 == 1", "1?0?5:6:7", "0?1:0?2:3", "1||0&&0", "6&3|8",
        "a>b?a:b", "a == b ? 1 : 0", "sigmoid(a/(1+b))", "mod(-7,3)", "mod(7,-3)", "round(-2.5)", "round(0.49999999999999994)",
        "rint(2.5)", "rint(3.5)", "roundp(3.14159,2)", "min(3,1,2)", "max(a,b,0)", "avg(1,2,4)", "sum(1,2,3)", "_pi*2",
        "log(_e)", "sphere_dist(113.728,23.002,113.1057,22.5614)", "haversine(121.4737,31.2304,116.4074,39.9042)", "a/0",
        "0/0", "isnan(0/0)", "1 - - 1", "a--b", "a- -b", "+a", "sign(-3)", "3e9&7", "3e9|1", "a&&b||0", "a<b<1", "2*-3",
        "-a*b", "-a?b:1", "(a>1)*5+(a<=1)*7", "(1^0/0)", "(-1)^(1/0)"]
VECTORS = ["dot(v,w)", "len(v)", "l2_norm(v-w)", "squared_norm(v)", "euclid_dist(v,w)", "corr(v,w)", "std_dev(v)",
           "pop_std_dev(v)", "variance(v)", "pop_variance(w)", "reduce_min(v)", "reduce_max(v)", "reduce_sum(v*2)",
           "reduce_mean(v)+a", "reduce_prod(v)", "a*dot(v,w)/(l2_norm(v)*l2_norm(w))", "v+w", "v*a", "a-v", "max(v,w,0)",
           "v>w?v:w", "-v", "sigmoid(v)+1", "reduce_sum(v>0)", "len(v+w)", "v-reduce_mean(v)", "reduce_max(v-reduce_mean(v))"]

ROWS = 6
cases = []
for source in HAND + [expression(random.randint(1, 4), ["a", "b", "c"]) for _ in range(700)]:
    rows = [{name: number() for name in "abc"} for _ in range(ROWS)]
    cases.append((source, rows, NAN))
for source in VECTORS * 4:
    for fill in (NAN, 0.0):
        rows = []
        for _ in range(ROWS):
            n = random.choice([1, 2, 3, 5])
            same = random.random() < 0.6
            rows.append({"a": round(random.uniform(1, 9), 2), "v": vector(n), "w": vector(n if same else None)})
        cases.append((source, rows, fill))

lines = []
for source, rows, fill in cases:
    columns = {name: plain([row[name] for row in rows]) for name in rows[0]}
    expected = plain([evaluate(source, row, fill) for row in rows])
    lines.append(json.dumps({"source": source, "fill_missing": plain(fill), "columns": columns, "expected": expected}))
origin = f"generate.py with Python {sys.version.split()[0]}"
body = ",\n".join(lines)
pathlib.Path(__file__).with_name("cases.json").write_text(f'{{"origin": "{origin}", "cases": [\n{body}\n]}}\n')
