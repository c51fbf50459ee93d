"""The demo model's tokenizer: CLIP's byte-level BPE, its merges learned from prompts that prompts.py makes in English and Korean.

tokens.py FOLDER [--seed 1] [--prompts 20000] [--merges 1100]        writes vocab.json, merges.txt, special_tokens_map.json and tokenizer_config.json

Every byte has a token of its own, within a word and at its end, so a word that no prompt had falls apart into known pieces.
"""
import argparse
import json
import os
import random

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

import prompts
import scenes

START, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 77
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def byte_characters():
    """The characters that stand for bytes, in CLIP's order: printable ones as themselves, the rest from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(b) for b in printable] + [chr(0x100 + i) for i in range(256 - len(printable))]


def learn_merges(texts, count):
    learner = Tokenizer(BPE(end_of_word_suffix="</w>"))
    learner.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    learner.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    trainer = BpeTrainer(vocab_size=512 + count, min_frequency=20, end_of_word_suffix="</w>", initial_alphabet=byte_characters(), show_progress=False)
    learner.train_from_iterator(texts, trainer)
    merges = [m.split(" ") if isinstance(m, str) else m for m in json.loads(learner.to_str())["model"]["merges"]]
    return merges[:count]


def write(folder, seed=1, count=20000, merge_count=1100):
    rng = random.Random(seed)
    merges = learn_merges((prompts.prompt(scenes.sample(rng), rng) for _ in range(count)), merge_count)
    letters = byte_characters()
    names = [*letters, *(c + "</w>" for c in letters), *("".join(m) for m in merges), START, END]
    vocabulary = {name: i for i, name in enumerate(dict.fromkeys(names))}
    settings = {
        "tokenizer_class": "CLIPTokenizer", "bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END, "add_prefix_space": False,
        "do_lower_case": True, "errors": "replace", "model_max_length": LENGTH, "clean_up_tokenization_spaces": True,
    }
    os.makedirs(folder, exist_ok=True)

    def save(name, text):
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)

    save("vocab.json", json.dumps(vocabulary, ensure_ascii=False))
    save("merges.txt", "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    save("special_tokens_map.json", json.dumps({"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}, indent=2) + "\n")
    save("tokenizer_config.json", json.dumps(settings, indent=2) + "\n")
    return len(vocabulary)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--prompts", type=int, default=20000)
    parser.add_argument("--merges", type=int, default=1100)
    arguments = parser.parse_args()
    print(f"{write(arguments.folder, arguments.seed, arguments.prompts, arguments.merges)} tokens")


if __name__ == "__main__":
    main()
