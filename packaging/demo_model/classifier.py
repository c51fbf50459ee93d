"""Says what is in a picture of one subject: kind, colour, ground, time and side. A small network, trained on scenes that scenes.py draws, that evaluate.py
judges the demo model's pictures with.

classifier.py FILE [--minutes 20] [--seed 1] [--resume]        trains, writes FILE (safetensors, fp16), and prints its own accuracy on scenes it did not see

It sees pictures at 128x128, sharp and soft ones and ones with noise, so that it looks at shapes and colours and not at how an edge was drawn. Far subjects,
which are hard to tell apart, come more often in its training than in what it is measured on.
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
SIDE = 128
NEAR_LEFT_OUT = 0.75  # of near subjects in training
WEATHERS = ("clear", "rain", "snowfall")  # in storm and fog it is hard to say what time it is


LAYERS = ((24, 5, 2), (24, 3, 1), (64, 3, 2), (64, 3, 1), (64, 3, 1), (96, 3, 2), (96, 3, 1), (128, 3, 2), (128, 3, 1))  # channels, kernel, stride; sides 64, 64, 32, 32, ...
BATCH, NEW = 64, 14
KEPT = 24000  # drawn scenes that are used again


class Layer(torch.nn.Module):
    def __init__(self, inner, outer, kernel, stride):
        super().__init__()
        self.conv = torch.nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=False)
        self.norm = torch.nn.GroupNorm(8, outer)
        self.adds = inner == outer and stride == 1

    def forward(self, x):
        y = self.conv(x)
        with torch.autocast(y.device.type, enabled=False):  # or the norm is computed in full precision
            y = F.silu(F.group_norm(y, self.norm.num_groups, self.norm.weight.to(y.dtype), self.norm.bias.to(y.dtype)))
        return x + y if self.adds else y


class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        layers, inner = [], 3
        for outer, kernel, stride in LAYERS:
            layers.append(Layer(inner, outer, kernel, stride))
            inner = outer
        self.features = torch.nn.Sequential(*layers)
        self.gather = torch.nn.Conv2d(inner, 16, 1)
        self.hidden = torch.nn.Linear(16 * (SIDE // 16) ** 2 + inner, 192)
        self.heads = torch.nn.ModuleDict({name: torch.nn.Linear(192, len(values)) for name, values in HEADS.items()})

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


def example(rng):
    """@return (bytes of a picture, sharp or soft, what is in it)"""
    scene = scene_to_judge(rng)
    while scene.subjects[0].depth == "near" and rng.random() < NEAR_LEFT_OUT:
        scene = scene_to_judge(rng)
    picture = scenes.draw(scene, SIDE)
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1.2)))
    said = labels(scene)
    return np.asarray(picture), [HEADS[name].index(said[name]) for name in HEADS]


def disturbed(pictures):
    """Other light, other contrast, some noise, a pixel or two aside."""
    values = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    each = (len(values), 1, 1, 1)
    values = values * torch.empty(each).uniform_(0.93, 1.07) + torch.empty(each).uniform_(-0.05, 0.05)
    values = values + torch.randn_like(values) * torch.tensor((0, 0.02, 0.05))[torch.randint(3, each)]
    x, y = torch.randint(-2, 3, (2,)).tolist()
    return F.pad(values, (2 + x, 2 - x, 2 + y, 2 - y), "replicate")[..., 2:-2, 2:-2]


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


def told(shares):
    return ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())


def mistakes(model, count, seed):
    """Prints what it takes for what."""
    rng = random.Random(seed)
    chosen = [scene_to_judge(rng) for _ in range(count)]
    for said, scene in zip(judge(model, [scenes.draw(scene, 256) for scene in chosen]), chosen):
        for name, value in labels(scene).items():
            if said[name] != value:
                s = scene.subjects[0]
                print(f"{name} {value} taken for {said[name]}: {s.depth} {s.colour} {s.kind}, {scene.ground}, {scene.time}, {scene.weather}, {scene.style}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--steps", type=int, help="stop after so many steps (for trying)")
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate")
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
    average = Classifier().eval().requires_grad_(False)
    average.load_state_dict(model.state_dict())

    def save():
        save_file({name: value.half().contiguous() for name, value in average.state_dict().items()}, arguments.file + ".new")
        os.replace(arguments.file + ".new", arguments.file)

    kept = [example(rng) for _ in range(1000 if arguments.steps is None else 50)]
    spent, step, last, losses, saved = 0.0, 0, time.monotonic(), [], 0.0
    while spent < arguments.minutes * 60 if arguments.steps is None else step < arguments.steps:
        part = spent / (arguments.minutes * 60) if arguments.steps is None else step / arguments.steps
        for group in optimizer.param_groups:
            group["lr"] = arguments.rate * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))
        kept = (kept + [example(rng) for _ in range(NEW)])[-KEPT:]
        batch = kept[-NEW:] + rng.choices(kept, k=BATCH - NEW)
        target = torch.tensor([said for _, said in batch])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = model(disturbed([picture for picture, _ in batch]))
        each = {name: F.cross_entropy(output[name].float(), target[:, i]) for i, name in enumerate(HEADS)}
        optimizer.zero_grad(set_to_none=True)
        sum(each.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - min(0.998, (step + 1) / (step + 10)))
        losses.append([value.item() for value in each.values()])
        step += 1
        now = time.monotonic()
        spent, last = spent + min(now - last, 5), now
        if step % 200 == 0:
            means = ", ".join(f"{name} {value:.4f}" for name, value in zip(HEADS, np.mean(losses[-200:], 0)))
            print(f"step {step}  {spent / 60:.1f} min  {means}", flush=True)
        if spent - saved > 300:
            save()
            saved = spent
            print("right on 300 drawn scenes: " + told(accuracy(average, 300, 31337)), flush=True)
            last = time.monotonic()
    save()
    judge_ = load(arguments.file)
    print(f"{os.path.getsize(arguments.file) / 1e6:.2f} MB; right on drawn scenes: " + told(accuracy(judge_, arguments.check, 424242)))
    mistakes(judge_, arguments.check, 424242)


if __name__ == "__main__":
    main()
