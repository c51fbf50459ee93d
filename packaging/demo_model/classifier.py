"""Says what is in a picture of one subject: kind, colour, ground, time and side. A small network, trained on scenes that scenes.py draws, that evaluate.py
judges the demo model's pictures with.

classifier.py FILE [--minutes 20] [--seed 1] [--resume]        trains, writes FILE (safetensors, fp16), and prints its own accuracy on scenes it did not see

It sees pictures at 64x64, sharp and soft ones and ones with noise, so that it looks at shapes and colours and not at how an edge was drawn.
"""
import argparse
import math
import os
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter
from safetensors.torch import load_file, save_file

import scenes

HEADS = {"kind": scenes.SUBJECTS, "colour": tuple(scenes.COLOURS), "ground": scenes.GROUNDS, "time": scenes.TIMES, "side": scenes.PLACES}
SIDE = 64
WEATHERS = ("clear", "rain", "snowfall")  # in storm and fog it is hard to say what time it is


class Classifier(torch.nn.Module):
    def __init__(self, width=32):
        super().__init__()
        layers, inner = [], 3
        for outer, stride in ((width, 1), (width, 2), (2 * width, 1), (2 * width, 2), (3 * width, 1), (3 * width, 2), (4 * width, 1)):
            layers += [torch.nn.Conv2d(inner, outer, 3, stride, 1, bias=False), torch.nn.GroupNorm(8, outer), torch.nn.SiLU()]
            inner = outer
        self.features = torch.nn.Sequential(*layers)
        self.gather = torch.nn.Conv2d(inner, 16, 1)
        self.hidden = torch.nn.Linear(16 * (SIDE // 8) ** 2 + inner, 128)
        self.heads = torch.nn.ModuleDict({name: torch.nn.Linear(128, len(values)) for name, values in HEADS.items()})

    def forward(self, pictures):
        x = self.features(pictures)
        x = torch.cat((self.gather(x).flatten(1), x.amax((2, 3))), 1)
        x = F.silu(self.hidden(x))
        return {name: head(x) for name, head in self.heads.items()}


def load(path):
    model = Classifier()
    model.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return model.eval()


def pixels(picture):
    """A PIL picture as the network sees it."""
    small = picture.convert("RGB").resize((SIDE, SIDE), Image.BOX)
    return torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1).float().div_(127.5).sub_(1)


def scene_to_judge(rng, held_out=False):
    """One subject, and weather that leaves to see what time it is. @param held_out a combination that no training picture has"""
    while True:
        scene = scenes.sample_held_out(rng) if held_out else scenes.sample(rng)
        if len(scene.subjects) == 1 and scene.weather in WEATHERS:
            return scene


def labels(scene):
    subject = scene.subjects[0]
    return {"kind": subject.kind, "colour": subject.colour, "ground": scene.ground, "time": scene.time, "side": subject.place}


def example(rng, disturb):
    scene = scene_to_judge(rng)
    picture = scenes.draw(scene, 128)
    if disturb and rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1.2)))
    values = pixels(picture)
    if disturb:
        values = values * rng.uniform(0.93, 1.07) + rng.uniform(-0.05, 0.05)
        values = values + torch.randn_like(values) * rng.choice((0, 0.02, 0.05))
    said = labels(scene)
    return values, [HEADS[name].index(said[name]) for name in HEADS]


def judge(model, pictures):
    """@param pictures PIL pictures. @return what the network sees in each: {"kind": "house", ...}"""
    said = []
    with torch.inference_mode():
        for i in range(0, len(pictures), 64):
            output = model(torch.stack([pixels(p) for p in pictures[i : i + 64]]))
            best = {name: values.argmax(1).tolist() for name, values in output.items()}
            said += [{name: HEADS[name][best[name][k]] for name in HEADS} for k in range(len(pictures[i : i + 64]))]
    return said


def accuracy(model, count, seed):
    rng = random.Random(seed)
    chosen = [scene_to_judge(rng) for _ in range(count)]
    said = judge(model, [scenes.draw(scene, 256) for scene in chosen])
    return {name: sum(s[name] == labels(scene)[name] for s, scene in zip(said, chosen)) / count for name in HEADS}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--steps", type=int, help="stop after so many steps (for trying)")
    parser.add_argument("--check", type=int, default=2000, help="scenes for its own accuracy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="go on from FILE")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    model = load(arguments.file).train() if arguments.resume and os.path.exists(arguments.file) else Classifier()
    rng = random.Random(f"{arguments.seed}/{time.time()}" if arguments.resume else arguments.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01, fused=True)
    kept, spent, step, last, losses = [], 0.0, 0, time.monotonic(), []
    while spent < arguments.minutes * 60 if arguments.steps is None else step < arguments.steps:
        part = spent / (arguments.minutes * 60) if arguments.steps is None else step / arguments.steps
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))
        kept = (kept + [example(rng, True) for _ in range(16)])[-16000:]  # each one is seen four times or so
        batch = kept[-16:] + rng.choices(kept, k=48)
        target = torch.tensor([said for _, said in batch])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = model(torch.stack([values for values, _ in batch]))
        loss = sum(F.cross_entropy(output[name].float(), target[:, i]) for i, name in enumerate(HEADS))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        step += 1
        now = time.monotonic()
        spent, last = spent + min(now - last, 5), now
        if step % 200 == 0:
            print(f"step {step}  {spent / 60:.1f} min  loss {np.mean(losses[-200:]):.4f}", flush=True)
    model.eval()
    save_file({name: value.half().contiguous() for name, value in model.state_dict().items()}, arguments.file)
    print(f"{os.path.getsize(arguments.file) / 1e6:.2f} MB; right on drawn scenes: "
          + ", ".join(f"{name} {100 * share:.1f} %" for name, share in accuracy(load(arguments.file), arguments.check, 424242).items()))


if __name__ == "__main__":
    main()
