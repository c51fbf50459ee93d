"""Illustrated scenes for the demo model: what can be in a picture, and how it is drawn. Everything here is drawn by this file; no outside picture is used.

A Scene says everything; draw(scene) is the same picture every time. sample(rng) makes a random one.
"""
from __future__ import annotations

import math
import random
import zlib
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

SUBJECTS = ("house", "tree", "sailing boat", "balloon", "rocket", "lighthouse", "mushroom", "cat", "castle", "car", "flower", "windmill", "tent",
            "snowman", "umbrella", "cactus", "train", "fish", "bird", "kite")
COLOURS = {
    "red": (214, 48, 44), "orange": (240, 138, 36), "yellow": (247, 208, 52), "green": (62, 158, 72), "blue": (44, 100, 206),
    "purple": (134, 68, 176), "pink": (242, 130, 178), "white": (246, 244, 238), "black": (42, 42, 50), "brown": (132, 84, 48), "turquoise": (40, 180, 178),
}
PLACES = ("left", "middle", "right")
DEPTHS = ("near", "far")
GROUNDS = ("meadow", "sea", "desert", "snow", "city", "beach", "forest")
TIMES = ("day", "sunrise", "sunset", "night")
WEATHERS = ("clear", "rain", "storm", "snowfall", "fog")
EXTRAS = ("sun", "moon", "mountains", "clouds", "birds", "rainbow")
STYLES = ("flat", "watercolour", "pixel art")

FLYING = ("balloon", "bird", "kite")  # in the sky
FLOATING = ("sailing boat", "fish")  # on or in the water when there is some

SKIES = {  # top, middle, horizon
    "day": ((74, 146, 226), (136, 192, 242), (206, 230, 248)),
    "sunrise": ((112, 136, 204), (246, 182, 168), (255, 226, 150)),
    "sunset": ((82, 58, 128), (226, 98, 92), (255, 176, 82)),
    "night": ((10, 14, 42), (22, 32, 76), (50, 66, 120)),
}
LIGHT = {"day": (1.0, 1.0, 1.0), "sunrise": (1.02, 0.93, 0.88), "sunset": (1.0, 0.84, 0.74), "night": (0.42, 0.47, 0.68)}
SUBJECT_LIGHT = {"day": (1.0, 1.0, 1.0), "sunrise": (1.0, 0.97, 0.93), "sunset": (1.0, 0.92, 0.86), "night": (0.72, 0.74, 0.86)}
GROUND_COLOURS = {  # far, near
    "meadow": ((146, 190, 92), (82, 146, 62)), "sea": ((94, 160, 206), (26, 86, 150)), "desert": ((236, 204, 138), (212, 160, 90)),
    "snow": ((236, 242, 250), (208, 222, 238)), "city": ((150, 150, 158), (112, 112, 122)), "beach": ((240, 222, 172), (226, 196, 134)),
    "forest": ((88, 132, 70), (52, 92, 50)),
}


@dataclass(frozen=True)
class Subject:
    kind: str
    colour: str
    place: str
    depth: str = "near"


@dataclass(frozen=True)
class Scene:
    subjects: tuple[Subject, ...]
    ground: str
    time: str = "day"
    weather: str = "clear"
    extras: tuple[str, ...] = ()
    style: str = "flat"
    seed: int = 0  # of what nobody names: where the clouds are, how high the hills


def held_out(kind: str, colour: str, ground: str) -> bool:
    """Whether no training picture has this subject on this ground: one combination in 32, to see later whether the model can put together what it never saw."""
    return zlib.crc32(f"{kind}/{colour}/{ground}".encode()) % 32 == 0


def sample(rng: random.Random) -> Scene:
    """A random scene without held-out combinations, sensible ones more often."""
    while True:
        scene = _sample_any(rng)
        if not any(held_out(s.kind, s.colour, scene.ground) for s in scene.subjects):
            return scene


def sample_held_out(rng: random.Random) -> Scene:
    """A random scene whose only subject makes a held-out combination."""
    while True:
        scene = _sample_any(rng)
        if len(scene.subjects) == 1 and held_out(scene.subjects[0].kind, scene.subjects[0].colour, scene.ground):
            return scene


def _sample_any(rng: random.Random) -> Scene:
    kinds = rng.sample(SUBJECTS, 2)
    count = 2 if rng.random() < 0.25 else 1
    places = rng.sample(PLACES, 2) if count == 2 else [rng.choice(PLACES)]
    colours = rng.sample(list(COLOURS), 2)
    subjects = tuple(Subject(kinds[i], colours[i], places[i], "far" if rng.random() < 0.25 else "near") for i in range(count))
    time = rng.choice(TIMES)
    weather = rng.choices(WEATHERS, (8, 1, 1, 1, 0.7))[0]
    extras = [e for e in ("mountains", "clouds", "birds") if rng.random() < 0.22]
    if weather in ("clear", "snowfall") and rng.random() < 0.5:
        extras.append("moon" if time == "night" else "sun")
    if time == "day" and weather in ("clear", "rain") and rng.random() < 0.08:
        extras.append("rainbow")
    style = rng.choices(STYLES, (6, 2, 1.4))[0]
    return Scene(subjects, rng.choice(GROUNDS), time, weather, tuple(sorted(extras)), style, rng.randrange(1 << 30))


def _mix(a, b, t):
    return tuple(x + (y - x) * t for x, y in zip(a, b))


def _rgb(colour, light=(1, 1, 1)):
    return tuple(int(max(0, min(255, c * l))) for c, l in zip(colour, light))


def _shade(colour, factor):
    return _mix(colour, (0, 0, 0), 1 - factor) if factor <= 1 else _mix(colour, (255, 255, 255), factor - 1)


class _Pen:
    """Draws in a subject's own box: x from -0.5 to 0.5, y from 0 (foot) up to 1."""

    def __init__(self, draw, x, foot, height, light, line):
        self.draw, self.x, self.foot, self.height, self.light, self.line = draw, x, foot, height, light, line

    def at(self, points):
        return [(self.x + px * self.height, self.foot - py * self.height) for px, py in points]

    def polygon(self, points, colour, outline=True):
        where = self.at(points)
        self.draw.polygon(where, fill=_rgb(colour, self.light))
        if outline:
            self.draw.line(where + where[:2], fill=_rgb(_shade(colour, 0.5), self.light), width=self.line, joint="curve")

    def ellipse(self, cx, cy, rx, ry, colour, outline=True):
        (x0, y0), (x1, y1) = self.at([(cx - rx, cy + ry), (cx + rx, cy - ry)])
        self.draw.ellipse((x0, y0, x1, y1), fill=_rgb(colour, self.light), outline=_rgb(_shade(colour, 0.5), self.light) if outline else None, width=self.line)

    def pie(self, cx, cy, rx, ry, start, end, colour):
        (x0, y0), (x1, y1) = self.at([(cx - rx, cy + ry), (cx + rx, cy - ry)])
        self.draw.pieslice((x0, y0, x1, y1), start, end, fill=_rgb(colour, self.light), outline=_rgb(_shade(colour, 0.5), self.light), width=self.line)

    def line_(self, points, colour, width=1.0):
        self.draw.line(self.at(points), fill=_rgb(colour, self.light), width=max(1, int(self.line * width)), joint="curve")

    def glow(self, points, colour):
        """Not dimmed by the night: lit windows, flames."""
        self.draw.polygon(self.at(points), fill=_rgb(colour))


WOOD, CREAM, DARK, GLASS, STEEL = (120, 78, 46), (244, 232, 206), (58, 54, 62), (168, 214, 236), (150, 158, 170)


def _box(x0, y0, x1, y1):
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def _house(p, c, night):
    p.polygon(_box(-0.36, 0, 0.36, 0.52), c)
    p.polygon(_box(0.14, 0, 0.36, 0.52), _shade(c, 0.85), False)
    p.polygon(_box(0.16, 0.66, 0.26, 0.92), _shade(WOOD, 0.9))
    p.polygon([(-0.46, 0.5), (0, 0.9), (0.46, 0.5)], _mix((120, 60, 52), c, 0.15))
    p.polygon(_box(-0.08, 0, 0.1, 0.3), WOOD)
    for x in (-0.28, 0.17):
        (p.glow if night else p.polygon)(_box(x, 0.22, x + 0.12, 0.38), (255, 226, 120) if night else GLASS)


def _tree(p, c, night):
    p.polygon([(-0.07, 0), (0.07, 0), (0.05, 0.45), (-0.05, 0.45)], WOOD)
    for x, y, r in ((-0.2, 0.52, 0.2), (0.2, 0.52, 0.2), (0, 0.74, 0.25), (0, 0.52, 0.22)):
        p.ellipse(x, y, r, r, c)
    for x, y, r in ((-0.2, 0.52, 0.185), (0.18, 0.52, 0.18), (0, 0.72, 0.23), (0, 0.54, 0.2)):
        p.ellipse(x, y, r, r, c, False)
    p.ellipse(-0.09, 0.8, 0.08, 0.07, _shade(c, 1.2), False)


def _boat(p, c, night):
    p.line_([(0.0, 0.14), (0.0, 0.98)], WOOD, 2)
    p.polygon([(0.03, 0.24), (0.03, 0.95), (0.4, 0.24)], CREAM)
    p.polygon([(-0.03, 0.24), (-0.03, 0.82), (-0.3, 0.24)], _shade(CREAM, 0.92))
    p.polygon([(-0.44, 0.2), (0.48, 0.2), (0.34, 0.0), (-0.32, 0.0)], c)
    p.polygon([(-0.41, 0.16), (0.455, 0.16), (0.44, 0.12), (-0.39, 0.12)], _shade(c, 1.3), False)


def _balloon(p, c, night):
    p.line_([(-0.2, 0.42), (-0.07, 0.14)], DARK)
    p.line_([(0.2, 0.42), (0.07, 0.14)], DARK)
    p.polygon([(-0.28, 0.48), (0.28, 0.48), (0.1, 0.26), (-0.1, 0.26)], c)
    p.ellipse(0, 0.66, 0.34, 0.34, c)
    p.ellipse(0, 0.66, 0.15, 0.335, _shade(c, 1.35), False)
    p.ellipse(-0.17, 0.8, 0.06, 0.08, _shade(c, 1.5), False)
    p.polygon(_box(-0.09, 0, 0.09, 0.14), WOOD)


def _rocket(p, c, night):
    p.glow([(-0.08, 0.16), (0.08, 0.16), (0.0, -0.06)], (255, 170, 50))
    p.glow([(-0.04, 0.16), (0.04, 0.16), (0.0, 0.04)], (255, 236, 140))
    for s in (-1, 1):
        p.polygon([(s * 0.13, 0.4), (s * 0.28, 0.12), (s * 0.12, 0.18)], _shade(c, 0.75))
    p.polygon([(-0.14, 0.16), (0.14, 0.16), (0.17, 0.5), (0.12, 0.76), (0, 1.0), (-0.12, 0.76), (-0.17, 0.5)], c)
    p.polygon([(-0.12, 0.77), (0, 0.99), (0.12, 0.77)], _shade(STEEL, 1.2))
    p.ellipse(0, 0.56, 0.075, 0.075, GLASS)


def _lighthouse(p, c, night):
    p.polygon([(-0.18, 0), (0.18, 0), (0.11, 0.74), (-0.11, 0.74)], CREAM)
    for low, high in ((0.08, 0.24), (0.38, 0.54)):
        a, b = 0.18 - 0.095 * low, 0.18 - 0.095 * high
        p.polygon([(-a, low), (a, low), (b, high), (-b, high)], c)
    p.polygon(_box(-0.14, 0.7, 0.14, 0.75), DARK)
    p.glow(_box(-0.08, 0.75, 0.08, 0.88), (255, 234, 130))
    p.polygon([(-0.12, 0.88), (0.12, 0.88), (0, 1.0)], c)
    p.polygon(_box(-0.04, 0, 0.04, 0.12), WOOD)


def _mushroom(p, c, night):
    p.polygon([(-0.11, 0), (0.11, 0), (0.08, 0.5), (-0.08, 0.5)], CREAM)
    p.pie(0, 0.42, 0.44, 0.42, 180, 360, c)
    for x, y, r in ((-0.2, 0.56, 0.06), (0.04, 0.7, 0.07), (0.24, 0.54, 0.055)):
        p.ellipse(x, y, r, r * 0.9, (250, 246, 236) if sum(c) < 640 else (214, 90, 80), False)


def _cat(p, c, night):
    p.line_([(0.22, 0.1), (0.42, 0.2), (0.38, 0.5)], c, 7)
    p.ellipse(0.02, 0.24, 0.26, 0.25, c)
    for s in (-1, 1):
        p.polygon([(s * 0.24, 0.66), (s * 0.22, 0.96), (s * 0.04, 0.8)], c)
        p.polygon([(s * 0.2, 0.74), (s * 0.19, 0.87), (s * 0.1, 0.79)], (244, 170, 170), False)
    p.ellipse(0, 0.62, 0.27, 0.22, c)
    eye = (60, 190, 90) if sum(c) < 300 else DARK
    for s in (-1, 1):
        p.ellipse(s * 0.11, 0.65, 0.035, 0.05, eye, False)
        p.line_([(s * 0.1, 0.55), (s * 0.32, 0.58)], DARK if sum(c) > 250 else STEEL, 0.5)
        p.ellipse(s * 0.11, 0.03, 0.09, 0.045, _shade(c, 1.12))
    p.polygon([(-0.03, 0.58), (0.03, 0.58), (0, 0.54)], (240, 130, 140), False)


def _castle(p, c, night):
    p.polygon(_box(-0.26, 0, 0.26, 0.5), c)
    for s in (-1, 1):
        x = s * 0.34
        p.polygon(_box(x - 0.11, 0, x + 0.11, 0.64), _shade(c, 0.92))
        p.polygon([(x - 0.14, 0.64), (x, 0.94), (x + 0.14, 0.64)], (150, 70, 80))
        (p.glow if night else p.polygon)(_box(x - 0.035, 0.4, x + 0.035, 0.52), (255, 226, 120) if night else DARK)
    for x in (-0.2, -0.02, 0.16):
        p.polygon(_box(x - 0.03, 0.5, x + 0.06, 0.58), c)
    p.polygon(_box(-0.09, 0, 0.09, 0.18), WOOD)
    p.pie(0, 0.18, 0.09, 0.09, 180, 360, WOOD)


def _car(p, c, night):
    p.polygon([(-0.26, 0.3), (-0.16, 0.54), (0.18, 0.54), (0.3, 0.3)], c)
    p.polygon([(-0.2, 0.31), (-0.13, 0.49), (-0.01, 0.49), (-0.01, 0.31)], GLASS)
    p.polygon([(0.03, 0.31), (0.03, 0.49), (0.15, 0.49), (0.23, 0.31)], GLASS)
    p.polygon([(-0.48, 0.1), (-0.48, 0.28), (-0.4, 0.32), (0.42, 0.32), (0.48, 0.24), (0.48, 0.1)], c)
    p.polygon(_box(-0.48, 0.1, 0.48, 0.145), _shade(c, 0.75), False)
    for x in (-0.27, 0.27):
        p.ellipse(x, 0.1, 0.105, 0.105, DARK)
        p.ellipse(x, 0.1, 0.045, 0.045, STEEL, False)
    p.glow(_box(0.43, 0.2, 0.48, 0.26), (255, 240, 170))


def _flower(p, c, night):
    p.line_([(0, 0), (0.02, 0.3), (0, 0.62)], (70, 140, 64), 4)
    for s in (-1, 1):
        p.polygon([(0, 0.12), (s * 0.2, 0.24), (s * 0.26, 0.36), (s * 0.08, 0.28)], (84, 160, 72))
    for i in range(6):
        a = math.pi * (i / 3 + 0.17)
        p.ellipse(0.185 * math.cos(a), 0.7 + 0.185 * math.sin(a), 0.13, 0.13, c)
    p.ellipse(0, 0.7, 0.1, 0.1, (250, 206, 70) if sum(abs(x - y) for x, y in zip(c, COLOURS["yellow"])) > 60 else (150, 92, 40))


def _windmill(p, c, night):
    p.polygon([(-0.2, 0), (0.2, 0), (0.13, 0.6), (-0.13, 0.6)], c)
    p.polygon([(-0.15, 0.6), (0.15, 0.6), (0, 0.78)], WOOD)
    p.polygon(_box(-0.06, 0, 0.06, 0.18), WOOD)
    for i in range(4):
        a = math.pi * (i / 2 + 0.22)
        dx, dy = math.cos(a), math.sin(a)
        p.polygon([(0.0, 0.62), (0.36 * dx - 0.0 * dy, 0.62 + 0.36 * dy), (0.36 * dx - 0.09 * dy, 0.62 + 0.36 * dy + 0.09 * dx), (0.08 * dx - 0.09 * dy, 0.62 + 0.08 * dy + 0.09 * dx)], CREAM)
    p.ellipse(0, 0.62, 0.035, 0.035, DARK)


def _tent(p, c, night):
    p.polygon([(-0.46, 0), (0.46, 0), (0.04, 0.66), (-0.04, 0.66)], c)
    p.polygon([(-0.04, 0.66), (0.04, 0.66), (-0.18, 0), (-0.46, 0)], _shade(c, 0.82), False)
    p.polygon([(-0.13, 0), (0.15, 0), (0.01, 0.46)], (255, 222, 130) if night else DARK)
    p.line_([(0, 0.6), (0, 0.8)], WOOD, 1.5)
    p.polygon([(0, 0.8), (0.14, 0.75), (0, 0.7)], (230, 80, 70))


def _snowman(p, c, night):
    for y, r in ((0.2, 0.22), (0.5, 0.165)):
        p.ellipse(0, y, r, r, (248, 250, 252))
    for s in (-1, 1):
        p.line_([(s * 0.14, 0.52), (s * 0.38, 0.66)], WOOD, 1.5)
    p.ellipse(0, 0.74, 0.12, 0.12, (248, 250, 252))
    p.polygon([(-0.13, 0.66), (0.13, 0.66), (0.11, 0.58), (-0.11, 0.58)], c)
    p.polygon([(0.04, 0.62), (0.13, 0.62), (0.12, 0.4), (0.05, 0.42)], c)
    p.polygon(_box(-0.14, 0.82, 0.14, 0.85), c)
    p.polygon(_box(-0.09, 0.85, 0.09, 1.0), c)
    p.polygon([(0, 0.76), (0, 0.71), (0.13, 0.72)], (240, 130, 40), False)
    for s in (-1, 1):
        p.ellipse(s * 0.045, 0.78, 0.014, 0.014, DARK, False)


def _umbrella(p, c, night):
    p.line_([(0, 0.06), (0, 0.95)], WOOD, 2)
    p.line_([(0, 0.06), (0.04, 0.0), (0.1, 0.02), (0.11, 0.08)], WOOD, 2)
    p.pie(0, 0.52, 0.46, 0.42, 180, 360, c)
    p.pie(0, 0.52, 0.17, 0.42, 180, 360, _shade(c, 1.25))


def _cactus(p, c, night):
    for s, y, top in ((-1, 0.36, 0.66), (1, 0.28, 0.56)):
        p.line_([(0, y), (s * 0.24, y), (s * 0.24, top)], _shade(c, 0.55), 10)
        p.line_([(0, y), (s * 0.24, y), (s * 0.24, top)], c, 8)
        p.ellipse(s * 0.24, top, 0.055, 0.055, c, False)
    p.polygon([(-0.11, 0), (0.11, 0), (0.11, 0.8), (0.06, 0.9), (-0.06, 0.9), (-0.11, 0.8)], c)
    for x in (-0.04, 0.04):
        p.line_([(x, 0.04), (x, 0.84)], _shade(c, 0.75), 0.6)
    p.ellipse(0, 0.91, 0.05, 0.045, (244, 130, 170))


def _train(p, c, night):
    p.polygon(_box(-0.2, 0.14, 0.46, 0.4), c)
    p.polygon(_box(-0.46, 0.14, -0.18, 0.62), _shade(c, 0.88))
    p.polygon(_box(-0.5, 0.6, -0.14, 0.67), DARK)
    (p.glow if night else p.polygon)(_box(-0.4, 0.36, -0.24, 0.52), (255, 226, 120) if night else GLASS)
    p.polygon([(0.26, 0.4), (0.36, 0.4), (0.4, 0.62), (0.22, 0.62)], DARK)
    for r, x, y in ((0.07, 0.28, 0.74), (0.09, 0.16, 0.84), (0.11, 0.0, 0.93)):
        p.ellipse(x, y, r, r * 0.8, (232, 232, 236), False)
    for x, r in ((-0.34, 0.11), (-0.06, 0.08), (0.14, 0.08), (0.34, 0.08)):
        p.ellipse(x, r, r, r, DARK)
        p.ellipse(x, r, r * 0.4, r * 0.4, STEEL, False)


def _fish(p, c, night):
    p.polygon([(-0.26, 0.34), (-0.48, 0.54), (-0.44, 0.34), (-0.48, 0.14)], _shade(c, 0.85))
    p.polygon([(-0.05, 0.5), (0.05, 0.68), (0.18, 0.48)], _shade(c, 0.85))
    p.ellipse(0.04, 0.34, 0.36, 0.2, c)
    p.ellipse(0.08, 0.29, 0.24, 0.1, _shade(c, 1.25), False)
    p.ellipse(0.26, 0.38, 0.045, 0.045, (252, 252, 252))
    p.ellipse(0.27, 0.38, 0.02, 0.02, DARK, False)


def _bird(p, c, night):
    p.polygon([(-0.2, 0.4), (-0.5, 0.5), (-0.46, 0.3)], _shade(c, 0.8))
    p.ellipse(0, 0.38, 0.28, 0.17, c)
    p.polygon([(-0.1, 0.42), (0.14, 0.44), (-0.16, 0.86), (-0.26, 0.8)], _shade(c, 0.82))
    p.ellipse(0.26, 0.52, 0.14, 0.13, c)
    p.ellipse(0.25, 0.51, 0.12, 0.11, c, False)
    p.polygon([(0.38, 0.56), (0.54, 0.5), (0.38, 0.46)], (246, 168, 46))
    p.ellipse(0.29, 0.55, 0.025, 0.025, (252, 252, 252) if sum(c) < 240 else DARK, False)


def _kite(p, c, night):
    p.line_([(0, 0.36), (0.06, 0.2), (-0.05, 0.08), (0.02, -0.08)], DARK)
    for x, y in ((0.05, 0.2), (-0.04, 0.07)):
        p.polygon([(x - 0.07, y + 0.03), (x + 0.07, y - 0.03), (x + 0.07, y + 0.03), (x - 0.07, y - 0.03)], _shade(c, 1.2))
    p.polygon([(0, 0.98), (0.28, 0.7), (0, 0.34), (-0.28, 0.7)], c)
    p.polygon([(0, 0.98), (0.28, 0.7), (0, 0.7)], _shade(c, 1.25), False)
    p.polygon([(0, 0.34), (-0.28, 0.7), (0, 0.7)], _shade(c, 0.82), False)


DRAWERS = {"house": _house, "tree": _tree, "sailing boat": _boat, "balloon": _balloon, "rocket": _rocket, "lighthouse": _lighthouse,
           "mushroom": _mushroom, "cat": _cat, "castle": _castle, "car": _car, "flower": _flower, "windmill": _windmill, "tent": _tent,
           "snowman": _snowman, "umbrella": _umbrella, "cactus": _cactus, "train": _train, "fish": _fish, "bird": _bird, "kite": _kite}


def _gradient(stops, height, width):
    at = np.linspace(0, len(stops) - 1, height)
    low = np.minimum(at.astype(int), len(stops) - 2)
    part = (at - low)[:, None]
    table = np.asarray(stops, dtype=np.float32)
    return np.repeat(((1 - part) * table[low] + part * table[low + 1])[:, None, :], width, axis=1)


def _glow(canvas, x, y, radius, colour, strength):
    height, width = canvas.shape[:2]
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    fall = np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * radius * radius))[..., None] * strength
    canvas += (np.asarray(colour, dtype=np.float32) - canvas) * fall


def _sky(scene, rng, n, horizon):
    stops = SKIES[scene.time]
    grey = (108, 114, 126) if scene.time != "night" else (30, 34, 50)
    amount = {"clear": 0.0, "rain": 0.55, "storm": 0.8, "snowfall": 0.4, "fog": 0.45}[scene.weather]
    stops = [_mix(s, grey if scene.weather != "snowfall" else _mix(grey, (210, 218, 230), 0.5), amount) for s in stops]
    canvas = np.empty((n, n, 3), dtype=np.float32)
    canvas[:horizon] = _gradient(stops, horizon, n)
    canvas[horizon:] = stops[-1]
    return canvas


def _draw_extras(scene, rng, canvas, n, horizon):
    """Sun and moon glow on the canvas; the rest is drawn. @return the picture"""
    disc = None
    if "sun" in scene.extras:
        y = {"day": 0.16, "sunrise": 0.8, "sunset": 0.84}.get(scene.time, 0.3) * horizon
        x = rng.uniform(0.15, 0.85) * n
        colour = (255, 244, 190) if scene.time == "day" else (255, 206, 110)
        _glow(canvas[:horizon], x, y, 0.16 * n, colour, 0.75)
        disc = (x, y, 0.055 * n, (255, 238, 140) if scene.time == "day" else (255, 190, 84))
    if "moon" in scene.extras:
        x, y = rng.uniform(0.15, 0.85) * n, rng.uniform(0.14, 0.3) * horizon + 0.05 * n
        _glow(canvas[:horizon], x, y, 0.1 * n, (200, 210, 240), 0.4)
        disc = (x, y, 0.05 * n, (240, 238, 216))
    image = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    if scene.time == "night" and scene.weather in ("clear", "snowfall"):
        for _ in range(46):
            x, y, r = rng.uniform(0, n), rng.uniform(0, horizon * 0.92), rng.choice((0.0028, 0.004, 0.006)) * n
            draw.ellipse((x - r, y - r, x + r, y + r), fill=(250, 246, 220))
    if disc:
        x, y, r, colour = disc
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        if "moon" in scene.extras:
            for dx, dy, k in ((-0.3, -0.2, 0.2), (0.25, 0.3, 0.26), (0.3, -0.35, 0.14)):
                draw.ellipse((x + (dx - k) * r, y + (dy - k) * r, x + (dx + k) * r, y + (dy + k) * r), fill=_rgb(_shade(colour, 0.9)))
    if "rainbow" in scene.extras:
        x, r = rng.uniform(0.3, 0.7) * n, 0.5 * n
        for i, colour in enumerate(((222, 60, 60), (244, 150, 50), (250, 220, 80), (90, 180, 90), (70, 120, 220), (140, 80, 190))):
            q = r - i * 0.02 * n
            draw.arc((x - q, horizon - q * 0.86, x + q, horizon + q * 0.86), 180, 360, fill=colour, width=max(2, int(0.021 * n)))
    light = LIGHT[scene.time]
    if "mountains" in scene.extras:
        base = _mix((116, 124, 156), SKIES[scene.time][2], 0.35)
        x = -0.2 * n
        while x < 1.1 * n:
            w, h = rng.uniform(0.34, 0.56) * n, rng.uniform(0.14, 0.3) * n
            draw.polygon([(x, horizon), (x + w / 2, horizon - h), (x + w, horizon)], fill=_rgb(_shade(base, rng.uniform(0.85, 1.0)), light))
            draw.polygon([(x + w / 2, horizon - h), (x + w * 0.62, horizon - h * 0.74), (x + w * 0.52, horizon - h * 0.8), (x + w * 0.42, horizon - h * 0.72)],
                         fill=_rgb((240, 244, 250), light))
            x += w * rng.uniform(0.45, 0.75)
    if "clouds" in scene.extras or scene.weather in ("rain", "storm"):
        dark = {"rain": 0.72, "storm": 0.5}.get(scene.weather, 1.0)
        tone = _mix((252, 252, 255), SKIES[scene.time][1], 0.25 if scene.time != "night" else 0.6)
        for _ in range(rng.randint(3, 4) if "clouds" in scene.extras else 2):
            x, y, s = rng.uniform(0.02, 0.98) * n, rng.uniform(0.12, 0.5) * horizon, rng.uniform(0.05, 0.085) * n
            for shift, colour in ((0.25 * s, _shade(tone, 0.86 * dark)), (0, _shade(tone, dark))):
                for dx, dy, k in ((-1.3, 0.1, 0.7), (-0.5, -0.4, 1.0), (0.5, -0.25, 0.9), (1.3, 0.15, 0.65), (0, 0.2, 0.8)):
                    cx, cy, r = x + dx * s, y + dy * s + shift, k * s
                    draw.ellipse((cx - r, cy - r * 0.8, cx + r, cy + r * 0.8), fill=_rgb(colour))
    if scene.weather == "storm":
        x = rng.uniform(0.15, 0.85) * n
        points = [(x, 0.2 * horizon)]
        for i in range(4):
            points.append((points[-1][0] + rng.choice((-1, 1)) * 0.04 * n, points[-1][1] + 0.17 * horizon))
        draw.line(points, fill=(255, 250, 190), width=max(2, int(0.012 * n)), joint="curve")
    if "birds" in scene.extras:
        x, y = rng.uniform(0.2, 0.8) * n, rng.uniform(0.2, 0.5) * horizon
        colour = (40, 44, 60) if scene.time != "night" else (150, 156, 180)
        for i in range(rng.randint(3, 5)):
            bx, by, r = x + rng.uniform(-0.16, 0.16) * n, y + rng.uniform(-0.08, 0.08) * n, 0.022 * n
            draw.arc((bx - 2 * r, by - r, bx, by + r), 200, 340, fill=colour, width=max(2, int(0.008 * n)))
            draw.arc((bx, by - r, bx + 2 * r, by + r), 200, 340, fill=colour, width=max(2, int(0.008 * n)))
    return image


def _draw_ground(scene, rng, image, n, horizon):
    light = LIGHT[scene.time]
    far, near = ((_rgb(c, light)) for c in GROUND_COLOURS[scene.ground])
    ground = Image.fromarray(_gradient((far, near), n - horizon, n).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    if scene.ground == "city":
        x = -0.02 * n
        while x < n:
            w, h = rng.uniform(0.07, 0.13) * n, rng.uniform(0.1, 0.32) * n
            tone = _rgb(_mix((122, 126, 146), SKIES[scene.time][2], rng.uniform(0.1, 0.3)), light)
            draw.rectangle((x, horizon - h, x + w, horizon), fill=tone)
            for wy in range(int(horizon - h + 0.02 * n), horizon - int(0.01 * n), max(4, int(0.035 * n))):
                for wx in range(int(x + 0.014 * n), int(x + w - 0.016 * n), max(4, int(0.028 * n))):
                    lit = rng.random() < (0.6 if scene.time == "night" else 0.15)
                    draw.rectangle((wx, wy, wx + 0.012 * n, wy + 0.016 * n), fill=(255, 224, 130) if lit else _rgb(_shade(tone, 0.75)))
            x += w
    if scene.ground == "forest":
        x = -0.03 * n
        while x < n:
            h, w = rng.uniform(0.14, 0.24) * n, rng.uniform(0.035, 0.05) * n
            tone = _rgb(_mix((40, 88, 56), SKIES[scene.time][2], 0.12), tuple(l * rng.uniform(0.85, 1.05) for l in light))
            for k in range(3):
                draw.polygon([(x - w * (1 - 0.2 * k), horizon - h * 0.25 * k), (x, horizon - h * (0.45 + 0.27 * k)), (x + w * (1 - 0.2 * k), horizon - h * 0.25 * k)], fill=tone)
            x += w * rng.uniform(0.9, 1.5)
    image.paste(ground, (0, horizon))
    draw = ImageDraw.Draw(image)
    depth = n - horizon
    if scene.ground in ("meadow", "snow", "desert", "forest"):
        for _ in range(2):  # soft hills on the horizon
            x, w, h = rng.uniform(0, 1) * n, rng.uniform(0.4, 0.7) * n, rng.uniform(0.03, 0.06) * n
            draw.ellipse((x - w, horizon - h, x + w, horizon + h * 2.5), fill=far)
    if scene.ground == "sea":
        sky = SKIES[scene.time][2]
        for _ in range(42):
            t = rng.random()
            x, y, w = rng.uniform(0, n), horizon + t * t * depth, (0.01 + 0.05 * t) * n
            draw.line((x - w, y, x + w, y), fill=_rgb(_mix(_mix(far, near, t), sky, 0.45)), width=max(1, int(0.005 * n)))
    elif scene.ground == "meadow" or scene.ground == "forest":
        for _ in range(54):
            t = rng.random()
            x, y, h = rng.uniform(0, n), horizon + t * depth, (0.01 + 0.022 * t) * n
            draw.line((x, y, x + rng.uniform(-0.4, 0.4) * h, y - h), fill=_rgb(_shade(_mix(far, near, t), rng.choice((0.82, 1.12)))), width=max(1, int(0.005 * n)))
        if scene.ground == "meadow":
            for _ in range(12):
                t = rng.uniform(0.2, 1)
                x, y, r = rng.uniform(0, n), horizon + t * depth, (0.003 + 0.004 * t) * n
                draw.ellipse((x - r, y - r, x + r, y + r), fill=_rgb(rng.choice(((255, 250, 240), (250, 220, 110), (240, 150, 180))), light))
    elif scene.ground == "desert":
        for k in range(3):
            y = horizon + depth * (0.25 + 0.27 * k)
            draw.arc((rng.uniform(-0.5, 0.2) * n, y, rng.uniform(0.7, 1.5) * n, y + 0.16 * n), 190, 350, fill=_rgb(_shade(near, 0.88)), width=max(1, int(0.006 * n)))
    elif scene.ground == "beach":
        water = _rgb((70, 150, 200), light)
        draw.rectangle((0, horizon, n, horizon + depth * 0.28), fill=water)
        draw.line([(x * n / 12, horizon + depth * (0.28 + 0.02 * math.sin(x * 1.7 + scene.seed % 7))) for x in range(13)], fill=_rgb((250, 252, 255), light),
                  width=max(2, int(0.012 * n)))
    elif scene.ground == "city":
        y = horizon + depth * 0.55
        draw.rectangle((0, horizon + depth * 0.3, n, horizon + depth * 0.92), fill=_rgb((82, 84, 94), light))
        for k in range(6):
            draw.rectangle(((k + 0.2) * n / 6, y - 0.006 * n, (k + 0.75) * n / 6, y + 0.006 * n), fill=_rgb((232, 226, 200), light))
    return image


def _draw_subject(scene, subject, rng, image, n, horizon):
    x = {"left": 0.24, "middle": 0.5, "right": 0.76}[subject.place] + rng.uniform(-0.035, 0.035)
    height = (0.46 if subject.depth == "near" else 0.27) * rng.uniform(0.94, 1.06)
    if len(scene.subjects) == 2:
        height *= 0.88
    tall = {"car": 0.8, "train": 0.95, "fish": 0.72, "bird": 0.66, "cat": 0.84, "mushroom": 0.82, "tent": 0.9, "lighthouse": 1.22, "rocket": 1.14, "tree": 1.1}
    height *= tall.get(subject.kind, 1.0)
    depth = n - horizon
    foot = horizon + depth * (0.62 if subject.depth == "near" else 0.2) + rng.uniform(-0.02, 0.02) * n
    if subject.kind in FLYING:
        foot = horizon - rng.uniform(0.02, 0.08) * n if subject.depth == "near" else horizon - rng.uniform(0.12, 0.2) * n
    light = SUBJECT_LIGHT[scene.time]
    if scene.weather in ("storm", "rain"):
        light = tuple(l * 0.93 for l in light)
    draw = ImageDraw.Draw(image, "RGBA")
    size = height * n
    if subject.kind not in FLYING:
        w = 0.4 * size
        draw.ellipse((x * n - w, foot - 0.05 * size, x * n + w * 1.15, foot + 0.07 * size), fill=(16, 24, 48, 80))
        if scene.ground == "sea" and subject.kind in FLOATING:
            for k in range(4):
                y = foot + (0.03 + 0.035 * k) * size
                w = (0.4 - 0.06 * k) * size
                draw.line((x * n - w, y, x * n + w, y), fill=_rgb(_mix(COLOURS[subject.colour], GROUND_COLOURS["sea"][1], 0.5), light) + (130,), width=max(2, int(0.018 * size)))
    line = max(2, int(0.0068 * n * (1.0 if subject.depth == "near" else 0.75)))
    pen = _Pen(ImageDraw.Draw(image), x * n, foot, size, light, line)
    DRAWERS[subject.kind](pen, COLOURS[subject.colour], scene.time == "night")


def area(scene: Scene, subject: Subject) -> tuple[float, float, float, float]:
    """Where about a subject is: left, top, right, bottom in shares of the side, with room for what chance decides."""
    horizon = random.Random(scene.seed).uniform(0.54, 0.6)  # draw() begins like this
    near = subject.depth == "near"
    x = {"left": 0.24, "middle": 0.5, "right": 0.76}[subject.place]
    height = (0.46 if near else 0.27) * (0.88 if len(scene.subjects) == 2 else 1.0)
    half = 0.45 * height + 0.035
    if subject.kind in FLYING:
        low, high = (horizon - 0.02, horizon - 0.08) if near else (horizon - 0.12, horizon - 0.2)
    else:
        foot = horizon + (1 - horizon) * (0.62 if near else 0.2)
        low, high = foot + 0.02, foot - 0.02
    return x - half, high - 1.05 * height, x + half, low


def _weather(scene, rng, image, n, horizon):
    if scene.weather in ("rain", "storm"):
        draw = ImageDraw.Draw(image, "RGBA")
        for _ in range(85):
            x, y, h = rng.uniform(-0.05, 1) * n, rng.uniform(-0.05, 1) * n, rng.uniform(0.03, 0.055) * n
            draw.line((x, y, x - 0.25 * h, y + h), fill=(206, 222, 244, 150), width=max(1, int(0.005 * n)))
    elif scene.weather == "snowfall":
        draw = ImageDraw.Draw(image, "RGBA")
        for _ in range(70):
            x, y, r = rng.uniform(0, n), rng.uniform(0, n), rng.uniform(0.004, 0.0095) * n
            draw.ellipse((x - r, y - r, x + r, y + r), fill=(252, 254, 255, 225))
    elif scene.weather == "fog":
        tone = np.asarray((206, 212, 220) if scene.time != "night" else (96, 106, 132), dtype=np.float32)
        rows = np.arange(n, dtype=np.float32)
        amount = (0.62 * np.exp(-((rows - horizon) / (0.26 * n)) ** 2) + 0.12)[:, None, None]
        pixels = np.asarray(image, dtype=np.float32)
        image = Image.fromarray(np.clip(pixels + (tone - pixels) * amount, 0, 255).astype(np.uint8))
    return image


def _watercolour(image, rng):
    n = image.width
    soft = image.filter(ImageFilter.GaussianBlur(n / 210))
    edges = soft.filter(ImageFilter.FIND_EDGES).convert("L").filter(ImageFilter.GaussianBlur(n / 260))
    noise = np.random.default_rng(rng.randrange(1 << 30))
    wash = noise.normal(0, 1, (12, 12)).astype(np.float32)
    wash = np.asarray(Image.fromarray(wash).resize((n, n), Image.BICUBIC))
    grain = np.asarray(Image.fromarray(noise.normal(0, 1, (n // 2, n // 2)).astype(np.float32)).resize((n, n), Image.BILINEAR))
    pixels = np.asarray(soft, dtype=np.float32)
    pixels = 255 - (255 - pixels) * (0.86 + 0.035 * wash + 0.02 * grain)[..., None]
    pixels -= np.asarray(edges, dtype=np.float32)[..., None] * 0.3
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _pixel_art(image, size):
    small = image.resize((64, 64), Image.BOX)
    step = 16
    pixels = np.asarray(small, dtype=np.int32)
    small = Image.fromarray(np.clip((pixels + step // 2) // step * step, 0, 255).astype(np.uint8))
    return small.resize((size, size), Image.NEAREST)


def draw(scene: Scene, size: int = 256) -> Image.Image:
    """The picture, RGB, size x size. Shapes are drawn at twice the size and scaled down."""
    rng = random.Random(scene.seed)
    n = size * 2
    horizon = int(n * rng.uniform(0.54, 0.6))
    canvas = _sky(scene, rng, n, horizon)
    image = _draw_extras(scene, rng, canvas, n, horizon)
    image = _draw_ground(scene, rng, image, n, horizon)
    for subject in sorted(scene.subjects, key=lambda s: s.depth != "far"):
        _draw_subject(scene, subject, rng, image, n, horizon)
    image = _weather(scene, rng, image, n, horizon)
    if scene.style == "pixel art":
        return _pixel_art(image, size)
    image = image.resize((size, size), Image.BOX)
    return _watercolour(image, rng) if scene.style == "watercolour" else image
