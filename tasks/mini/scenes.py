"""Drawn images with two questions each, one answered Yes and one No, in MME's 14 categories.

A question reads the same whichever answer it has, and wrong values are drawn from where right ones come from, so
that nothing can be learnt from the questions alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from PIL import Image

from tasks.mini import places, vocabulary, works
from tasks.mini.dice import Dice
from tasks.mini.drawing import (
    COLOURS,
    INK,
    OBJECTS,
    PAPER,
    SIZE,
    Box,
    Pen,
    blank,
    fitting_size,
    thing,
    write,
    write_hanzi,
    write_line,
    written,
)
from tasks.mini.noting import Thing
from tasks.mini.partition import Part, part_of
from tasks.mini.questions import ENDING, MOST_THINGS, Question, counted, how_many, is_coloured, is_there, with_article

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SceneItem:
    image: Image.Image
    """RGB, SIZE x SIZE pixels."""
    category: str
    questions: tuple[Question, Question]
    caption: str
    things: tuple[Thing, ...] = ()
    """What is drawn where, in pictures of single things."""


class Draft(NamedTuple):
    image: Image.Image
    yes: str
    no: str
    caption: str
    things: tuple[Thing, ...] = ()


def _other(dice: Dice, options: Sequence[T], but: T) -> T:
    return dice.choice([option for option in options if option != but])


def _cells(dice: Dice, count: int, across: int) -> list[Box]:
    """`count` boxes in different cells of a grid, each moved a little within its cell."""
    pitch = SIZE // across
    side = round(pitch * 0.8)
    spots = dice.sample([(column, row) for column in range(across) for row in range(across)], count)
    return [
        Box(x * pitch + dice.number(0, pitch - side, 3), y * pitch + dice.number(0, pitch - side, 3), side)
        for x, y in spots
    ]


def _draw(pen: Pen, name: str, colour: str, box: Box) -> Thing:
    OBJECTS[name](pen, box, COLOURS[colour])
    return thing(box, f" {colour} {name}")


def _existence(dice: Dice) -> Draft:
    image, pen = blank(dice.choice(PAPER))
    names = dice.sample(list(OBJECTS), dice.number(1, 3))
    boxes = _cells(dice, len(names), 2)
    things = tuple(_draw(pen, name, dice.choice(list(COLOURS)), box) for name, box in zip(names, boxes, strict=True))
    there, absent = dice.choice(names), dice.choice([name for name in OBJECTS if name not in names])
    return Draft(image, is_there(there), is_there(absent), " and ".join(map(with_article, names)), things)


def _count(dice: Dice) -> Draft:
    image, pen = blank(dice.choice(PAPER))
    name, many, colour = dice.choice(list(OBJECTS)), dice.number(1, MOST_THINGS), dice.choice(list(COLOURS))
    things = tuple(_draw(pen, name, colour, box) for box in _cells(dice, many, 3))
    wrong = _other(dice, range(1, MOST_THINGS + 1), many)
    return Draft(image, how_many(many, name), how_many(wrong, name), counted(many, name), things)


def _position(dice: Dice) -> Draft:
    image, pen = blank(dice.choice(PAPER))
    first, second = dice.sample(list(OBJECTS), 2)
    across = dice.choice((True, False))
    things = list[Thing]()
    for place, name in enumerate((first, second)):
        along, beside = 16 + 104 * place + dice.number(-8, 8, 4), dice.number(10, 120, 10)
        box = Box(along, beside, 88) if across else Box(beside, along, 88)
        things.append(_draw(pen, name, dice.choice(list(COLOURS)), box))
    near, far = ("on the left of", "on the right of") if across else ("above", "below")
    if dice.random() < 0.5:
        first, second, near, far = second, first, far, near
    ask = "Is the {} {} the {} in this image?"
    caption = f"{with_article(first)} {near} {with_article(second)}"
    return Draft(image, ask.format(first, near, second), ask.format(first, far, second), caption, tuple(things))


def _colour(dice: Dice) -> Draft:
    image, pen = blank(dice.choice(PAPER))
    names, hues = dice.sample(list(OBJECTS), dice.number(1, 2)), dice.sample(list(COLOURS), 2)
    boxes = _cells(dice, len(names), 2)
    things = tuple(_draw(pen, name, hue, box) for name, hue, box in zip(names, hues, boxes, strict=False))
    asked = dice.randrange(len(names))
    caption = " and ".join(with_article(f"{hue} {name}") for name, hue in zip(names, hues, strict=False))
    wrong = _other(dice, list(COLOURS), hues[asked])
    name = names[asked]
    return Draft(image, is_coloured(name, hues[asked]), is_coloured(name, wrong), caption, things)


def _posters(dice: Dice) -> Draft:
    image, pen = blank(INK)
    title = dice.choice(list(works.FILMS))
    works.draw_poster(pen, title, dice)
    ask = "Is this the poster of the film {}?"
    wrong = _other(dice, list(works.FILMS), title)
    return Draft(image, ask.format(title), ask.format(wrong), f"the poster of the film {title}")


def _celebrity(dice: Dice) -> Draft:
    image, pen = blank(INK)
    name = dice.choice(list(works.PEOPLE))
    works.draw_face(pen, name, dice)
    ask = "Is the person in the red box called {}?"
    return Draft(image, ask.format(name), ask.format(_other(dice, list(works.PEOPLE), name)), f"the face of {name}")


def _scene(dice: Dice) -> Draft:
    image, pen = blank(INK)
    name = dice.choice(list(places.SCENES))
    places.SCENES[name](pen, dice)
    ask = "Does this picture show a {}?"
    return Draft(image, ask.format(name), ask.format(_other(dice, list(places.SCENES), name)), f"a {name}")


def _landmark(dice: Dice) -> Draft:
    image, pen = blank(INK)
    name = dice.choice(list(places.LANDMARKS))
    places.draw_landmark(pen, name, dice)
    ask = "Is this a picture of {}?"
    wrong = _other(dice, list(places.LANDMARKS), name)
    return Draft(image, ask.format(name), ask.format(wrong), f"a picture of {name}")


def _artwork(dice: Dice) -> Draft:
    image, pen = blank(INK)
    name = dice.choice(list(works.ARTISTS))
    works.draw_artwork(pen, name, dice)
    ask = "Is this artwork painted by {}?"
    wrong = _other(dice, list(works.ARTISTS), name)
    return Draft(image, ask.format(name), ask.format(wrong), f"an artwork painted by {name}")


SHORT_WORDS = sorted(
    {noun.english for noun in (*vocabulary.ANIMALS, *vocabulary.GOODS, *vocabulary.FOODS) if len(noun.english) <= 5}
)


def _ocr(dice: Dice) -> Draft:
    image, pen = blank(dice.choice(PAPER))
    if dice.choice((True, True, False)):
        text, what = dice.choice(SHORT_WORDS), "word"
        wrong = _other(dice, SHORT_WORDS, text)
    else:
        text, what = str(dice.number(10, 99)), "number"
        wrong = _other(dice, [str(number) for number in range(10, 100)], text)
    size = min(dice.number(56, 96, 8), fitting_size(text, 196, 96))
    place = (SIZE // 2, dice.number(64, 160, 8))
    write(pen, text, place, size, COLOURS[dice.choice(("red", "blue", "green", "black", "purple", "brown"))])
    ask = 'Is the {} in this image "{}"?'
    things = tuple(written(text, place, size))
    return Draft(image, ask.format(what, text), ask.format(what, wrong), f'the {what} "{text}"', things)


def _traffic_light(dice: Dice, state: str) -> Image.Image:
    image, pen = blank(dice.choice(PAPER))
    x = dice.number(50, 110, 6)
    pen.rectangle((x + 25, 180, x + 39, SIZE), fill=(90, 90, 90))
    pen.rounded_rectangle((x, 12, x + 64, 186), radius=14, fill=(40, 40, 40))
    lit = {"red": (255, 30, 30), "green": (30, 220, 60)}[state]
    for name, y in (("red", 20), ("amber", 76), ("green", 130)):
        pen.ellipse((x + 8, y, x + 56, y + 48), fill=lit if name == state else (75, 75, 75))
    return image


def _weather(dice: Dice, state: str) -> Image.Image:
    ground = {"sun": (150, 210, 250), "rain": (140, 150, 165), "snow": (170, 185, 205)}[state]
    image, pen = blank(ground)
    x = dice.number(20, 90, 10)
    if state == "sun":
        pen.ellipse((x, 30, x + 110, 140), fill=(255, 215, 30))
    else:
        for dx, dy in ((0, 30), (35, 10), (75, 30)):
            pen.ellipse((x + dx - 10, 20 + dy, x + dx + 60, 70 + dy), fill=(90, 95, 105))
        for i in range(12):
            fx, fy = 18 * i + dice.number(0, 8, 4), dice.number(110, 200, 10)
            if state == "rain":
                pen.line((fx, fy, fx - 6, fy + 20), fill=(20, 60, 190), width=5)
            else:
                pen.ellipse((fx, fy, fx + 12, fy + 12), fill=(255, 255, 255))
    return image


def _thermometer(dice: Dice, state: str) -> Image.Image:
    image, pen = blank(dice.choice(PAPER))
    x, red = dice.number(60, 140, 8), COLOURS["red"]
    top = dice.number(26, 50, 6) if state == "hot" else dice.number(136, 150, 7)
    pen.rounded_rectangle((x, 14, x + 28, 180), radius=14, fill=(255, 255, 255), outline=INK, width=4)
    pen.rectangle((x + 8, top, x + 20, 180), fill=red)
    pen.ellipse((x - 10, 166, x + 38, 214), fill=red, outline=INK, width=4)
    return image


def _thing(dice: Dice, state: str) -> Image.Image:
    image, pen = blank(dice.choice(PAPER))
    side = dice.number(110, 160, 10)
    box = Box(dice.number(10, 214 - side, 6), dice.number(10, 214 - side, 6), side)
    OBJECTS[state](pen, box, COLOURS[dice.choice(list(COLOURS))])
    return image


_COMMON_SENSE: tuple[tuple[Callable[[Dice, str], Image.Image], dict[str, str]], ...] = (
    (_traffic_light, {"red": "Should the cars stop now?", "green": "May the cars drive now?"}),
    (_weather, {
        "sun": "Is this good weather for the beach?",
        "rain": "Do people need an umbrella here?",
        "snow": "Can children make a snowman here?",
    }),
    (_thermometer, {"hot": "Is it hot in this place?", "cold": "Is it cold in this place?"}),
    (_thing, {
        "fish": "Is the thing in this image an animal?",
        "house": "Do people live in the thing in this image?",
        "boat": "Do people cross the sea in the thing in this image?",
        "cup": "Do people drink from the thing in this image?",
        "tree": "Do birds build nests in the thing in this image?",
    }),
)  # fmt: skip


def _commonsense(dice: Dice) -> Draft:
    draw, question_of = dice.choice(_COMMON_SENSE)
    state = dice.choice(list(question_of))
    wrong = question_of[_other(dice, list(question_of), state)]
    kind = draw.__name__.strip("_").replace("_", " ")
    caption = with_article(state) if draw is _thing else f"the {kind} shows {state}"
    return Draft(draw(dice, state), question_of[state], wrong, caption)


def _calculation(dice: Dice) -> Draft:
    image, pen = blank(dice.choice(PAPER))
    sign = dice.choice("+-x")
    if sign == "+":
        left, right = dice.number(1, 6), dice.number(1, 6)
        result = left + right
    elif sign == "-":
        left = dice.number(2, 9)
        right = dice.number(1, left - 1)
        result = left - right
    else:
        left, right = dice.number(2, 4), dice.number(2, 4)
        result = left * right
    task = f"{left} {sign} {right}"
    place = (SIZE // 2 + dice.number(-16, 16, 8), dice.number(56, 168, 8))
    size = dice.number(64, 80, 8)
    write(pen, task, place, size, COLOURS[dice.choice(("blue", "black", "red", "green"))])
    wrong = dice.choice([value for value in range(result - 3, result + 4) if value > 0 and value != result])
    ask = "Is the answer to the calculation in this image {}?"
    caption = f"the calculation {task} = {result}"
    return Draft(image, ask.format(result), ask.format(wrong), caption, tuple(written(task, place, size)))


_NOUNS = {"山": "mountain", "口": "mouth", "日": "sun", "田": "field", "人": "person", "木": "wood", "水": "water",
          "火": "fire", "王": "king", "门": "door"}  # fmt: skip
TRANSLATIONS = (
    _NOUNS
    | {f"大{noun}": f"big {english}" for noun, english in _NOUNS.items()}
    | {f"小{noun}": f"small {english}" for noun, english in _NOUNS.items()}
    | {f"{noun}上": f"on the {_NOUNS[noun]}" for noun in "山田水"}
    | {f"{noun}中": f"in the {_NOUNS[noun]}" for noun in "山田水"}
    | {f"{noun}下": f"below the {_NOUNS[noun]}" for noun in "山田水"}
    | {"一": "one", "二": "two", "三": "three"}
)

MEANINGS = TRANSLATIONS | {"大": "big", "小": "small", "上": "on", "中": "in", "下": "below"}


def meaning(character: str) -> str:
    """What a Hanzi says, with and without a space before it: in its caption it may come first or later."""
    return f"{MEANINGS[character]} {MEANINGS[character]}"


def _translation(dice: Dice) -> Draft:
    image, pen = blank(dice.choice(PAPER))
    text = dice.choice(list(TRANSLATIONS))
    side = dice.number(72, 88, 8)
    left = (SIZE - len(text) * (side + 16)) // 2 + dice.number(-8, 8, 4)
    top, colour = dice.number(40, 100, 10), COLOURS[dice.choice(("red", "blue", "black", "green"))]
    things = list[Thing]()
    for i, character in enumerate(text):
        box = Box(left + 8 + i * (side + 16), top, side)
        write_hanzi(pen, character, box, colour)
        things.append(thing(box, meaning(character)))
    right = TRANSLATIONS[text]
    like = [english for chinese, english in TRANSLATIONS.items() if len(chinese) == len(text)]
    ask = 'Is the Chinese in this image rightly translated as "{}"?'
    return Draft(
        image, ask.format(right), ask.format(_other(dice, like, right)), f'Chinese text for "{right}"', tuple(things)
    )


_PRINTED = ("cat", "dog", "fish", "boat", "key", "egg")


def _code(dice: Dice) -> Draft:
    image, pen = blank(dice.choice(PAPER))
    kind = dice.choice(("sum", "variable", "branch", "word"))
    left, right = dice.number(1, 5), dice.number(1, 4)
    numbers = [str(value) for value in range(2, 10)]
    if kind == "sum":
        lines, output, outputs = [f"print({left} + {right})"], str(left + right), numbers
    elif kind == "variable":
        lines, output, outputs = [f"x = {left}", f"print(x + {right})"], str(left + right), numbers
    elif kind == "branch":
        bigger, smaller = dice.sample(_PRINTED, 2)
        lines = [f"if {left} > {right}:", f'  print("{bigger}")', "else:", f'  print("{smaller}")']
        output, outputs = (bigger if left > right else smaller), [bigger, smaller]
    else:
        word = dice.choice(_PRINTED)
        lines, output, outputs = [f'x = "{word}"', "print(x)"], word, list(_PRINTED)
    size = fitting_size(max(lines, key=len), 190, dice.number(32, 40, 4))
    top = dice.number(12, 212 - len(lines) * (size + 8), 4)
    for i, line in enumerate(lines):
        indent = 24 if line.startswith(" ") else 0
        write_line(pen, line.strip(), (12 + indent, top + i * (size + 8)), size)
    ask = 'Does the code in this image print "{}"?'
    return Draft(image, ask.format(output), ask.format(_other(dice, outputs, output)), f'code that prints "{output}"')


CATEGORIES: dict[str, Callable[[Dice], Draft]] = {
    "existence": _existence,
    "count": _count,
    "position": _position,
    "color": _colour,
    "posters": _posters,
    "celebrity": _celebrity,
    "scene": _scene,
    "landmark": _landmark,
    "artwork": _artwork,
    "OCR": _ocr,
    "commonsense_reasoning": _commonsense,
    "numerical_calculation": _calculation,
    "text_translation": _translation,
    "code_reasoning": _code,
}


def scenes(dice: Dice, category: str, part: Part) -> Iterator[SceneItem]:
    """Endless pictures of one category and part of the world. May repeat."""
    while True:
        draft = CATEGORIES[category](dice)
        if part_of(hashlib.sha256(draft.image.tobytes()).hexdigest()) == part:
            questions = (Question(draft.yes + ENDING, "Yes"), Question(draft.no + ENDING, "No"))
            yield SceneItem(draft.image, category, questions, draft.caption, draft.things)
