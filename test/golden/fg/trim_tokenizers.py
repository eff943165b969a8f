"""Cuts the tokenizers of TorchEasyRec's unit tests down to what the records' texts need.

    git show 54cac31:data/test/tokenizer.json, and spiece.model, into FOLDER; then
    python3 trim_tokenizers.py FOLDER        (Python 3.11, no packages)

Ids stay what they were. Of tokenizer.json (byte-level BPE) the merges stay whose result occurs in a text, with the
vocabulary they make and the single bytes: no other merge can apply. Of spiece.model the pieces up to the largest id of
the records stay; those behind it are longer words, none of which is in a text.
"""

import json
import sys
from pathlib import Path

here = Path(__file__).parent
source = Path(sys.argv[1])

TEXTS = ["ABC efg", "abc efg", "abc efg;hij", "hij", "HIJ", "xyz", "0", "ABC efg;hij"]
LARGEST_PIECE = 7102


def trim_bpe() -> None:
    """Byte-level BPE writes a space as Ġ; other ASCII characters stand for themselves."""
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    written = [text.replace(" ", "Ġ") for text in TEXTS]
    model = tokenizer["model"]
    merges = [merge for merge in model["merges"] if any(merge.replace(" ", "") in text for text in written)]
    kept = {merge.replace(" ", "") for merge in merges}
    model["vocab"] = {token: i for token, i in model["vocab"].items() if len(token) == 1 or token in kept}
    model["merges"] = merges
    (here / "tokenizers/tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False))


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def trim_pieces() -> None:
    """Field 1 of sentencepiece's ModelProto is a piece; every field of the file is length-delimited."""
    data = (source / "spiece.model").read_bytes()
    out = bytearray()
    at = pieces = 0
    while at < len(data):
        start = at
        tag, at = varint(data, at)
        size, at = varint(data, at)
        at += size
        if tag >> 3 == 1:
            pieces += 1
            if pieces > LARGEST_PIECE + 1:
                continue
        out += data[start:at]
    (here / "tokenizers/spiece.model").write_bytes(out)


trim_bpe()
trim_pieces()
