"""Runs the cases of ../cases.ts through eas-prediction. Prints one JSON line per case."""
import glob
import json
import os
import struct
import sys
import threading
import time
import urllib.request
import warnings

import eas_prediction
from eas_prediction import PredictClient, StringRequest, TFRequest, TorchRequest
from eas_prediction import tf_request_pb2
from eas_prediction.easyrec_predict_pb2 import StatusCode
from eas_prediction.easyrec_request import EasyRecRequest
from eas_prediction.exception import PredictException
from eas_prediction.torchrec_predict_pb2 import PBLogData
from eas_prediction.torchrec_request import TorchRecRequest

warnings.simplefilter("ignore")  # urllib3 warns of the URLs without a scheme that direct mode makes

PLAN = json.load(open(os.environ["SDK_PLAN"], encoding="utf-8"))
HOST = PLAN["host"]
ROWS = PLAN["digits"]
TOLERANCE = 1e-4
CASES = []


class Skip(Exception):
    pass


def case(name):
    def add(check):
        CASES.append((name, check))
        return check

    return add


def skip(name, reason):
    def check():
        raise Skip(reason)

    CASES.append((name, check))


def expect(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r}, got {actual!r}")


def port(service):
    if service not in PLAN["services"]:
        raise AssertionError(f"service {service} is not running")
    return PLAN["services"][service]["port"]


def client(service, path="", prefix="", token=None, timeout=5000):
    made = PredictClient(f"http://{HOST}:{port(service)}{prefix}", service + path)
    made.set_token(PLAN["services"][service]["token"] if token is None else token)
    made.set_timeout(timeout)
    made.init()
    return made


# Digits


def digits_request(rows, snappy=False):
    request = TorchRequest(snappy)
    request.add_feed(0, [len(rows), 64], TorchRequest.DT_FLOAT, [x for row in rows for x in row["input"]])
    return request


def check_scores(shape, values, rows, key):
    expect(shape, [len(rows), 10], "shape")
    for index, row in enumerate(rows):
        scores = list(values[index * 10 : index * 10 + 10])
        worst = max(abs(a - b) for a, b in zip(scores, row[key], strict=True))
        if worst > TOLERANCE:
            raise AssertionError(f"row {index}: scores differ by {worst}")
        expect(scores.index(max(scores)), row["label"], f"label of row {index}")


def check_digits(made, rows=ROWS[:1], request=None):
    response = made.predict(request or digits_request(rows))
    check_scores(response.get_tensor_shape(0), response.get_values(0), rows, "torchScores")


@case("torch_single")
def _():
    check_digits(client("digits"))


@case("torch_batch")
def _():
    check_digits(client("digits"), ROWS)


@case("torch_map_inputs")
def _():
    request = TorchRequest()
    request.add_feed_map("image", [1, 64], TorchRequest.DT_FLOAT, ROWS[0]["input"])
    response = client("digits").predict(request)
    check_scores(response.get_tensor_shape_map("scores"), response.get_values_map("scores"), ROWS[:1], "torchScores")


@case("torch_debug_level")
def _():
    request = digits_request(ROWS[:1])
    request.set_debug_level(1)
    check_digits(client("digits"), request=request)


@case("trace_batch")
def _():
    check_digits(client("digits_trace"), ROWS)


@case("script_batch")
def _():
    check_digits(client("digits_script"), ROWS)


def tf_digits(rows, signature_name, service="digits_tf"):
    request = TFRequest(signature_name)
    request.add_feed("images", [len(rows), 64], TFRequest.DT_FLOAT, [x for row in rows for x in row["input"]])
    response = client(service).predict(request)
    check_scores(response.get_tensor_shape("scores"), response.get_values("scores"), rows, "tfScores")


@case("tf_single")
def _():
    tf_digits(ROWS[:1], "serving_default")


@case("tf_batch")
def _():
    tf_digits(ROWS, "serving_default")


@case("tf_signature_name")
def _():
    tf_digits(ROWS[:2], "")
    tf_digits(ROWS[:2], "serving_default")


@case("savedmodel_batch")
def _():
    tf_digits(ROWS, "", "digits_savedmodel")
    tf_digits(ROWS, "serving_default", "digits_savedmodel")


@case("savedmodel_signature_json")
def _():
    signature = json.loads(client("digits_savedmodel").predict(StringRequest("")).response_data)
    expect(
        signature,
        {
            "inputs": [{"name": "images", "shape": [-1, 64], "type": "DT_FLOAT"}],
            "outputs": [{"name": "scores", "shape": [-1, 10], "type": "DT_FLOAT"}],
            "signature_name": "serving_default",
        },
        "signature",
    )


@case("tf_signature_json")
def _():
    signature = json.loads(client("digits_tf").predict(StringRequest("")).response_data)
    expect(signature["inputs"][0]["name"], "images", "input name")
    expect(signature["inputs"][0]["type"], "DT_FLOAT", "input type")
    expect(signature["outputs"][0]["name"], "scores", "output name")
    expect("signature_name" in signature, True, "signature_name present")


# Dtypes

SCALAR = 2.5
FIELDS = {"float": "float_val", "float16": "float_val", "double": "double_val", "int64": "int64_val", "bool": "bool_val", "string": "string_val"}
PARSE = {
    "float": float,
    "float16": float,
    "double": float,
    "bool": lambda text: text == "true",
    "string": lambda text: text.encode("utf-8"),
}


def sent(dtype):
    return [PARSE.get(dtype, int)(text) for text in PLAN["tensors"][dtype]]


def bits(dtype, values):
    """Comparable form: NaN equals NaN, and -0 differs from 0."""
    if dtype in ("float", "float16"):
        return [struct.pack("<f", v) for v in values]
    return [struct.pack("<d", v) for v in values] if dtype == "double" else list(values)


def check_tensor(array, dtype):
    values = sent(dtype)
    expect(list(array.array_shape.dim), [len(values)], "shape")
    received = getattr(array, FIELDS.get(dtype, "int_val"))
    if bits(dtype, received) != bits(dtype, values):
        raise AssertionError(f"sent {values}, got {list(received)}")


def echo_torch_request():
    request = TorchRequest()
    for index, dtype in enumerate(TORCH_ORDER):
        values = sent(dtype)
        request.add_feed(index, [len(values)], getattr(TorchRequest, "DT_" + dtype.upper()), values)
    request.add_feed(len(TORCH_ORDER), [], TorchRequest.DT_FLOAT, [SCALAR])
    return request


TORCH_ORDER = ["float", "double", "uint8", "int8", "int16", "int32", "int64"]
for position, torch_dtype in enumerate(TORCH_ORDER):

    @case(f"torch_dtype_{torch_dtype}")
    def _(position=position, dtype=torch_dtype):
        response = client("echo_torch").predict(echo_torch_request())
        array = response.response.outputs[position]
        expect(array.dtype, getattr(TorchRequest, "DT_" + dtype.upper()), "dtype")
        check_tensor(array, dtype)
        expect(bits(dtype, response.get_values(position)), bits(dtype, sent(dtype)), "get_values")


@case("torch_scalar")
def _():
    response = client("echo_torch").predict(echo_torch_request())
    expect(response.get_tensor_shape(len(TORCH_ORDER)), [], "shape")
    expect(list(response.get_values(len(TORCH_ORDER))), [SCALAR], "values")


@case("torch_large")
def _():
    values = [number / 2 for number in range(1_000_000)]
    request = echo_torch_request()
    request.request_data.inputs[0].Clear()
    request.add_feed(0, [len(values)], TorchRequest.DT_FLOAT, values)
    response = client("echo_torch", timeout=30_000).predict(request)
    expect(response.get_tensor_shape(0), [len(values)], "shape")
    expect(list(response.get_values(0)) == values, True, "the values that were sent")


@case("torch_threads")
def _():
    made = client("digits", timeout=30_000)
    failures = []

    def go():
        try:
            for _ in range(5):
                check_digits(made, ROWS)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@case("torch_after_refusal")
def _():
    made = client("digits")
    refused = TorchRequest()
    refused.add_feed(0, [1, 3], TorchRequest.DT_FLOAT, [1, 2, 3])
    for _ in range(3):
        check_attempts("digits", 400, lambda: made.predict(refused))
        check_digits(made)


@case("torch_fetch_order")
def _():
    request = echo_torch_request()
    request.add_fetch(2)
    request.add_fetch(0)
    outputs = client("echo_torch").predict(request).response.outputs
    expect(len(outputs), 2, "outputs")
    check_tensor(outputs[0], "uint8")
    check_tensor(outputs[1], "float")


def torch_out(index, dtype, shape, values):
    request = TorchRequest()
    request.add_feed(0, [4], TorchRequest.DT_FLOAT, [0, 1, 2.5, 300])
    response = client("torch_out").predict(request)
    array = response.response.outputs[index]
    expect(array.dtype, dtype, "dtype")
    expect(array.HasField("array_shape"), True, "array_shape present")
    expect(list(array.array_shape.dim), shape, "shape")
    expect(list(response.get_values(index)), values, "values")


@case("torch_out_half")
def _():
    torch_out(0, TorchRequest.DT_FLOAT, [4], [0, 1, 2.5, 300])


@case("torch_out_bool")
def _():
    torch_out(1, TorchRequest.DT_UINT8, [4], [0, 1, 1, 1])


@case("torch_out_uint16")
def _():
    torch_out(2, TorchRequest.DT_INT32, [4], [0, 1, 2, 300])


@case("torch_out_rank0")
def _():
    torch_out(3, TorchRequest.DT_FLOAT, [], [303.5])


def echo_tf_request():
    request = TFRequest("")
    for dtype in PLAN["tensors"]:
        values = sent(dtype)
        if dtype == "float16":  # add_feed sends DT_HALF without its values, so the message is filled by hand
            array = request.request_data.inputs["in_float16"]
            array.dtype = tf_request_pb2.DT_HALF
            array.array_shape.dim.append(len(values))
            array.float_val.extend(values)
        else:
            request.add_feed(f"in_{dtype}", [len(values)], getattr(TFRequest, "DT_" + dtype.upper()), values)
    request.add_feed("in_scalar", [], TFRequest.DT_FLOAT, [SCALAR])
    return request


TF_READABLE = ["float", "double", "int32", "int64", "int8", "int16", "bool", "string"]  # by TFResponse.get_values
for tf_dtype in PLAN["tensors"]:

    @case(f"tf_dtype_{tf_dtype}")
    def _(dtype=tf_dtype):
        response = client("echo").predict(echo_tf_request())
        check_tensor(response.response.outputs[f"out_{dtype}"], dtype)
        if dtype in TF_READABLE:
            expect(bits(dtype, response.get_values(f"out_{dtype}")), bits(dtype, sent(dtype)), "get_values")


@case("tf_scalar")
def _():
    response = client("echo").predict(echo_tf_request())
    expect(response.get_tensor_shape("out_scalar"), [], "shape")
    expect(list(response.get_values("out_scalar")), [SCALAR], "values")


@case("tf_fetch")
def _():
    request = echo_tf_request()
    request.add_fetch("out_int64")
    request.add_fetch("out_bool")
    outputs = client("echo").predict(request).response.outputs
    expect(sorted(outputs), ["out_bool", "out_int64"], "outputs")
    check_tensor(outputs["out_int64"], "int64")
    check_tensor(outputs["out_bool"], "bool")


# Compression


@case("compress_snappy_configured")
def _():
    check_digits(client("digits_snappy"), ROWS, digits_request(ROWS, snappy=True))


@case("compress_snappy_sniffed")
def _():
    check_digits(client("digits"), ROWS, digits_request(ROWS, snappy=True))


for codec in ["gzip", "zlib", "zstd", "lz4frame"]:
    skip(f"compress_{codec}_configured", "this SDK compresses with Snappy alone")
    skip(f"compress_{codec}_sniffed", "this SDK compresses with Snappy alone")
skip("compress_lz4_configured", "this SDK compresses with Snappy alone")
for name in ["compress_java_is_compressed", "decompressor_auto", "decompressor_zlib"]:
    skip(name, "a setting of the Java SDK")


# Authentication and attempts


def answered(service, status):
    """How many requests the service has answered with a status, by its own count."""
    time.sleep(0.1)  # the count follows the answer
    request = urllib.request.Request(f"http://{HOST}:{port(service)}/metrics")
    request.add_header("Authorization", PLAN["services"][service]["token"])
    text = urllib.request.urlopen(request, timeout=10).read().decode()
    lines = [line for line in text.splitlines() if line.startswith("eas_requests_total") and f'"{status}"' in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def check_attempts(service, status, call):
    before = answered(service, status)
    try:
        call()
    except PredictException as error:
        expect(int(error.code), status, "status")
    else:
        raise AssertionError(f"expected {status}, got an answer")
    expect(answered(service, status) - before, PLAN["attempts"][str(status)], f"attempts answered {status}")


@case("auth_wrong_token")
def _():
    check_attempts("digits", 401, lambda: check_digits(client("digits", token="not-the-token")))


@case("auth_missing_token")
def _():
    check_attempts("digits", 401, lambda: check_digits(client("digits", token="")))


@case("auth_plain_token")
def _():
    url = f"http://{HOST}:{port('digits')}/api/predict/digits"
    made = PredictClient("", "digits", custom_url=url)
    made.set_token(PLAN["services"]["digits"]["token"])
    made.init()
    check_digits(made)


@case("auth_open_service")
def _():
    response = client("echo", token="").predict(echo_tf_request())
    check_tensor(response.response.outputs["out_int32"], "int32")


def slow(service, timeout=30_000, times=1):
    request = TorchRequest()
    request.add_feed(0, [1], TorchRequest.DT_INT64, [times * PLAN["slowTurns"]])
    request.add_feed(1, [1], TorchRequest.DT_FLOAT, [SCALAR])
    return list(client(service, timeout=timeout).predict(request).get_values(0))


@case("attempts_408")
def _():
    check_attempts("hasty", 408, lambda: slow("hasty"))


@case("attempts_429")
def _():
    try:
        check_digits(client("limited"))  # takes the one request of this second
    except PredictException:
        pass
    check_attempts("limited", 429, lambda: check_digits(client("limited")))


@case("attempts_450")
def _():
    results = []
    # One runs, one waits: until the other has come, however busy the machine.
    threads = [threading.Thread(target=lambda: results.append(slow("narrow", times=5))) for _ in range(2)]
    for thread in threads:
        thread.start()
        time.sleep(0.2)
    try:
        check_attempts("narrow", 450, lambda: slow("narrow"))
    finally:
        for thread in threads:
            thread.join()
    expect(results, [[SCALAR], [SCALAR]], "the requests that held the worker and the queue")


@case("attempts_500")
def _():
    def fail():
        request = TorchRequest()
        request.add_feed(0, [2], TorchRequest.DT_FLOAT, [1, 2])
        request.add_feed(1, [1], TorchRequest.DT_INT64, [3])
        client("failing").predict(request)

    check_attempts("failing", 500, fail)


@case("attempts_503")
def _():
    if "not_ready" not in PLAN["services"]:
        raise Skip("nothing serves a model that is not ready")
    check_attempts("not_ready", 503, lambda: check_digits(client("not_ready")))


# Addresses


@case("direct_mode")
def _():
    made = PredictClient(f"{HOST}:{port('digits')}", "digits")
    made.set_endpoint_type(eas_prediction.ENDPOINT_TYPE_DIRECT)
    made.set_token(PLAN["services"]["digits"]["token"])
    made.init()
    check_digits(made)


@case("path_service")
def _():
    check_digits(client("digits", path="/sub"))


@case("endpoint_slash")
def _():
    check_digits(client("digits", prefix="/"))


@case("endpoint_prefix")
def _():
    check_digits(client("digits", prefix="/stage"))


skip("path_request", "no request path in this SDK")
skip("path_query", "no query in this SDK")

# TorchEasyRec

TORCHREC = PLAN["torchrec"]


def torchrec_request():
    """As the processor's page makes it, with what the example's features read."""
    request = TorchRecRequest()
    request.add_user_fea("user_id", "u001d", "STRING")
    request.add_user_fea("age", 12, "INT")
    request.add_user_fea("weight", 129.8, "FLOAT")
    for item in TORCHREC["item_ids"]:
        request.add_item_id(item)
    request.add_user_fea("raw_3", [0.24689289764507472, 0.005758482924454689, 0.6765301324940026, 0.18137273055602343], "list<double>")
    request.add_user_fea("raw_4", [0.9965264740966043, 0.659596586238391, 0.16396649403055896, 0.08364986620265635], "list<double>")
    request.add_user_fea("map_1", {"866": 4143, "1627": 2451}, "map<int,int>")
    request.add_user_fea("map_2", {"0": 0.37845234405201145}, "map<int,float>")
    request.add_context_fea("id_2", [866], "list<int>")
    request.add_context_fea("id_2", [7022, 1], "list<int>")
    request.add_context_fea("id_2", [7022, 1], "list<int>")
    request.add_user_fea("click", [[0.94433516, 0.49145547], [0.94433516, 0.49145597]], "list<list<float>>")
    return request


def check_outputs(response, outputs):
    for name, scores in outputs.items():
        output = response.map_outputs[name]
        expect(list(output.array_shape.dim), [len(scores)], f"shape of {name}")
        if max(abs(a - b) for a, b in zip(output.float_val, scores, strict=True)) > TOLERANCE:
            raise AssertionError(f"{name} is {list(output.float_val)}, not {scores}")


def check_recommended(response):
    expect(list(response.item_ids), TORCHREC["item_ids"], "item_ids")
    check_outputs(response, TORCHREC["outputs"])


@case("torchrec")
def _():
    check_recommended(client("recommender").predict(torchrec_request()))


@case("torchrec_java_page")
def _():
    request = TorchRecRequest()
    request.add_item_id("7033")
    request.add_user_fea("user_id", 33981, "int")
    raw = [0.24689289764507472, 0.005758482924454689, 0.6765301324940026, 0.18137273055602343]
    request.add_user_fea("raw_3", raw, "List<double>")
    request.add_user_fea("map_1", {"866": 4143, "1627": 2451}, "map<string,int>")
    request.add_user_fea("click", [[1.1, 2.2, 3.3], [4.4, 5.5]], "list<list<float>>")
    request.add_context_fea("id_2", raw, "List<double>")
    request.add_context_fea("id_2", raw, "List<double>")
    response = client("recommender").predict(request)
    expect(list(response.item_ids), ["7033"], "item_ids")
    check_outputs(response, {name: [TORCHREC["itemEmptyScore"]] for name in TORCHREC["outputs"]})
    request.set_debug_level(1)
    features = client("recommender").predict(request).generate_features
    expect(list(features), ["7033"], "items of generate_features")
    expect("raw_3:0.2468929,0.005758483,0.6765301,0.18137273" in features["7033"].split(" | "), True, features["7033"])


for tile in (2, 3):

    @case(f"torchrec_tile_{tile}")
    def _(tile=tile):
        check_recommended(client(f"recommender_tile_{tile}").predict(torchrec_request()))


@case("torchrec_debug_level")
def _():
    names, items = set(TORCHREC["outputs"]), len(TORCHREC["item_ids"])
    for row in TORCHREC["levels"]:
        level, predicts = row["level"], row["predicts"]
        request = torchrec_request()
        request.set_debug_level(level)
        response = client("recommender").predict(request)
        if predicts:
            check_recommended(response)
        expect(names <= set(response.map_outputs), predicts, f"outputs at {level}")
        expect("user_id.values" in response.map_outputs, row["inputs"], f"the model's inputs at {level}")
        expect(len(response.raw_features), items * row["raw"], f"raw_features at {level}")
        expect(len(response.generate_features), items * row["generated"], f"generate_features at {level}")


@case("torchrec_item_features")
def _():
    request = torchrec_request()
    item = TORCHREC["item"]
    del request.request_data.item_ids[:]
    for id in (item["item_id"], "brand new"):
        request.add_item_id(id)
        for name in ("item_id", "category", "category_id"):
            request.add_item_fea(name, item[name], "STRING")
        request.add_item_fea("tags", item["tags"], "list<string>")
        request.add_item_fea("price", item["price"], "DOUBLE")
    check_outputs(client("recommender").predict(request), {name: [s[0], s[0]] for name, s in TORCHREC["outputs"].items()})


def check_recalled(response, count):
    expect(list(response.item_ids), TORCHREC["recall"]["item_ids"][:count], "item_ids")
    scores = response.map_outputs["match_item_scores"]
    expect(list(scores.array_shape.dim), [1, count], "shape of match_item_scores")
    if max(abs(a - b) for a, b in zip(scores.float_val, TORCHREC["recall"]["scores"][:count], strict=True)) > TOLERANCE:
        raise AssertionError(f"match_item_scores is {list(scores.float_val)}")


@case("torchrec_recall")
def _():
    request = torchrec_request()
    check_recalled(client("recommender_recall").predict(request), 5)
    request.set_faiss_neigh_num(20)
    check_recalled(client("recommender_recall").predict(request), 20)


@case("torchrec_recall_debug")
def _():
    request = torchrec_request()
    request.set_debug_level(102)
    response = client("recommender_recall").predict(request)
    check_recalled(response, 5)
    embedding = response.map_outputs["user_tower_emb"]
    expect(list(embedding.array_shape.dim), [1, len(TORCHREC["recall"]["user_tower_emb"])], "shape of user_tower_emb")
    expect(list(response.generate_features), ["u001d"], "keys of generate_features")


@case("torchrec_pass_through")
def _():
    response = client("recommender").predict(torchrec_request())
    expect(list(response.pass_through_data), ["model_version"], "pass_through_data")


@case("torchrec_refused")
def _():
    request = torchrec_request()
    request.add_context_fea("hour", 9, "INT")

    def refused():
        try:
            client("recommender").predict(request)
        except PredictException as error:
            expect('context_features["hour"]' in str(error), True, f"the list named in {error}")
            raise

    check_attempts("recommender", 400, refused)


@case("torchrec_log")
def _():
    request = torchrec_request()
    request.set_debug_level(100)
    request.add_meta_data("request_id", "of-the-python-sdk")
    client("recommender").predict(request)
    found = []
    for _ in range(100):
        found = glob.glob(os.path.join(TORCHREC["log"], "*", "of-the-python-sdk_*.pb"))
        if found:
            break
        time.sleep(0.1)
    log = PBLogData()
    with open(found[0], "rb") as file:
        log.ParseFromString(file.read())
    expect(log.request, request.request_data, "the request")
    expect(sorted(log.raw_features), sorted(TORCHREC["item_ids"]), "raw_features")
    expect(sorted(log.generate_features), sorted(TORCHREC["item_ids"]), "generate_features")


@case("torchrec_bypass")
def _():
    request = TorchRequest(False)
    for name, tensor in TORCHREC["tensors"].items():
        dtype = getattr(TorchRequest, f"DT_{tensor['dtype'].upper()}")
        request.add_feed_map(name, tensor["shape"], dtype, tensor["data"])
    response = client("recommender_bypass").predict(request)
    for name, scores in TORCHREC["outputs"].items():
        values = response.get_values_map(name)
        if max(abs(a - b) for a, b in zip(values, scores, strict=True)) > TOLERANCE:
            raise AssertionError(f"{name} is {list(values)}, not {scores}")


# EasyRec


def easyrec_request():
    request = EasyRecRequest()
    for name, value in TORCHREC["easyrec"]["user"].items():
        request.add_user_fea_str(name, value)
    request.request_data.item_ids.extend(TORCHREC["easyrec"]["item_ids"])
    return request


@case("easyrec")
def _():
    response = client("recommender_easyrec").predict(easyrec_request())
    expect(response.status_code, StatusCode.OK, "status_code")
    for row, id in enumerate(TORCHREC["easyrec"]["item_ids"]):
        expect(len(response.results[id].scores), len(response.outputs), "scores of an item")
        for name, scores in TORCHREC["easyrec"]["outputs"].items():
            score = response.results[id].scores[list(response.outputs).index(name)]
            if abs(score - scores[row]) > TOLERANCE:
                raise AssertionError(f"{name} of {id} is {score}, not {scores[row]}")


@case("easyrec_refused")
def _():
    request = easyrec_request()
    request.request_data.context_features["hour"].features.add().int_feature = 9
    response = client("recommender_easyrec").predict(request)
    expect(response.status_code, StatusCode.EXCEPTION, "status_code")
    expect('context_features["hour"]' in response.error_msg, True, f"the list named in {response.error_msg}")


def report(name, ok, detail=""):
    print(json.dumps({"case": name, "ok": ok, "detail": detail}), flush=True)


for case_name, run in CASES:
    try:
        run()
        report(case_name, True)
    except Skip as reason:
        report(case_name, None, str(reason))
    except Exception as error:
        report(case_name, False, f"{type(error).__name__}: {error}")
sys.stdout.flush()
os._exit(0)  # the SDK's discovery threads never end
