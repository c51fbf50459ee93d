"""Makes a small Stable Diffusion model with random weights: a diffusers folder of 4 MB that makes pictures of 128x128 pixels.

random_model.py FOLDER        FOLDER is made whole under another name first and then renamed; one that exists is left alone.

The pictures mean nothing: the model shows that the program works before a real model is there. Standard library only; the weights
depend on the seed below and on nothing else. Names and shapes are those of diffusers' UNet2DConditionModel and AutoencoderKL and of
transformers' CLIPTextModel.
"""
import json
import os
import random
import shutil
import struct
import sys
import tempfile
from array import array
from pathlib import Path

SEED = 20240611
TEXT_WIDTH, TEXT_INNER, TEXT_LAYERS = 32, 64, 2
UNET_WIDTHS, TIME_WIDTH, UNET_HEADS = (32, 64), 128, 4
VAE_WIDTHS, LATENT = (16, 16, 32, 32), 4
MERGES = ("a n", "i n", "t h", "e r</w>", "th e</w>", "in g</w>", "an d</w>", "o n</w>", "r e", "o r", "a t</w>", "s t", "a r", "o u", "e n")


class Weights:
    """Tensors of one component, in order of making; file layout of safetensors."""

    def __init__(self, generator):
        self.generator = generator
        self.tensors = {}

    def constant(self, name, count, value):
        self.tensors[name] = ([count], array("f", [value] * count))

    def normal(self, name, shape, scale):
        count = 1
        for side in shape:
            count *= side
        draw = self.generator.gauss
        self.tensors[name] = (list(shape), array("f", [draw(0.0, scale) for _ in range(count)]))

    def norm(self, name, width):
        self.constant(name + ".weight", width, 1.0)
        self.constant(name + ".bias", width, 0.0)

    def linear(self, name, inner, outer, bias=True, gain=1.0):
        self.normal(name + ".weight", (outer, inner), gain / inner**0.5)
        if bias:
            self.normal(name + ".bias", (outer,), 0.05)

    def conv(self, name, inner, outer, size=3, gain=1.0):
        self.normal(name + ".weight", (outer, inner, size, size), gain / (inner * size * size) ** 0.5)
        self.normal(name + ".bias", (outer,), 0.05)

    def write(self, path):
        header, offset = {"__metadata__": {"format": "pt"}}, 0
        for name, (shape, values) in self.tensors.items():
            size = len(values) * 4
            header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
            offset += size
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for _, values in self.tensors.values():
                if sys.byteorder == "big":
                    values.byteswap()
                file.write(values.tobytes())


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def byte_characters():
    """GPT-2's bytes_to_unicode: printable Latin-1 bytes stand for themselves, the others follow from U+0100, in this order."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]


def tokenizer(folder):
    """@return the size of the vocabulary"""
    letters = byte_characters()
    words = letters + [letter + "</w>" for letter in letters] + [merge.replace(" ", "") for merge in MERGES]
    words += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True)
    vocabulary = {word: index for index, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n", encoding="utf-8")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    write_json(folder / "special_tokens_map.json", special)
    write_json(folder / "tokenizer_config.json", {"add_prefix_space": False, "do_lower_case": True, "errors": "replace",
                                                  "model_max_length": 77, "tokenizer_class": "CLIPTokenizer", **special})
    return len(words)


def text_encoder(folder, generator, vocabulary):
    weights = Weights(generator)
    weights.normal("text_model.embeddings.token_embedding.weight", (vocabulary, TEXT_WIDTH), 0.5)
    weights.normal("text_model.embeddings.position_embedding.weight", (77, TEXT_WIDTH), 0.1)
    for layer in range(TEXT_LAYERS):
        name = f"text_model.encoder.layers.{layer}."
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            weights.linear(name + "self_attn." + part, TEXT_WIDTH, TEXT_WIDTH)
        weights.norm(name + "layer_norm1", TEXT_WIDTH)
        weights.linear(name + "mlp.fc1", TEXT_WIDTH, TEXT_INNER)
        weights.linear(name + "mlp.fc2", TEXT_INNER, TEXT_WIDTH)
        weights.norm(name + "layer_norm2", TEXT_WIDTH)
    weights.norm("text_model.final_layer_norm", TEXT_WIDTH)
    write_json(folder / "config.json", {
        "architectures": ["CLIPTextModel"], "model_type": "clip_text_model", "vocab_size": vocabulary, "hidden_size": TEXT_WIDTH,
        "intermediate_size": TEXT_INNER, "num_hidden_layers": TEXT_LAYERS, "num_attention_heads": 2, "max_position_embeddings": 77,
        "projection_dim": TEXT_WIDTH, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-05, "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1, "pad_token_id": 1, "torch_dtype": "float32"})
    weights.write(folder / "model.safetensors")


def resnet(weights, name, inner, outer, time_width=None):
    weights.norm(name + ".norm1", inner)
    weights.conv(name + ".conv1", inner, outer)
    if time_width:
        weights.linear(name + ".time_emb_proj", time_width, outer)
    weights.norm(name + ".norm2", outer)
    weights.conv(name + ".conv2", outer, outer, gain=0.5)
    if inner != outer:
        weights.conv(name + ".conv_shortcut", inner, outer, size=1)


def transformer(weights, name, width):
    weights.norm(name + ".norm", width)
    weights.conv(name + ".proj_in", width, width, size=1)
    block = name + ".transformer_blocks.0."
    for attention, context in (("attn1", width), ("attn2", TEXT_WIDTH)):
        weights.linear(block + attention + ".to_q", width, width, bias=False)
        weights.linear(block + attention + ".to_k", context, width, bias=False, gain=2.0)
        weights.linear(block + attention + ".to_v", context, width, bias=False)
        weights.linear(block + attention + ".to_out.0", width, width)
    for norm in ("norm1", "norm2", "norm3"):
        weights.norm(block + norm, width)
    weights.linear(block + "ff.net.0.proj", width, 8 * width)
    weights.linear(block + "ff.net.2", 4 * width, width)
    weights.conv(name + ".proj_out", width, width, size=1, gain=0.5)


def unet(folder, generator):
    weights = Weights(generator)
    low, high = UNET_WIDTHS
    weights.conv("conv_in", LATENT, low)
    weights.linear("time_embedding.linear_1", low, TIME_WIDTH)
    weights.linear("time_embedding.linear_2", TIME_WIDTH, TIME_WIDTH)
    resnet(weights, "down_blocks.0.resnets.0", low, low, TIME_WIDTH)
    transformer(weights, "down_blocks.0.attentions.0", low)
    weights.conv("down_blocks.0.downsamplers.0.conv", low, low)
    resnet(weights, "down_blocks.1.resnets.0", low, high, TIME_WIDTH)
    resnet(weights, "mid_block.resnets.0", high, high, TIME_WIDTH)
    transformer(weights, "mid_block.attentions.0", high)
    resnet(weights, "mid_block.resnets.1", high, high, TIME_WIDTH)
    resnet(weights, "up_blocks.0.resnets.0", high + high, high, TIME_WIDTH)
    resnet(weights, "up_blocks.0.resnets.1", high + low, high, TIME_WIDTH)
    weights.conv("up_blocks.0.upsamplers.0.conv", high, high)
    resnet(weights, "up_blocks.1.resnets.0", high + low, low, TIME_WIDTH)
    transformer(weights, "up_blocks.1.attentions.0", low)
    resnet(weights, "up_blocks.1.resnets.1", low + low, low, TIME_WIDTH)
    transformer(weights, "up_blocks.1.attentions.1", low)
    weights.norm("conv_norm_out", low)
    weights.conv("conv_out", low, LATENT)
    write_json(folder / "config.json", {
        "_class_name": "UNet2DConditionModel", "sample_size": 16, "in_channels": LATENT, "out_channels": LATENT,
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
        "block_out_channels": list(UNET_WIDTHS), "layers_per_block": 1, "cross_attention_dim": TEXT_WIDTH,
        "attention_head_dim": UNET_HEADS, "norm_num_groups": 16, "act_fn": "silu", "flip_sin_to_cos": True, "freq_shift": 0})
    weights.write(folder / "diffusion_pytorch_model.safetensors")


def vae_middle(weights, name, width):
    resnet(weights, name + ".resnets.0", width, width)
    weights.norm(name + ".attentions.0.group_norm", width)
    for part in ("to_q", "to_k", "to_v", "to_out.0"):
        weights.linear(f"{name}.attentions.0.{part}", width, width)
    resnet(weights, name + ".resnets.1", width, width)


def vae(folder, generator):
    weights = Weights(generator)
    widths = VAE_WIDTHS
    weights.conv("encoder.conv_in", 3, widths[0])
    for level, width in enumerate(widths):
        resnet(weights, f"encoder.down_blocks.{level}.resnets.0", widths[max(level - 1, 0)], width)
        if level + 1 < len(widths):
            weights.conv(f"encoder.down_blocks.{level}.downsamplers.0.conv", width, width)
    vae_middle(weights, "encoder.mid_block", widths[-1])
    weights.norm("encoder.conv_norm_out", widths[-1])
    weights.conv("encoder.conv_out", widths[-1], 2 * LATENT)
    weights.conv("quant_conv", 2 * LATENT, 2 * LATENT, size=1)
    weights.conv("post_quant_conv", LATENT, LATENT, size=1)
    weights.conv("decoder.conv_in", LATENT, widths[-1])
    vae_middle(weights, "decoder.mid_block", widths[-1])
    upwards = widths[::-1]
    for level, width in enumerate(upwards):
        resnet(weights, f"decoder.up_blocks.{level}.resnets.0", upwards[max(level - 1, 0)], width)
        resnet(weights, f"decoder.up_blocks.{level}.resnets.1", width, width)
        if level + 1 < len(upwards):
            weights.conv(f"decoder.up_blocks.{level}.upsamplers.0.conv", width, width)
    weights.norm("decoder.conv_norm_out", widths[0])
    weights.conv("decoder.conv_out", widths[0], 3, gain=0.6)
    write_json(folder / "config.json", {
        "_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "down_block_types": ["DownEncoderBlock2D"] * len(widths),
        "up_block_types": ["UpDecoderBlock2D"] * len(widths), "block_out_channels": list(widths), "layers_per_block": 1,
        "latent_channels": LATENT, "norm_num_groups": 8, "sample_size": 128, "scaling_factor": 0.18215, "act_fn": "silu"})
    weights.write(folder / "diffusion_pytorch_model.safetensors")


def make(folder):
    generator = random.Random(SEED)
    vocabulary = tokenizer(folder / "tokenizer")
    text_encoder(folder / "text_encoder", generator, vocabulary)
    unet(folder / "unet", generator)
    vae(folder / "vae", generator)
    write_json(folder / "scheduler" / "scheduler_config.json", {
        "_class_name": "PNDMScheduler", "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012,
        "beta_schedule": "scaled_linear", "trained_betas": None, "skip_prk_steps": True, "set_alpha_to_one": False,
        "prediction_type": "epsilon", "timestep_spacing": "leading", "steps_offset": 1})
    write_json(folder / "model_index.json", {
        "_class_name": "StableDiffusionPipeline", "feature_extractor": [None, None], "image_encoder": [None, None],
        "requires_safety_checker": False, "safety_checker": [None, None], "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=folder.name + ".", dir=folder.parent))
    try:
        os.chmod(unfinished, 0o755)
        make(unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


if __name__ == "__main__":
    main()
