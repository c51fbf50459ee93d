"""Stage 3 of the demo model: the UNet of a trained model, made right for how samplers begin.

train_beginning.py --init FOLDER --work FOLDER [--hours 0.4] [--seed 1] [--threads 1]

Samplers begin with noise alone. In training there is none: at the last timestep a fifteenth of the picture is left, which is enough to tell day from night. So the
UNet has learned to look there for the time of day and for where things are, finds what chance put there, and at times takes that for more than the prompt. Here it
learns what to make of noise alone; everything else has to stay as it is.

There is nothing to learn from pictures in that. The teacher is the UNet itself as it was: what it makes of pictures with a trace of them is on average what can be
known without the trace. Less guidance than people use is enough at a step that decides so much, so an answer to a prompt goes PURE_STRENGTH of the way from
the mean of all pictures. Text encoder and autoencoder stay. WORK/model is the whole model in diffusers format, every five minutes and at the end.
"""
import argparse
import math
import os
import random
import signal
import time

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTextModel, CLIPTokenizer

import export
import prompts
import tokens
import train_model
from train_model import LARGE, SMALL

EMPTY_SHARE = 0.2  # of prompts without words
NOISY = 0.75  # less than 1: more timesteps with much noise, of those where nothing may change
PURE_SHARE = 0.35  # of pictures that are noise alone, at the last timestep
PURE_WEIGHT = 0.5  # of their error, of which most cannot be learned
PURE_STRENGTH = 0.6
LAST = 999
LARGE_SHARE = 0.85
FIRST_LATENTS = 512


class Run:
    def __init__(self, arguments):
        self.arguments, self.device = arguments, torch.device(arguments.device)
        self.rng = random.Random(f"beginning/{arguments.seed}")
        torch.manual_seed(arguments.seed)
        init = arguments.init
        self.tokenizer = CLIPTokenizer.from_pretrained(os.path.join(init, "tokenizer"), local_files_only=True)
        self.vae = export.load(AutoencoderKL, os.path.join(init, "vae")).to(self.device).requires_grad_(False).eval()
        self.text = export.load(CLIPTextModel, os.path.join(init, "text_encoder")).to(self.device).requires_grad_(False).eval()
        self.teacher, self.unet, self.average = (export.load(UNet2DConditionModel, os.path.join(init, "unet")).to(self.device) for _ in range(3))
        self.teacher.requires_grad_(False).eval()
        self.average.requires_grad_(False)
        if self.device.type == "cpu":
            self.unet.set_attn_processor(AttnProcessor())  # see train_model.py
        self.optimizer = torch.optim.AdamW(self.unet.parameters(), lr=arguments.rate, betas=(0.9, 0.99), weight_decay=0, fused=True)
        betas = torch.linspace(export.BETAS[0] ** 0.5, export.BETAS[1] ** 0.5, 1000) ** 2
        self.signal = torch.cumprod(1 - betas, 0).sqrt().to(self.device)
        self.stop = False
        signal.signal(signal.SIGTERM, self._on_stop)

    def _on_stop(self, *_):
        self.stop = True

    def _states(self, texts):
        ids = self.tokenizer(texts, padding="max_length", max_length=tokens.LENGTH, truncation=True)["input_ids"]
        with torch.no_grad():
            return self.text(input_ids=torch.tensor(ids, device=self.device)).last_hidden_state

    def save(self):
        return export.write(os.path.join(self.arguments.work, "model"), self.tokenizer, self.text, self.average, self.vae)

    def loss(self, latents, batch, mean):
        """@param mean of all latents. @return (what is learned from, mean squares of what is missing: with words, of noise alone, without words)"""
        count, latents = len(batch), latents.to(self.device)
        share = (torch.arange(count, device=self.device) + torch.rand(count, device=self.device)) / count
        timesteps = (share**NOISY * (LAST + 1)).long().clamp(max=LAST)
        pure = torch.rand(count, device=self.device) < PURE_SHARE
        timesteps[pure] = LAST
        noise = torch.randn_like(latents)
        a = self.signal[timesteps][:, None, None, None]
        s = (1 - a * a).sqrt()
        noisy = a * latents + s * noise
        spoken = torch.rand(count, device=self.device) >= EMPTY_SHARE
        states = self._states([prompts.prompt(scene, self.rng) if said else "" for scene, said in zip(batch, spoken.tolist())])
        with torch.no_grad(), torch.autocast(self.device.type, dtype=torch.bfloat16):
            target = self.teacher(noisy, timesteps, encoder_hidden_states=states, return_dict=False)[0].float()
        alone = pure[:, None, None, None]
        picture = a * noisy - s * target
        picture = torch.where(spoken[:, None, None, None], mean + PURE_STRENGTH * (picture - mean), picture)
        target = torch.where(alone, a * noise - s * picture, target)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            output = self.unet(torch.where(alone, noise, noisy), timesteps, encoder_hidden_states=states, return_dict=False)[0].float()
        errors = (output - target).square().mean((1, 2, 3))
        missing = [errors[which].mean().item() if which.any() else math.nan for which in (spoken & ~pure, pure, ~spoken & ~pure)]
        return torch.where(pure, PURE_WEIGHT * errors, errors).mean(), missing

    def learn(self):
        arguments, budget = self.arguments, self.arguments.hours * 3600
        sets = {side: train_model.Latents(arguments.work, self.vae, "beginning", side, arguments.seed) for side in (SMALL, LARGE)}
        first = FIRST_LATENTS if not arguments.steps else 16
        for data in sets.values():
            while data.count < first:
                data.grow(min(first - data.count, 64))
        means = {side: torch.from_numpy(data.values[: data.count].astype(np.float32).mean(0)).to(self.device) for side, data in sets.items()}
        step, spent, last, saved, missing = 0, 0.0, time.monotonic(), time.monotonic(), []
        while not self.stop and (spent < budget if arguments.steps is None else step < arguments.steps):
            part = spent / budget if arguments.steps is None else step / arguments.steps
            side = LARGE if self.rng.random() < LARGE_SHARE else SMALL
            data = sets[side]
            data.grow(1)
            for group in self.optimizer.param_groups:
                group["lr"] = arguments.rate * min(1, (step + 1) / 40) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))
            loss, told = self.loss(*data.batch(self.rng, train_model.BATCH[side], 0), means[side])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
            self.optimizer.step()
            with torch.no_grad():
                torch._foreach_lerp_(list(self.average.parameters()), list(self.unet.parameters()), 1 - min(0.995, (step + 1) / (step + 10)))
            missing.append(told)
            step += 1
            if step % 25 == 0:
                words, pure, without = np.nanmean(missing[-25:], 0)
                print(f"step {step}  {spent / 60:.1f} min  missing {words:.5f}, of noise alone {pure:.4f}, without words {without:.5f}", flush=True)
            now = time.monotonic()
            spent, last = spent + min(now - last, 10), now
            if now - saved > 300:
                self.save()
                saved = now
        print(f"{export.megabytes(self.save()):.2f} MB in {os.path.join(arguments.work, 'model')} after {step} steps, {spent / 60:.1f} min")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--init", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--hours", type=float, default=0.4)
    parser.add_argument("--steps", type=int, help="stop after so many steps (for trying)")
    parser.add_argument("--rate", type=float, default=1.5e-4, help="learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    os.makedirs(arguments.work, exist_ok=True)
    Run(arguments).learn()


if __name__ == "__main__":
    main()
