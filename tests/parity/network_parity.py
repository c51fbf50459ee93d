#!/usr/bin/env python3
"""Compares the networks with diffusers' on every tiny model: network_parity.py PROBE MODELS_FOLDER

network_parity.py --full PROBE FOLDER compares those of one big model at 256x256.

Largest difference allowed, relative to the largest value of the expected output: 1e-4 in fp32. In fp16 and bf16 two correct programs differ by
the order of their roundings; measured between diffusers in NCHW and in channels last, the bounds below are about three times that.
"""

import argparse
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

MISSING = [name for name in ("torch", "diffusers", "transformers", "safetensors") if importlib.util.find_spec(name) is None]
if MISSING:
    print(f"SKIP: not in this Python environment: {', '.join(MISSING)} ({sys.executable})")
    sys.exit(77)

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel

import make_models

TOLERANCE = {"fp32": 1e-4, "fp16": 2e-2, "bf16": 1e-1}
TYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


class Cases:
    def __init__(self, settings):
        self.tensors = {}
        self.metadata = {"settings": settings}
        self.expected = {}

    def add(self, name, line, expected, **inputs):
        self.metadata[name] = line
        self.expected[name] = expected.detach().float()
        for key, tensor in inputs.items():
            self.tensors[f"{name}.{key}"] = tensor.clone(memory_format=torch.contiguous_format)


def text_embeddings(encoder, ids, clip_skip):
    """As StableDiffusionPipeline.encode_prompt does it."""
    if clip_skip is None:
        return encoder(ids)[0]
    hidden = encoder(ids, output_hidden_states=True)[-1][-(clip_skip + 1)]
    final_norm = encoder.text_model.final_layer_norm if hasattr(encoder, "text_model") else encoder.final_layer_norm
    return final_norm(hidden)


def add_text_cases(cases, folder, options, generator):
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", **options).eval()
    config = encoder.config
    ids = torch.randint(0, config.vocab_size, (2, 77), generator=generator)
    ids[:, 0] = config.bos_token_id
    ids[:, 20:] = config.eos_token_id
    for skip in [None, *range(config.num_hidden_layers + 1)]:
        line = "text" if skip is None else f"text skip={skip}"
        cases.add(f"text-{skip}", line, text_embeddings(encoder, ids, skip), ids=ids)
    cases.add("text-short", "text", text_embeddings(encoder, ids[:, :5], None), ids=ids[:, :5])


UNET_SHAPES = [(2, 8, 8, torch.tensor(981)), (1, 16, 8, torch.tensor(1.5)), (2, 9, 13, torch.tensor(0)), (1, 7, 6, torch.tensor(499.25)),
               (3, 4, 4, torch.tensor([999, 500, 1]))]
VAE_SHAPES = [(2, 8, 8), (1, 5, 9), (2, 20, 13)]
# No tile's level one cell wide: there diffusers itself reads unwritten memory in bf16 on CPUs with AMX (oneDNN 3.10).
BF16_VAE_SHAPES = [(2, 8, 8), (1, 5, 9), (2, 20, 14)]
BIG_UNET_SHAPES = [(2, 32, 32, torch.tensor(981)), (1, 32, 24, torch.tensor(17))]
BIG_VAE_SHAPES = [(1, 32, 32)]


def add_unet_cases(cases, folder, options, generator, shapes):
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", **options).eval()
    config = unet.config
    for batch, height, width, timestep in shapes:
        sample = torch.randn(batch, config.in_channels, height, width, generator=generator)
        context = torch.randn(batch, 77, config.cross_attention_dim, generator=generator)
        inputs = {}
        added = {}
        if config.time_cond_proj_dim:
            inputs["timestep_cond"] = torch.randn(batch, config.time_cond_proj_dim, generator=generator)
        if config.addition_embed_type == "text_time":
            pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
            added["text_embeds"] = torch.randn(batch, pooled, generator=generator)
            added["time_ids"] = torch.tensor([[64.0, 48.0, 0.0, 8.0, 64.0, 48.0]]).repeat(batch, 1)
        cast = {key: value.to(unet.dtype) for key, value in inputs.items()}
        cast_added = {key: value if key == "time_ids" else value.to(unet.dtype) for key, value in added.items()}
        expected = unet(sample.to(unet.dtype), timestep, context.to(unet.dtype), **cast, added_cond_kwargs=cast_added or None).sample
        cases.add(f"unet-{batch}x{height}x{width}", "unet", expected, sample=sample, timestep=timestep, context=context, **inputs, **added)


def add_vae_cases(cases, folder, options, generator, shapes):
    vae = AutoencoderKL.from_pretrained(folder / "vae", **options).eval()
    scale = 2 ** (len(vae.config.block_out_channels) - 1)
    for batch, height, width in shapes:
        latents = torch.randn(batch, vae.config.latent_channels, height, width, generator=generator) / vae.config.scaling_factor
        pictures = torch.rand(batch, vae.config.in_channels, height * scale, width * scale, generator=generator) * 2 - 1
        for words in ("", "slicing", "tiling", "slicing tiling"):
            vae.use_slicing = "slicing" in words
            vae.use_tiling = "tiling" in words
            name = f"{batch}x{height}x{width}-{words.replace(' ', '-')}"
            cases.add(f"decode-{name}", f"decode {words}", vae.decode(latents.to(vae.dtype)).sample, latents=latents)
            cases.add(f"encode-{name}", f"encode {words}", vae.encode(pictures.to(vae.dtype)).latent_dist.parameters, pictures=pictures)


def compare(probe, folder, type_name, variant, unet_shapes=UNET_SHAPES, vae_shapes=VAE_SHAPES, threads=1):
    """Returns the sentences about what is too far apart, and the largest relative difference."""
    settings = f"type={type_name} threads={threads}" + (f" variant={variant}" if variant else "")
    is_unet_alone = folder.name in make_models.UNET_ALONE
    settings += " unet-alone" if is_unet_alone else ""
    cases = Cases(settings)
    generator = torch.Generator().manual_seed(7)
    options = {"torch_dtype": TYPES[type_name], "variant": variant or None, "use_safetensors": True}
    text_options = {"dtype": TYPES[type_name], "variant": variant or None}
    add_unet_cases(cases, folder, options, generator, unet_shapes)
    if not is_unet_alone:
        add_text_cases(cases, folder, text_options, generator)
        add_vae_cases(cases, folder, options, generator, vae_shapes)
    with tempfile.TemporaryDirectory() as temporary:
        given = pathlib.Path(temporary) / "in.safetensors"
        made = pathlib.Path(temporary) / "out.safetensors"
        save_file(cases.tensors, given, metadata=cases.metadata)
        done = subprocess.run([probe, folder, given, made], capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            return [f"{folder.name}: the probe ended with {done.returncode}: {done.stderr.strip()}"], 0.0
        results = load_file(made)
    faults = []
    worst = 0.0
    for name, expected in cases.expected.items():
        result = results[name]
        if result.shape != expected.shape:
            faults.append(f"{folder.name} {type_name} {name}: shape {tuple(result.shape)}, diffusers gives {tuple(expected.shape)}")
            continue
        difference = ((result - expected).abs().max() / expected.abs().max()).item()
        worst = max(worst, difference)
        if not difference <= TOLERANCE[type_name]:  # a NaN is a fault
            faults.append(f"{folder.name} {type_name} {name}: relative difference {difference:.3g}")
    return faults, worst


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="FOLDER is one big model")
    parser.add_argument("probe")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    faults = []

    def check(folder, type_name, variant="", **more):
        new_faults, worst = compare(arguments.probe, folder, type_name, variant, **more)
        print(f"{folder.name:20} {type_name}: largest relative difference {worst:.2e}, {len(new_faults)} faults", flush=True)
        faults.extend(new_faults)

    if arguments.full:
        threads = torch.get_num_threads()
        check(arguments.folder, "fp32", unet_shapes=BIG_UNET_SHAPES, vae_shapes=BIG_VAE_SHAPES, threads=threads)
    else:
        torch.set_num_threads(1)
        for name in make_models.TINY | make_models.UNET_ALONE:
            check(arguments.folder / name, "fp32", "fp16" if name == "tiny-variant" else "")
        check(arguments.folder / "tiny-variant", "fp16", "fp16")
        check(arguments.folder / "tiny-bf16", "bf16", vae_shapes=BF16_VAE_SHAPES)
        check(arguments.folder / "tiny-sd2", "bf16", vae_shapes=BF16_VAE_SHAPES)
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
