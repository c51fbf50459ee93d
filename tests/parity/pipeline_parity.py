"""Whole pictures of the engine against diffusers, live: every sampler of the catalogue, guidance, batches, clip skip, tiling and slicing.

pipeline_parity.py PROBE MODELS_DIR [--full SD15_DIR]
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import diffusers
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

diffusers.utils.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()

CLOSE = 1  # of 255
SHARE = 0.999


class Probe:
    def __init__(self, program, threads):
        self.process = subprocess.Popen([program, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the probe ended with {self.process.wait()} at {request}")
        return json.loads(line)


def diffusers_picture(pipe, choice, case, latents=None):
    cls = getattr(diffusers, choice["class"] + "Scheduler")
    pipe.scheduler = cls.from_config(pipe.original_config, **choice["overrides"])
    pipe.vae.use_tiling = case.get("tiling", False)
    pipe.vae.use_slicing = case.get("slicing", False)
    prompts = case["prompts"]
    negative = case.get("negative")
    kept = []

    def keep(_pipe, _step, _timestep, values):
        kept.append(values["latents"].clone())
        return values

    out = pipe(
        prompts,
        negative_prompt=None if negative is None else [negative] * len(prompts),
        width=case["width"],
        height=case["height"],
        num_inference_steps=case["steps"],
        guidance_scale=case.get("guidance", 7.5),
        guidance_rescale=case.get("guidanceRescale", 0.0),
        clip_skip=case.get("clipSkip"),
        generator=[torch.Generator().manual_seed(case.get("seed", 0) + i) for i in range(len(prompts))],
        latents=latents,
        output_type="np",
        callback_on_step_end=keep,
    )
    return np.rint(out.images * 255).astype(np.int32), kept


class Checker:
    def __init__(self, probe, folder):
        self.probe = probe
        self.folder = folder
        self.failures = []
        self.count = 0
        self.worst = 1.0

    def check(self, name, pipe, choice, case):
        self.count += 1
        base = os.path.join(self.folder, "picture")
        trace = os.path.join(self.folder, "trace.safetensors")
        answer = self.probe.ask(scheduler=choice["name"], image=base, trace=trace, **case)
        if "code" in answer:
            self.failures.append(f"{name}: {answer}")
            return None
        latents = None
        if "initialLatents" in case:
            latents = load_file(case["initialLatents"])["latents"].repeat(1, 1, 1, 1)
        expected, kept = diffusers_picture(pipe, choice, case, latents)
        if answer["beats"] != case["steps"]:
            self.failures.append(f"{name}: {answer['beats']} beats for {case['steps']} steps")
        traced = load_file(trace)
        for i, theirs in enumerate(kept):
            ours = traced[f"latents.{i:03d}"].float()
            gap = ((ours - theirs.float()).abs().max() / theirs.float().abs().max().clamp(min=1e-6)).item()
            if not gap <= 2e-3:
                self.failures.append(f"{name}: latents after call {i} differ by {gap:.2e} of their scale")
                break
        if len([key for key in traced if key.startswith("latents.")]) != len(kept):
            self.failures.append(f"{name}: another number of calls than {len(kept)}")
        for i in range(len(case["prompts"])):
            ours = np.asarray(Image.open(f"{base}.{i}.ppm")).astype(np.int32)
            if ours.shape != expected[i].shape:
                self.failures.append(f"{name}: shape {ours.shape}, not {expected[i].shape}")
                continue
            share = (np.abs(ours - expected[i]) <= CLOSE).mean()
            self.worst = min(self.worst, share)
            if share < SHARE:
                self.failures.append(f"{name}: {share:.4%} of picture {i} within {CLOSE}/255, worst {np.abs(ours - expected[i]).max()}")
            if expected[i].std() < 1.0:
                self.failures.append(f"{name}: diffusers' own picture is flat, so nothing was compared")
        return traced


def open_pipe(folder):
    variant = "fp16" if os.path.exists(os.path.join(folder, "unet", "diffusion_pytorch_model.fp16.safetensors")) else None
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, dtype=torch.float32, variant=variant, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    pipe.original_config = pipe.scheduler.config
    if not hasattr(pipe.text_encoder, "text_model"):
        # transformers 5.6 took that level away, and diffusers 0.42 still asks for it when clip_skip is given.
        object.__setattr__(pipe.text_encoder, "text_model", pipe.text_encoder)
    return pipe


def tiny(checker, models, catalogue):
    names = sorted(n for n in os.listdir(models) if n.startswith("tiny-") and os.path.exists(os.path.join(models, n, "model_index.json")))
    if len(names) < 2:
        raise SystemExit(f"no models under {models}")
    by_name = {choice["name"]: choice for choice in catalogue}
    fast = by_name["DPM++ 2M"]
    for number, name in enumerate(names):
        folder = os.path.join(models, name)
        pipe = open_pipe(folder)
        side = pipe.unet.config.sample_size * pipe.vae_scale_factor
        common = {"model": folder, "width": side, "height": side, "steps": 4}
        cases = {
            "plain": {"prompts": ["a lighthouse at night"]},
            "batch": {"prompts": ["a cat", "a red boat on the sea"], "negative": "rain", "seed": 7},
            "unguided": {"prompts": ["돛단배"], "guidance": 1.0},
            "rescaled": {"prompts": ["a house"], "guidanceRescale": 0.7, "guidance": 9.0},
            "clip skip": {"prompts": ["a mushroom, a tree"], "clipSkip": 1, "negative": "fog"},
            "wide": {"prompts": ["hills"], "width": side + pipe.vae_scale_factor * 3},
        }
        for label, case in cases.items():
            checker.check(f"{name}, {label}", pipe, fast, {**common, **case})
        if number < 2:
            for choice in catalogue:
                checker.check(f"{name}, {choice['name']}", pipe, choice, {**common, "prompts": ["two birds"], "steps": 5, "seed": 3})
            sample = pipe.vae.config.sample_size
            big = max(side, sample * 2)
            for label in ("tiling", "slicing"):
                checker.check(f"{name}, {label}", pipe, fast, {**common, "prompts": ["a", "b"], "width": big, "height": big, "steps": 1, label: True})
            long = by_name.get("Euler", fast)
            checker.check(f"{name}, 20 steps", pipe, long, {**common, "prompts": ["a rocket"], "steps": 20})
            # A file of latents in place of noise.
            path = os.path.join(checker.folder, "latents.safetensors")
            cell = pipe.vae_scale_factor
            latents = torch.randn(1, pipe.unet.config.in_channels, side // cell, side // cell, generator=torch.Generator().manual_seed(99))
            save_file({"latents": latents}, path)
            checker.check(f"{name}, own latents", pipe, long, {**common, "prompts": ["a rocket"], "initialLatents": path})
    # A cancelled unit ends early and says so; previews come once a step and change no bit of the picture.
    folder = os.path.join(models, names[0])
    side = open_pipe(folder).unet.config.sample_size * 8
    base = os.path.join(checker.folder, "p")
    small = {"model": folder, "prompts": ["x"], "width": side, "height": side, "steps": 6, "image": base}
    answer = checker.probe.ask(**small, cancelAfter=2)
    if not answer.get("cancelled") or answer["beats"] != 2:
        checker.failures.append(f"cancel after two steps: {answer}")
    pictures = []
    for previews in (False, True):
        answer = checker.probe.ask(**small, previews=previews)
        if answer.get("previews") != (6 if previews else 0):
            checker.failures.append(f"previews: {answer}")
        with open(base + ".0.ppm", "rb") as file:
            pictures.append(file.read())
    if pictures[0] != pictures[1]:
        checker.failures.append("previews change the picture")


def full(checker, folder, catalogue):
    by_name = {choice["name"]: choice for choice in catalogue}
    pipe = open_pipe(folder)
    for name in ("DPM++ 2M", "Euler a", "PNDM"):
        choice = by_name.get(name) or next(c for c in catalogue if c["class"] == name)
        case = {"model": folder, "prompts": ["a lighthouse at night"], "width": 256, "height": 256, "steps": 4, "seed": 1}
        checker.check(f"SD 1.5 size, {choice['name']}", pipe, choice, case)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("probe")
    parser.add_argument("models")
    parser.add_argument("--full", action="store_true", help="MODELS is one folder of SD 1.5's size")
    arguments = parser.parse_args()
    threads = 1
    torch.set_num_threads(threads)
    probe = Probe(arguments.probe, threads)
    catalogue = probe.ask(catalogue=True)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        checker = Checker(probe, folder)
        (full if arguments.full else tiny)(checker, arguments.models, catalogue)
    for failure in checker.failures[:40]:
        print("FAIL", failure)
    print(f"{checker.count} cases, {len(checker.failures)} failures; worst share of values within {CLOSE}/255: {checker.worst:.5f}")
    sys.exit(1 if checker.failures else 0)


if __name__ == "__main__":
    main()
