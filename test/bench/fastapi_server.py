"""The digits model behind FastAPI, as such a service is usually written.

The message is read and written by the classes that protoc makes from proto/, on upb. One process, one inference thread.

    MODEL=digits.onnx uvicorn fastapi_server:app
"""

import os

import numpy
import onnxruntime
from fastapi import FastAPI, Request, Response
from pytorch_predict_pb2 import DT_FLOAT, PredictRequest, PredictResponse

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name

app = FastAPI()


@app.get("/healthz")
async def healthz():
    return Response("ok\n")


@app.post("/api/predict/digits")
async def predict(request: Request):
    message = PredictRequest.FromString(await request.body())
    array = message.inputs[0]
    values = numpy.array(array.float_val, dtype=numpy.float32).reshape(array.array_shape.dim)
    (scores,) = session.run(None, {name: values})
    response = PredictResponse()
    output = response.outputs.add(dtype=DT_FLOAT)
    output.array_shape.dim.extend(scores.shape)
    output.float_val.extend(scores.ravel())
    return Response(response.SerializeToString(), media_type="application/octet-stream")
