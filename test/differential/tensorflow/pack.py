"""Puts models that zoo.py made, and TensorFlow's answers, into one file each, for the tests that run without TensorFlow.

    python pack.py FOLDER golden/zoo [name…]
"""

import base64
import gzip
import json
import os
import sys

# What no reader of a SavedModel for serving needs.
LEFT_OUT = {'keras_metadata.pb', 'fingerprint.pb', 'frozen.pbtxt'}
# A golden file is kept below a megabyte.
MOST_BYTES = 300_000


def pack(folder, target, name):
    with open(os.path.join(folder, name, 'cases.json')) as file:
        document = json.load(file)
    root = os.path.join(folder, name, 'model')
    files = {}
    for base, _, entries in os.walk(root):
        for entry in sorted(entries):
            if entry in LEFT_OUT:
                continue
            with open(os.path.join(base, entry), 'rb') as file:
                files[os.path.relpath(os.path.join(base, entry), root)] = base64.b64encode(file.read()).decode()
    packed = gzip.compress(json.dumps({**document, 'files': files}, separators=(',', ':')).encode(), 9, mtime=0)
    if len(packed) > MOST_BYTES:
        print(f'{name:24} {len(packed) // 1024:6} kB is too large')
        return
    with open(os.path.join(target, f'{name}.json.gz'), 'wb') as file:
        file.write(packed)
    print(f'{name:24} {len(packed) // 1024:6} kB')


if __name__ == '__main__':
    folder, target = sys.argv[1:3]
    os.makedirs(target, exist_ok=True)
    for name in sys.argv[3:] or sorted(os.listdir(folder)):
        if os.path.exists(os.path.join(folder, name, 'cases.json')):
            pack(folder, target, name)
