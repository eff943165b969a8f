"""Asks a service for a sum with the official Python SDK, as a user of PAI-EAS does.

    python offline_client.py <host:port> <service> <token>
"""

import sys

from eas_prediction import PredictClient, TorchRequest

endpoint, service, token = sys.argv[1:]
client = PredictClient(endpoint, service)
client.set_token(token)
client.set_timeout(60_000)
client.init()

for attempt in range(3):
    request = TorchRequest()
    request.add_feed(0, [1, 2], TorchRequest.DT_FLOAT, [1, 2])
    request.add_feed(1, [1, 2], TorchRequest.DT_FLOAT, [10, 20])
    response = client.predict(request)
    values = list(response.get_values(0))
    if values != [11, 22] or response.get_tensor_shape(0) != [1, 2]:
        sys.exit(f"got {values} of shape {response.get_tensor_shape(0)}")

client.set_token("another")
try:
    client.predict(request)
    sys.exit("a wrong token was let in")
except Exception as error:  # the SDK's own, which has the status
    if getattr(error, "code", None) != 401:
        raise
print("ok")
