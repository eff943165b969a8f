"""Trains small tokenizers of every kind on generated text and writes what they make of texts.json.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3 protobuf && python generate.py

<name>.json are tokenizer.json files, <name>.model SentencePiece models, expected.json has the ids of each text by each,
encoded by the libraries' own Python packages without special tokens.
"""
import json
import pathlib
import random
import tempfile

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
SYLLABLES = {
    "latin": "ba ko ti re lan mer est on the ing qu ly sh pro con".split(),
    "accents": "é ü ñ çá ø ß Ž ğ œu".split(),
    "cyrillic": "пре на ко ст ва ни ё щи".split(),
    "han": list("的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"),
    "kana": list("あいうえおかきくけこさしすせそたちつてとアイウエオカキクケコガギグパピプッャュョー"),
    "hangul": list("가나다라마바사아자차카타파하한국어는을를이고도"),
    "arabic": "ال كتا ب من في على مد".split(),
    "thai": "กา ไม่ เป็น ที่ นั้".split(),
    "devanagari": "का में है और नि क्ष".split(),
    "emoji": "😀 👍🏽 👩‍👩‍👧 🇨🇳 ❤️".split(),
}
WEIGHTS = [40, 4, 8, 20, 6, 5, 4, 2, 3, 1]
TAILS = [",", ".", "!", "?", "'s", "'ll", "…", "。", "，", "-", "_", "/", "@", "#", "(x)", "％", "ＡＢ", "①", "ﬁ", "½"]
BLANKS = [" "] * 12 + ["", "  ", "\n", "\t", "\u3000", "\u00a0", "   "]
HARD = [
    "", " ", "  ", "\n\n a", "abc efg", "hij", "xyz", "ABC efg", "I'll don't WE'VE", "日本語テスト", "한국어", "e\u0301 é",
    "\u200b\u200d\ufeff", "İstanbul ı", "ΑΣ σς", "a\u0000b", "\ufffd", "x" * 300, "12345678901234567890",
    "https://a.b/c?d=e&f=%20", "<s></s><unk>[CLS] [SEP] [MASK]<|endoftext|> <mask> abc xyz abcd", "▁▁ ▁a", "ﷺ", "ｶﾞｷﾞ", "㍿ Å",
    "q\u0307\u0323", "  lead and trail  ", "\r\n\r\n", "\u2028\u2029\u0085", "👩‍👩‍👧‍👦", "𝔘𝔫𝔦", "\U00020000\U0002f800", "ǆ ǅ ŉ ẞ ß",
    "a\u0301\u0302\u0303", "…---—", "中文abc中文123", "ｆｕｌｌ　ｗｉｄｔｈ", "\x01\x02\x7f", "\u0e40\u0e01\u0e49 क्षि", "77797 71777 12321",
]


def word(r):
    script = r.choices(list(SYLLABLES), WEIGHTS)[0]
    text = "".join(r.choice(SYLLABLES[script]) for _ in range(r.randint(1, 4)))
    if script in ("latin", "accents", "cyrillic") and r.random() < 0.25:
        text = text.capitalize()
    return text.upper() if r.random() < 0.03 else text


def sentence(r):
    out = ""
    for _ in range(r.randint(2, 14)):
        pick = r.random()
        out += word(r) if pick < 0.8 else str(r.randint(0, 10 ** r.randint(1, 6))) if pick < 0.9 else word(r) + r.choice(TAILS)
        out += r.choice(BLANKS)
    return out


def sentences(seed, count):
    r = random.Random(seed)
    return [sentence(r) for _ in range(count)]


TRAINING = sentences(7, 3000)
TEXTS = HARD + sentences(11, 90)
EXPECTED = {}
SIZE = 700


def save(name, tokenizer, change=None):
    document = json.loads(tokenizer.to_str())
    if change:
        change(document)
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    (HERE / f"{name}.json").write_text(text + "\n", "utf-8")
    tokenizer = Tokenizer.from_str(text)
    EXPECTED[f"{name}.json"] = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]


def train(tokenizer, trainer, **options):
    trainer = trainer(vocab_size=SIZE, show_progress=False, **options)
    tokenizer.train_from_iterator(TRAINING, trainer)
    return tokenizer


BYTES = pre_tokenizers.ByteLevel.alphabet()
LLAMA = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CLIP = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def hugging_face():
    t = Tokenizer(models.BPE())  # as GPT-NeoX
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.ByteLevel(trim_offsets=True)
    save("bpe-byte-level", train(t, trainers.BpeTrainer, special_tokens=["<|endoftext|>", "<|padding|>"], initial_alphabet=BYTES))

    t = Tokenizer(models.BPE())  # as RoBERTa
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    train(t, trainers.BpeTrainer, special_tokens=["<s>", "</s>", "<mask>"], initial_alphabet=BYTES)
    t.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    save("bpe-roberta", t)

    t = Tokenizer(models.BPE())  # as Llama 3, cut off and filled up on the left
    split = pre_tokenizers.Split(Regex(LLAMA), "isolated")
    t.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    train(t, trainers.BpeTrainer, special_tokens=["<|endoftext|>", "<pad>"], initial_alphabet=BYTES)
    t.enable_truncation(12, direction="left")
    t.enable_padding(direction="left", pad_id=1, pad_token="<pad>", pad_to_multiple_of=8)
    save("bpe-ignore-merges", t, lambda document: document["model"].update(ignore_merges=True))

    t = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))  # as CLIP
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    split = pre_tokenizers.Split(Regex(CLIP), "removed", invert=True)
    t.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    special = ["<|startoftext|>", "<|endoftext|>"]
    save("bpe-clip", train(t, trainers.BpeTrainer, special_tokens=special, end_of_word_suffix="</w>", initial_alphabet=BYTES))

    t = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))  # as Llama 2, merges as in older files
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    train(t, trainers.BpeTrainer, special_tokens=special)
    save("bpe-byte-fallback", t, lambda d: d["model"].update(merges=[" ".join(pair) for pair in d["model"]["merges"]]))

    t = Tokenizer(models.BPE(unk_token="[UNK]", continuing_subword_prefix="##"))
    t.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.NFKD(), normalizers.StripAccents()])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.Whitespace()])
    options = {"special_tokens": ["[UNK]"], "continuing_subword_prefix": "##", "limit_alphabet": 150}
    save("bpe-prefix", train(t, trainers.BpeTrainer, **options))

    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # as BERT
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    train(t, trainers.WordPieceTrainer, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    save("wordpiece-bert", t)
    t.normalizer = normalizers.BertNormalizer(lowercase=False)
    t.enable_truncation(16)
    t.enable_padding(length=8)
    save("wordpiece-cased-truncated", t)

    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=12))
    bert = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=True)
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), bert])
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"[\s_]+"), "merged_with_previous"), pre_tokenizers.Split("a", "merged_with_next"),
        pre_tokenizers.Split(Regex(r"\d"), "contiguous"), pre_tokenizers.Punctuation("merged_with_previous"),
        pre_tokenizers.CharDelimiterSplit("x"), pre_tokenizers.Split(Regex(r"^.|(?<=\w).\W$|k."), "isolated"),
    ])
    save("wordpiece-splits", train(t, trainers.WordPieceTrainer, special_tokens=["[UNK]"]))

    t = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    t.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.Strip(), normalizers.Lowercase()])
    digits = pre_tokenizers.Digits(individual_digits=True)
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Punctuation(), pre_tokenizers.WhitespaceSplit(), digits])
    save("wordlevel", train(t, trainers.WordLevelTrainer, special_tokens=["[UNK]"]))

    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    save("unigram-nmt", train(t, trainers.UnigramTrainer, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"))


def proto(name):
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString((HERE / f"{name}.model").read_bytes())
    return model


def sentence_piece(folder):
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(text.replace("\n", " ") for text in TRAINING if text.strip()), "utf-8")
    # As nmt_nfkc, for a few characters; the whole of it is in one of the models.
    rules = {"ﷺ": "صلى", "①": "1", "½": "1/2", "ﬁ": "fi", "％": "%", "\u3000": " ", "\u00a0": " ", "\t": " ", "\n": " ", "Ａ": "A",
             "Ｂ": "B", "e\u0301": "é", "\u212b": "\u00c5", "\u200b": "", "👩‍👩‍👧": "x"}
    tsv = folder / "rules.tsv"
    code = lambda text: " ".join(f"{ord(char):X}" for char in text)
    tsv.write_text("".join(f"{code(source)}\t{code(target)}\n" for source, target in rules.items()))

    def add(name):
        processor = sentencepiece.SentencePieceProcessor(model_file=str(HERE / f"{name}.model"))
        EXPECTED[f"{name}.model"] = [processor.encode(text) for text in TEXTS]

    def make(name, **options):
        options = {"vocab_size": SIZE, "character_coverage": 0.98, "minloglevel": 2, **options}
        sentencepiece.SentencePieceTrainer.train(input=str(corpus), model_prefix=str(HERE / name), **options)
        (HERE / f"{name}.vocab").unlink()
        model = proto(name)  # without the folders of the machine that trained it
        for field in ("input", "model_prefix"):
            model.trainer_spec.ClearField(field)
        for spec in (model.normalizer_spec, model.denormalizer_spec):
            spec.ClearField("normalization_rule_tsv")
        (HERE / f"{name}.model").write_bytes(model.SerializeToString())
        add(name)

    own = {"normalization_rule_tsv": str(tsv)}
    plain = {"normalization_rule_name": "identity"}
    make("sp-unigram", model_type="unigram")
    make("sp-unigram-user", model_type="unigram", user_defined_symbols=["<sep>", "abc ", "123", "ing"], control_symbols=["<c>"],
         treat_whitespace_as_suffix=True, **own)
    make("sp-unigram-bytes", model_type="unigram", byte_fallback=True, remove_extra_whitespaces=False, vocab_size=900, **plain)
    make("sp-bpe", model_type="bpe", **own)
    make("sp-bpe-bytes", model_type="bpe", byte_fallback=True, user_defined_symbols=["<sep>", "的", "  "],
         remove_extra_whitespaces=False, add_dummy_prefix=False, vocab_size=900, **plain)
    make("sp-char", model_type="char", vocab_size=200, **plain)
    make("sp-word", model_type="word", treat_whitespace_as_suffix=True, **own)

    for name in ("sp-bpe", "sp-unigram-user"):  # pieces that are not to be used are taken apart again
        model = proto(name)
        r = random.Random(3)
        for piece in model.pieces:
            if piece.type == piece.NORMAL and len(piece.piece) > 1 and r.random() < 0.3:
                piece.type = piece.UNUSED
        (HERE / f"{name}-unused.model").write_bytes(model.SerializeToString())
        add(f"{name}-unused")


def converted():
    """Unigram as converted from SentencePiece: XLM-R's and T5's ways."""
    model = proto("sp-bpe")
    charsmap = normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap)
    pieces = [(piece.piece, piece.score) for piece in proto("sp-unigram").pieces]
    t = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    t.normalizer = normalizers.Sequence([charsmap, normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip(left=False, right=True)])
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    t.add_special_tokens(["<s>", "</s>", AddedToken("<mask>", lstrip=True)])
    t.add_tokens([AddedToken("abc", single_word=True), AddedToken("ING"), AddedToken("xyz", rstrip=True, normalized=False)])
    save("unigram-precompiled", t)
    pieces = [(piece.piece, piece.score) for piece in proto("sp-unigram-bytes").pieces]
    t = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=True))
    t.normalizer = charsmap
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    save("unigram-byte-fallback", t)


hugging_face()
with tempfile.TemporaryDirectory() as temporary:
    sentence_piece(pathlib.Path(temporary))
converted()
(HERE / "texts.json").write_text(json.dumps(TEXTS, ensure_ascii=True, indent=0) + "\n")
origin = f"generate.py with tokenizers {tokenizers.__version__}, sentencepiece {sentencepiece.__version__}"
rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(ids, separators=(',', ':'))}" for name, ids in sorted(EXPECTED.items()))
(HERE / "expected.json").write_text(f'{{"origin": {json.dumps(origin)}, "ids": {{\n{rows}\n}}}}\n')
