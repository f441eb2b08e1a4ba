"""What English and Mandarin questions ask about in MMBench's categories of seeing: one drawing, two languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from tasks.mini import persons, places, works
from tasks.mini.asks import Ask, choice
from tasks.mini.dice import Dice
from tasks.mini.drawing import (
    COLOURS,
    INK,
    OBJECTS,
    PAPER,
    SIZE,
    Box,
    blank,
    fitting_size,
    write,
    write_hanzi,
)
from tasks.mini.scenes import SHORT_WORDS, TRANSLATIONS
from tasks.mini.voices import Language
from tasks.mini.words import CHINESE

Both = tuple[str, str]
"""English, Mandarin."""


class Sight(NamedTuple):
    image: Image.Image
    wordings: tuple[Both, ...]
    answer: str
    pool: Sequence[str]
    slots: tuple[str, ...] = ()
    """English words that the wordings leave room for."""
    hint: Both = ("", "")


Look = Callable[[Dice], Sight]


def asked(look: Look, dice: Dice, language: Language, options: int = 4) -> Ask:
    """A drawing with its question in a language. Words without a translation (names, numbers) stay as they are."""
    sight = look(dice)

    def said(word: str) -> str:
        return word if language == "en" else CHINESE.get(word, word)

    side = 0 if language == "en" else 1
    wordings = [both[side].format(*map(said, sight.slots)) for both in sight.wordings]
    ask = choice(dice, sight.image, wordings, said(sight.answer), [said(word) for word in sight.pool], options)
    return Ask(ask.images, ask.question, ask.answer, ask.others, sight.hint[side])


def in_english(look: Look) -> Callable[[Dice], Ask]:
    return lambda dice: asked(look, dice, "en")


def scene(dice: Dice, name: str) -> Image.Image:
    image, pen = blank(INK)
    places.SCENES[name](pen, dice)
    return image


STYLES = ("pencil drawing", "pixel art", "black and white picture", "blueprint", "colour drawing")


def style(dice: Dice) -> Sight:
    name = dice.choice(STYLES)
    image = scene(dice, dice.choice(list(places.SCENES)))
    edges = ImageOps.invert(image.filter(ImageFilter.FIND_EDGES).convert("L")).point(lambda v: 0 if v < 215 else 255)
    if name == "pencil drawing":
        image = ImageOps.colorize(edges, (70, 70, 70), (255, 255, 255))
    elif name == "blueprint":
        image = ImageOps.colorize(edges, (255, 255, 255), (25, 60, 150))
    elif name == "pixel art":
        image = image.resize((16, 16), Image.Resampling.BOX).resize((SIZE, SIZE), Image.Resampling.NEAREST)
    elif name == "black and white picture":
        image = image.convert("L").convert("RGB")
    wordings = (
        ("In which style is this picture made?", "这张图片是什么风格？"),
        ("What kind of picture is this?", "这是哪一种图片？"),
    )
    return Sight(image, wordings, name, STYLES)


TOPICS = {
    "geometry": ("circle", "square", "triangle", "cross"),
    "plants": ("tree", "flower", "mushroom"),
    "the sea": ("boat", "fish"),
    "love": ("heart",),
    "buildings": ("house",),
}


def topic(dice: Dice) -> Sight:
    name = dice.choice(list(TOPICS))
    image, pen = blank(dice.choice(PAPER))
    for x in (8, 116):
        for y in (8, 116):
            box = Box(x + dice.number(0, 12, 4), y + dice.number(0, 12, 4), 86)
            OBJECTS[dice.choice(TOPICS[name])](pen, box, COLOURS[dice.choice(list(COLOURS))])
    wordings = (
        ("What is the topic of this picture?", "这张图片的主题是什么？"),
        ("What is this picture about?", "这张图片是关于什么的？"),
    )
    return Sight(image, wordings, name, list(TOPICS))


def place(dice: Dice) -> Sight:
    name = dice.choice(list(places.SCENES))
    wordings = (
        ("Which place does the picture show?", "图片里是什么地方？"),
        ("Where was this picture made?", "这张图片画的是哪里？"),
    )
    return Sight(scene(dice, name), wordings, name, list(places.SCENES))


def mood(dice: Dice) -> Sight:
    name = dice.choice(persons.MOODS)
    image, pen = blank(dice.choice(PAPER))
    side = dice.number(130, 180, 10)
    skin = dice.choice(((250, 220, 90), (240, 195, 155), (200, 150, 110)))
    persons.draw_mood(pen, Box(dice.number(10, 214 - side, 4), dice.number(10, 214 - side, 4), side), name, skin)
    wordings = (
        ("How does this person feel?", "这个人的心情怎么样？"),
        ("Which feeling does the face show?", "这张脸是什么表情？"),
    )
    return Sight(image, wordings, name, persons.MOODS)


FAULTS = ("blurred", "too dark", "too bright", "tilted")


def quality(dice: Dice) -> Sight:
    name = dice.choice(FAULTS)
    image = scene(dice, dice.choice(("beach", "forest", "city", "road", "farm", "kitchen")))
    if name == "blurred":
        image = image.filter(ImageFilter.GaussianBlur(7))
    elif name == "tilted":
        image = image.rotate(dice.choice((-25, -20, 20, 25)), fillcolor=(255, 255, 255))
    elif name == "too dark":
        image = ImageEnhance.Brightness(image).enhance(0.25)
    else:
        image = Image.blend(image, Image.new("RGB", image.size, (255, 255, 255)), 0.75)
    wordings = (
        ("What is wrong with this picture?", "这张图片有什么问题？"),
        ("Which fault has the picture?", "这张图片的缺点是什么？"),
    )
    return Sight(image, wordings, name, FAULTS)


def colour(dice: Dice) -> Sight:
    image, pen = blank(dice.choice(PAPER))
    names, hues = dice.sample(list(OBJECTS), 2), dice.sample(list(COLOURS), 2)
    for i, (name, hue) in enumerate(zip(names, hues, strict=True)):
        OBJECTS[name](pen, Box(8 + 108 * i, dice.number(10, 110, 10), 96), COLOURS[hue])
    wordings = (
        ("What is the colour of the {}?", "{}是什么颜色的？"),
        ("Which colour has the {} in this picture?", "图片里的{}是哪种颜色？"),
    )
    return Sight(image, wordings, hues[0], list(COLOURS), (names[0],))


def person(dice: Dice) -> Sight:
    name = dice.choice(list(works.PEOPLE))
    image, pen = blank(INK)
    works.draw_face(pen, name, dice)
    wordings = (("Who is this person?", "这个人是谁？"), ("What is the name of this person?", "这个人叫什么名字？"))
    return Sight(image, wordings, name, list(works.PEOPLE))


CORNERS = {"top left": (0, 0), "top right": (1, 0), "bottom left": (0, 1), "bottom right": (1, 1)}


def corner(dice: Dice) -> Sight:
    image, pen = blank(dice.choice(PAPER))
    names = dice.sample(list(OBJECTS), 4)
    for name, (x, y) in zip(names, CORNERS.values(), strict=True):
        box = Box(112 * x + dice.number(4, 22, 3), 112 * y + dice.number(4, 22, 3), 84)
        OBJECTS[name](pen, box, COLOURS[dice.choice(list(COLOURS))])
    at = dice.choice(list(CORNERS))
    wordings = (
        ("Where in the picture is the {}?", "{}在图片的什么位置？"),
        ("In which corner is the {}?", "{}在哪个角？"),
    )
    return Sight(image, wordings, at, list(CORNERS), (names[list(CORNERS).index(at)],))


def word(dice: Dice) -> Sight:
    image, pen = blank(dice.choice(PAPER))
    words = [word.upper() for word in SHORT_WORDS]
    text = dice.choice(words)
    size, hue = min(dice.number(48, 80, 8), fitting_size(text, 190, 80)), dice.choice(("red", "blue", "black"))
    write(pen, text, (SIZE // 2, dice.number(60, 164, 8)), size, COLOURS[hue])
    wordings = (
        ("Which word is written in the picture?", "图片里写的是哪个单词？"),
        ("What does the text say?", "图片里的文字是什么？"),
    )
    return Sight(image, wordings, text, words)


def hanzi(dice: Dice) -> Sight:
    image, pen = blank(dice.choice(PAPER))
    single = [text for text in TRANSLATIONS if len(text) == 1]
    text, side = dice.choice(single), dice.number(100, 160, 10)
    write_hanzi(pen, text, Box(dice.number(20, 200 - side, 4), dice.number(20, 200 - side, 4), side), COLOURS["blue"])
    wordings = (
        ("Which Chinese character is this?", "这是哪个汉字？"),
        ("Which character is written here?", "图片里写的是什么字？"),
    )
    return Sight(image, wordings, text, single)


def side(dice: Dice) -> Sight:
    image, pen = blank(dice.choice(PAPER))
    names, across = dice.sample(list(OBJECTS), 2), dice.choice((True, False))
    for i, name in enumerate(names):
        along, beside = 14 + 106 * i + dice.number(-6, 6, 3), dice.number(30, 104, 6)
        OBJECTS[name](pen, Box(along, beside, 86) if across else Box(beside, along, 86),
                      COLOURS[dice.choice(list(COLOURS))])  # fmt: skip
    first = dice.choice((0, 1))
    answer = (("to the left", "to the right") if across else ("above", "below"))[first]
    wordings = (
        ("Where is the {}, seen from the {}?", "从图中看，{}在{}的哪一边？"),
        ("On which side of the {1} is the {0}?", "{}在{}的什么方位？"),
    )
    pool = ("to the left", "to the right", "above", "below")
    return Sight(image, wordings, answer, pool, (names[first], names[1 - first]))


def bigger(dice: Dice) -> Sight:
    image, pen = blank(dice.choice(PAPER))
    name, hues = dice.choice(list(OBJECTS)), dice.sample(list(COLOURS), 3)
    sides = dice.sample((30, 48, 66), 3)
    for i, (hue, long) in enumerate(zip(hues, sides, strict=True)):
        OBJECTS[name](pen, Box(6 + 72 * i, dice.number(20, 130, 10), long), COLOURS[hue])
    most = dice.choice((True, False))
    right = hues[sides.index(max(sides) if most else min(sides))]
    wordings: tuple[Both, ...] = (
        (
            ("Which {} is the largest?", "哪个颜色的{}最大？"),
            ("What colour has the biggest {}?", "最大的{}是什么颜色？"),
        )
        if most
        else (
            ("Which {} is the smallest?", "哪个颜色的{}最小？"),
            ("What colour has the smallest {}?", "最小的{}是什么颜色？"),
        )
    )
    return Sight(image, wordings, right, hues, (name,))


def action(dice: Dice) -> Sight:
    pose = dice.choice(list(persons.ACTIONS))
    image, pen = blank(dice.choice(PAPER))
    box = Box(dice.number(30, 60, 5), dice.number(34, 54, 4), 150)
    persons.draw_person(pen, box, pose, COLOURS[dice.choice(("red", "blue", "green", "orange", "purple"))])
    wordings = (("What is the person doing?", "这个人在做什么？"), ("Which action do you see?", "图片里是什么动作？"))
    return Sight(image, wordings, persons.ACTIONS[pose], list(persons.ACTIONS.values()))
