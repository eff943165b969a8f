"""Features of the example, computed row by row in plain Python from the published description of each operator.

It shares nothing with the feature generator it is evidence for: no code, no compiled configuration. What `fg.json` says
in JSON is said here once more, as a line of Python per feature.
"""

import math
import struct

CATEGORIES = ["books", "music", "shoes", "garden", "games", "food"]
CITIES = ["beijing", "hangzhou", "shanghai", "shenzhen"]
HISTORY_LENGTH = 10


def std_hash(text: str) -> int:
    """std::hash<std::string> of libstdc++ (64 bits): MurmurHash64A with its own seed, over UTF-8."""
    data = text.encode()
    mask = (1 << 64) - 1
    mul = 0xC6A4A7935BD1E995

    def shift_mix(v):
        return v ^ (v >> 47)

    value = 0xC70F6907 ^ (len(data) * mul & mask)
    whole = len(data) & ~7
    for (word,) in struct.iter_unpack("<Q", data[:whole]):
        value = (value ^ (shift_mix(word * mul & mask) * mul & mask)) * mul & mask
    if len(data) & 7:
        value = (value ^ int.from_bytes(data[whole:], "little")) * mul & mask
    return shift_mix(shift_mix(value) * mul & mask)


def hashed(texts, size):
    return [std_hash(text) % size for text in texts]


def f32(x: float) -> float:
    return struct.unpack("<f", struct.pack("<f", x))[0]


def bucket(x, boundaries):
    """How many boundaries are at most x, compared as float32."""
    return sum(f32(b) <= f32(x) for b in boundaries)


def log10(x):
    return math.log10(x) if x > 1e-10 else -10.0


def vocabulary(text, default):
    words = [default, "<OOV>", *CATEGORIES]
    return words.index(text) if text in words else 1


def texts_of(value):
    """A value as texts; nothing when it is missing."""
    if value is None or value == "" or value == [] or value == {}:
        return []
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def number_of(value, default):
    return float(default if value is None or value == "" else value)


def city_ids(city):
    # A vocab_file: the id is the line; a word that is not in it is `default_bucketize_value`.
    return [CITIES.index(city) if city in CITIES else 0] if city else []


def user_features(user, catalogue):
    """Features that read nothing but the user."""
    ids = {
        "user_id": hashed(texts_of(user.get("user_id")), 200),
        "age": [bucket(number_of(user.get("age"), 0), [18, 25, 35, 50])],
        "city": city_ids(user.get("city")),
    }
    raw_3 = list(user.get("raw_3") or [])
    dense = {
        "weight": [(number_of(user["weight"], 0) - 70) / 15 if user.get("weight") not in (None, "") else 0.0],
        "raw_3": [float(x) for x in raw_3[:4]] if len(raw_3) >= 4 else [0.0] * 4,
    }
    # Steps are items: what is known of each comes from the catalogue.
    steps = [catalogue.get(id, {}) for id in (user.get("history") or [])][:HISTORY_LENGTH] or [{}]
    ages = [float(x) for x in str(user["history__ts"]).split(";")][:HISTORY_LENGTH] if user.get("history__ts") else [0.0]
    sequences = {
        "history__category": [vocabulary(item.get("category") or "0", "0") for item in steps],
        "history__price": [[log10(item["price"]) if item.get("price") is not None else 0.0] for item in steps],
        "history__ts": [[age] for age in ages],
        "history__tags": [hashed(texts_of(item.get("tags")) or ["0"], 100) for item in steps],
        "click": [list(map(float, pair[:2])) if len(pair) >= 2 else [0.0, 0.0] for pair in (user.get("click") or [[]])],
    }
    return ids, dense, sequences


def item_features(user, item, hour):
    """Features that read the item or the context, and perhaps the user."""
    category = item.get("category") or ""
    cross = [f"{user['city']}_{category}"] if user.get("city") and category else []
    table = {str(k): float(v) for k, v in (user.get("map_1") or {}).items()}
    found = [table[key] for key in texts_of(item.get("category_id")) if key in table]
    price = item.get("price")
    age = user.get("age")
    ids = {
        "item_id": hashed(texts_of(item.get("item_id")), 500),
        "category": [vocabulary(category or "unknown", "unknown")],
        "tags": hashed(texts_of(item.get("tags")), 100),
        "city_x_category": hashed(cross, 300),
        "affinity": [bucket(sum(found) if found else 0.0, [0.1, 0.5, 1, 10, 1000])],
        "hour": [int(hour) if hour not in (None, "") and 0 <= int(hour) < 24 else 0],
    }
    dense = {
        "price": [log10(price) if price is not None else 0.0],
        "price_by_age": [math.log(1 + price) / (1 + age) if price is not None and age not in (None, "") else 0.0],
    }
    return ids, dense


FG = {
    "features": [
        {"feature_type": "id_feature", "feature_name": "user_id", "expression": "user:user_id", "hash_bucket_size": 200},
        {"feature_type": "raw_feature", "feature_name": "age", "expression": "user:age", "default_value": "0", "boundaries": [18, 25, 35, 50]},
        {"feature_type": "id_feature", "feature_name": "city", "expression": "user:city", "vocab_file": "@cities", "default_bucketize_value": 0},
        {"feature_type": "raw_feature", "feature_name": "weight", "expression": "user:weight", "default_value": "0", "normalizer": "method=zscore,mean=70,standard_deviation=15"},
        {"feature_type": "raw_feature", "feature_name": "raw_3", "expression": "user:raw_3", "value_dim": 4, "separator": ",", "default_value": "0,0,0,0"},
        {"feature_type": "sequence_raw_feature", "feature_name": "click", "expression": "user:click", "value_dim": 2, "default_value": "0", "sequence_length": 10, "sequence_delim": ";"},
        {
            "sequence_name": "history",
            "sequence_length": HISTORY_LENGTH,
            "sequence_delim": ";",
            "sequence_pk": "user:history",
            "features": [
                {"feature_type": "id_feature", "feature_name": "category", "expression": "item:category", "default_value": "0", "value_dim": 1, "vocab_list": ["0", "<OOV>", *CATEGORIES], "default_bucketize_value": 1},
                {"feature_type": "raw_feature", "feature_name": "price", "expression": "item:price", "default_value": "0", "normalizer": "method=log10,threshold=1e-10,default=-10"},
                {"feature_type": "raw_feature", "feature_name": "ts", "expression": "user:ts", "default_value": "0"},
                {"feature_type": "id_feature", "feature_name": "tags", "expression": "item:tags", "default_value": "0", "value_dim": 0, "hash_bucket_size": 100},
            ],
        },
        {"feature_type": "id_feature", "feature_name": "item_id", "expression": "item:item_id", "hash_bucket_size": 500},
        {"feature_type": "id_feature", "feature_name": "category", "expression": "item:category", "default_value": "unknown", "vocab_list": ["unknown", "<OOV>", *CATEGORIES], "default_bucketize_value": 1},
        {"feature_type": "id_feature", "feature_name": "tags", "expression": "item:tags", "hash_bucket_size": 100},
        {"feature_type": "raw_feature", "feature_name": "price", "expression": "item:price", "default_value": "0", "normalizer": "method=log10,threshold=1e-10,default=-10"},
        {"feature_type": "combo_feature", "feature_name": "city_x_category", "expression": ["user:city", "item:category"], "hash_bucket_size": 300},
        {"feature_type": "lookup_feature", "feature_name": "affinity", "map": "user:map_1", "key": "item:category_id", "combiner": "sum", "default_value": "0", "boundaries": [0.1, 0.5, 1, 10, 1000]},
        {"feature_type": "expr_feature", "feature_name": "price_by_age", "expression": "log(1+price)/(1+age)", "variables": ["item:price", "user:age"], "default_value": "0"},
        {"feature_type": "id_feature", "feature_name": "hour", "expression": "context:hour", "default_value": "0", "num_buckets": 24},
    ]
}

USER_IDS = ["user_id", "age", "city"]
USER_DENSE = ["weight", "raw_3"]
SEQUENCES = ["click", "history__category", "history__price", "history__ts", "history__tags"]
ITEM_IDS = ["item_id", "category", "tags", "city_x_category", "affinity", "hour"]
ITEM_DENSE = ["price", "price_by_age"]
SIZES = {"user_id": 200, "age": 5, "city": 4, "item_id": 500, "category": 8, "tags": 100, "city_x_category": 300, "affinity": 6, "hour": 24}
