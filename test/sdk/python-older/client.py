"""Runs the older cases of ../cases.ts through earlier versions of eas-prediction. Prints one JSON line per case.

    python client.py FOLDER VERSION...

The folder has each version in a folder of its own, so each runs in a process of its own.
"""
import json
import os
import subprocess
import sys

if len(sys.argv) > 2:
    for version in sys.argv[2:]:
        path = os.path.join(sys.argv[1], version)
        subprocess.run([sys.executable, __file__, version], env={**os.environ, "PYTHONPATH": path}, check=True)
    sys.exit()

import threading
import warnings

import eas_prediction
from eas_prediction import PredictClient, StringRequest, TFRequest
from eas_prediction.exception import PredictException
from eas_prediction.torch_request import TorchRequest

warnings.simplefilter("ignore")  # urllib3 warns of the URLs without a scheme that direct mode makes

VERSION = sys.argv[1]
PLAN = json.load(open(os.environ["SDK_PLAN"], encoding="utf-8"))
ROWS = PLAN["digits"]
TOLERANCE = 1e-4
CASE_TIMEOUT_S = 60  # these versions look for an address until they have one


def address(service):
    return f"{PLAN['host']}:{PLAN['services'][service]['port']}"


def client(service, path="", token=None, direct=False):
    made = PredictClient(address(service) if direct else f"http://{address(service)}", service + path)
    if direct:
        made.set_endpoint_type(eas_prediction.ENDPOINT_TYPE_DIRECT)
    made.set_token(PLAN["services"][service]["token"] if token is None else token)
    made.set_timeout(30_000)
    made.init()
    return made


def expect(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r}, got {actual!r}")


def check_scores(shape, values, key):
    expect(list(shape), [len(ROWS), 10], "shape")
    for index, row in enumerate(ROWS):
        worst = max(abs(a - b) for a, b in zip(values[index * 10 : index * 10 + 10], row[key], strict=True))
        if worst > TOLERANCE:
            raise AssertionError(f"row {index}: scores differ by {worst}")


def pixels():
    return [x for row in ROWS for x in row["input"]]


def tensorflow(made):
    request = TFRequest("serving_default")
    request.add_feed("images", [len(ROWS), 64], TFRequest.DT_FLOAT, pixels())
    response = made.predict(request)
    check_scores(response.get_tensor_shape("scores"), response.get_values("scores"), "tfScores")


def pytorch(made):
    request = TorchRequest()
    request.add_feed(0, [len(ROWS), 64], TorchRequest.DT_FLOAT, pixels())
    response = made.predict(request)
    check_scores(response.get_tensor_shape(0), response.get_values(0), "torchScores")


def signature():
    described = json.loads(client("digits_savedmodel").predict(StringRequest("")).response_data)
    expect(described["inputs"], [{"name": "images", "shape": [-1, 64], "type": "DT_FLOAT"}], "inputs")


def wrong_token():
    try:
        pytorch(client("digits", token="not-the-token"))
    except PredictException as error:
        expect(int(error.code), 401, "status")
    else:
        raise AssertionError("expected 401, got an answer")


CASES = {
    "savedmodel": lambda: tensorflow(client("digits_savedmodel")),
    "torchscript": lambda: pytorch(client("digits_trace")),
    "signature_json": signature,
    "wrong_token": wrong_token,
    "sub_path": lambda: pytorch(client("digits", path="/sub")),
    "direct_mode": lambda: pytorch(client("digits", direct=True)),
}


def outcome(run):
    outcomes = ["no answer"]

    def go():
        try:
            run()
            outcomes[0] = ""
        except Exception as error:
            outcomes[0] = f"{type(error).__name__}: {error}"

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    thread.join(CASE_TIMEOUT_S)
    return outcomes[0]


for name, run in CASES.items():
    detail = outcome(run)
    print(json.dumps({"case": f"{VERSION}_{name}", "ok": not detail, "detail": detail}), flush=True)
os._exit(0)  # the SDK's discovery threads never end
