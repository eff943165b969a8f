"""Serves the items of catalogue.ndjson with a real Feast feature server and records what it answers, in feast.json.

    pip install feast==0.67.0
    python test/golden/feature-store/record_feast.py

Maps are left out: Feast's are of texts only.
"""

import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import feast
import pyarrow as pa
import pyarrow.parquet as pq
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Array, Float32, Float64, Int32, Int64, String

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "catalogue.ndjson"), encoding="utf-8") as file:
    items = [json.loads(line) for line in file]

types = {
    "age": (pa.int32(), Int32),
    "clicks": (pa.int64(), Int64),
    "ctr": (pa.float32(), Float32),
    "price": (pa.float64(), Float64),
    "title": (pa.string(), String),
    "tags": (pa.list_(pa.string()), Array(String)),
    "sizes": (pa.list_(pa.int64()), Array(Int64)),
    "vector": (pa.list_(pa.float32()), Array(Float32)),
}
day = lambda month: datetime.datetime(2026, month, 1, tzinfo=datetime.timezone.utc)
folder = tempfile.mkdtemp()
os.chdir(folder)
columns = {name: pa.array([item[name] for item in items], type=of) for name, (of, _) in types.items()}
columns["item_id"] = pa.array([item["item_id"] for item in items])
columns["at"] = pa.array([day(1)] * len(items), type=pa.timestamp("us", tz="UTC"))
pq.write_table(pa.table(columns), "items.parquet")
with open("feature_store.yaml", "w") as file:
    json.dump(
        {
            "project": "shop",
            "provider": "local",
            "registry": "registry.db",
            "online_store": {"type": "sqlite", "path": "online.db"},
            "entity_key_serialization_version": 3,
        },
        file,
    )
store = FeatureStore(".")
item = Entity(name="item", join_keys=["item_id"], value_type=ValueType.STRING)
source = FileSource(path="items.parquet", timestamp_field="at")
fields = [Field(name=name, dtype=of) for name, (_, of) in types.items()]
view = FeatureView(name="items", entities=[item], ttl=datetime.timedelta(0), schema=fields, source=source)
store.apply([item, view, FeatureService(name="ranking", features=[view])])
store.materialize(day(1) - datetime.timedelta(days=1), day(2))

url = "http://127.0.0.1:16567"
program = os.path.join(os.path.dirname(sys.executable), "feast")
server = subprocess.Popen([program, "serve", "--host", "127.0.0.1", "--port", url.rsplit(":", 1)[1]], start_new_session=True)
ids = [each["item_id"] for each in items] + ["nobody"]
asked = {
    "features": {"features": [f"items:{name}" for name in types], "entities": {"item_id": ids}},
    "service": {"feature_service": "ranking", "entities": {"item_id": ids}},
    "unknown": {"features": ["items:nothing"], "entities": {"item_id": ids[:1]}},
}


def ask(request):
    headers = {"Content-Type": "application/json"}
    call = urllib.request.Request(f"{url}/get-online-features", json.dumps(request).encode(), headers)
    try:
        with urllib.request.urlopen(call) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


try:
    for attempt in range(120):
        try:
            urllib.request.urlopen(f"{url}/health").read()
            break
        except OSError:
            time.sleep(1)
    calls = []
    for name, request in asked.items():
        status, body = ask(request)
        calls.append({"name": name, "request": request, "status": status, "body": body})
finally:
    os.killpg(server.pid, signal.SIGKILL)  # its workers too
origin = {"tool": "feast serve", "version": feast.__version__, "script": "test/golden/feature-store/record_feast.py"}
with open(os.path.join(here, "feast.json"), "w", encoding="utf-8") as file:
    json.dump({"origin": origin, "calls": calls}, file, ensure_ascii=False, indent=1)
