"""The engine against diffusers eager on this machine, in one run: medians of interleaved pairs, as ratios (ours / theirs; below 1 is faster).

bench.py --engine-bench PROGRAM --cli PROGRAM --model FOLDER [--side 64] [--pairs 5] [--threads 2] [--only unet,vae,...]

Parts: load (from_pretrained against the engine's load, warm page cache), text (a pair of prompts), unet (one step of a guided picture), vae (one
decode), start (process start to the first picture on disk, 1 step), memory (peak resident set of one whole run, 2 steps).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

THEIRS = """
import sys, torch
from diffusers import StableDiffusionPipeline, DPMSolverMultistepScheduler
torch.set_num_threads(int(sys.argv[2]))
pipe = StableDiffusionPipeline.from_pretrained(sys.argv[1], safety_checker=None, local_files_only=True)
pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
side = int(sys.argv[3])
pipe("a lighthouse at night", width=side, height=side, num_inference_steps=int(sys.argv[4]),
     generator=torch.Generator().manual_seed(1)).images[0].save(sys.argv[5])
"""


class Ours:
    def __init__(self, program, threads):
        self.process = subprocess.Popen([program, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the bench program ended at: {command}")
        return float(line)


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def whole_run(command):
    """Wall seconds and the largest resident set (MB) of any process of the run."""
    before = time.perf_counter()
    # A shell of its own, so that ru_maxrss speaks of this run alone; the worker's peak is among its descendants'.
    script = "import resource,subprocess,sys; code=subprocess.call(sys.argv[1:],stdout=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, code)"
    out = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True)
    seconds = time.perf_counter() - before
    peak, code = out.stdout.split()[-2:]
    if code != "0":
        sys.exit(f"{command[0]} ended with {code}: {out.stderr[-2000:]}")
    return seconds, int(peak) / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine-bench", required=True)
    parser.add_argument("--cli")
    parser.add_argument("--model", required=True)
    parser.add_argument("--side", type=int, default=64, help="latent cells a side (64: 512 pixels)")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="load,text,unet,vae,start,memory")
    arguments = parser.parse_args()
    parts = arguments.only.split(",")
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    results = {}

    def report(name, theirs, ours, unit="s"):
        ratios = sorted(o / t for o, t in zip(ours, theirs))
        results[name] = {"theirs": statistics.median(theirs), "ours": statistics.median(ours), "ratio": statistics.median(ratios), "unit": unit}
        print(f"{name:8} theirs {statistics.median(theirs):9.3f} {unit}   ours {statistics.median(ours):9.3f} {unit}   ratio {statistics.median(ratios):.3f}"
              f"   ({min(ratios):.3f} to {max(ratios):.3f}, {len(ratios)} pairs)", flush=True)

    if {"load", "text", "unet", "vae"} & set(parts):
        import torch
        from diffusers import StableDiffusionPipeline
        from diffusers.utils import logging

        logging.disable_progress_bar()
        torch.set_num_threads(arguments.threads)
        ours = Ours(arguments.engine_bench, arguments.threads)

        def open_theirs():
            return StableDiffusionPipeline.from_pretrained(arguments.model, safety_checker=None, local_files_only=True)

        open_theirs()  # warms the page cache and Python's imports
        ours.seconds(f"load {arguments.model}")
        if "load" in parts:
            pairs = [(timed(open_theirs), ours.seconds(f"load {arguments.model}")) for _ in range(arguments.pairs)]
            report("load", *zip(*pairs))
        pipe = open_theirs()
        side, channels = arguments.side, pipe.unet.config.in_channels
        with torch.inference_mode():
            ids = pipe.tokenizer(["", "a lighthouse at night, oil"], padding="max_length", max_length=pipe.tokenizer.model_max_length,
                                 truncation=True, return_tensors="pt").input_ids
            context = pipe.text_encoder(ids)[0]
            sample = torch.randn(2, channels, side, side)
            latents = torch.randn(1, channels, side, side)
            work = {
                "text": (lambda: pipe.text_encoder(ids)[0], "text"),
                "unet": (lambda: pipe.unet(sample, torch.tensor(500), encoder_hidden_states=context), f"unet {side}"),
                "vae": (lambda: pipe.vae.decode(latents), f"vae {side}"),
            }
            for name, (theirs, command) in work.items():
                if name not in parts:
                    continue
                theirs()
                ours.seconds(command)
                pairs = [(timed(theirs), ours.seconds(command)) for _ in range(arguments.pairs)]
                report(name, *zip(*pairs))
        del pipe
        ours.process.stdin.close()
        ours.process.wait()

    if {"start", "memory"} & set(parts) and arguments.cli:
        with tempfile.TemporaryDirectory() as folder:
            number = 0

            def pair(pixels, steps):
                nonlocal number
                number += 1
                theirs = whole_run([sys.executable, "-c", THEIRS, arguments.model, str(arguments.threads), str(pixels), str(steps), f"{folder}/t{number}.png"])
                ours = whole_run([arguments.cli, "generate", "a lighthouse at night", "--model", arguments.model, "--devices", "cpu", "--seed", "1", "--steps", str(steps),
                                  "--width", str(pixels), "--height", str(pixels), "--dtype", "fp32", "--threads", str(arguments.threads), "--out", f"{folder}/o{number}"])
                return theirs, ours

            if "start" in parts:
                pair(64, 1)
                pairs = [pair(64, 1) for _ in range(arguments.pairs)]
                report("start", [t[0] for t, _ in pairs], [o[0] for _, o in pairs])
            if "memory" in parts:
                theirs, ours = pair(arguments.side * 8, 2)
                report("memory", [theirs[1]], [ours[1]], "MB")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
