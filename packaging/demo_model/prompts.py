"""What people call the things of scenes.py: Scene -> a prompt in English or Korean, with synonyms and free order of words. What a prompt leaves out, the
picture may have in any way.
"""
from __future__ import annotations

import random

from scenes import Scene, Subject

ENGLISH = {
    "house": ("house", "house", "cottage", "home", "little house", "hut"), "tree": ("tree", "tree", "big tree", "round tree"),
    "sailing boat": ("sailing boat", "sailboat", "boat", "boat", "sail boat", "yacht", "ship"),
    "balloon": ("balloon", "hot air balloon", "balloon in the sky", "hot-air balloon"), "rocket": ("rocket", "rocket", "space rocket", "rocket ship", "spaceship"),
    "lighthouse": ("lighthouse", "lighthouse", "light house", "beacon tower"), "mushroom": ("mushroom", "mushroom", "toadstool"),
    "cat": ("cat", "cat", "kitten", "kitty", "sitting cat"), "castle": ("castle", "castle", "fortress", "fairy tale castle"),
    "car": ("car", "car", "automobile", "little car"), "flower": ("flower", "flower", "blossom", "big flower"), "windmill": ("windmill", "windmill", "mill"),
    "tent": ("tent", "tent", "camping tent"), "snowman": ("snowman with a {c} hat", "snowman with a {c} scarf", "snowman in {c}"),
    "umbrella": ("umbrella", "umbrella", "parasol"), "cactus": ("cactus", "cactus"), "train": ("train", "train", "steam train", "locomotive"),
    "fish": ("fish", "fish"), "bird": ("bird", "bird", "flying bird"), "kite": ("kite", "kite"),
}
KOREAN = {
    "house": ("집", "집", "오두막", "작은 집"), "tree": ("나무", "나무", "큰 나무"), "sailing boat": ("돛단배", "돛단배", "배", "요트"),
    "balloon": ("열기구", "열기구", "풍선"), "rocket": ("로켓", "로켓", "우주선"), "lighthouse": ("등대",), "mushroom": ("버섯",), "cat": ("고양이", "고양이", "새끼 고양이"),
    "castle": ("성", "성", "궁전"), "car": ("자동차", "자동차", "차"), "flower": ("꽃", "꽃", "꽃 한 송이"), "windmill": ("풍차",), "tent": ("텐트", "텐트", "천막"),
    "snowman": ("모자를 쓴 눈사람", "목도리를 한 눈사람"), "umbrella": ("우산", "우산", "양산"), "cactus": ("선인장",), "train": ("기차", "기차", "증기 기관차"), "fish": ("물고기",),
    "bird": ("새", "새", "나는 새"), "kite": ("연",),
}
COLOURS_EN = {
    "red": ("red", "red", "crimson", "scarlet"), "orange": ("orange",), "yellow": ("yellow", "yellow", "golden"), "green": ("green",), "blue": ("blue",),
    "purple": ("purple", "purple", "violet"), "pink": ("pink",), "white": ("white",), "black": ("black",), "brown": ("brown",),
    "turquoise": ("turquoise", "turquoise", "teal", "cyan"),
}
COLOURS_KO = {
    "red": ("빨간", "빨간색", "붉은"), "orange": ("주황색", "주황"), "yellow": ("노란", "노란색"), "green": ("초록색", "녹색", "초록"), "blue": ("파란", "파란색", "푸른"),
    "purple": ("보라색", "보라"), "pink": ("분홍색", "분홍", "핑크색"), "white": ("하얀", "흰", "하얀색"), "black": ("검은", "까만", "검은색"), "brown": ("갈색",),
    "turquoise": ("청록색", "옥색"),
}
PLACES_EN = {"left": ("on the left", "on the left side", "at the left", "to the left"), "right": ("on the right", "on the right side", "at the right", "to the right"),
             "middle": ("in the middle", "in the centre", "in the center")}
PLACES_KO = {"left": ("왼쪽에", "왼쪽에 있는"), "right": ("오른쪽에", "오른쪽에 있는"), "middle": ("가운데에", "가운데", "중앙에")}
FAR_EN, NEAR_EN = ("far away", "in the distance", "distant", "small and far"), ("close up", "near", "in the foreground")
FAR_KO, NEAR_KO = ("멀리 있는", "먼 곳의", "멀리"), ("가까이 있는", "가까운")
GROUNDS_EN = {
    "meadow": ("on a meadow", "in a green meadow", "on grass", "in a field", "on the lawn"), "sea": ("on the sea", "at sea", "on the ocean", "on the water"),
    "desert": ("in the desert", "in a desert", "on sand dunes"), "snow": ("in the snow", "on snow", "in a snowy land", "in winter"),
    "city": ("in the city", "in a city street", "in town", "in front of skyscrapers"), "beach": ("on the beach", "at the beach", "by the sea", "on the shore"),
    "forest": ("in the forest", "in a wood", "in front of a forest", "in the woods"),
}
GROUNDS_KO = {
    "meadow": ("초원에", "풀밭에", "들판에", "잔디밭 위"), "sea": ("바다에", "바다 위", "바다 위에", "물 위에"), "desert": ("사막에", "사막의", "모래 언덕에"),
    "snow": ("눈밭에", "눈 덮인 땅에", "눈 위에", "겨울"), "city": ("도시에", "도시의", "거리에"), "beach": ("해변에", "바닷가에", "해변의"), "forest": ("숲에", "숲 속", "숲속의"),
}
TIMES_EN = {"day": ("at noon", "during the day", "by day", "in daylight"), "sunrise": ("at sunrise", "at dawn", "in the early morning"),
            "sunset": ("at sunset", "in the evening", "at dusk", "in the evening light"), "night": ("at night", "by night", "under a night sky", "at midnight")}
TIMES_KO = {"day": ("낮", "한낮에", "낮에"), "sunrise": ("해 뜰 때", "새벽", "아침", "일출"), "sunset": ("해 질 때", "저녁", "노을", "일몰"), "night": ("밤", "밤에", "한밤중")}
WEATHERS_EN = {"rain": ("in the rain", "rainy", "rain", "on a rainy day"), "storm": ("in a storm", "stormy", "thunderstorm", "with lightning"),
               "snowfall": ("while it snows", "snowing", "with falling snow", "snowfall"), "fog": ("in the fog", "foggy", "misty", "in the mist"), "clear": ("clear sky", "clear weather")}
WEATHERS_KO = {"rain": ("비", "비 오는", "비가 오는 날"), "storm": ("폭풍", "번개", "폭풍우"), "snowfall": ("눈이 내리는", "눈 오는 날"), "fog": ("안개", "안개 낀"), "clear": ("맑은 하늘", "맑은 날")}
EXTRAS_EN = {"sun": ("the sun", "sun", "sunshine", "with a sun"), "moon": ("the moon", "moon", "full moon", "moonlight"), "mountains": ("mountains", "with mountains", "in front of mountains"),
             "clouds": ("clouds", "cloudy", "with clouds"), "birds": ("birds in the sky", "with birds", "flock of birds"), "rainbow": ("rainbow", "with a rainbow")}
EXTRAS_KO = {"sun": ("해", "태양", "햇빛"), "moon": ("달", "보름달", "달빛"), "mountains": ("산", "산이 보이는", "산맥"), "clouds": ("구름", "구름 낀"), "birds": ("새들", "새 떼"), "rainbow": ("무지개",)}
STYLES_EN = {"flat": ("flat illustration", "flat style", "illustration", "vector art"), "watercolour": ("watercolour", "watercolor painting", "watercolor", "painted in watercolour"),
             "pixel art": ("pixel art", "pixel-art style", "8-bit", "pixels")}
STYLES_KO = {"flat": ("일러스트", "그림책 그림"), "watercolour": ("수채화", "수채화풍"), "pixel art": ("픽셀 아트", "도트 그림")}


def _subject_en(rng: random.Random, s: Subject, with_place: bool) -> str:
    colour = rng.choice(COLOURS_EN[s.colour])
    name = rng.choice(ENGLISH[s.kind])
    if "{c}" in name:
        text = name.format(c=colour)
    elif rng.random() < 0.07 and s.kind not in ("balloon",):
        text = f"{name} that is {colour}" if rng.random() < 0.5 else f"{name}, {colour}"
    else:
        text = f"{colour} {name}"
    article = rng.choice(("a", "a", "a", "the", "", "one"))
    if article == "a" and text[0] in "aeiou":
        article = "an"
    parts = [f"{article} {text}".strip()]
    if s.depth == "far" and rng.random() < 0.85:
        parts.append(rng.choice(FAR_EN))
    elif s.depth == "near" and rng.random() < 0.1:
        parts.append(rng.choice(NEAR_EN))
    if with_place:
        parts.append(rng.choice(PLACES_EN[s.place]))
    return " ".join(parts)


def _subject_ko(rng: random.Random, s: Subject, with_place: bool) -> str:
    parts = []
    if with_place:
        parts.append(rng.choice(PLACES_KO[s.place]))
    if s.depth == "far" and rng.random() < 0.85:
        parts.append(rng.choice(FAR_KO))
    elif s.depth == "near" and rng.random() < 0.1:
        parts.append(rng.choice(NEAR_KO))
    parts += [rng.choice(COLOURS_KO[s.colour]), rng.choice(KOREAN[s.kind])]
    return " ".join(parts)


def prompt(scene: Scene, rng: random.Random, korean: bool | None = None) -> str:
    """A prompt for the scene. What is common (day, clear weather, flat style, sun) is often left out."""
    if korean is None:
        korean = rng.random() < 0.35
    subject = _subject_ko if korean else _subject_en
    tables = (GROUNDS_KO, TIMES_KO, WEATHERS_KO, EXTRAS_KO, STYLES_KO) if korean else (GROUNDS_EN, TIMES_EN, WEATHERS_EN, EXTRAS_EN, STYLES_EN)
    grounds, times, weathers, extras, styles = tables
    joint = (" 와 ", " 그리고 ", ", ") if korean else (" and ", " and ", ", ", " next to " if len(scene.subjects) == 2 else ", ")
    who = [subject(rng, s, rng.random() < (0.75 if s.place != "middle" else 0.3)) for s in scene.subjects]
    rng.shuffle(who)
    head = rng.choice(joint).join(who)
    rest = []
    if rng.random() < 0.88:
        rest.append(rng.choice(grounds[scene.ground]))
    if rng.random() < (0.92 if scene.time != "day" else 0.4):
        rest.append(rng.choice(times[scene.time]))
    if rng.random() < (0.95 if scene.weather != "clear" else 0.08):
        rest.append(rng.choice(weathers[scene.weather]))
    rest += [rng.choice(extras[e]) for e in scene.extras if rng.random() < (0.8 if e not in ("sun", "moon") else 0.5)]
    if rng.random() < (0.95 if scene.style != "flat" else 0.2):
        rest.append(rng.choice(styles[scene.style]))
    if rng.random() < 0.4:
        rng.shuffle(rest)
    comma = rng.random() < 0.5
    if korean:
        parts = rest + [head] if rng.random() < 0.6 else [head] + rest
        return (", " if comma else " ").join(parts)
    if rng.random() < 0.12:
        parts = rest + [head]
        return ", ".join(parts)
    text = (", " if comma else " ").join([head, *rest])
    return text[0].upper() + text[1:] if rng.random() < 0.2 else text
