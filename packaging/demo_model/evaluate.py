"""How good the demo model is: makes pictures of prompts that training did not use, through polyptych-cli, and prints a table of what is right in them.

evaluate.py PROGRAM MODEL --classifier FILE --out FOLDER [--pictures 200] [--diffusers 8] [--threads 1] [--devices cpu]

500 prompts, each with another seed whenever it comes again (2000 pictures are four seeds each), and a quarter as many of combinations that were held out of
training. Only what a prompt says is asked for. With several devices (cpu:2) the first pictures are made again on one, to see how long one takes. FOLDER gets
the pictures, table.md, wrong.txt and a contact sheet.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import time

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, StableDiffusionPipeline
from PIL import Image

import classifier
import export
import prompts
import scenes

PROMPTS = 500
AIMS = {"kind": 95, "colour": 95, "ground": 97, "time": 97, "side": 95, "held out": 90}
NAMES = {"kind": "right subject", "colour": "right colour of the subject", "ground": "right ground", "time": "right time of day", "side": "right side",
         "held out": "subject, colour and ground right, in a combination held out of training"}


def mentioned(text, scene):
    """The heads whose answer the prompt gives."""
    text = text.lower()
    tables = {"ground": (prompts.GROUNDS_EN, prompts.GROUNDS_KO, scene.ground), "time": (prompts.TIMES_EN, prompts.TIMES_KO, scene.time),
              "side": (prompts.PLACES_EN, prompts.PLACES_KO, scene.subjects[0].place)}
    return {"kind", "colour"} | {name for name, (en, ko, value) in tables.items() if any(words in text for words in (*en[value], *ko[value]))}


def questions(count, held_out):
    """@return [(prompt, scene)]; the same ones every time."""
    rng = random.Random("held out" if held_out else "evaluation")
    made = []
    while len(made) < min(count, PROMPTS):
        scene = classifier.scene_to_judge(rng, held_out)
        text = prompts.prompt(scene, rng)
        if not held_out or "ground" in mentioned(text, scene):
            made.append((text, scene))
    return [made[i % len(made)] for i in range(count)]


def generate(program, model, folder, asked, seed, *options, devices="cpu"):
    """@return (pictures, seconds of each, seconds of the process)"""
    os.makedirs(folder, exist_ok=True)
    listed = os.path.join(folder, "prompts.txt")
    with open(listed, "w", encoding="utf-8") as file:
        file.writelines(text + "\n" for text in asked)
    begun = time.monotonic()
    subprocess.run([program, "generate", "--prompts", listed, "--model", model, "--devices", devices, "--seed", str(seed), "--out", os.path.join(folder, "pictures"),
                    *options], check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - begun
    with open(os.path.join(folder, "pictures", "manifest.jsonl"), encoding="utf-8") as file:
        done = {entry["index"]: entry for entry in map(json.loads, file) if entry.get("status") == "done"}
    pictures = [Image.open(os.path.join(folder, "pictures", done[i]["file"])).convert("RGB") for i in range(len(asked))]
    return pictures, [done[i]["seconds"] for i in range(len(asked))], took


def in_diffusers(model, asked, pictures, seed, steps, guidance):
    """@return (share of pixel values within 1/255 of ours, seconds a picture)"""
    pipeline = StableDiffusionPipeline.from_pretrained(model, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    near, total, seconds = 0, 0, []
    for i, (text, ours) in enumerate(zip(asked, pictures)):
        begun = time.monotonic()
        theirs = pipeline(text, num_inference_steps=steps, guidance_scale=guidance, generator=torch.Generator().manual_seed(seed + i)).images[0]
        seconds.append(time.monotonic() - begun)
        difference = np.abs(np.asarray(theirs, dtype=int) - np.asarray(ours, dtype=int))
        near, total = near + (difference <= 1).sum(), total + difference.size
    return near / total, statistics.median(seconds)


def psnr(model, count):
    vae = export.load(AutoencoderKL, os.path.join(model, "vae")).eval()
    rng, values = random.Random("reconstruction"), []
    for _ in range(count):
        picture = torch.from_numpy(np.asarray(scenes.draw(scenes.sample(rng), 256)).copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.inference_mode():
            values.append(-10 * np.log10(F.mse_loss(vae.decode(vae.encode(picture).latent_dist.mode()).sample.clamp(-1, 1), picture).item() / 4))
    return float(np.mean(values))


def sheet(pictures, path, columns=8):
    side = pictures[0].width
    whole = Image.new("RGB", (columns * side, -(-len(pictures) // columns) * side))
    for i, picture in enumerate(pictures):
        whole.paste(picture, (i % columns * side, i // columns * side))
    whole.save(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--classifier", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--diffusers", type=int, default=8, help="pictures made with diffusers too")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=7.5)
    parser.add_argument("--drawn", type=int, default=400, help="drawn scenes for the classifier's own accuracy")
    parser.add_argument("--reconstructed", type=int, default=64, help="drawn scenes for the autoencoder")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--devices", default="cpu", help="as polyptych-cli takes them: cpu:2 makes two pictures at a time")
    parser.add_argument("--seed", type=int, default=1000)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    judge = classifier.load(arguments.classifier)
    own = classifier.accuracy(judge, arguments.drawn, 777)
    options = ("--steps", str(arguments.steps), "--guidance", str(arguments.guidance), "--threads", str(arguments.threads))
    right, wrong, all_pictures, seconds = {name: [] for name in AIMS}, [], [], []
    for held_out, count in ((False, arguments.pictures), (True, max(1, arguments.pictures // 4))):
        asked = questions(count, held_out)
        folder = os.path.join(arguments.out, "held-out" if held_out else "prompts")
        pictures, took, _ = generate(arguments.program, arguments.model, folder, [text for text, _ in asked], arguments.seed, *options,
                                     devices=arguments.devices)
        for (text, scene), said in zip(asked, classifier.judge(judge, pictures)):
            wanted = classifier.labels(scene)
            if held_out:
                right["held out"].append(all(said[name] == wanted[name] for name in ("kind", "colour", "ground")))
                continue
            for name in mentioned(text, scene):
                right[name].append(said[name] == wanted[name])
                if said[name] != wanted[name]:
                    wrong.append(f"{text}: {name} {said[name]}")
        seconds += took
        all_pictures.append(pictures)
    if arguments.devices != "cpu":
        again = [text for text, _ in questions(min(16, arguments.pictures), False)]
        seconds = generate(arguments.program, arguments.model, os.path.join(arguments.out, "timed"), again, arguments.seed, *options)[1]
    first = questions(1, False)[0][0]
    small = generate(arguments.program, arguments.model, os.path.join(arguments.out, "first"), [first], 1, "--steps", str(arguments.steps),
                     "--width", "128", "--height", "128", "--threads", "2")[2]
    texts = [text for text, _ in questions(arguments.pictures, False)][: arguments.diffusers]
    same, theirs = in_diffusers(arguments.model, texts, all_pictures[0], arguments.seed, arguments.steps, arguments.guidance) if texts else (None, None)

    rows = [("", "share", "asked", "aim", "the judge itself on drawn scenes")]
    for name, values in right.items():
        if values:
            itself = f"{100 * own[name]:.1f} %" if name in own else ""
            rows.append((NAMES[name], f"{100 * sum(values) / len(values):.1f} %", str(len(values)), f"{AIMS[name]} %", itself))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    lines += ["", f"Autoencoder on unseen scenes: {psnr(arguments.model, arguments.reconstructed):.2f} dB PSNR (aim 30).",
              f"A picture of 256x256, {arguments.steps} steps, {arguments.threads} thread(s): {statistics.median(seconds):.2f} s through polyptych-cli"
              + (f", {theirs:.2f} s in diffusers." if texts else "."), f"From the program's start to a first picture of 128x128, 2 threads: {small:.2f} s."]
    if texts:
        lines.append(f"Pixel values within 1/255 of diffusers' picture: {100 * same:.3f} % ({len(texts)} pictures).")
    table = "\n".join(lines)
    print(table)
    with open(os.path.join(arguments.out, "table.md"), "w", encoding="utf-8") as file:
        file.write(table + "\n")
    with open(os.path.join(arguments.out, "wrong.txt"), "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in wrong)
    sheet([picture for pictures in all_pictures for picture in pictures[:48]], os.path.join(arguments.out, "sheet.png"))


if __name__ == "__main__":
    main()
