"""Writes vectors.json: byte strings with their hashes by the libraries that define them.

    pip install tensorflow-cpu==2.21.0 && python generate.py     (g++ on the path)

`std` is std::hash<std::string> of libstdc++, unsigned; `farm` is TensorFlow's string_to_hash_bucket_fast over 2^63 - 1
buckets, which is FarmHash Fingerprint64 modulo that number. Lengths 0 to 200 meet every branch of both.
"""
import json
import pathlib
import random
import subprocess
import tempfile

import tensorflow as tf

random.seed(5)
texts = [bytes(random.randrange(256) for _ in range(length)) for length in [*range(201), 255, 256, 257, 511, 1024, 4097]]
texts += [text.encode() for text in ["裙子", "연습 문제", "naïve", "🇨🇳", "ua_ia", "item_1", "9223372036854775807", "-1", "5.2"]]

PROGRAM = r"""
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>
int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::string bytes;
    for (size_t i = 0; i < line.size(); i += 2) bytes += (char)std::stoi(line.substr(i, 2), nullptr, 16);
    std::printf("%zu\n", std::hash<std::string>{}(bytes));
  }
}
"""
with tempfile.TemporaryDirectory() as folder:
    source = pathlib.Path(folder) / "hash.cc"
    source.write_text(PROGRAM)
    program = pathlib.Path(folder) / "hash"
    subprocess.run(["g++", "-O2", "-o", program, source], check=True)
    lines = "".join(text.hex() + "\n" for text in texts)
    std = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout.split()
farm = tf.strings.to_hash_bucket_fast(tf.constant(texts), 2**63 - 1).numpy()
compiler = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
rows = [{"hex": text.hex(), "std": s, "farm": str(int(f))} for text, s, f in zip(texts, std, farm, strict=True)]
origin = f"generate.py with {compiler}, tensorflow {tf.__version__}"
out = pathlib.Path(__file__).with_name("vectors.json")
body = ",\n".join(json.dumps(row) for row in rows)
out.write_text(f'{{"origin": {json.dumps(origin)}, "vectors": [\n{body}\n]}}\n')
