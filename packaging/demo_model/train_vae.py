"""Stage 1 of the demo model: the autoencoder (diffusers' AutoencoderKL), trained on scenes that scenes.py draws.

train_vae.py --work FOLDER [--hours 2] [--seed 1] [--resume] [--decoder-only] [--init FOLDER]

FOLDER (outside the tree) keeps vae.pt, the state that --resume goes on from, log.txt, and at the end vae/ in diffusers format, fp16, from an
exponential average of the weights. Random crops, small batches: whole pictures learn small things badly. --init goes on from an autoencoder in diffusers format, such as
the published one. --decoder-only leaves the encoder as it is, so that latents made with it stay good, and shows the decoder whole pictures, as it will be used:
the norms and the attention see another share of everything in a crop.
"""
import argparse
import math
import os
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

import export
import scenes

CONFIG = dict(
    in_channels=3, out_channels=3, latent_channels=8, block_out_channels=(32, 56, 80, 96), layers_per_block=1, norm_num_groups=8,
    down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, sample_size=256, act_fn="silu",
)
KL_WEIGHT = 5e-7  # 4e-6 made noise of two of the eight channels
EDGE_WEIGHT = 0.5
COLOUR_WEIGHT = 2.0
EXACT_WEIGHT = 0.06  # of a whole picture's squared error in proportion to what it is: what PSNR asks, where every picture counts the same


class Pool:
    """Pictures that crops are taken from; one of them is drawn anew every few steps."""

    def __init__(self, size, seed):
        self.rng = random.Random(seed)
        self.pictures = np.stack([self._picture() for _ in range(size)])

    def _picture(self):
        return np.asarray(scenes.draw(scenes.sample(self.rng), 256))

    def renew(self):
        self.pictures[self.rng.randrange(len(self.pictures))] = self._picture()

    def whole(self, count):
        chosen = self.pictures[[self.rng.randrange(len(self.pictures)) for _ in range(count)]]
        chosen = chosen[:, :, ::-1].copy() if self.rng.random() < 0.5 else chosen
        return torch.from_numpy(chosen).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)

    def crops(self, count, side):
        out = np.empty((count, side, side, 3), dtype=np.uint8)
        for i in range(count):
            y, x = self.rng.randrange(257 - side), self.rng.randrange(257 - side)
            crop = self.pictures[self.rng.randrange(len(self.pictures)), y : y + side, x : x + side]
            out[i] = crop[:, ::-1] if self.rng.random() < 0.5 else crop
        return torch.from_numpy(out).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def edges(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def colours(x):
    """Colour without brightness, of areas: red against blue, and green against both, which a plain error learns last as few things are green or purple."""
    red, green, blue = F.avg_pool2d(x, 8).unbind(1)
    return torch.stack((0.7 * (red - blue), 0.8 * (red - 2 * green + blue)), 1)


def psnr(model, pictures):
    with torch.inference_mode():
        mse = [F.mse_loss(model.decode(model.encode(p[None]).latent_dist.mode()).sample.clamp(-1, 1), p[None]).item() / 4 for p in pictures]
    return float(np.mean([-10 * math.log10(m) for m in mse]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", required=True)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--steps", type=int, help="stop after so many steps (for trying)")
    parser.add_argument("--rate", type=float, default=7e-4, help="learning rate")
    parser.add_argument("--decoder-only", action="store_true")
    parser.add_argument("--init", help="an autoencoder to go on from")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--pool", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    os.makedirs(arguments.work, exist_ok=True)
    state_path = os.path.join(arguments.work, "vae.pt")
    device = torch.device(arguments.device)

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    model, average = (export.load(AutoencoderKL, arguments.init) if arguments.init else AutoencoderKL(**CONFIG) for _ in range(2))
    model, average = model.to(device), average.to(device).requires_grad_(False)
    average.load_state_dict(model.state_dict())
    if arguments.decoder_only:
        model.encoder.requires_grad_(False)
        model.quant_conv.requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.rate, betas=(0.9, 0.99), weight_decay=1e-3)
    step, spent = 0, 0.0
    if arguments.resume and os.path.exists(state_path):
        state = torch.load(state_path, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]
    if arguments.decoder_only:
        model.encoder.load_state_dict(average.encoder.state_dict())
        model.quant_conv.load_state_dict(average.quant_conv.state_dict())
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, from step {step}", flush=True)
    unseen = random.Random(987654321)
    drawn = np.stack([np.asarray(scenes.draw(scenes.sample(unseen), 256)) for _ in range(24)])
    check = torch.from_numpy(drawn).permute(0, 3, 1, 2).float().div(127.5).sub(1).to(device)
    pool = Pool(arguments.pool, arguments.seed * 1000 + step)

    def save():
        parts = {"model": model.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save({**parts, "step": step, "spent": spent}, state_path + ".new")
        os.replace(state_path + ".new", state_path)

    budget = arguments.hours * 3600
    last = saved = time.monotonic()
    losses = []
    while spent < budget and (arguments.steps is None or step < arguments.steps):
        part = spent / budget if arguments.steps is None else step / arguments.steps
        for group in optimizer.param_groups:
            group["lr"] = arguments.rate * min(1, (step + 1) / 300) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * part)))
        side, count = (64, 8) if part < 0.85 or step % 2 else (128, 3)
        target = (pool.whole(1) if arguments.decoder_only else pool.crops(count, side)).to(device)
        if step % 3 == 0 or arguments.decoder_only:
            pool.renew()
        with torch.autocast(device.type, dtype=torch.bfloat16):
            with torch.set_grad_enabled(not arguments.decoder_only):
                posterior = model.encode(target).latent_dist
            # what is decoded later has no noise of the posterior, but is not quite what the encoder would make either
            noise = pool.rng.random() if arguments.decoder_only else 1
            output = model.decode(posterior.mode() + noise * posterior.std * torch.randn_like(posterior.std)).sample
        output = output.float()
        loss = F.l1_loss(output, target) + 2 * F.mse_loss(output, target)
        for ours, theirs in zip(edges(output), edges(target)):
            loss = loss + EDGE_WEIGHT * F.l1_loss(ours, theirs)
        loss = loss + COLOUR_WEIGHT * F.l1_loss(colours(output), colours(target))
        if arguments.decoder_only:
            squares = (output - target).square().mean((1, 2, 3))
            loss = loss + EXACT_WEIGHT * (squares / (squares.detach() + 0.002)).mean()
        else:
            loss = loss + KL_WEIGHT * posterior.kl().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            decay = min(0.999, (step + 1) / (step + 10))
            torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
        losses.append(loss.item())
        step += 1
        now = time.monotonic()
        spent, last = spent + min(now - last, 5), now  # a process that was stopped and goes on has not spent that time
        if step % 500 == 0:
            line = f"step {step}  {spent / 60:.1f} min  loss {np.mean(losses[-500:]):.4f}  PSNR of unseen scenes {psnr(average, check):.2f} dB"
            print(line, flush=True)
            with open(os.path.join(arguments.work, "log.txt"), "a", encoding="utf-8") as log:
                log.write(line + "\n")
        if now - saved > 300:
            save()
            saved = now
    save()
    with torch.inference_mode():
        latents = torch.cat([average.encode(p[None]).latent_dist.mode() for p in check])
    if not arguments.decoder_only:  # or the factor stays what the latents' users know
        average.register_to_config(scaling_factor=round(1 / latents.std().item(), 5))
    average.half().save_pretrained(os.path.join(arguments.work, "vae"), variant="fp16")
    print(f"done: {step} steps, PSNR {psnr(average.float(), check):.2f} dB, latents' std {latents.std().item():.4f}, channel means {latents.mean((0, 2, 3)).tolist()}")


if __name__ == "__main__":
    main()
