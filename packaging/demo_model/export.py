"""The demo model as a diffusers folder: StableDiffusionPipeline, fp16 safetensors under their plain names, at most 20 MB.

export.py --work FOLDER --out FOLDER [--card FILE]        from the state that train_model.py left, its average weights

--card adds the figures of evaluate.py's table to README.md, the model card.
"""
import argparse
import json
import os
import shutil

import diffusers
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import tokens

BETAS = (0.00085, 0.012)
MOST_BYTES = 20_000_000
SCHEDULER = {
    "_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": diffusers.__version__, "num_train_timesteps": 1000, "beta_start": BETAS[0],
    "beta_end": BETAS[1], "beta_schedule": "scaled_linear", "trained_betas": None, "prediction_type": "v_prediction", "timestep_spacing": "trailing",
    "steps_offset": 0, "set_alpha_to_one": False, "skip_prk_steps": True, "clip_sample": False, "solver_order": 2, "algorithm_type": "dpmsolver++",
    "solver_type": "midpoint", "lower_order_final": True, "use_karras_sigmas": False,
}
INDEX = {
    "_class_name": "StableDiffusionPipeline", "_diffusers_version": diffusers.__version__, "feature_extractor": [None, None], "image_encoder": [None, None],
    "requires_safety_checker": False, "safety_checker": [None, None], "scheduler": ["diffusers", SCHEDULER["_class_name"]],
    "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def load(kind, folder):
    """A model in full precision, from a folder with or without fp16 in its files' names."""
    variant = "fp16" if any(".fp16." in name for name in os.listdir(folder)) else None
    return kind.from_pretrained(folder, variant=variant, local_files_only=True).float()


def megabytes(size):
    return size / 1e6


def _save(path, value):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(value, indent=2) + "\n")


def write(folder, tokenizer, text_encoder, unet, vae):
    """@return the bytes of the folder, which is made whole under another name first."""
    new = folder.rstrip("/") + ".new"
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(os.path.join(new, "scheduler"))
    for name, part in (("text_encoder", text_encoder), ("unet", unet), ("vae", vae)):
        copy = type(part)(part.config) if name == "text_encoder" else type(part).from_config(part.config)
        copy.load_state_dict(part.state_dict())
        copy.half().save_pretrained(os.path.join(new, name))
    os.makedirs(os.path.join(new, "tokenizer"))
    for name in ("vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json"):
        shutil.copyfile(os.path.join(tokenizer.name_or_path, name), os.path.join(new, "tokenizer", name))
    _save(os.path.join(new, "scheduler", "scheduler_config.json"), SCHEDULER)
    _save(os.path.join(new, "model_index.json"), INDEX)
    size = folder_size(new)
    if size > MOST_BYTES:
        raise SystemExit(f"{megabytes(size):.1f} MB are more than {megabytes(MOST_BYTES):.0f} MB; the folder stays at {new}")
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(new, folder)
    return size


def folder_size(folder):
    return sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(folder) for name in names)
