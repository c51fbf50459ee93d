"""The demo model on every NVIDIA GPU of the machine: the same bytes from one worker, from two workers on one GPU and from all GPUs of a kind, and the CPU's
pictures.

gpu_pictures.py POLYPTYCH_CLI MODEL_FOLDER [DEVICE]

DEVICE takes the place of a GPU, for trying the script itself. Ends with 77 (a named skip) where there is no GPU.
"""
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

if any(importlib.util.find_spec(module) is None for module in ("numpy", "PIL")):
    print("SKIP: numpy or Pillow is not in this Python environment")
    sys.exit(77)

import numpy as np
from PIL import Image

PROMPTS = ["a red car in the desert at noon", "a blue house on a meadow", "밤 바다 위에 하얀 등대"]
CLOSE_SHARE = 0.98  # of values within 2/255 of the CPU's: sums are made in another order
cli, model, *instead = sys.argv[1:]


def usable_gpus(folder):
    """Without those that this torch cannot use, by its driver's or its own age."""
    done = subprocess.run([cli, "devices", "--json"], capture_output=True, text=True, check=True)
    usable = []
    for gpu in json.loads(done.stdout):
        if gpu["id"].startswith("cuda:"):
            tried = subprocess.run([cli, "generate", "--json", "--model", model, "--devices", gpu["id"], "--steps", "1", "--width", "64", "--height", "64", "--out",
                                    os.path.join(folder, gpu["id"].replace(":", "-")), "x"], capture_output=True, text=True, timeout=600)
            if tried.returncode != 0 and '"device_lost"' in tried.stdout:
                print(f"left out: {gpu['id']} ({gpu['name']}): {tried.stderr.strip()[-300:]}")
            else:
                usable.append(gpu)
    return usable


def made(folder, devices, precision="fp32"):
    """@return {name: bytes} of the pictures, their folder"""
    out = os.path.join(folder, f"{devices} {precision}".replace(":", "-"))
    done = subprocess.run([cli, "generate", "--json", "--model", model, "--devices", devices, "--threads", "1", "--seed", "3", "--steps", "20", "--dtype", precision,
                           "--out", out, *PROMPTS], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        sys.exit(f"polyptych-cli on {devices} ended with {done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}")
    return {name: open(os.path.join(out, name), "rb").read() for name in sorted(os.listdir(out)) if name.endswith(".png")}, out


def pixels(folder):
    return [np.asarray(Image.open(os.path.join(folder, name))).astype(np.int32) for name in sorted(os.listdir(folder)) if name.endswith(".png")]


def main():
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        gpus = [{"id": instead[0], "name": "stand-in"}] if instead else usable_gpus(folder)
        if not gpus:
            print("SKIP: this machine has no NVIDIA GPU that this torch can use")
            sys.exit(77)
        _, on_cpu = made(folder, "cpu")
        first = {}  # bytes of the first GPU of each kind
        for gpu in gpus:
            alone, place = made(folder, gpu["id"])
            if len(alone) != len(PROMPTS):
                failures.append(f"{gpu['id']}: {len(alone)} pictures, not {len(PROMPTS)}")
            if first.setdefault(gpu["name"], alone) != alone:
                failures.append(f"{gpu['id']}: other bytes than the first {gpu['name']}")
            pair = f"{gpu['id']},{gpu['id']}"
            if made(folder, pair)[0] != alone:
                failures.append(f"two workers on {gpu['id']}: other bytes than one")
            for prompt, ours, cpu in zip(PROMPTS, pixels(place), pixels(on_cpu)):
                share = (np.abs(ours - cpu) <= 2).mean()
                print(f"{gpu['id']} ({gpu['name']}) {prompt}: {share:.3%} of values within 2/255 of the CPU's")
                if share < CLOSE_SHARE:
                    failures.append(f"{gpu['id']} {prompt}: another picture than the CPU's")
            for ours in pixels(made(folder, gpu["id"], "bf16" if instead else "fp16")[1]):
                if ours.std() < 5:
                    failures.append(f"{gpu['id']}: a picture without content in fp16")
    print("\n".join(failures))
    sys.exit(1 if failures else 0)


main()
