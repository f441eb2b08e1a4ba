"""What MMBench's categories of reasoning ask about a drawing, in English and Mandarin."""

from __future__ import annotations

from tasks.mini import persons
from tasks.mini.charts import QUARTERS, Chart, Theme, bars, table
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, INK, OBJECTS, PAPER, SIZE, WHITE, Box, Pen, blank, label, thing
from tasks.mini.noting import Colour, as_one
from tasks.mini.shapes import draw_clock
from tasks.mini.sights import Both, Sight

DEEP: Colour = (120, 180, 240)
BROWN = COLOURS["brown"]
HUES = ("red", "blue", "green", "orange", "purple")


def arrow(pen: Pen, start: tuple[float, float], end: tuple[float, float], colour: Colour = INK, width: int = 4) -> None:
    """A line with a head at its end."""
    (x0, y0), (x1, y1) = start, end
    long = max(1.0, ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
    c, s = (x1 - x0) / long, (y1 - y0) / long
    pen.line((x0, y0, x1 - 8 * c, y1 - 8 * s), fill=colour, width=width)
    pen.polygon(((x1, y1), (x1 - 13 * c + 7 * s, y1 - 13 * s - 7 * c), (x1 - 13 * c - 7 * s, y1 - 13 * s + 7 * c)),
                fill=colour)  # fmt: skip


FLOATS = {"less dense than water": 82, "as dense as water": 122, "denser than water": 166}


def density(dice: Dice) -> Sight:
    """A block that floats, hovers or lies on the ground of a tank."""
    name = dice.choice(list(FLOATS))
    image, pen = blank(dice.choice(PAPER))
    pen.rectangle((20, 100, 204, 204), fill=DEEP)
    pen.line((20, 40, 20, 206, 204, 206, 204, 40), fill=INK, width=5)
    x, y = dice.number(40, 140, 5), FLOATS[name]
    pen.rectangle((x, y, x + 44, y + 36), fill=COLOURS[dice.choice(HUES)], outline=INK, width=2)
    label(pen, "water", (44, 112), 14)
    wordings = (
        ("What follows for the block in the tank?", "水箱里的方块有什么性质？"),
        ("Which is true of the block?", "关于方块，哪个说法正确？"),
    )
    hint = ("The block was let go and is at rest.", "方块放开以后，现在静止不动。")
    return Sight(image, wordings, name, list(FLOATS), hint=hint)


HEAT = {"freezing": 150, "cool": 116, "warm": 80, "very hot": 40}


def heat(dice: Dice) -> Sight:
    name = dice.choice(list(HEAT))
    image, pen = blank(dice.choice(PAPER))
    x = dice.number(50, 140, 5)
    pen.rounded_rectangle((x, 14, x + 28, 182), radius=14, fill=WHITE, outline=INK, width=4)
    pen.rectangle((x + 9, HEAT[name] + dice.number(-6, 6, 3), x + 19, 182), fill=COLOURS["red"])
    pen.ellipse((x - 8, 168, x + 36, 212), fill=COLOURS["red"], outline=INK, width=4)
    for degree, y in (("60", 34), ("40", 66), ("20", 98), ("0", 130), ("-20", 162)):
        pen.line((x + 28, y, x + 38, y), fill=INK, width=3)
        label(pen, degree, (x + 56, y), 16)
    wordings = (
        ("How is the air at this thermometer (in degrees Celsius)?", "看温度计（摄氏度），这里的空气怎么样？"),
        ("Which word fits the temperature that you read?", "哪个词符合温度计上的温度？"),
    )
    return Sight(image, wordings, name, list(HEAT))


USES = {
    "cup": "drinking",
    "boat": "crossing water",
    "house": "living in",
    "clock": "telling the time",
    "umbrella": "keeping off rain",
    "ladder": "climbing up",
    "ruler": "measuring length",
    "lamp": "giving light",
}


def use(dice: Dice) -> Sight:
    name = dice.choice(list(USES))
    image, pen = blank(dice.choice(PAPER))
    side = dice.number(120, 160, 10)
    box = Box(dice.number(16, 208 - side, 6), dice.number(16, 208 - side, 6), side)
    draw_tool(pen, name, box, COLOURS[dice.choice(HUES)])
    wordings = (
        ("What is the thing in the picture used for?", "图片里的东西是做什么用的？"),
        ("What do people use this thing for?", "人们用这个东西来做什么？"),
    )
    return Sight(image, wordings, USES[name], list(USES.values()))


def draw_tool(pen: Pen, name: str, box: Box, colour: Colour) -> None:
    with as_one(pen, thing(box, f" {name}")):
        _draw_tool(pen, name, box, colour)


def _draw_tool(pen: Pen, name: str, box: Box, colour: Colour) -> None:
    if name in OBJECTS:
        OBJECTS[name](pen, box, colour)
    elif name == "clock":
        draw_clock(pen, box, 10, 10)
    elif name == "umbrella":
        pen.pieslice(box.frame(0, 0.05, 1, 1.0), 180, 360, fill=colour)
        pen.line(box.at((0.5, 0.5), (0.5, 0.9), (0.6, 0.98), (0.68, 0.88)), fill=INK, width=box.width(0.05))
    elif name == "ladder":
        for x in (0.3, 0.7):
            pen.line(box.at((x, 0), (x, 1)), fill=BROWN, width=box.width(0.07))
        for rung in range(1, 8):
            pen.line(box.at((0.3, rung / 8), (0.7, rung / 8)), fill=BROWN, width=box.width(0.05))
    elif name == "ruler":
        pen.rectangle(box.frame(0, 0.35, 1, 0.65), fill=COLOURS["yellow"], outline=INK, width=3)
        for i in range(1, 10):
            pen.line(box.at((i / 10, 0.35), (i / 10, 0.48)), fill=INK, width=3)
            label(pen, str(i), box.at((i / 10, 0.57))[0], box.width(0.1))
    else:
        pen.polygon(box.at((0.3, 0.05), (0.7, 0.05), (0.9, 0.5), (0.1, 0.5)), fill=colour)
        pen.polygon(box.at((0.2, 0.52), (0.8, 0.52), (1.0, 0.9), (0.0, 0.9)), fill=(255, 240, 140))
        pen.line(box.at((0.5, 0.5), (0.5, 0.95)), fill=INK, width=box.width(0.05))
        pen.rectangle(box.frame(0.3, 0.92, 0.7, 0.98), fill=INK)


def job(dice: Dice) -> Sight:
    name = dice.choice(persons.JOBS)
    image, pen = blank(dice.choice(PAPER))
    persons.draw_worker(pen, Box(dice.number(6, 34, 4), dice.number(44, 64, 4), 140), name)
    wordings = (
        ("What is the job of this person?", "这个人的职业是什么？"),
        ("Who is this, most likely?", "这个人最可能是谁？"),
    )
    return Sight(image, wordings, name, persons.JOBS)


COMPANY = ("parent and child", "teacher and pupil", "doctor and patient", "players of one team")


def company(dice: Dice) -> Sight:
    name = dice.choice(COMPANY)
    image, pen = blank(dice.choice(PAPER))
    dx, hues = dice.number(-8, 8, 2), [COLOURS[hue] for hue in dice.sample(HUES, 2)]
    if name == "parent and child":
        persons.draw_person(pen, Box(28 + dx, 40, 150), "standing", hues[0])
        persons.draw_person(pen, Box(118 + dx, 108, 82), "standing", hues[1])
    elif name == "teacher and pupil":
        persons.draw_worker(pen, Box(10 + dx, 60, 120), "teacher")
        persons.draw_person(pen, Box(126 + dx, 126, 80), "sitting", hues[1])
    elif name == "doctor and patient":
        persons.draw_worker(pen, Box(2 + dx, 60, 116), "doctor")
        persons.draw_person(pen, Box(112 + dx, 80, 100), "sleeping", hues[1])
    else:
        for x in (8, 102):
            persons.draw_person(pen, Box(x + dx, 70, 110), "running", hues[0])
        pen.ellipse((100 + dx, 180, 124 + dx, 204), fill=COLOURS["orange"], outline=INK, width=2)
    wordings = (
        ("How do the two persons belong together?", "图片里的两个人是什么关系？"),
        ("Who are these two persons to each other?", "这两个人最可能是什么关系？"),
    )
    return Sight(image, wordings, name, COMPANY)


NATURE = ("one eats the other", "both want the same food", "parent and young", "one carries pollen of the other")


def nature(dice: Dice) -> Sight:
    name = dice.choice(NATURE)
    image, pen = blank((205, 230, 250))
    y, hue = dice.number(40, 70, 5), COLOURS[dice.choice(HUES)]
    if name == "one eats the other":
        OBJECTS["fish"](pen, Box(84 + dice.number(0, 16, 4), y, 120), COLOURS["black"])
        OBJECTS["fish"](pen, Box(12 + dice.number(0, 12, 4), y + 44, 40), hue)
        arrow(pen, (96, y + 64), (58, y + 64), COLOURS["red"], 5)
        label(pen, "is caught", (70, y + 100), 16)
    elif name == "both want the same food":
        for x, turned in ((6, True), (134, False)):
            _fish(pen, Box(x + dice.number(0, 8, 4), y, 84), hue, turned)
        OBJECTS["mushroom"](pen, Box(92, y + 76, 40), BROWN)
        arrow(pen, (56, y + 66), (88, y + 92))
        arrow(pen, (168, y + 66), (136, y + 92))
        label(pen, "food", (112, y + 128), 16)
    elif name == "parent and young":
        OBJECTS["fish"](pen, Box(12, y, 100), hue)
        for i in range(3):
            OBJECTS["fish"](pen, Box(122 + 30 * i, y + 36 + dice.number(-16, 16, 8), 28), hue)
    else:
        for x in (6, 126):
            OBJECTS["flower"](pen, Box(x, y + 30, 88), hue)
        pen.ellipse((98, y, 132, y + 22), fill=COLOURS["yellow"], outline=INK, width=2)
        pen.line((110, y, 110, y + 22), fill=INK, width=4)
        pen.line((120, y, 120, y + 22), fill=INK, width=4)
        pen.ellipse((104, y - 16, 118, y + 2), fill=WHITE, outline=INK)
        arrow(pen, (70, y + 26), (94, y + 12))
        arrow(pen, (134, y + 12), (156, y + 28))
        label(pen, "bee", (115, y + 38), 16)
    wordings = (
        ("How do these living things relate?", "图中的生物之间是什么关系？"),
        ("Which relation in nature is shown?", "图片表示自然界的哪种关系？"),
    )
    return Sight(image, wordings, name, NATURE)


def _fish(pen: Pen, box: Box, colour: Colour, turned: bool) -> None:
    """The fish looks to the left; turned, to the right."""
    if not turned:
        OBJECTS["fish"](pen, box, colour)
        return
    pen.ellipse(box.frame(0.25, 0.22, 1.0, 0.78), fill=colour)
    pen.polygon(box.at((0.38, 0.5), (0.01, 0.18), (0.01, 0.82)), fill=colour)
    pen.ellipse(box.frame(0.75, 0.38, 0.86, 0.49), fill=WHITE)


SPOTS = ("on the table", "under the table", "beside the table", "hanging over the table")


def rests(dice: Dice) -> Sight:
    where = dice.choice(SPOTS)
    image, pen = blank(dice.choice(PAPER))
    x = dice.number(10, 30, 5)
    pen.rectangle((x, 120, x + 120, 132), fill=BROWN)
    for leg in (x + 6, x + 104):
        pen.rectangle((leg, 132, leg + 10, 206), fill=BROWN)
    left, top = {SPOTS[0]: (x + 40, 74), SPOTS[1]: (x + 38, 160), SPOTS[2]: (x + 140, 160), SPOTS[3]: (x + 40, 44)}[
        where
    ]
    if where == SPOTS[3]:
        pen.line((left + 23, 0, left + 23, top), fill=INK, width=3)
    name = dice.choice(("circle", "star", "heart", "cup", "flower", "fish", "house"))
    OBJECTS[name](pen, Box(left, top, 46), COLOURS[dice.choice(HUES)])
    wordings = (
        ("Where is the {}?", "{}在哪里？"),
        ("How is the {} placed with respect to the table?", "{}和桌子的位置关系是什么？"),
    )
    return Sight(image, wordings, where, SPOTS, (name,))


FUTURES = ("It falls to the ground.", "It rises into the air.", "It bounces back from the wall.", "It melts.")


def future(dice: Dice) -> Sight:
    name = dice.choice(FUTURES)
    image, pen = blank(dice.choice(PAPER))
    pen.rectangle((0, 204, SIZE, SIZE), fill=(150, 190, 120))
    hue, y = COLOURS[dice.choice(HUES)], dice.number(90, 120, 5)
    if name == FUTURES[0]:
        pen.rectangle((0, y + 40, 110, 204), fill=BROWN)
        pen.ellipse((60, y, 100, y + 40), fill=hue, outline=INK, width=2)
        arrow(pen, (112, y + 20), (156, y + 20))
    elif name == FUTURES[1]:
        pen.ellipse((80, y - 60, 144, y + 12), fill=hue)
        pen.line((112, y + 12, 108, y + 60), fill=INK, width=2)
        label(pen, "helium, let go", (112, y + 80), 16)
    elif name == FUTURES[2]:
        pen.rectangle((180, 40, 204, 204), fill=(160, 90, 70))
        pen.ellipse((36, 164, 76, 204), fill=hue, outline=INK, width=2)
        arrow(pen, (84, 184), (150, 184))
        label(pen, "fast", (112, y + 40), 16)
    else:
        pen.ellipse((140, 14, 200, 74), fill=(255, 210, 40))
        pen.rectangle((60, 150, 114, 204), fill=(200, 235, 255), outline=hue, width=3)
        label(pen, "ice", (87, 178), 18)
        label(pen, "30 °C", (60, y - 40), 18)
    wordings = (
        ("What happens next to the thing in the picture?", "图中的东西接下来会怎么样？"),
        ("What will most likely come next?", "接下来最可能发生什么？"),
    )
    return Sight(image, wordings, name, FUTURES)


_SOLD = Theme("Sold", "quarter", QUARTERS, "sale", "cups")
_FRUIT = Theme("Fruit", "fruit", ("apple", "pear", "plum", "fig", "lemon", "melon"), "sale", "kg")


def structure(dice: Dice) -> Sight:
    """Read off a chart or a table."""
    draw = dice.choice((bars, table))
    chart: Chart = draw(dice, dice.choice((_SOLD, _FRUIT)))
    top = dice.choice((True, False))
    at = chart.values.index(max(chart.values) if top else min(chart.values))
    wordings: tuple[Both, ...] = (
        (
            ("Which one has the highest value?", "哪一项的数值最大？"),
            ("Where is the value the largest?", "数值最大的是哪一个？"),
        )
        if top
        else (
            ("Which one has the lowest value?", "哪一项的数值最小？"),
            ("Where is the value the smallest?", "数值最小的是哪一个？"),
        )
    )
    return Sight(chart.image, wordings, chart.names[at], chart.names)
