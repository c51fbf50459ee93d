"""Checks the way of the demo model, packaging/demo_model: tokenizer, autoencoder, model, classifier, export and evaluation, a few steps of each.

check_demo_model.py SCRIPTS PROGRAM

The pictures are noise; what counts is that every stage takes up what the one before it left, that a stage can be told to stop and goes on, that diffusers and
PROGRAM (polyptych-cli) open the folder, give a prompt the same tokens, and make the same pictures of it.
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    import diffusers
    import transformers
except ImportError as error:
    print(f"no {error.name} in this Python")
    sys.exit(77)

scripts, program = Path(sys.argv[1]), sys.argv[2]
HARD = ("", "a red boat at sunset", "밤에 해변에 하얀 등대",
        "Ünknown wörds 😀 zebra 12345", "고양이가 뷁 쀍", "日本語 テスト", "a  red\tBOAT!!! (very:1.2)", "e\u0301 ﬁ don't")


def run(script, *arguments):
    done = subprocess.run([sys.executable, "-B", scripts / script, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
    return done.stdout


def check_tokens(model):
    tokenizer = transformers.CLIPTokenizer.from_pretrained(model / "tokenizer", local_files_only=True)
    theirs = tokenizer(list(HARD), padding="max_length", max_length=77, truncation=True)["input_ids"]
    done = subprocess.run([program, "tokenize", "--model", model, "--json"], input="\n".join(HARD) + "\n", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ours = [json.loads(line)["ids"] for line in done.stdout.splitlines()]
    for text, a, b in zip(HARD, ours, theirs, strict=True):
        assert a == b, f"{text!r}: {a} instead of {b}"


def check_held_out():
    sys.path.insert(0, str(scripts))
    import random

    import scenes

    rng = random.Random(3)
    for _ in range(2000):
        scene = scenes.sample(rng)
        assert not any(scenes.held_out(s.kind, s.colour, scene.ground) for s in scene.subjects), scene
    share = sum(scenes.held_out(k, c, g) for k in scenes.SUBJECTS for c in scenes.COLOURS for g in scenes.GROUNDS) / (20 * 11 * 7)
    assert 0.02 < share < 0.045, share


def check_stop(work):
    """Told to stop in the middle of two hours, it leaves a state to go on from."""
    command = [sys.executable, "-B", "-u", scripts / "train_model.py", "--work", work, "--resume", "--hours", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    before = process.stdout.readline()
    assert "from step 4" in before, before
    time.sleep(2)
    process.send_signal(signal.SIGTERM)
    rest = process.communicate(timeout=100)[0]
    assert process.returncode == 0 and "stopped at step" in rest, rest


def check_decoder(work, model):
    """The decoder of an autoencoder in diffusers format goes on to learn; what latents are made with stays. @return the new autoencoder"""
    from safetensors.torch import load_file

    run("train_vae.py", "--work", work, "--init", model / "vae", "--decoder-only", "--steps", 2, "--pool", 4)
    before, after = (load_file(next(folder.glob("*.safetensors"))) for folder in (model / "vae", work / "vae"))
    changed = {name.split(".")[0] for name, value in after.items() if not value.equal(before[name])}
    assert "decoder" in changed and changed <= {"decoder", "post_quant_conv"}, changed
    factors = [json.loads((folder / "config.json").read_text())["scaling_factor"] for folder in (model / "vae", work / "vae")]
    assert factors[0] == factors[1], factors
    return work / "vae"


def check_beginning(work, model):
    """The UNet learns on, and what stands beside it stays."""
    from safetensors.torch import load_file

    said = run("train_beginning.py", "--init", model, "--work", work, "--steps", 2)
    assert "after 2 steps" in said, said
    for part, stays in (("unet", False), ("text_encoder", True), ("vae", True)):
        before, after = (load_file(next((folder / part).glob("*.safetensors"))) for folder in (model, work / "model"))
        assert all(value.equal(before[name]) for name, value in after.items()) == stays, part


check_held_out()
with tempfile.TemporaryDirectory() as name:
    place = Path(name)
    work, model = place / "work", place / "빈 칸" / "model"
    run("train_vae.py", "--work", work, "--steps", 3, "--pool", 20)
    said = run("train_model.py", "--work", work, "--steps", 4, "--words", 4)
    assert "words 4" in said and "MB in" in said, said
    check_stop(work)
    run("classifier.py", place / "classifier.safetensors", "--steps", 4, "--check", 16)
    model.parent.mkdir()
    check_beginning(place / "beginning", work / "model")
    run("export.py", "--work", place / "beginning", "--out", model)
    files = [path for path in model.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 20_000_000
    assert {"model_index.json", "README.md", "prompts.txt"} <= {path.name for path in files}, files
    assert len((model / "prompts.txt").read_text(encoding="utf-8").splitlines()) == 40
    assert not re.search(r"\{(trained|table|vocabulary|held out)\}", (model / "README.md").read_text(encoding="utf-8"))
    assert (model / "vae" / "diffusion_pytorch_model.safetensors").exists()
    check_tokens(model)
    run("export.py", "--work", work, "--vae", check_decoder(place / "decoder", model), "--out", model)
    said = run("evaluate.py", program, model, "--classifier", place / "classifier.safetensors", "--out", place / "out", "--pictures", 4, "--steps", 3, "--drawn", 8,
               "--reconstructed", 2, "--diffusers", 2, "--devices", "cpu:2")
    assert "right subject" in said and (place / "out" / "sheet.png").exists(), said
    same = float(re.search(r"([\d.]+) % \(2 pictures\)", said)[1])
    assert same >= 99.9, said
print("every stage of the demo model takes up what the one before it left")
