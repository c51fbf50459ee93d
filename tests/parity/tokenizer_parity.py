#!/usr/bin/env python3
"""Holds core/tokenizer against transformers' CLIPTokenizer on generated prompts.

A vocabulary is trained here on text made here, and saved in every generation of tokenizer files; for each, the live CLIPTokenizer
and our probe read the same folder and must agree on ids, on the dropped text (diffusers' way of finding it) and on the count.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

try:
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CLIPTokenizer
except ImportError as missing:
    print(f"skipped: {missing} (transformers is not in this Python environment)")
    sys.exit(77)

transformers.logging.set_verbosity_error()

BOS, EOS = "<|startoftext|>", "<|endoftext|>"
WORDS = """a an the of in on at with by under over photo painting drawing render portrait landscape city street night day cat dog
horse bird house tree river mountain sky cloud sea wave storm light shadow red green blue gold silver ancient modern detailed
highly masterpiece best quality 8k uhd hdr trending artstation greg rutkowski style studio ghibli anime watercolor oil canvas bokeh
café naïve fiancée smörgåsbord Zürich łódź garçon über résumé don't it's we're you'll I'd they've I'm can't rock'n'roll O'Neil
고양이 밤하늘 아래 그림 수채화 猫 犬 夜空 水彩画 風景 ночь кошка город море γάτα νύχτα θάλασσα قطة ليلة מדבר חתול बिल्ली रात แมว กลางคืน""".split()


def scripts():
    """Assigned characters of every block that has any, so that each script takes part."""
    blocks = {}
    for code in range(0x20, 0x110000):
        if 0xD800 <= code < 0xE000 or unicodedata.category(chr(code)) in ("Cs", "Co"):
            continue
        if unicodedata.category(chr(code)) != "Cn":
            blocks.setdefault(code >> 7, []).append(chr(code))
    return list(blocks.values())


SCRIPTS = scripts()
MARKS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)).startswith("M")]
DECOMPOSABLE = [chr(c) for c in range(0xC0, 0x30000) if not 0xD800 <= c < 0xE000 and unicodedata.decomposition(chr(c))
                and not unicodedata.decomposition(chr(c)).startswith("<")]
SPACES = [chr(c) for c in (9, 10, 11, 12, 13, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x85, 0xA0, 0x1680, 0x180E, 0x2000, 0x2003, 0x200A,
                           0x200B, 0x200C, 0x200D, 0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF)]
EMOJI = ["😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇰🇷", "❤️", "1️⃣", "🧑🏿‍🚀", "☠️", "©️"]
SPECIAL = [BOS, EOS, "<|STARTOFTEXT|>", "<|EndOfText|>", "<|endoftext|", "|endoftext|>", "<|", "|>", "<|startoftext", "!", "!!", "! ",
           "</w>", "<pad>", "<keep>", " <keep> ", "<KEEP>", "<word>", "x<word>", "<word>x", "héllo token", "HÉLLO  TOKEN", "İ", "ΑΣ"]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "''s", "!'s", "'", "'x", "’s", "'\u0301s", "s'", "'l", "'r"]
# Case mappings and letters that Unicode versions disagree about, and normalization's corners.
CORNERS = [chr(c) for c in (0x130, 0x131, 0x1E9E, 0x3A3, 0x3C2, 0x1C89, 0x1C8A, 0xA7CB, 0xA7CC, 0xA7CE, 0xA7D2, 0xA7DA, 0xA7DC,
                            0x10D50, 0x10D65, 0x16EA0, 0x16EB8, 0x2EBF0, 0x2EE5D, 0x31350, 0x323B0, 0x13460, 0x11380, 0x113C9,
                            0x10D40, 0x116D0, 0x1CCF0, 0x1CCF9, 0x1E5F1, 0x11935, 0x11930, 0x11938, 0x340, 0x341, 0x343, 0x344,
                            0x374, 0x37E, 0x387, 0x958, 0xF73, 0xF75, 0xF81, 0x2126, 0x212A, 0x212B, 0xFB1D, 0xFB2C, 0x1D15E,
                            0x1100, 0x1161, 0x11A8, 0xAC00, 0x898, 0x1ABF, 0x7FD, 0x1DF6, 0xE0001, 0xFFFD, 0xFFFF, 0x10FFFF, 0, 1,
                            0x7F, 0x80, 0x9F, 0xAD, 0xAA, 0xB2, 0xBC, 0x2160, 0x24B6, 0x3007)]


def prompt(rng):
    parts = []
    for _ in range(rng.choice((0, 1, 2, 4, 8, 8, 16, 16, 40))):
        kind = rng.random()
        if kind < 0.40:
            word = rng.choice(WORDS)
            parts.append(rng.choice((word, word, word.upper(), word.title(), word + rng.choice(",.;:!?)"))))
        elif kind < 0.50:
            block = rng.choice(SCRIPTS)
            parts.append("".join(rng.choice(block) for _ in range(rng.randint(1, 8))))
        elif kind < 0.56:
            parts.append(rng.choice(EMOJI) * rng.randint(1, 3))
        elif kind < 0.64:
            parts.append(rng.choice("aeiouAEIOUcnsk가अก" ) + "".join(rng.choice(MARKS[:120] if rng.random() < 0.6 else MARKS)
                                                                     for _ in range(rng.randint(1, 4))))
        elif kind < 0.70:
            parts.append(rng.choice(WORDS) + rng.choice(CONTRACTIONS))
        elif kind < 0.76:
            parts.append(str(rng.randint(0, 10**rng.randint(1, 9))) + rng.choice(("", "x", "%", "½", "²", "mm")))
        elif kind < 0.83:
            parts.append(rng.choice(SPECIAL))
        elif kind < 0.88:
            parts.append("".join(rng.choice(CORNERS) for _ in range(rng.randint(1, 3))))
        elif kind < 0.92:
            parts.append("".join(rng.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") for _ in range(rng.randint(1, 6))))
        elif kind < 0.96:
            parts.append("".join(rng.choice(DECOMPOSABLE) for _ in range(rng.randint(1, 3))))
        else:
            code = rng.randrange(0x110000)
            parts.append("" if 0xD800 <= code < 0xE000 else chr(code))
        parts.append(rng.choice(SPACES) * rng.randint(1, 3) if rng.random() < 0.15 else rng.choice(("", " ", " ", " ", "  ")))
    return "".join(parts)


def train(rng):
    """Byte-level BPE trained on generated text, laid out as CLIP's: 256 bytes, 256 bytes with </w>, merges, bos, eos."""
    trainee = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    reference = CLIPTokenizer()
    trainee.normalizer = reference.backend_tokenizer.normalizer
    trainee.pre_tokenizer = reference.backend_tokenizer.pre_tokenizer
    text = [prompt(rng) for _ in range(6000)] + [" ".join(rng.choice(WORDS) for _ in range(20)) for _ in range(4000)]
    trainee.train_from_iterator(text, trainers.BpeTrainer(
        vocab_size=3000, end_of_word_suffix="</w>", show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    merges = [tuple(pair) for pair in json.loads(trainee.to_str())["model"]["merges"]]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    alphabet.remove("!")
    vocab = {}
    for token in ["!"] + alphabet:
        vocab.setdefault(token, len(vocab))
    for token in ["!"] + alphabet:
        vocab.setdefault(token + "</w>", len(vocab))
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    vocab[BOS] = len(vocab)
    vocab[EOS] = len(vocab)
    return vocab, merges


def added(content, **keys):
    return {"__type": "AddedToken", "content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False, **keys}


def write_generations(root, vocab, merges):
    """Folders with the same vocabulary in every shape that transformers reads."""
    def old(name, config, special_map=None, extra=None):
        folder = root / name
        folder.mkdir()
        (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
        (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
        if config is not None:
            (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
        if special_map is not None:
            (folder / "special_tokens_map.json").write_text(json.dumps(special_map), encoding="utf-8")
        if extra is not None:
            (folder / "added_tokens.json").write_text(json.dumps(extra), encoding="utf-8")
        return folder

    old_config = {"add_prefix_space": False, "bos_token": added(BOS), "eos_token": added(EOS), "unk_token": added(EOS),
                  "do_lower_case": True, "errors": "replace", "model_max_length": 77, "pad_token": EOS, "tokenizer_class": "CLIPTokenizer"}
    old_map = {"bos_token": {k: v for k, v in added(BOS).items() if k != "__type"},
               "eos_token": {k: v for k, v in added(EOS).items() if k != "__type"}, "pad_token": EOS,
               "unk_token": {k: v for k, v in added(EOS).items() if k != "__type"}}
    folders = [old("sd1", old_config, old_map)]
    folders.append(old("sd2", {**old_config, "pad_token": EOS}, {**old_map, "pad_token": "!"}))
    folders.append(old("config-alone", {"model_max_length": 77}))
    folders.append(old("decoder", {
        "model_max_length": 77, "bos_token": BOS, "eos_token": EOS, "unk_token": EOS, "pad_token": "!",
        "added_tokens_decoder": {
            "0": {"content": "!", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True},
            str(vocab[BOS]): {"content": BOS, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False, "special": True},
            str(vocab[EOS]): {"content": EOS, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False, "special": True}}}))
    n = len(vocab)
    folders.append(old("added", {**old_config, "additional_special_tokens": ["<pad>"]}, None,
                       {"<keep>": n, "<word>": n + 1, "héllo token": n + 2}))
    folders.append(old("strips", {
        "model_max_length": 20, "bos_token": BOS, "eos_token": EOS, "unk_token": EOS, "pad_token": EOS, "truncation_side": "left",
        "padding_side": "left",
        "added_tokens_decoder": {
            str(n): {"content": "<keep>", "lstrip": True, "normalized": False, "rstrip": True, "single_word": False, "special": False},
            str(n + 1): {"content": "<word>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": True, "special": False},
            str(n + 2): {"content": "HÉLLO\tTOKEN", "lstrip": False, "normalized": True, "rstrip": True, "single_word": False,
                         "special": True}}}))
    for source in ("sd1", "sd2", "strips"):
        folder = root / (source + "-new")
        CLIPTokenizer.from_pretrained(root / source).save_pretrained(folder)
        assert (folder / "tokenizer.json").exists() and not (folder / "vocab.json").exists()
        folders.append(folder)
    both = root / "sd1-both"
    shutil.copytree(root / "sd1", both)
    shutil.copy(root / "sd1-new" / "tokenizer.json", both)
    folders.append(both)
    return folders


def check(folder, prompts, probe):
    reference = CLIPTokenizer.from_pretrained(folder)
    ours = subprocess.run([probe, folder], input="".join(json.dumps(p) + "\n" for p in prompts), stdout=subprocess.PIPE, text=True,
                          encoding="utf-8", check=True).stdout.splitlines()
    assert len(ours) == len(prompts), (folder, len(ours), len(prompts))
    wrong = 0
    length = reference.model_max_length
    for start in range(0, len(prompts), 5000):
        batch = prompts[start:start + 5000]
        padded = reference(batch, padding="max_length", max_length=length, truncation=True).input_ids
        whole = reference(batch, add_special_tokens=False).input_ids
        for text, want, all_ids, line in zip(batch, padded, whole, ours[start:start + 5000]):
            got = json.loads(line)
            dropped = ""
            if len(all_ids) > length - 2:
                cut = all_ids[length - 2:] if reference.truncation_side == "right" else all_ids[:len(all_ids) - (length - 2)]
                dropped = reference.batch_decode([cut])[0]
            if got["ids"] != want or got["dropped"] != dropped or got["tokenCount"] != len(all_ids):
                wrong += 1
                if wrong <= 5:
                    print(f"{folder.name}: {text!r}\n  want {want} {dropped!r} {len(all_ids)}\n  got  {got['ids']} {got['dropped']!r} "
                          f"{got['tokenCount']}", file=sys.stderr)
    print(f"{folder.name}: {len(prompts)} prompts, {wrong} wrong")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--probe", required=True)
    parser.add_argument("--prompts", type=int, default=100_000, help="in all, shared out over the kinds of folder")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    rng = random.Random(arguments.seed)
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        folders = write_generations(Path(temporary), *train(rng))
        every = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
        each = ["a".join(every[i:i + 16]) for i in range(0, len(every), 16)]
        wrong += check(folders[0], each, arguments.probe)  # every character there is, in text that no truncation hides
        share = -(-arguments.prompts // len(folders))
        for folder in folders:
            wrong += check(folder, [prompt(rng) for _ in range(share)], arguments.probe)
    if wrong:
        sys.exit(f"{wrong} prompts differ from transformers {transformers.__version__}")


if __name__ == "__main__":
    main()
