"""Times a tokenizer's own Python package: `fg_text.py <tokenizer file> <file of texts as JSON> <rounds>` prints the
processor milliseconds of each round over all texts, one text at a time as a feature generator gets them, as JSON."""
import json
import sys
import time

file, texts_file, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(texts_file, encoding="utf-8") as source:
    texts = json.load(source)
if file.endswith(".model"):
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_file=file)
    encode = processor.encode
else:
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(file)
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
samples = []
for _ in range(rounds):
    start = time.process_time()
    for text in texts:
        encode(text)
    samples.append((time.process_time() - start) * 1000)
json.dump(samples, sys.stdout)
