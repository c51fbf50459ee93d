#!/usr/bin/env python3
"""Times the networks against diffusers on a model of Stable Diffusion 1.5's size, in turns on the same cores.

    network_bench.py PROBE MODEL_FOLDER [--side 512] [--batch 2] [--rounds 5] [--threads 2] [--type fp32] [--only unet,decode,text]

MODEL_FOLDER: from tests/parity/make_models.py --sd15. Each round runs diffusers once and network_probe once; the medians of wall time and their
ratio (ours / diffusers) are printed, and the largest difference relative to the output's scale.
"""

import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel

TYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def unet_case(folder, arguments, dtype):
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=dtype).eval()
    cells = arguments.side // 8
    inputs = {"sample": torch.randn(arguments.batch, 4, cells, cells), "context": torch.randn(arguments.batch, 77, 768), "timestep": torch.tensor(500)}
    sample, context = inputs["sample"].to(dtype), inputs["context"].to(dtype)
    return inputs, lambda: unet(sample, inputs["timestep"], context).sample


def decode_case(folder, arguments, dtype):
    vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=dtype).eval()
    cells = arguments.side // 8
    latents = torch.randn(1, 4, cells, cells) / vae.config.scaling_factor
    return {"latents": latents}, lambda: vae.decode(latents.to(dtype)).sample


def text_case(folder, arguments, dtype):
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=dtype).eval()
    ids = torch.randint(0, 49408, (2, 77))
    return {"ids": ids}, lambda: encoder(ids)[0]


MAKERS = {"unet": unet_case, "decode": decode_case, "text": text_case}


def seconds_of(run):
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def bench(name, arguments):
    inputs, reference = MAKERS[name](arguments.model, arguments, TYPES[arguments.type])
    with tempfile.TemporaryDirectory() as temporary:
        given, made = pathlib.Path(temporary) / "in.safetensors", pathlib.Path(temporary) / "out.safetensors"
        metadata = {"settings": f"type={arguments.type} threads={arguments.threads}", name: f"{name} repeat"}
        save_file({f"{name}.{key}": tensor for key, tensor in inputs.items()}, given, metadata=metadata)
        probe = subprocess.Popen([arguments.probe, arguments.model, given, made], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while not probe.stdout.readline().startswith("ready"):
            pass
        _, expected = seconds_of(reference)
        theirs, ours = [], []
        for _ in range(arguments.rounds):
            theirs.append(seconds_of(reference)[0])
            print("go", file=probe.stdin, flush=True)
            ours.append(float(probe.stdout.readline().split()[2]))
        print("end", file=probe.stdin, flush=True)
        probe.wait()
        difference = (load_file(made)[name] - expected.float()).abs().max() / expected.abs().max()
    ratio = statistics.median(ours) / statistics.median(theirs)
    paired = statistics.median(mine / other for mine, other in zip(ours, theirs))
    print(f"{name:7} diffusers {statistics.median(theirs):8.3f} s   ours {statistics.median(ours):8.3f} s   ratio {ratio:.3f}   "
          f"median of paired ratios {paired:.3f}   difference {difference:.1e}", flush=True)


@torch.inference_mode()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--type", choices=TYPES, default="fp32")
    parser.add_argument("--only", default="text,decode,unet")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name in arguments.only.split(","):
        bench(name, arguments)


if __name__ == "__main__":
    main()
