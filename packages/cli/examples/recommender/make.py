"""Makes the recommender example: trains it, exports it as TorchEasyRec lays exports out, and writes what it must answer.

    python make.py [--golden ../../../../test/golden/recommender]

Users look at items by a process that is stated in `simulate`; nothing is real. Beside this script it writes the model,
the catalogue, requests as the official SDK makes them, and features and scores as Python computes them. With --golden
also the same model exported with INPUT_TILE 2 and 3, as TorchScript, and with its embeddings apart; a match model with its
index; and catalogues that follow the first.
"""

import argparse
import hashlib
import json
import math
import random
import shutil
from pathlib import Path

import faiss
import numpy as np
import torch
from eas_prediction.torchrec_request import TorchRecRequest

import features as fg
from model import DIM, TOWER_DIM, TOWER_INPUTS, Dense, Interests, Named, Recommender, UserTower

HERE = Path(__file__).resolve().parent
SEED = 8
torch.manual_seed(SEED)
torch.set_num_threads(1)


# Data


def make_items(rng):
    items = {}
    for i in range(300):
        category = rng.randrange(len(fg.CATEGORIES))
        items[f"item_{i:04}"] = {
            "item_id": f"item_{i:04}",
            "category": fg.CATEGORIES[category],
            "category_id": str([0, 866, 1627, 7022, 5, 6][category]),
            "tags": sorted(rng.sample(["new", "sale", "classic", "gift", "local", "imported", "红色", "green"], rng.randrange(4))),
            "price": round(math.exp(rng.gauss(3, 1)), 2),
        }
    for i, gone in [(7, "price"), (8, "category"), (9, "tags"), (10, "category_id")]:
        items[f"item_{i:04}"][gone] = None
    return items


def make_users(rng, items):
    ids = list(items)
    users = []
    for i in range(150):
        liked = rng.sample(range(len(fg.CATEGORIES)), 2)
        pool = [id for id in ids if items[id]["category"] in [fg.CATEGORIES[c] for c in liked]]
        steps = rng.randrange(14)
        users.append(
            {
                "user_id": f"u{i:03}d",
                "age": rng.randrange(14, 70),
                "city": rng.choice([*fg.CITIES, "xian"]),
                "weight": round(rng.gauss(68, 12), 1),
                "raw_3": [round(rng.random(), 6) for _ in range(4)],
                "map_1": {k: round(rng.random() * 2, 3) for k in rng.sample(["0", "866", "1627", "7022", "5"], 3)},
                "click": [[round(rng.random(), 4), round(rng.random(), 4)] for _ in range(rng.randrange(4))],
                "history": [rng.choice(pool) for _ in range(steps)],
                "history__ts": ";".join(str(round(rng.random(), 3)) for _ in range(steps)),
            }
        )
    return users


def simulate(rng, users, items, count):
    """Who is shown what and what comes of it. A click is likely where the category is one that the user's history has, and
    cheap things are bought; young users and the evening click more; a gift is bought."""
    rows = []
    ids = list(items)
    for _ in range(count):
        user, item, hour = rng.choice(users), items[rng.choice(ids)], rng.randrange(24)
        seen = [items[id]["category"] for id in user["history"]]
        price = item["price"] if item["price"] is not None else 20
        taste = seen.count(item["category"]) / max(1, len(seen))
        like = -1.6 + 4 * taste + 0.6 * (user["age"] < 30) + 0.4 * (hour >= 18) - 0.2 * math.log(price)
        buy = -1.0 - 0.4 * math.log(price) + 1.2 * ("gift" in (item["tags"] or [])) + 1.5 * taste
        click = rng.random() < 1 / (1 + math.exp(-like))
        bought = click and rng.random() < 1 / (1 + math.exp(-buy))
        rows.append((user, item, hour, float(click), float(bought)))
    return rows


# Tensors


def ids_tensors(name, rows):
    return {
        f"{name}.values": torch.tensor([id for row in rows for id in row], dtype=torch.int64),
        f"{name}.lengths": torch.tensor([len(row) for row in rows], dtype=torch.int64),
    }


def user_tensors(rows):
    """Of users already computed, one row each."""
    tensors = {}
    for name in fg.USER_IDS:
        tensors |= ids_tensors(name, [ids[name] for ids, _, _ in rows])
    for name in fg.USER_DENSE:
        tensors[f"{name}.values"] = torch.tensor([dense[name] for _, dense, _ in rows], dtype=torch.float32)
    for name in fg.SEQUENCES:
        steps = [sequences[name] for _, _, sequences in rows]
        flat = [step for row in steps for step in row]
        lengths = [len(row) for row in steps]
        if name == "history__category":
            tensors |= ids_tensors(name, steps)
        elif name == "history__tags":
            keys = ids_tensors(name, flat)
            tensors[f"{name}.values"] = keys[f"{name}.values"]
            tensors[f"{name}.key_lengths"] = keys[f"{name}.lengths"]
            tensors[f"{name}.lengths"] = torch.tensor(lengths, dtype=torch.int64)
        else:
            tensors[f"{name}.values"] = torch.tensor(flat, dtype=torch.float32)
            tensors[f"{name}.lengths"] = torch.tensor(lengths, dtype=torch.int32)
    return tensors


def item_tensors(rows):
    tensors = {}
    for name in fg.ITEM_IDS:
        tensors |= ids_tensors(name, [ids[name] for ids, _ in rows])
    for name in fg.ITEM_DENSE:
        tensors[f"{name}.values"] = torch.tensor([dense[name] for _, dense in rows], dtype=torch.float32)
    return tensors


def tensors_of(request, catalogue, tile):
    """The model's inputs for a request: the user's rows repeated, or once for a model that tiles."""
    user = request["user"]
    ids = request["item_ids"]
    hours = request["context"].get("hour", [None] * len(ids))
    sent = request.get("item_features", {})
    rows = []
    for i, id in enumerate(ids):
        item = dict(catalogue.get(id, {}))
        item |= {name: values[i] for name, values in sent.items()}
        rows.append(fg.item_features(user, item, hours[i]))
    one = fg.user_features(user, catalogue)
    tensors = user_tensors([one] if tile else [one] * len(ids)) | item_tensors(rows)
    if tile:
        tensors["batch_size"] = torch.tensor(len(ids), dtype=torch.int64)
    return tensors


# Training


def train(model, rows, items):
    users = {}
    for user, *_ in rows:
        users.setdefault(user["user_id"], fg.user_features(user, items))
    of_user = [users[user["user_id"]] for user, *_ in rows]
    of_item = [fg.item_features(user, item, hour) for user, item, hour, *_ in rows]
    click = torch.tensor([row[3] for row in rows])
    bought = torch.tensor([row[4] for row in rows])
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
    order = torch.Generator().manual_seed(SEED)
    for _ in range(6):
        for batch in torch.randperm(len(rows), generator=order).split(256):
            data = user_tensors([of_user[i] for i in batch]) | item_tensors([of_item[i] for i in batch])
            out = model(data)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(out["logits_ctr"], click[batch])
            loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(out["logits_cvr"], bought[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return model.eval()


def auc(scores, labels):
    order = np.argsort(scores)
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(len(scores))
    positive = labels > 0
    count = positive.sum()
    return float((ranks[positive].sum() - count * (count - 1) / 2) / (count * (len(scores) - count)))


def evaluate(model, rows, items):
    data = user_tensors([fg.user_features(user, items) for user, *_ in rows])
    data |= item_tensors([fg.item_features(user, item, hour) for user, item, hour, *_ in rows])
    with torch.no_grad():
        out = model(data)
    labels = {"ctr": [row[3] for row in rows], "cvr": [row[4] for row in rows]}
    return {task: round(auc(out[f"probs_{task}"].numpy(), np.array(labels[task])), 4) for task in labels}


# Files


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def export_onnx(model, data, outputs, path, output_axes):
    names = list(data)
    axes = {name: {0: name.replace(".", "_")} for name in names if name != "batch_size"}
    torch.onnx.export(
        torch.jit.trace(Named(model, names), tuple(data.values()), check_trace=False),
        tuple(data.values()),
        str(path),
        input_names=names,
        output_names=outputs,
        dynamic_axes=axes | output_axes,
        opset_version=17,
        dynamo=False,
    )


def export(model, tile, folder, request, items):
    """fg.json, its assets, model_acc.json and the model: the layout of tzrec's export, with ONNX for TorchScript."""
    folder.mkdir(parents=True, exist_ok=True)
    tiled = Recommender(tile)
    tiled.load_state_dict(model.state_dict())
    tiled.eval()
    data = tensors_of(request, items, tile)
    outputs = ["logits_ctr", "probs_ctr", "logits_cvr", "probs_cvr"]
    export_onnx(tiled, data, outputs, folder / "model.onnx", {name: {0: "items"} for name in outputs})
    cities = "".join(f"{city}\n" for city in fg.CITIES)
    asset = f"cities_{hashlib.md5(cities.encode()).hexdigest()}.txt"
    (folder / asset).write_text(cities)
    text = json.dumps(fg.FG, indent=1, ensure_ascii=False).replace("@cities", asset)
    (folder / "fg.json").write_text(text + "\n")
    write_json(folder / "model_acc.json", {"SPARSE_INT64": "1", **({"INPUT_TILE": str(tile)} if tile else {})})
    return tiled


def write_items(folder, items, version, changes=None):
    folder.mkdir(parents=True, exist_ok=True)
    columns = [{"name": name, "type": TYPES[name]} for name in ("item_id", "category", "category_id", "tags", "price")]

    def lines(rows):
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    (folder / f"items-{version}.ndjson").write_text(lines(items.values()))
    manifest = {"version": version, "key": "item_id", "columns": columns, "files": [f"items-{version}.ndjson"]}
    if changes is not None:
        (folder / f"changes-{version}.ndjson").write_text(lines(changes))
        manifest["changes"] = [f"changes-{version}.ndjson"]
    write_json(folder / "manifest.json", manifest)


TYPES = {
    "user_id": "string", "age": "int", "city": "string", "weight": "float", "raw_3": "list<double>", "map_1": "map<string,float>",
    "click": "list<list<float>>", "history": "list<string>", "history__ts": "string", "hour": "int",
    "category": "string", "category_id": "string", "tags": "list<string>", "price": "double", "item_id": "string",
}  # fmt: skip


def sdk_request(request):
    made = TorchRecRequest()
    types = TYPES | request.get("types", {})
    for name, value in request["user"].items():
        made.add_user_fea(name, value, types[name])
    for id in request["item_ids"]:
        made.add_item_id(id)
    for name, values in request["context"].items():
        for value in values:
            made.add_context_fea(name, value, types[name])
    for name, values in request.get("item_features", {}).items():
        for value in values:
            made.add_item_fea(name, value, types[name])
    return made.to_string()


def make_requests(rng, users, items):
    ids = list(items)

    def ask(name, user, item_ids, hour=True, **more):
        context = {"hour": [rng.randrange(24) for _ in item_ids]} if hour else {}
        return {"name": name, "user": user, "item_ids": item_ids, "context": context, **more}

    # As the processor's page has it, with what the example's features read.
    page = {
        "user_id": "u001d",
        "age": 12,
        "weight": 129.8,
        "raw_3": [0.24689289764507472, 0.005758482924454689, 0.6765301324940026, 0.18137273055602343],
        "map_1": {"866": 4143, "1627": 2451},
        "click": [[0.94433516, 0.49145547], [0.94433516, 0.49145597]],
    }
    page_items = ["item_0001", "item_0002", "item_0003"]
    sparse = {"user_id": "stranger", "age": None, "city": "", "history": []}
    override = {"price": [1.5, 1000.0], "category": ["books", "unheard of"], "tags": [["gift", "new"], []]}
    return [
        ask("page", page, page_items, hour=False, types={"map_1": "map<string,int>"}),
        ask("one item", users[0], ["item_0042"]),
        ask("gaps", users[1], ["item_0007", "item_0008", "item_0009", "item_0010", "item_0011"]),
        ask("stranger", sparse, ["item_0005", "item_0006"], hour=False),
        ask("nobody", {}, ["item_0100", "item_0101"], hour=False),
        ask("unknown items", users[2], ["item_0020", "no such item", "item_0021", "另一个"]),
        ask("sent items", users[3], ["item_0030", "brand new"], item_features=override),
        ask("twice", users[4], ["item_0050", "item_0050", "item_0051"]),
        ask("forty", users[5], rng.sample(ids, 40)),
        ask("all", users[6], ids),
        ask("long history", {**users[7], "history": rng.sample(ids, 25), "history__ts": ";".join(["0.5"] * 25)}, rng.sample(ids, 7)),
        ask("unknown history", {**users[8], "history": ["gone", "item_0001", "gone too"], "history__ts": "0.1;0.2;0.3"}, rng.sample(ids, 3)),
    ]  # fmt: skip


def expected(model, request, items, with_tensors):
    data = tensors_of(request, items, 0)
    with torch.no_grad():
        out = model(data)
    unknown = [id not in items and "item_features" not in request for id in request["item_ids"]]
    scores = {name: [-1.0 if gone else x for x, gone in zip(values.tolist(), unknown)] for name, values in out.items()}
    answer = {"name": request["name"], "item_ids": request["item_ids"], "outputs": scores}
    if with_tensors:
        answer["inputs"] = {name: {"shape": list(t.shape), "data": t.flatten().tolist()} for name, t in data.items()}
    return answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--golden", type=Path)
    golden = parser.parse_args().golden
    rng = random.Random(SEED)
    items = make_items(rng)
    users = make_users(rng, items)
    rows = simulate(rng, users, items, 14_000)
    model = train(Recommender(), rows[:12_000], items)
    print("AUC of rows that were held out:", evaluate(model, rows[12_000:], items))

    requests = make_requests(rng, users, items)
    export(model, 0, HERE / "model", requests[2], items)
    shutil.rmtree(HERE / "items", ignore_errors=True)
    write_items(HERE / "items", items, "1")
    folder = HERE / "requests"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for request in requests:
        (folder / f"{request['name'].replace(' ', '-')}.pb").write_bytes(sdk_request(request))
    answers = [expected(model, r, items, len(r["item_ids"]) <= 5) for r in requests]
    origin = f"make.py, torch {torch.__version__}, requests by eas_prediction 0.36"
    (HERE / "expected.json").write_text(json.dumps({"origin": origin, "requests": answers}, ensure_ascii=False) + "\n")
    if golden:
        for tile in (2, 3):
            export(model, tile, golden / f"tile-{tile}", requests[2], items)
        write_golden(golden, model, requests, items, rng)
        for tile in (0, 3):
            write_scripted(golden / f"scripted-{tile}", golden / f"tile-{tile}" if tile else HERE / "model", model, tile)
        write_distributed(golden, model, requests, items)
        write_recall(golden, rows[:12_000], requests, items)


def write_scripted(folder, beside, model, tile):
    """The same as the TorchScript file that TorchEasyRec itself exports: `scripted_model.pt`, forward(data: Dict[str, Tensor])."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in beside.iterdir():
        if path.suffix != ".onnx":
            shutil.copy(path, folder)
    scripted = Recommender(tile)
    scripted.load_state_dict(model.state_dict())
    torch.jit.script(scripted.eval()).save(str(folder / "scripted_model.pt"))


def quantized(rows):
    """DIST_QUANT=INT8: codes, and a scale and an offset as halves; and what they stand for."""
    low = rows.min(1, keepdims=True)
    scale = ((rows.max(1, keepdims=True) - low) / 255).astype(np.float16)
    offset = low.astype(np.float16)
    codes = np.rint((rows - offset) / np.maximum(scale.astype(np.float32), 1e-12)).clip(0, 255).astype(np.uint8)
    values = codes * scale.astype(np.float32) + offset.astype(np.float32)
    return np.concatenate([codes, scale.view(np.uint8), offset.view(np.uint8)], axis=1), values


def write_distributed(golden, model, requests, items):
    """The export with USE_DISTRIBUTED_EMBEDDING: tables as numpy arrays, whole, halved, quantized and by key, and a dense graph."""
    folder = golden / "distributed"
    (folder / "sparse").mkdir(parents=True, exist_ok=True)
    arrays, tables, described = {}, {}, {}
    for name in fg.SIZES:
        rows = torch.cat([model.tables[name].weight, model.wide[name].weight], dim=1).detach().numpy()
        full = f"model.embedding_group.emb_impls.__BASE__.ebc.embedding_bags.{name}_emb"
        facts = {"feat_name_impl": [f"{name}__ebc"], "dense": False, "is_dynamic": False, "dimension": DIM + 2, "dtype": "FP32", "shape": list(rows.shape)}
        missing = None
        if name in ("user_id", "tags"):
            arrays[full], rows = quantized(rows)
            facts["quant"] = "INT8"
        elif name == "city_x_category":
            arrays[full] = rows.astype(np.float16)
            rows = arrays[full].astype(np.float32)
        elif name == "item_id":
            keys = np.array(sorted({fg.hashed([id], 500)[0] for id in list(items)[:200]}), dtype=np.int64)
            missing = np.full(DIM + 2, 0.05, dtype=np.float32)
            arrays |= {f"{full}.keys": keys, f"{full}.values": rows[keys], f"{full}.default_value": missing, f"{full}.scores": keys}
            facts |= {"is_dynamic": True, "key_name": f"{full}.keys", "value_name": f"{full}.values", "default_value_name": f"{full}.default_value"}
            known = set(keys.tolist())
            rows = np.array([row if i in known else missing for i, row in enumerate(rows)])
        else:
            arrays[full] = rows
        tables[name], described[full] = rows, facts
    np.savez(folder / "sparse" / "sparse_embeddings-00-of-01.npz", **{k: v for k, v in arrays.items() if "item_id" not in k})
    np.savez_compressed(folder / "sparse" / "sparse_dynamic_embedding-00-of-01.npz", **{k: v for k, v in arrays.items() if "item_id" in k})
    write_json(folder / "sparse" / "sparse_embedding.json", described)
    full = {name: next(key for key in described if key.endswith(f".{name}_emb")) for name in fg.SIZES}
    pooling = {name: "MEAN" if name == "tags" else "SUM" for name in fg.SIZES}
    features = {f"{name}__ebc": {"embedding_name": full[name], "pooling": pooling[name]} for name in fg.SIZES}
    features |= {f"history__{name}__ec": {"embedding_name": full[name], "pooling": "NONE"} for name in ("category", "tags")}
    write_json(folder / "sparse" / "sparse_features.json", features)
    meta = {
        "__BASE____ebc_user": [f"{name}__ebc" for name in fg.USER_IDS],
        "__BASE____ebc": [f"{name}__ebc" for name in fg.ITEM_IDS],
        "sequence__ec": ["history__category__ec", "history__category__lengths", "history__tags__ec"],
    }
    write_json(folder / "dense_meta.json", meta)

    def dense_inputs(request):
        data = tensors_of(request, items, 3)
        made = {}
        for key in ("__BASE____ebc_user", "__BASE____ebc"):
            columns = []
            for part in meta[key]:
                name = part.removesuffix("__ebc")
                ids = np.split(data[f"{name}.values"].numpy(), np.cumsum(data[f"{name}.lengths"].numpy())[:-1])
                pool = np.mean if pooling[name] == "MEAN" else np.sum
                columns.append(np.stack([pool(tables[name][bag], axis=0) if len(bag) else np.zeros(DIM + 2) for bag in ids]))
            made[key] = torch.tensor(np.concatenate(columns, axis=1), dtype=torch.float32)
        for name in ("category", "tags"):
            made[f"history__{name}__ec"] = torch.tensor(tables[name][data[f"history__{name}.values"].numpy()], dtype=torch.float32)
        made["history__category__lengths"] = data["history__category.lengths"]
        plain = ["weight.values", "raw_3.values", "price.values", "price_by_age.values", "history__price.values", "history__ts.values"]
        plain += ["history__ts.lengths", "click.values", "click.lengths", "history__tags.key_lengths", "batch_size"]
        return made | {name: data[name] for name in plain}

    dense = Dense(model).eval()
    names = ["probs_ctr", "probs_cvr"]
    export_onnx(dense, dense_inputs(requests[2]), names, folder / "model.onnx", {name: {0: "items"} for name in names})
    for name in [*(golden / "tile-3").glob("cities*"), golden / "tile-3" / "fg.json"]:
        shutil.copy(name, folder)
    write_json(folder / "model_acc.json", {"SPARSE_INT64": "1", "INPUT_TILE": "3", "DISTRIBUTED_EMBEDDING": "1", "DIST_QUANT": "INT8"})
    expected = []
    for request in requests:
        with torch.no_grad():
            out = dense(dense_inputs(request))
        unknown = [id not in items and "item_features" not in request for id in request["item_ids"]]
        scores = {name: [-1.0 if gone else x for x, gone in zip(out[name].tolist(), unknown)] for name in names}
        expected.append({"name": request["name"], "item_ids": request["item_ids"], "outputs": scores})
    (folder / "expected.json").write_text(json.dumps({"requests": expected}, ensure_ascii=False) + "\n")


def write_recall(golden, rows, requests, items):
    """A match model of two towers: its user side, the index of its items, and whom it recalls for each user."""
    user, item = UserTower(), torch.nn.Embedding(len(items), TOWER_DIM)
    position = {id: i for i, id in enumerate(items)}
    users = {row[0]["user_id"]: fg.user_features(row[0], items) for row in rows}
    shown = torch.tensor([position[row[1]["item_id"]] for row in rows])
    click = torch.tensor([row[3] for row in rows])
    optimiser = torch.optim.Adam([*user.parameters(), *item.parameters()], lr=0.02)
    for batch in torch.randperm(len(rows), generator=torch.Generator().manual_seed(SEED)).split(256):
        embeddings = user(user_tensors([users[rows[i][0]["user_id"]] for i in batch]))["user_tower_emb"]
        logits = (embeddings * torch.nn.functional.normalize(item(shown[batch]), dim=1)).sum(1) * 5 - 1
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, click[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    data = user_tensors([fg.user_features(requests[1]["user"], items)])
    data = {name: data[name] for name in TOWER_INPUTS}
    vectors = torch.nn.functional.normalize(item.weight, dim=1).detach().numpy()
    asked = [request for request in requests if request["user"]]
    expected = {"origin": f"packages/cli/examples/recommender/make.py, faiss-cpu {faiss.__version__}"}
    for name, interests in (("recall", False), ("recall-interests", True)):
        model = Interests(user) if interests else user
        model.eval()
        folder = golden / name / "user"
        folder.mkdir(parents=True, exist_ok=True)
        export_onnx(model, data, ["user_tower_emb"], folder / "model.onnx", {})
        entries = [entry for entry in fg.FG["features"] if entry.get("feature_name") in ("user_id", "age") or "sequence_name" in entry]
        write_json(folder / "fg.json", {"features": entries})
        write_json(folder / "model_acc.json", {"SPARSE_INT64": "1"})
        (golden / name / "item").mkdir(exist_ok=True)
        (golden / name / "item" / "README.md").write_text("The other tower, which is run offline: not part of what is served.\n")
        index = faiss.index_factory(TOWER_DIM, "IVF8,Flat", faiss.METRIC_INNER_PRODUCT)
        index.train(vectors)
        index.add(vectors)
        faiss.write_index(index, str(golden / name / "faiss_index"))
        (golden / name / "id_mapping").write_text("".join(f"{id}\n" for id in items))
        index.nprobe = 8
        expected[name] = []
        for request in asked:
            tensors = user_tensors([fg.user_features(request["user"], items)])
            with torch.no_grad():
                embedding = model({key: tensors[key] for key in TOWER_INPUTS})["user_tower_emb"]
            scores, ids = index.search(embedding.reshape(-1, TOWER_DIM).numpy(), 20)
            best = {}
            for i, score in zip(ids.flatten().tolist(), scores.flatten().tolist()):
                if i >= 0 and score > best.get(i, -2):
                    best[i] = score
            ranked = sorted(best.items(), key=lambda pair: -pair[1])[:20]
            names = list(items)
            expected[name].append({
                "name": request["name"],
                "item_ids": [names[i] for i, _ in ranked],
                "scores": [score for _, score in ranked],
                "user_tower_emb": embedding.flatten().tolist(),
            })  # fmt: skip
    (golden / "recall.json").write_text(json.dumps(expected) + "\n")


def write_golden(golden, model, requests, items, rng):
    """The catalogue after increments, and one that takes its place; with the scores of each."""
    changes = [{**items[id], "price": round(items[id]["price"] * 3, 2)} for id in ("item_0001", "item_0020", "item_0051")]
    changes += [{"item_id": "no such item", "category": "books", "category_id": "5", "tags": ["sale"], "price": 5.0}]
    changed = items | {row["item_id"]: row for row in changes}
    del changed["item_0021"]
    write_items(golden / "items-changed", items, "1", [*changes, {"item_id": "item_0021", "_deleted": True}])
    swapped = {id: {**item, "category": rng.choice(fg.CATEGORIES), "price": 10.0} for id, item in items.items() if id != "item_0050"}
    write_items(golden / "items-swapped", swapped, "2")
    small = [request for request in requests if len(request["item_ids"]) <= 5]
    scores = {name: [expected(model, r, catalogue, False) for r in small] for name, catalogue in [("changed", changed), ("swapped", swapped)]}
    (golden / "expected.json").write_text(json.dumps({"origin": "packages/cli/examples/recommender/make.py", **scores}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
