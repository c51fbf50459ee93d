"""The demo model as a diffusers folder: StableDiffusionPipeline, fp16 safetensors under their plain names, at most 20 MB.

export.py --work FOLDER --out FOLDER [--vae FOLDER] [--table FILE] [--trained TEXT]

From FOLDER/model, which train_model.py or train_beginning.py leaves, with the decoder of another autoencoder for the same latents (--vae). Writes the sample prompts
and, from card.md, the model card, with the figures of evaluate.py (its table.md) and how long the model was trained. Refuses to write more than 20 MB.
"""
import argparse
import json
import os
import shutil

import diffusers
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

import prompts
import scenes
import tokens

BETAS = (0.00085, 0.012)
MOST_BYTES = 20_000_000
SCHEDULER = {
    "_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": diffusers.__version__, "num_train_timesteps": 1000, "beta_start": BETAS[0],
    "beta_end": BETAS[1], "beta_schedule": "scaled_linear", "trained_betas": None, "prediction_type": "v_prediction", "timestep_spacing": "trailing",
    "steps_offset": 1, "set_alpha_to_one": False, "skip_prk_steps": True, "clip_sample": False, "solver_order": 2, "algorithm_type": "dpmsolver++",
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


def write(folder, tokenizer, text_encoder, unet, vae, files=None):
    """@return the bytes of the folder, which is made whole under another name first."""
    new = folder.rstrip("/") + ".new"
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(os.path.join(new, "scheduler"))
    for name, part in (("text_encoder", text_encoder), ("unet", unet), ("vae", vae)):
        copy = type(part)(part.config) if name == "text_encoder" else type(part).from_config(part.config)
        copy.load_state_dict(part.state_dict())
        copy.half().save_pretrained(os.path.join(new, name))
    for name in ("text_encoder", "unet", "vae"):
        path = os.path.join(new, name, "config.json")
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        config.pop("_name_or_path", None)  # a folder of the machine it was made on
        if name == "text_encoder":
            config["dtype"] = "float32"  # or from_pretrained without a type mixes it with a UNet in full precision
        _save(path, config)
    os.makedirs(os.path.join(new, "tokenizer"))
    for name in ("vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json"):
        shutil.copyfile(os.path.join(tokenizer.name_or_path, name), os.path.join(new, "tokenizer", name))
    _save(os.path.join(new, "scheduler", "scheduler_config.json"), SCHEDULER)
    _save(os.path.join(new, "model_index.json"), INDEX)
    for name, text in (files or {}).items():
        with open(os.path.join(new, name), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    for place, _, names in os.walk(new):
        for name in names:
            os.chmod(os.path.join(place, name), 0o644)
    size = folder_size(new)
    if size > MOST_BYTES:
        raise SystemExit(f"{megabytes(size):.1f} MB are more than {megabytes(MOST_BYTES):.0f} MB; the folder stays at {new}")
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(new, folder)
    return size


def folder_size(folder):
    return sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(folder) for name in names)


def vocabulary():
    """Every word that prompts.py has for every thing, as a table."""
    lines = ["| | English | 한국어 |", "|---|---|---|"]
    for english, korean in ((prompts.ENGLISH, prompts.KOREAN), (prompts.COLOURS_EN, prompts.COLOURS_KO), (prompts.PLACES_EN, prompts.PLACES_KO),
                            (prompts.GROUNDS_EN, prompts.GROUNDS_KO), (prompts.TIMES_EN, prompts.TIMES_KO), (prompts.WEATHERS_EN, prompts.WEATHERS_KO),
                            (prompts.EXTRAS_EN, prompts.EXTRAS_KO), (prompts.STYLES_EN, prompts.STYLES_KO)):
        for name in english:
            both = (", ".join(dict.fromkeys(words[name])).replace("{c}", "red") for words in (english, korean))
            lines.append(f"| {name} | {' | '.join(both)} |")
    return "\n".join(lines)


def card(trained, table):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "card.md"), encoding="utf-8") as file:
        text = file.read()
    pairs = sum(scenes.held_out(k, c, g) for k in scenes.SUBJECTS for c in scenes.COLOURS for g in scenes.GROUNDS)
    for name, value in (("trained", trained), ("table", table), ("vocabulary", vocabulary()), ("held out", str(pairs))):
        text = text.replace("{" + name + "}", value)
    return text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--vae")
    parser.add_argument("--table")
    parser.add_argument("--trained", default="a time not noted")
    arguments = parser.parse_args()
    model = os.path.join(arguments.work, "model")
    tokenizer = CLIPTokenizer.from_pretrained(os.path.join(model, "tokenizer"), local_files_only=True)
    vae = load(AutoencoderKL, os.path.join(model, "vae"))
    if arguments.vae:
        better = load(AutoencoderKL, arguments.vae)
        vae.decoder.load_state_dict(better.decoder.state_dict())
        vae.post_quant_conv.load_state_dict(better.post_quant_conv.state_dict())
    parts = (load(CLIPTextModel, os.path.join(model, "text_encoder")), load(UNet2DConditionModel, os.path.join(model, "unet")), vae)
    table = "Not evaluated."
    if arguments.table:
        with open(arguments.table, encoding="utf-8") as file:
            table = file.read().strip()
    files = {"README.md": card(arguments.trained, table)}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sample_prompts.txt"), encoding="utf-8") as file:
        files["prompts.txt"] = file.read()
    print(f"{megabytes(write(arguments.out, tokenizer, *parts, files)):.2f} MB in {arguments.out}")


if __name__ == "__main__":
    main()
