#!/usr/bin/env python3
"""Makes Stable Diffusion models with random weights, in diffusers format, for comparing this program with diffusers.

    make_models.py DIR             tiny models of every branch of the configs, each a whole pipeline, in DIR/<name>
    make_models.py --only NAME DIR that one alone
    make_models.py --sd15 DIR      one model of Stable Diffusion 1.5's size (4.3 GB) in DIR itself
    make_models.py --list

The same seed gives the same weights. A folder that this script, as it is, has made before is left as it is.
Exit code 77: diffusers is not in this Python environment.
"""

import argparse
import hashlib
import importlib.util
import json
import math
import os
import pathlib
import shutil
import sys

MISSING = [name for name in ("torch", "diffusers", "transformers", "safetensors") if importlib.util.find_spec(name) is None]
if MISSING and __name__ == "__main__":
    print(f"SKIP: not in this Python environment: {', '.join(MISSING)} ({sys.executable})")
    sys.exit(77)

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import load_file, save_file
from diffusers.utils import logging as diffusers_logging
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer
from transformers.utils import logging as transformers_logging

SEED = 20260214
WORDS = """a an the of in on and with photo picture painting drawing cat dog bird fish house tree river mountain sea sky red
green blue yellow white black small large old new under over at night day highly detailed watercolor oil portrait street city
landscape forest light castle robot horse astronaut""".split()
BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000)


def byte_letters():
    """GPT-2's table from bytes to printable letters, which CLIP's vocabulary is written in."""
    printable = list(range(ord("!"), ord("~") + 1)) + list(range(0xA1, 0xAC + 1)) + list(range(0xAE, 0xFF + 1))
    rest = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(rest))]


def write_tokenizer(folder, pad):
    """A byte-pair tokenizer whose merges join the letters of WORDS from left to right. Returns the number of tokens."""
    letters = byte_letters()
    merges = []
    for word in WORDS:
        parts = list(word[:-1]) + [word[-1] + "</w>"]
        while len(parts) > 1:
            if (parts[0], parts[1]) not in merges:
                merges.append((parts[0], parts[1]))
            parts[:2] = [parts[0] + parts[1]]
    tokens = letters + [letter + "</w>" for letter in letters]
    for first, second in merges:
        if first + second not in tokens:
            tokens.append(first + second)
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2"] + [" ".join(merge) for merge in merges]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": pad, "unk_token": "<|endoftext|>"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2))
    config = dict(special, add_prefix_space=False, do_lower_case=True, errors="replace", model_max_length=77, tokenizer_class="CLIPTokenizer")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2))
    return len(tokens)


@torch.no_grad()
def randomize(module, generator):
    """Weights that keep the variance from layer to layer, and norms and biases that are not 1 and 0: a layer in the wrong place shows."""
    for name, parameter in module.named_parameters():
        if "embedding" in name and parameter.dim() == 2 and "linear" not in name and "proj" not in name:
            parameter.normal_(0, 0.5, generator=generator)
        elif parameter.dim() >= 2:
            parameter.normal_(0, 1 / math.sqrt(parameter[0].numel()), generator=generator)
        elif "norm" in name and name.endswith("weight"):
            parameter.normal_(1, 0.1, generator=generator)
        else:
            parameter.normal_(0, 0.1, generator=generator)


@torch.no_grad()
def set_output_scale(conv, run, wanted):
    """Makes the standard deviation of run() `wanted` by the last convolution."""
    factor = wanted / run().std().item()
    conv.weight.mul_(factor)
    conv.bias.mul_(factor)


def make_pipeline(folder, generator, unet, vae, text, scheduler, pad="<|endoftext|>", projection=None):
    tokenizer_folder = folder / "tokenizer"
    tokens = write_tokenizer(tokenizer_folder, pad)
    text_config = dict(vocab_size=tokens, max_position_embeddings=77, bos_token_id=tokens - 2, eos_token_id=tokens - 1)
    text_config.update(text)
    text_encoder = CLIPTextModel(CLIPTextConfig(**text_config)).eval()
    unet_model = UNet2DConditionModel(**unet).eval()
    vae_model = AutoencoderKL(**vae).eval()
    for module in (text_encoder, unet_model, vae_model):
        randomize(module, generator)

    side = 8
    context = torch.randn(1, 8, text_config["hidden_size"], generator=generator)
    sample = torch.randn(1, unet_model.config.in_channels, side, side, generator=generator)
    conditions = {}
    if unet_model.config.time_cond_proj_dim:
        conditions["timestep_cond"] = torch.randn(1, unet_model.config.time_cond_proj_dim, generator=generator)
    if unet_model.config.addition_embed_type == "text_time":
        pooled = unet_model.config.projection_class_embeddings_input_dim - 6 * unet_model.config.addition_time_embed_dim
        conditions["added_cond_kwargs"] = {
            "text_embeds": torch.randn(1, pooled, generator=generator),
            "time_ids": torch.tensor([[64.0, 64.0, 0.0, 0.0, 64.0, 64.0]]),
        }
    set_output_scale(unet_model.conv_out, lambda: unet_model(sample, 500, context, **conditions).sample, 1.0)
    latents = torch.randn(1, vae_model.config.latent_channels, side, side, generator=generator) / vae_model.config.scaling_factor
    set_output_scale(vae_model.decoder.conv_out, lambda: vae_model.decode(latents).sample, 0.45)

    return StableDiffusionPipeline(
        vae=vae_model,
        text_encoder=text_encoder,
        tokenizer=CLIPTokenizer.from_pretrained(tokenizer_folder),
        unet=unet_model,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def save(pipeline, folder, old_tokenizer=True, pad="<|endoftext|>", **options):
    pipeline.save_pretrained(folder, safe_serialization=True, **options)
    # transformers 5 writes tokenizer.json alone; models from before have vocab.json and merges.txt.
    if old_tokenizer:
        shutil.rmtree(folder / "tokenizer")
        write_tokenizer(folder / "tokenizer", pad)
    else:
        for name in ("vocab.json", "merges.txt", "special_tokens_map.json"):
            (folder / "tokenizer" / name).unlink()


def tiny_text(**changes):
    return dict(dict(hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4, hidden_act="quick_gelu"), **changes)


def tiny_unet(**changes):
    return dict(
        dict(
            sample_size=8,
            block_out_channels=(16, 32, 32),
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=2,
            norm_num_groups=8,
            cross_attention_dim=32,
            attention_head_dim=4,
        ),
        **changes,
    )


def tiny_vae(**changes):
    levels = len(changes.get("block_out_channels", (8, 8, 16, 16)))
    return dict(
        dict(
            block_out_channels=(8, 8, 16, 16),
            down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
            layers_per_block=1,
            norm_num_groups=4,
            sample_size=64,
        ),
        **changes,
    )


def make_sd1(folder, generator):
    save(make_pipeline(folder, generator, tiny_unet(sample_size=16), tiny_vae(), tiny_text(), PNDMScheduler(**BETAS, skip_prk_steps=True, steps_offset=1)), folder)


def make_sd2(folder, generator):
    unet = tiny_unet(sample_size=12, use_linear_projection=True, attention_head_dim=(2, 4, 8), upcast_attention=True)
    text = tiny_text(hidden_act="gelu", num_hidden_layers=4)
    scheduler = DDIMScheduler(**BETAS, prediction_type="v_prediction", clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    save(make_pipeline(folder, generator, unet, tiny_vae(), text, scheduler, pad="!"), folder, pad="!")


def make_variant(folder, generator):
    pipeline = make_pipeline(folder, generator, tiny_unet(), tiny_vae(), tiny_text(), EulerDiscreteScheduler(**BETAS, steps_offset=1))
    save(pipeline.to(torch.float16), folder, variant="fp16")


def make_bf16(folder, generator):
    pipeline = make_pipeline(folder, generator, tiny_unet(), tiny_vae(), tiny_text(), EulerDiscreteScheduler(**BETAS, steps_offset=1))
    save(pipeline.to(torch.bfloat16), folder)


def make_sharded(folder, generator):
    pipeline = make_pipeline(folder, generator, tiny_unet(), tiny_vae(), tiny_text(), DDIMScheduler(**BETAS, clip_sample=False, steps_offset=1))
    save(pipeline, folder, old_tokenizer=False, max_shard_size="200KB")


def make_options(folder, generator):
    unet = tiny_unet(
        in_channels=6,
        out_channels=6,
        block_out_channels=(16, 24, 32),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=(1, 2, 1),
        transformer_layers_per_block=(1, 2, 3),
        only_cross_attention=(False, True, False),
        attention_head_dim=(1, 3, 4),
        center_input_sample=True,
        flip_sin_to_cos=False,
        freq_shift=1,
        downsample_padding=0,
        mid_block_scale_factor=1.5,
        act_fn="mish",
        norm_eps=1e-4,
        time_embedding_dim=40,
        time_embedding_act_fn="gelu",
        timestep_post_act="silu",
        conv_in_kernel=5,
        conv_out_kernel=1,
    )
    vae = tiny_vae(
        latent_channels=6, act_fn="relu", layers_per_block=2, use_quant_conv=False, use_post_quant_conv=False, mid_block_add_attention=False
    )
    save(make_pipeline(folder, generator, unet, vae, tiny_text(), DDIMScheduler(**BETAS, clip_sample=False, steps_offset=1)), folder)


def make_plain_middle(folder, generator):
    unet = tiny_unet(mid_block_type="UNetMidBlock2D", norm_num_groups=4, act_fn="gelu", block_out_channels=(16, 32),
                     down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"))
    save(make_pipeline(folder, generator, unet, tiny_vae(sample_size=60), tiny_text(), EulerDiscreteScheduler(**BETAS, steps_offset=1)), folder)


def make_no_middle(folder, generator):
    unet = tiny_unet(mid_block_type=None, act_fn="relu")
    save(make_pipeline(folder, generator, unet, tiny_vae(act_fn="mish"), tiny_text(), EulerDiscreteScheduler(**BETAS, steps_offset=1)), folder)


def make_lcm(folder, generator):
    unet = tiny_unet(time_cond_proj_dim=32)
    save(make_pipeline(folder, generator, unet, tiny_vae(), tiny_text(), LCMScheduler(**BETAS, steps_offset=1)), folder)


def make_text_time(folder, generator):
    unet = tiny_unet(
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 3),
        attention_head_dim=(2, 4, 8),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 20,
    )
    save(make_pipeline(folder, generator, unet, tiny_vae(), tiny_text(), EulerDiscreteScheduler(**BETAS, steps_offset=1)), folder)


def make_old_names(folder, generator):
    """As written by diffusers before 0.13 and transformers before 4.31: the VAE's attention under old names, position_ids in the file."""
    save(make_pipeline(folder, generator, tiny_unet(), tiny_vae(), tiny_text(), PNDMScheduler(**BETAS, skip_prk_steps=True, steps_offset=1)), folder)
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    renamed = {}
    for name, tensor in load_file(file).items():
        if ".attentions." in name:
            for new, old in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
                name = name.replace(f".{new}.", f".{old}.")
        renamed[name] = tensor
    save_file(renamed, file, metadata={"format": "pt"})
    file = folder / "text_encoder" / "model.safetensors"
    tensors = load_file(file)
    if not any(name.startswith("text_model.") for name in tensors):
        tensors = {f"text_model.{name}": tensor for name, tensor in tensors.items()}
    tensors["text_model.embeddings.position_ids"] = torch.arange(77).unsqueeze(0)
    save_file(tensors, file, metadata={"format": "pt"})


def make_sd15(folder, generator):
    unet = dict(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    vae = dict(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        sample_size=512,
    )
    text = dict(
        vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, hidden_act="quick_gelu"
    )
    save(make_pipeline(folder, generator, unet, vae, text, PNDMScheduler(**BETAS, skip_prk_steps=True, steps_offset=1)), folder)


TINY = {
    "tiny-sd1": make_sd1,
    "tiny-sd2": make_sd2,
    "tiny-variant": make_variant,
    "tiny-bf16": make_bf16,
    "tiny-sharded": make_sharded,
    "tiny-options": make_options,
    "tiny-plain-middle": make_plain_middle,
    "tiny-no-middle": make_no_middle,
    "tiny-lcm": make_lcm,
    "tiny-old-names": make_old_names,
}
# Saved as pipelines too, but StableDiffusionPipeline cannot give these UNets what they are conditioned on.
UNET_ALONE = {"unet-text-time": make_text_time}


def make(name, maker, folder, script_hash):
    stamp = folder / ".made"
    if stamp.exists() and stamp.read_text() == script_hash:
        print(f"{name}: is there")
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # Python's hash() of a string differs from run to run.
    maker(folder, torch.Generator().manual_seed(SEED + int(hashlib.sha256(name.encode()).hexdigest()[:6], 16)))
    stamp.write_text(script_hash)
    print(f"{name}: made")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--only", choices=sorted(TINY | UNET_ALONE), metavar="NAME")
    parser.add_argument("--sd15", action="store_true")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(TINY | UNET_ALONE))
        return
    if arguments.folder is None:
        parser.error("give a folder")
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    script_hash = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()
    if arguments.sd15:
        make("sd15", make_sd15, arguments.folder, script_hash)
        return
    for name, maker in (TINY | UNET_ALONE).items():
        if arguments.only in (None, name):
            make(name, maker, arguments.folder / name, script_hash)


if __name__ == "__main__":
    main()
