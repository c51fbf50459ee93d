"""The demo model through polyptych-cli and its workers: diffusers' pictures, and what the prompts ask for.

check_demo_pictures.py POLYPTYCH_CLI MODEL_FOLDER

Deterministic: fixed seeds. The rules are simple ones over areas (a night is darker than a day, a meadow is greener than a desert); how good the model is
altogether is packaging/demo_model/evaluate.py's affair.
"""
import importlib.util
import os
import subprocess
import sys
import tempfile

if importlib.util.find_spec("diffusers") is None:
    print("SKIP: diffusers is not in this Python environment")
    sys.exit(77)

import diffusers
import numpy as np
import torch
from PIL import Image

diffusers.utils.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()

PROMPTS = ["a red car in the desert at noon", "a blue house on a meadow", "a yellow tent in the snow at night", "밤 바다 위에 하얀 등대"]
SEED, STEPS = 3, 20


def main():
    cli, model = sys.argv[1:3]
    torch.set_num_threads(1)
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        command = [cli, "generate", "--model", model, "--devices", "cpu:2", "--threads", "1", "--seed", str(SEED), "--steps", str(STEPS), "--out", out, *PROMPTS]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            sys.exit(f"polyptych-cli ended with {done.returncode}: {done.stderr[-600:]}")
        names = sorted(name for name in os.listdir(out) if name.endswith(".png"))
        pictures = [np.asarray(Image.open(os.path.join(out, name))).astype(np.int32) for name in names]
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(model, dtype=torch.float32, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    for index, (prompt, ours) in enumerate(zip(PROMPTS, pictures)):
        image = pipe(prompt, num_inference_steps=STEPS, generator=torch.Generator().manual_seed(SEED + index), output_type="np").images[0]
        share = (np.abs(ours - np.rint(image * 255).astype(np.int32)) <= 1).mean()
        print(f"{prompt}: {share:.3%} of values within 1/255 of diffusers'")
        if share < 0.999:
            failures.append(f"{prompt}: another picture than diffusers'")

    def mean(index, rows):
        return pictures[index][rows].mean((0, 1))

    sky, ground = slice(0, 64), slice(200, 256)
    rules = {
        "the desert is yellow: red over green over blue": mean(0, ground)[0] > mean(0, ground)[1] > mean(0, ground)[2] + 30,
        "the meadow is green": mean(1, ground)[1] > max(mean(1, ground)[0], mean(1, ground)[2]) + 20,
        "the sky at noon is blue": mean(0, sky)[2] > mean(0, sky)[0] + 30,
        "the nights are darker than noon": max(mean(2, sky).mean(), mean(3, sky).mean()) < 0.4 * mean(0, sky).mean(),
        "the sea at night is blue": mean(3, ground)[2] > mean(3, ground)[0] + 15,
    }
    failures += [f"not so: {rule}" for rule, holds in rules.items() if not holds]
    for failure in failures:
        print("FAIL", failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
