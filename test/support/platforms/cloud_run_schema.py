"""Reads descriptions of Cloud Run as gcloud does, with its own messages of the API, and names what these do not have.

    python cloud_run_schema.py <folder of the Google Cloud SDK> service.yaml job.yaml ...
"""

import sys

import yaml

sdk, *paths = sys.argv[1:]
sys.path += [f"{sdk}/lib", f"{sdk}/lib/third_party"]
from apitools.base.protorpclite import messages  # noqa: E402
from apitools.base.py import encoding  # noqa: E402
from googlecloudsdk.generated_clients.apis.run.v1 import run_v1_messages  # noqa: E402


def unknown(message, at):
    for name in message.all_unrecognized_fields():
        yield f"{at}.{name}"
    for field in message.all_fields():
        value = getattr(message, field.name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, messages.Message):
                yield from unknown(item, f"{at}.{field.name}")


failed = False
for path in paths:
    with open(path, encoding="utf8") as file:
        description = yaml.safe_load(file)
    kind = getattr(run_v1_messages, description["kind"])
    # Members that a message does not have raise or are kept as unrecognized; values of another type raise.
    for name in unknown(encoding.PyValueToMessage(kind, description), description["kind"]):
        failed = True
        print(f"{path}: {name} is not in run/v1")
sys.exit(failed)
