"""Stage 2 of the demo model: tokenizer, text encoder (CLIPTextModel) and UNet (UNet2DConditionModel), trained on latents of scenes that scenes.py draws.

train_model.py --work FOLDER [--vae FOLDER] [--init FOLDER] [--hours 2] [--seed 1] [--threads 1] [--resume]

FOLDER (outside the tree) keeps model.pt, the state that --resume goes on from, the latents, and model.txt, the log; --vae is FOLDER/vae of stage 1 unless
given; --init goes on from a whole diffusers folder, such as the published one. FOLDER/model is the whole model in diffusers format, from an exponential
average of the weights: every five minutes, at the end, and when told to stop (SIGTERM).

First the text encoder learns to say what a prompt names (labels cost nothing, and the UNet then starts with words that mean something). Then both learn
together: pictures of 128x128 first, which are four times cheaper and teach words and composition, then mostly 256x256. Latents are made once, more of them
all the time, and used again with another prompt, noise and timestep.
"""
import argparse
import math
import os
import random
import signal
import time
import zlib

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import export
import prompts
import scenes
import tokens

TEXT_CONFIG = dict(
    hidden_size=128, intermediate_size=512, num_hidden_layers=3, num_attention_heads=4, hidden_act="quick_gelu", max_position_embeddings=tokens.LENGTH,
    projection_dim=128,
)
UNET_CONFIG = dict(
    sample_size=32, block_out_channels=(96, 112, 128), layers_per_block=1, norm_num_groups=16, attention_head_dim=4, cross_attention_dim=128,
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
)
SMALL, LARGE = 128, 256  # sides of pictures
BATCH = {SMALL: 32, LARGE: 16}
NEW = {SMALL: 2, LARGE: 1}  # scenes encoded at every step
MOST_LATENTS = {SMALL: 40000, LARGE: 24000}
EMPTY_SHARE = 0.11
WORD_BATCH = 128
WORD_WEIGHT = 0.02  # of the readers' loss while text encoder and UNet learn together, so that words stay apart
SUBJECT_WEIGHT = 3.0  # of the error where a subject is, in pictures almost without noise; none in noise, where it would teach subjects in every place
PLAIN_SHARE = 0.7  # of plain scenes at first, so that shapes are learned before what can be over them


def is_plain(scene):
    return len(scene.subjects) == 1 and scene.subjects[0].depth == "near" and scene.weather == "clear" and scene.style == "flat"


class Latents:
    """Latents of scenes of one size in a file that grows. Scene i is the same in every run; the file's name tells its encoder apart."""

    def __init__(self, folder, vae, vae_name, side, seed):
        self.vae, self.side, self.seed = vae, side, seed
        self.shape = (vae.config.latent_channels, side // 8, side // 8)
        self.path = os.path.join(folder, f"latents-{vae_name}-{side}-{seed}.bin")
        self.bytes = 2 * math.prod(self.shape)
        self.count = os.path.getsize(self.path) // self.bytes if os.path.exists(self.path) else 0
        self.values = np.empty((MOST_LATENTS[side], *self.shape), dtype=np.float16)
        if self.count:
            self.values[: self.count] = np.fromfile(self.path, dtype=np.float16, count=self.count * math.prod(self.shape)).reshape(self.count, *self.shape)
        self.scenes = [self._scene(i) for i in range(self.count)]
        self.plain, self.looked_at = [], 0

    def _scene(self, i):
        return scenes.sample(random.Random(f"{self.seed}/{self.side}/{i}"))

    def grow(self, count):
        """Encodes so many more, or what is missing to the most there can be."""
        count = min(count, MOST_LATENTS[self.side] - self.count)
        if count <= 0:
            return
        new = [self._scene(self.count + i) for i in range(count)]
        pictures = np.stack([np.asarray(scenes.draw(s, self.side)) for s in new])
        device = self.vae.device
        with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16):
            batch = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
            latents = self.vae.encode(batch).latent_dist.mode().float() * self.vae.config.scaling_factor
        latents = latents.half().cpu().numpy()
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as file:
            file.seek(self.count * self.bytes)
            file.write(latents.tobytes())
        self.values[self.count : self.count + count] = latents
        self.scenes += new
        self.count += count

    def batch(self, rng, count, plain_share):
        """@param plain_share share of scenes of one near subject in clear weather, flat; the others are any"""
        self.plain += [i for i in range(self.looked_at, self.count) if is_plain(self.scenes[i])]
        self.looked_at = self.count
        chosen = [rng.choice(self.plain) if self.plain and rng.random() < plain_share else rng.randrange(self.count) for _ in range(count)]
        return torch.from_numpy(self.values[chosen]).float(), [self.scenes[i] for i in chosen]


class Readers(torch.nn.Module):
    """What the text encoder is asked while it learns words: linear readings of its last states."""

    LISTS = (("ground", scenes.GROUNDS), ("time", scenes.TIMES), ("weather", scenes.WEATHERS), ("style", scenes.STYLES))

    def __init__(self, width):
        super().__init__()
        self.lists = torch.nn.ModuleList(torch.nn.Linear(width, len(values)) for _, values in self.LISTS)
        self.extras = torch.nn.Linear(width, len(scenes.EXTRAS))
        self.pairs = torch.nn.Linear(width, len(scenes.SUBJECTS) * len(scenes.COLOURS))  # which subject in which colour
        self.places = torch.nn.Linear(width, len(scenes.SUBJECTS) * (len(scenes.PLACES) + len(scenes.DEPTHS)))  # where each subject is

    def forward(self, states, batch):
        colours = list(scenes.COLOURS)
        loss = 0
        for reader, (name, values) in zip(self.lists, self.LISTS):
            loss = loss + F.cross_entropy(reader(states), torch.tensor([values.index(getattr(s, name)) for s in batch], device=states.device))
        extras = torch.tensor([[e in s.extras for e in scenes.EXTRAS] for s in batch], dtype=torch.float32, device=states.device)
        pairs = torch.zeros(len(batch), len(scenes.SUBJECTS), len(colours))
        places = torch.zeros(len(batch), len(scenes.SUBJECTS), len(scenes.PLACES) + len(scenes.DEPTHS))
        for i, scene in enumerate(batch):
            for s in scene.subjects:
                kind = scenes.SUBJECTS.index(s.kind)
                pairs[i, kind, colours.index(s.colour)] = 1
                places[i, kind, scenes.PLACES.index(s.place)] = 1
                places[i, kind, len(scenes.PLACES) + scenes.DEPTHS.index(s.depth)] = 1
        for reader, target in ((self.extras, extras), (self.pairs, pairs.flatten(1)), (self.places, places.flatten(1))):
            loss = loss + F.binary_cross_entropy_with_logits(reader(states), target.to(states.device), reduction="sum") / len(batch)
        return loss


class Run:
    def __init__(self, arguments):
        self.arguments = arguments
        self.device = torch.device(arguments.device)
        self.work = arguments.work
        self.state_path = os.path.join(self.work, "model.pt")
        self.rng = random.Random(f"{arguments.seed}/{time.time()}" if arguments.resume else arguments.seed)
        torch.manual_seed(arguments.seed)
        init = arguments.init
        tokenizer = os.path.join(init or self.work, "tokenizer")
        if not init and not os.path.exists(os.path.join(tokenizer, "vocab.json")):
            tokens.write(tokenizer, arguments.seed)
        self.tokenizer = CLIPTokenizer.from_pretrained(tokenizer)
        vae = os.path.join(init, "vae") if init else arguments.vae or os.path.join(self.work, "vae")
        self.vae = export.load(AutoencoderKL, vae).to(self.device).requires_grad_(False).eval()
        encoder = (*self.vae.encoder.parameters(), *self.vae.quant_conv.parameters())
        self.vae_name = f"{zlib.crc32(b''.join(p.detach().cpu().half().numpy().tobytes() for p in encoder)):08x}"
        channels = self.vae.config.latent_channels
        self.parts, self.averages = {}, {}
        for name in ("text_encoder", "unet"):
            make = lambda: self._make(name, init, channels).to(self.device)
            self.parts[name], self.averages[name] = make(), make().requires_grad_(False)
            self.averages[name].load_state_dict(self.parts[name].state_dict())
        self.text, self.unet = self.parts["text_encoder"].train(), self.parts["unet"].train()
        if self.device.type == "cpu":
            self.unet.set_attn_processor(AttnProcessor())  # plain products: the backward pass of the fused attention takes a third of a step here
        self.predict = torch.compile(self.unet) if arguments.compile else self.unet
        self.readers = Readers(self.text.config.hidden_size).to(self.device)
        self.optimizer = torch.optim.AdamW(
            [{"params": list(self.unet.parameters()), "rate": arguments.rate}, {"params": list(self.text.parameters()), "rate": 0.3 * arguments.rate}],
            lr=arguments.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
        self.readers_optimizer = torch.optim.AdamW(self.readers.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
        self.step, self.spent, self.words = 0, 0.0, 1.0 if init and not arguments.words else 0.0
        if arguments.resume and os.path.exists(self.state_path):
            state = torch.load(self.state_path, map_location=self.device, weights_only=True)
            for name in self.parts:
                self.parts[name].load_state_dict(state[name])
                self.averages[name].load_state_dict(state["average_" + name])
            self.optimizer.load_state_dict(state["optimizer"])
            self.readers.load_state_dict(state["readers"])
            self.step, self.spent, self.words = state["step"], state["spent"], state["words"]
        betas = torch.linspace(export.BETAS[0] ** 0.5, export.BETAS[1] ** 0.5, 1000) ** 2
        self.signal = torch.cumprod(1 - betas, 0).sqrt().to(self.device)
        self.stop = False
        signal.signal(signal.SIGTERM, self._on_stop)

    def _make(self, name, init, channels):
        if init:
            return export.load({"text_encoder": CLIPTextModel, "unet": UNet2DConditionModel}[name], os.path.join(init, name))
        if name == "unet":
            return UNet2DConditionModel(in_channels=channels, out_channels=channels, **UNET_CONFIG)
        start, end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        return CLIPTextModel(CLIPTextConfig(vocab_size=len(self.tokenizer), bos_token_id=start, eos_token_id=end, pad_token_id=end, **TEXT_CONFIG))

    def _on_stop(self, *_):
        self.stop = True

    def log(self, line):
        print(line, flush=True)
        with open(os.path.join(self.work, "model.txt"), "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def save(self):
        state = {"optimizer": self.optimizer.state_dict(), "readers": self.readers.state_dict(), "step": self.step, "spent": self.spent, "words": self.words}
        for name in self.parts:
            state[name], state["average_" + name] = self.parts[name].state_dict(), self.averages[name].state_dict()
        torch.save(state, self.state_path + ".new")
        os.replace(self.state_path + ".new", self.state_path)
        return export.write(os.path.join(self.work, "model"), self.tokenizer, self.averages["text_encoder"], self.averages["unet"], self.vae)

    def tokens_of(self, texts):
        return torch.tensor(self.tokenizer(texts, padding="max_length", max_length=tokens.LENGTH, truncation=True)["input_ids"], device=self.device)

    def words_loss(self, states, after, batch):
        """What the readers miss in one state a prompt. @param after 1 where a text has ended, of which places one is read"""
        states = states.float()
        pick = torch.multinomial(after + 1e-9, 1)
        return self.readers(torch.gather(states, 1, pick[..., None].expand(-1, -1, states.shape[-1]))[:, 0], batch)

    def learn_words(self, steps):
        """The text encoder alone. What the UNet will attend to, the states from the end of the text on, has to know the whole prompt."""
        optimizer = torch.optim.AdamW([*self.text.parameters(), *self.readers.parameters()], lr=2e-3, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
        begun, losses = time.monotonic(), []
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = 2e-3 * min(1, (step + 1) / 100) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / steps)))
            batch = [scenes.sample(self.rng) for _ in range(WORD_BATCH)]
            ids = self.tokens_of([prompts.prompt(s, self.rng) for s in batch])
            after = (ids == self.tokenizer.eos_token_id).float()
            if step % 4:  # the rest of the places needs fewer lessons
                ids, after = ids[:, :40], after[:, :40]
            with torch.autocast(self.device.type, dtype=torch.bfloat16):
                states = self.text(input_ids=ids).last_hidden_state
            loss = self.words_loss(states, after, batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*self.text.parameters(), *self.readers.parameters()], 1.0)
            optimizer.step()
            losses.append(loss.item())
            if (step + 1) % 100 == 0 or step + 1 == steps:
                self.log(f"words {step + 1}  {(time.monotonic() - begun) / 60:.1f} min  loss {np.mean(losses[-100:]):.3f}")
            if self.stop:
                return
        self.averages["text_encoder"].load_state_dict(self.text.state_dict())
        self.words = 1.0
        self.save()

    def texts_of(self, batch):
        return ["" if self.rng.random() < EMPTY_SHARE else prompts.prompt(s, self.rng) for s in batch]

    @staticmethod
    def weights_of(batch, side, inside):
        """(N, 1, side, side): inside[i] where a subject is in picture i, less than 1 elsewhere, 1 in the mean of each picture."""
        weights = torch.ones(len(batch), 1, side, side)
        for weight, scene, value in zip(weights, batch, inside.tolist()):
            for subject in scene.subjects:
                left, top, right, bottom = (v * side for v in scenes.area(scene, subject))
                weight[0, max(0, math.floor(top)) : math.ceil(bottom), max(0, math.floor(left)) : math.ceil(right)] = value
        return weights / weights.mean((1, 2, 3), keepdim=True)

    def loss(self, latents, batch, with_text):
        count = len(batch)
        latents = latents.to(self.device)
        timesteps = ((torch.arange(count, device=self.device) + torch.rand(count, device=self.device)) / count * 1000).long().clamp(max=999)
        noise = torch.randn_like(latents)
        a = self.signal[timesteps][:, None, None, None]
        s = (1 - a * a).sqrt()
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            with torch.set_grad_enabled(with_text):
                ids = self.tokens_of(self.texts_of(batch))
                states = self.text(input_ids=ids).last_hidden_state
            words = 0
            if with_text:
                said = [i for i, row in enumerate(ids[:, 1].tolist()) if row != self.tokenizer.eos_token_id]  # not the empty ones
                words = WORD_WEIGHT * self.words_loss(states[said], (ids[said] == self.tokenizer.eos_token_id).float(), [batch[i] for i in said])
            else:
                states = states.detach().requires_grad_()  # one compiled graph for both
            output = self.predict(a * latents + s * noise, timesteps, encoder_hidden_states=states, return_dict=False)[0]
        squares = (output.float() - (a * noise - s * latents)).square()
        error = (squares * self.weights_of(batch, latents.shape[-1], 1 + (SUBJECT_WEIGHT - 1) * a.flatten() ** 2).to(self.device)).mean((1, 2, 3))
        ratio = (a / s).flatten().square()
        return (error * (5 / ratio).clamp(max=1)).mean() + words, words  # steps almost without noise count less

    def learn(self):
        arguments = self.arguments
        budget = arguments.hours * 3600
        sets = {side: Latents(self.work, self.vae, self.vae_name, side, arguments.seed) for side in (SMALL, LARGE)}
        first = 64 if arguments.steps else 1000
        begun = last = saved = told = time.monotonic()
        losses, shown, end = {SMALL: [], LARGE: []}, 0, self.step + arguments.steps if arguments.steps else None
        while not self.stop and (self.spent < budget if end is None else self.step < end):
            part = min(self.spent / budget, 1) if end is None else self.step / end
            large = self.rng.random() < (arguments.large if part < arguments.turn else 0.85)
            side = LARGE if large else SMALL
            data = sets[side]
            data.grow(max(NEW[side], min(first - data.count, 64)))
            if data.count >= min(first, MOST_LATENTS[side]):
                fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * part))
                for group in self.optimizer.param_groups:
                    group["lr"] = group["rate"] * min(1, (self.step + 1) / 200) * fall
                latents, batch = data.batch(self.rng, BATCH[side], PLAIN_SHARE * min(1, max(0, 2.5 - 3 * part)))
                loss, words = self.loss(latents, batch, with_text=self.step % 3 == 0)
                self.optimizer.zero_grad(set_to_none=True)
                self.readers_optimizer.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
                torch.nn.utils.clip_grad_norm_(self.text.parameters(), 1.0)
                self.optimizer.step()
                self.readers_optimizer.step()
                with torch.no_grad():
                    decay = min(0.999, (self.step + 1) / (self.step + 10))
                    for name, part_ in self.parts.items():
                        torch._foreach_lerp_(list(self.averages[name].parameters()), list(part_.parameters()), 1 - decay)
                losses[side].append(loss.item() - float(words))
                self.step += 1
                shown += BATCH[side]
                if self.step % 100 == 0:
                    now = time.monotonic()
                    means = "  ".join(f"{k}: loss {np.mean(v[-300:]):.4f} of {sets[k].count} scenes" for k, v in losses.items() if v)
                    self.log(f"step {self.step}  {self.spent / 60:.1f} min  {shown / (now - told):.1f} pictures/s  {means}")
                    shown, told = 0, now
            now = time.monotonic()
            self.spent, last = self.spent + min(now - last, 10), now  # a process that was stopped and goes on has not spent that time
            if now - saved > 300:
                self.save()
                saved = now
        self.log(f"stopped at step {self.step} after {self.spent / 60:.1f} min ({(time.monotonic() - begun) / 60:.1f} min in this run)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", required=True)
    parser.add_argument("--vae")
    parser.add_argument("--init")
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--steps", type=int, help="stop after so many steps (for trying)")
    parser.add_argument("--words", type=int, help="steps of the text encoder alone: 700, or none after --init, unless given")
    parser.add_argument("--turn", type=float, default=0.5, help="share of the time after which large pictures prevail")
    parser.add_argument("--large", type=float, default=0.05, help="share of steps on large pictures before that")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--compile", action="store_true", help="torch.compile the UNet: a fifth faster after some minutes (needs a C++ compiler)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    os.makedirs(arguments.work, exist_ok=True)
    run = Run(arguments)
    sizes = ", ".join(f"{name} {sum(p.numel() for p in part.parameters()) / 1e6:.2f} M" for name, part in run.parts.items())
    run.log(f"{sizes}, from step {run.step}")
    if run.words < 1 and arguments.words != 0:
        run.learn_words(arguments.words or 700)
    if not run.stop:
        run.learn()
    run.log(f"{export.megabytes(run.save()):.2f} MB in {os.path.join(run.work, 'model')}")


if __name__ == "__main__":
    main()
