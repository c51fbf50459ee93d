"""polyptych-cli with real workers and tiny models: the pictures are diffusers', the same bytes for any number of workers, and no run is lost.

cli_parity.py POLYPTYCH_CLI MODELS_DIR
"""
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

if importlib.util.find_spec("diffusers") is None:
    print("SKIP: diffusers is not in this Python environment")
    sys.exit(77)

import diffusers
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

diffusers.utils.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()

PROMPTS = ["a lighthouse at night", "a red boat", "숲속의 고양이", "", "two birds -- and a kite", "-dash first"]
PICTURES = 2 * len(PROMPTS)
STEPS = 4
failures = []


def expect(ok, what):
    if not ok:
        failures.append(what)


def run(cli, *arguments, expected=0, **more):
    done = subprocess.run([cli, *arguments], capture_output=True, text=True, timeout=300, **more)
    if done.returncode != expected:
        failures.append(f"{' '.join(arguments)[:200]}: exit code {done.returncode}, not {expected}; {done.stderr[-600:]}")
    return done


def files(folder):
    return {name: open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder)) if name.endswith(".png")}


def check_events(events, workers, batch, what):
    """A run's --json lines: every worker is named, and a unit tells each of its denoising steps once, in order and under its first picture's index."""
    if [e["event"] for e in events[:1] + events[-1:]] != ["started", "finished"]:
        failures.append(f"{what}: the first or the last event is another one")
        return
    expect(len(set(events[0]["devices"])) == workers, f"{what}: devices {events[0]['devices']}")
    maker = {e["index"]: e["device"] for e in events if e["event"] == "picture"}
    expect(sorted(maker) == list(range(PICTURES)), f"{what}: picture events for {sorted(maker)}")
    told = {}
    for e in events:
        if e["event"] == "progress":
            told.setdefault(e["index"], []).append((e["stage"], e["step"], e["steps"], e["device"]))
    expected = {i: [("denoising", step, STEPS, maker.get(i)) for step in range(1, STEPS + 1)] for i in range(0, PICTURES, batch)}
    expect(told == expected, f"{what}: progress {told}"[:600])


def close_share(path, expected):
    ours = np.asarray(Image.open(path)).astype(np.int32)
    return (np.abs(ours - expected) <= 1).mean() if ours.shape == expected.shape else 0.0


def main():
    cli, models = sys.argv[1:3]
    model = os.path.join(models, "tiny-sd1")
    torch.set_num_threads(1)
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(model, safety_checker=None, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    common = ["--model", model, "--seed", "5", "--steps", str(STEPS), "--negative", "fog"]
    one_thread = [*common, "--threads", "1"]
    with tempfile.TemporaryDirectory() as base:
        # The same bytes for one to four workers, in units of one and of three, with one thread each and with two.
        for threads, batch in (("1", "1"), ("1", "3"), ("2", "1"), ("2", "3")):
            sets = []
            for workers in (1, 2, 3, 4):
                what = f"threads {threads}, batch {batch}, {workers} workers"
                out = os.path.join(base, f"out-{threads}-{batch}-{workers}")
                answer = run(cli, "generate", *common, "--threads", threads, "--devices", f"cpu:{workers}", "--batch", batch, "--images-per-prompt", "2", "--json",
                             "--out", out, "--", *PROMPTS)
                check_events([json.loads(line) for line in answer.stdout.splitlines()], workers, int(batch), what)
                sets.append(files(out))
                expect(len(sets[-1]) == PICTURES, f"{what}: {len(sets[-1])} pictures")
                rows = [json.loads(line) for line in open(os.path.join(out, "manifest.jsonl"), encoding="utf-8")]
                expect(sorted(r["index"] for r in rows) == list(range(PICTURES)), f"{what}: manifest has {len(rows)} rows")
            for other in sets[1:]:
                expect(other == sets[0], f"threads {threads}, batch {batch}: another number of workers, other bytes")
        # They are diffusers' pictures.
        out = os.path.join(base, "out-1-1-1")
        for index, name in enumerate(sorted(files(out))):
            side = Image.open(os.path.join(out, name)).size
            image = pipe(PROMPTS[index // 2], negative_prompt="fog", num_inference_steps=STEPS, width=side[0], height=side[1],
                         generator=torch.Generator().manual_seed(5 + index), output_type="np").images[0]
            share = close_share(os.path.join(out, name), np.rint(image * 255).astype(np.int32))
            expect(share >= 0.999, f"{name}: {share:.4%} of values within 1/255 of diffusers'")
        # A finished run ends with 0 at once; another run in its folder is an error before work.
        before = files(out)
        run(cli, "generate", *one_thread, "--devices", "cpu", "--images-per-prompt", "2", "--out", out, "--", *PROMPTS)
        expect(files(out) == before, "a finished run was made again")
        run(cli, "generate", *one_thread, "--devices", "cpu", "--images-per-prompt", "2", "--out", out, "--", *PROMPTS, "one more", expected=2)
        # Killed in the middle, the run goes on to the same bytes.
        killed = os.path.join(base, "killed")
        command = [cli, "generate", *one_thread, "--devices", "cpu:2", "--images-per-prompt", "2", "--out", killed, "--", *PROMPTS]
        for wanted in (1, 4, 7):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 120
            while process.poll() is None and time.monotonic() < deadline:
                if os.path.isdir(killed) and len([n for n in os.listdir(killed) if n.endswith(".png")]) >= wanted:
                    process.send_signal(signal.SIGKILL)
                    break
                time.sleep(0.005)
            process.wait()
        run(command[0], *command[1:])
        expect(files(killed) == before, "a killed run went on to other bytes")
        # Trace, and latents in place of noise.
        trace = os.path.join(base, "trace.safetensors")
        run(cli, "generate", *one_thread, "--devices", "cpu", "--trace", trace, "--out", os.path.join(base, "traced"), "a cat")
        tensors = load_file(trace)
        for name in ("prompt_embeds", "timesteps", "sigmas", "initial_latents", "noise_pred.000", "noise_pred.003", "latents.000", "latents.003", "image"):
            expect(name in tensors, f"the trace has no {name}")
        given = os.path.join(base, "latents.safetensors")
        save_file({"latents": tensors["initial_latents"].contiguous()}, given)
        again = os.path.join(base, "again")
        run(cli, "generate", *one_thread, "--devices", "cpu", "--initial-latents", given, "--out", again, "a cat")
        expect([Image.open(os.path.join(again, n)).tobytes() for n in files(again)] == [Image.open(os.path.join(base, "traced", n)).tobytes() for n in files(os.path.join(base, "traced"))],
               "the traced latents give another picture")
        # What cannot be meant.
        run(cli, "generate", "x", "--model", os.path.join(base, "nothing"), "--out", os.path.join(base, "n"), expected=3)
        run(cli, "generate", "x", "--model", model, "--width", "100", "--out", os.path.join(base, "n"), expected=2)
        run(cli, "generate", "x", "--model", model, "--devices", "cuda:9", "--out", os.path.join(base, "n"), expected=2)
        damaged = os.path.join(base, "damaged")
        shutil.copytree(model, damaged)
        weights = os.path.join(damaged, "unet", "diffusion_pytorch_model.safetensors")
        with open(weights, "r+b") as file:
            file.truncate(os.path.getsize(weights) - 64)
        answer = run(cli, "generate", "x", "--model", damaged, "--devices", "cpu", "--out", os.path.join(base, "n"), expected=3)
        expect("safetensors" in answer.stderr, f"a cut file: {answer.stderr[-300:]}")
        # The tokenizer of the model.
        answer = run(cli, "tokenize", "--model", model, "--json", input="a cat\n돛단배 !\n")
        rows = [json.loads(line) for line in answer.stdout.splitlines()]
        expect([r["ids"] for r in rows] == [pipe.tokenizer(t, padding="max_length", max_length=77, truncation=True).input_ids for t in ("a cat", "돛단배 !")], "tokenize gives other ids")
    for failure in failures[:30]:
        print("FAIL", failure)
    print(f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
