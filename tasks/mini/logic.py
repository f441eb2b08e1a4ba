"""Sequences, code, plans and trees to be thought through."""

from __future__ import annotations

from tasks.mini.asks import Ask, choice, number
from tasks.mini.diagrams import PALE, tag
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, INK, OBJECTS, PAPER, SIZE, Box, blank, fitting_size, label, write_line
from tasks.mini.reasons import arrow
from tasks.mini.works import PEOPLE

SHAPES = ("circle", "square", "triangle", "star", "heart", "cross")


def sequence(dice: Dice) -> Ask:
    start, step, times = dice.number(1, 9), dice.number(2, 6), dice.choice((1, 1, 2))
    values = [start]
    while len(values) < 5:
        values.append(values[-1] * times + (step if times == 1 else 0))
    gap = dice.number(2, 4)
    image, pen = blank(dice.choice(PAPER))
    y = dice.number(70, 150, 5)
    for i, value in enumerate(values):
        box = (8 + 42 * i, y - 22, 46 + 42 * i, y + 22)
        pen.rectangle(box, fill=PALE[0], outline=INK, width=2)
        label(pen, "?" if i == gap else str(value), (27 + 42 * i, y), 20 if value < 100 else 16)
    wordings = ("Which number belongs in place of the question mark?", "What is the missing number of the row?")
    return number(dice, image, wordings, values[gap], dice.choice((1, 2)))


def pattern(dice: Dice) -> Ask:
    kinds, hue = dice.sample(SHAPES, 3), COLOURS[dice.choice(("red", "blue", "green", "purple"))]
    period = dice.choice(("01", "012", "001", "011"))
    image, pen = blank(dice.choice(PAPER))
    y = dice.number(60, 120, 5)
    for i in range(7):
        kind = kinds[int(period[i % len(period)])]
        x, top = 10 + 52 * (i % 4), y + 58 * (i // 4) - 20
        if i < 6:
            OBJECTS[kind](pen, Box(x, top, 44), hue)
        else:
            label(pen, "?", (x + 22, top + 22), 40)
    wordings = ("Which shape comes next in the row?", "What belongs in place of the question mark?")
    return choice(dice, image, wordings, kinds[int(period[6 % len(period)])], SHAPES)


def code(dice: Dice) -> Ask:
    left, right, many = dice.number(1, 6), dice.number(1, 6), dice.number(2, 4)
    lines, result = dice.choice((
        ([f"x = {left}", f"y = {right}", "print(x + y)"], left + right),
        ([f"x = {left}", f"x = x + {right}", "print(x)"], left + right),
        ([f"x = {left}", f"print(x * {many})"], left * many),
        ([f"x = {left}", f"for i in range({many}):", f"    x = x + {right}", "print(x)"], left + many * right),
        ([f"if {left} > {right}:", f"    print({many})", "else:", f"    print({many + 3})"],
         many if left > right else many + 3),
    ))  # fmt: skip
    image, pen = blank(dice.choice(PAPER))
    size = min(30, fitting_size(max(lines, key=len), 196, 30))
    top = dice.number(20, 90, 5)
    for i, line in enumerate(lines):
        indent = 26 if line.startswith(" ") else 0
        write_line(pen, line.strip(), (14 + indent, top + i * (size + 8)), size)
    wordings = ("What does this program print?", "Which output does the code give?")
    return number(dice, image, wordings, result, 1)


def flow(dice: Dice) -> Ask:
    """A flow chart with one branch."""
    start, limit, more, less = dice.number(2, 9), dice.number(3, 8), dice.number(2, 5), dice.number(1, 4)
    image, pen = blank(dice.choice(PAPER))
    x = dice.number(104, 120, 4)
    tag(pen, f"n = {start}", (x, 26), PALE[1])
    pen.polygon(((x, 60), (x + 56, 92), (x, 124), (x - 56, 92)), fill=PALE[0], outline=INK, width=2)
    label(pen, f"n > {limit} ?", (x, 92), 17)
    arrow(pen, (x, 40), (x, 60))
    tag(pen, f"add {more}", (x - 62, 156), PALE[2])
    tag(pen, f"times {less}", (x + 62, 156), PALE[3])
    for side, text in ((-1, "yes"), (1, "no")):
        pen.line((x + 56 * side, 92, x + 62 * side, 92), fill=INK, width=4)
        arrow(pen, (x + 62 * side, 92), (x + 62 * side, 142))
        label(pen, text, (x + 82 * side, 112), 15)
        arrow(pen, (x + 62 * side, 170), (x + 14 * side, 196))
    tag(pen, "print n", (x, 206), PALE[1])
    result = start + more if start > limit else start * less
    return number(dice, image, ("What does the flow chart print?", "Which n comes out at the end?"), result, 1)


def tree(dice: Dice) -> Ask:
    """A chief, two heads and their workers."""
    names = dice.sample(list(PEOPLE), 7)
    image, pen = blank(dice.choice(PAPER))
    fill, top = dice.choice(PALE), dice.number(30, 54, 4)
    spots = [(112, top), (58, top + 66), (166, top + 66), *((28 + 56 * i, top + 132) for i in range(4))]
    for child in range(1, 7):
        (x0, y0), (x1, y1) = spots[(child - 1) // 2], spots[child]
        pen.line((x0, y0, x1, y1), fill=INK, width=2)
    for name, spot in zip(names, spots, strict=True):
        tag(pen, name, spot, fill, 14)
    child = dice.number(1, 6)
    boss = names[(child - 1) // 2]
    kind = dice.choice(("boss", "boss", "mate", "chief"))
    if kind == "boss":
        wordings = (f"Who is the direct boss of {names[child]}?", f"To whom does {names[child]} report directly?")
        return choice(dice, image, wordings, boss, names)
    if kind == "mate":
        mate = names[child + 1 if child % 2 else child - 1]
        return choice(dice, image, (f"Who has the same direct boss as {names[child]}?",), mate,
                      [name for name in names if name != names[child]])  # fmt: skip
    return choice(dice, image, ("Who is at the top of this chart?", "Who has no boss here?"), names[0], names)


EVENTS = ("bridge", "railway", "school", "harbour", "market", "museum", "library", "castle")


def timeline(dice: Dice) -> Ask:
    names = dice.sample(EVENTS, 4)
    years = sorted(dice.sample(range(1700, 1960, 10), 4))
    image, pen = blank(dice.choice(PAPER))
    x, top = dice.number(70, 90, 5), dice.number(40, 52, 4)
    label(pen, "What was built when", (SIZE // 2, 18), 17)
    pen.line((x, top, x, top + 156), fill=INK, width=4)
    for i, (name, year) in enumerate(zip(names, years, strict=True)):
        y = top + 8 + 46 * i
        pen.ellipse((x - 7, y - 7, x + 7, y + 7), fill=COLOURS["red"])
        label(pen, str(year), (x - 36, y), 18)
        label(pen, name, (x + 50, y), 18)
    kind, at = dice.choice(("when", "first", "last", "years")), dice.number(1, 3)
    if kind == "when":
        wordings = (f"In which year was the {names[at]} built?", f"When did the town get its {names[at]}?")
        return choice(dice, image, wordings, str(years[at]), [*map(str, years), str(years[at] + 10)])
    if kind == "first":
        return choice(dice, image, ("What was built first?", "Which building is the oldest?"), names[0], names)
    if kind == "last":
        return choice(dice, image, ("What was built last?", "Which building is the newest?"), names[3], names)
    gap = (f"How many years lie between the {names[at - 1]} and the {names[at]}?",)
    return number(dice, image, gap, years[at] - years[at - 1], 10)


def gate(dice: Dice) -> Ask:
    kind, a, b = dice.choice(("AND", "OR", "XOR", "NAND")), dice.number(0, 1), dice.number(0, 1)
    image, pen = blank(dice.choice(PAPER))
    x, y = dice.number(70, 84, 2), dice.number(70, 110, 5)
    for value, dy in ((a, -18), (b, 18)):
        pen.line((24, y + 40 + dy, x, y + 40 + dy), fill=INK, width=3)
        label(pen, str(value), (14, y + 40 + dy), 24)
    pen.rectangle((x, y, x + 76, y + 80), fill=PALE[1], outline=INK, width=3)
    label(pen, kind, (x + 38, y + 40), 24)
    pen.line((x + 76, y + 40, 190, y + 40), fill=INK, width=3)
    label(pen, "?", (204, y + 40), 26)
    result = {"AND": a & b, "OR": a | b, "XOR": a ^ b, "NAND": 1 - (a & b)}[kind]
    return choice(dice, image, ("What is at the output of the gate?", "Which value does the gate give?"), str(result),
                  ("0", "1"))  # fmt: skip


def binary(dice: Dice) -> Ask:
    value = dice.number(1, 31)
    image, pen = blank(dice.choice(PAPER))
    y = dice.number(70, 140, 5)
    for i, bit in enumerate(f"{value:05b}"):
        x = 12 + 40 * i
        pen.rectangle((x, y, x + 40, y + 46), fill=PALE[2] if bit == "1" else (255, 255, 255), outline=INK, width=2)
        label(pen, bit, (x + 20, y + 23), 28)
        label(pen, str(2 ** (4 - i)), (x + 20, y - 14), 16)
    wordings = ("Which decimal number do the bits stand for?", "What is this binary number in decimal?")
    return number(dice, image, wordings, value, dice.choice((1, 2)))


def calendar(dice: Dice) -> Ask:
    """A leaf of a calendar, and a day some days later."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    today, later, date = dice.randrange(7), dice.number(2, 9), dice.number(1, 20)
    image, pen = blank(dice.choice(PAPER))
    x, y = dice.number(32, 48, 4), dice.number(24, 40, 4)
    pen.rectangle((x, y, x + 144, y + 160), fill=(255, 255, 255), outline=INK, width=3)
    pen.rectangle((x, y, x + 144, y + 40), fill=COLOURS[dice.choice(("red", "blue", "green"))])
    label(pen, days[today], (x + 72, y + 20), 22, (255, 255, 255))
    label(pen, str(date), (x + 72, y + 100), 70)
    if dice.random() < 0.3:
        ask = (f"Which day of the month is it {later} days after the one shown?",)
        return number(dice, image, ask, date + later, 1)
    wordings = (f"Which day of the week is it {later} days later?", f"What day comes {later} days after this one?")
    return choice(dice, image, wordings, days[(today + later) % 7], days)
