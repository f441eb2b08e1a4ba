"""Signs, receipts, notices, forms and formulas: pictures of text to be read."""

from __future__ import annotations

from PIL import Image

from tasks.mini import lettering, vocabulary, works
from tasks.mini.asks import Ask
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, INK, PAPER, WHITE, Pen, blank, fitting_size, font, label, write

WORDS = sorted(
    {
        noun.english
        for noun in (*vocabulary.ANIMALS, *vocabulary.GOODS, *vocabulary.FOODS)
        if 3 <= len(noun.english) <= 6
    }
)
NAMES = tuple(works.PEOPLE)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ASK_TEXT = ("What is written in the picture?", "Read the text in the picture.", "Which word do you see?")


def plain(dice: Dice) -> Ask:
    text = dice.choice(WORDS)
    return Ask((lettering.straight(dice, text),), dice.choice(ASK_TEXT), text)


def bent(dice: Dice) -> Ask:
    text = dice.choice(WORDS)
    return Ask((lettering.curved(dice, text),), dice.choice(ASK_TEXT), text)


def art(dice: Dice) -> Ask:
    text = dice.choice(WORDS)
    return Ask((lettering.decorated(dice, text),), dice.choice(ASK_TEXT), text)


def hand(dice: Dice) -> Ask:
    text = dice.choice(WORDS).lower()
    return Ask((lettering.by_hand(dice, text),), dice.choice(ASK_TEXT), text)


def digits(dice: Dice) -> Ask:
    text = "".join(dice.choice("0123456789") for _ in range(dice.number(4, 7)))
    wordings = ("Which number is written in the picture?", "Read the digits in the picture.")
    return Ask((dice.choice((lettering.straight, lettering.by_hand))(dice, text),), dice.choice(wordings), text)


def jumble(dice: Dice) -> Ask:
    """Letters without a sense; none that looks like another."""
    text = "".join(dice.choice("ABCDEFGHKLMNPQRSTUVXYZ") for _ in range(dice.number(4, 6)))
    wordings = ("Which letters are in the picture?", "Read the letters in the picture, from left to right.")
    return Ask((lettering.straight(dice, text),), dice.choice(wordings), text)


SHOPS = ("BAKERY", "BOOKS", "TOYS", "FRUIT", "SHOES", "TEA HOUSE", "BANK", "HOTEL", "CINEMA", "PHARMACY")


def sign(dice: Dice) -> Ask:
    """A shop front with its kind, its owner and its hours."""
    shop, owner, opens, closes = dice.choice(SHOPS), dice.choice(NAMES), dice.number(6, 11), dice.number(15, 22)
    image, pen = blank(dice.choice(((190, 215, 240), (235, 225, 200), (215, 230, 215))))
    pen.rectangle((12, 30, 212, 214), fill=dice.choice(((190, 140, 110), (170, 170, 190), (200, 180, 120))))
    pen.rectangle((12, 30, 212, 84), fill=COLOURS[dice.choice(("red", "blue", "green", "purple"))])
    write(pen, shop, (112, 57), fitting_size(shop, 180, 34), WHITE)
    pen.rectangle((24, 100, 132, 206), fill=(220, 240, 250), outline=INK, width=3)
    label(pen, owner, (78, 126), 24)
    label(pen, "Open", (78, 156), 18)
    label(pen, f"{opens} - {closes}", (78, 182), 22)
    pen.rectangle((150, 110, 198, 214), fill=COLOURS["brown"])
    questions = {
        "What kind of shop is this?": shop,
        "Which word stands on the sign over the shop?": shop,
        "Whose name is in the window?": owner,
        "At which hour does the shop open?": str(opens),
        "At which hour does the shop close?": str(closes),
    }
    return _either(dice, image, questions)


def _either(dice: Dice, image: Image.Image, questions: dict[str, str]) -> Ask:
    question = dice.choice(list(questions))
    return Ask((image,), question, questions[question])


def notice(dice: Dice) -> Ask:
    """A typed page."""
    topic, day = dice.choice(("Chess", "Music", "Garden", "Cooking", "Running", "Painting")), dice.choice(DAYS)
    room, hour, name = dice.number(10, 99), dice.number(8, 19), dice.choice(NAMES)
    image, pen = _page(dice)
    label(pen, f"{topic} Club", (112, 44), 26)
    pen.line((40, 62, 184, 62), fill=INK, width=2)
    lines = (f"We meet {day}", f"at {hour} o'clock", f"in room {room}.", "Please bring a friend.", f"Yours, {name}")
    for i, line in enumerate(lines):
        pen.text((34, 76 + 25 * i), line, fill=INK, font=font(16))
    questions = {
        "Which club is the notice about?": topic,
        "On which day does the club meet?": day,
        "In which room does the club meet?": str(room),
        "At what hour is the meeting?": str(hour),
        "Who wrote the notice?": name,
    }
    return _either(dice, image, questions)


def _page(dice: Dice) -> tuple[Image.Image, Pen]:
    image, pen = blank(dice.choice(((205, 215, 225), (225, 210, 195), (210, 225, 210))))
    pen.rectangle((22, 12, 202, 214), fill=WHITE, outline=(120, 120, 120))
    return image, pen


def receipt(dice: Dice) -> Ask:
    goods = dice.sample(("Bread", "Milk", "Eggs", "Tea", "Rice", "Fish", "Soap", "Apples"), 3)
    prices = dice.sample(range(105, 995, 5), 3)
    shop, day = f"{dice.choice(NAMES)}'s Shop", f"{dice.number(1, 28):02d}.{dice.number(1, 12):02d}.2024"
    image, pen = _page(dice)
    label(pen, shop, (112, 34), 20)
    label(pen, day, (112, 56), 15)
    rows = [*zip(goods, prices, strict=True), ("Total", sum(prices))]
    for i, (name, cents) in enumerate(rows):
        y = 84 + 30 * i
        if name == "Total":
            pen.line((34, y - 14, 190, y - 14), fill=INK, width=2)
        pen.text((34, y), name, fill=INK, font=font(18), anchor="lm")
        pen.text((190, y), _money(cents), fill=INK, font=font(18), anchor="rm")
    questions = {
        "What is the total on this receipt? Answer with the number alone.": _money(sum(prices)),
        "What is the date on this receipt? Answer with the date alone.": day,
        f"What is the price of '{goods[0]}' on this receipt?": _money(prices[0]),
        f"How much does '{goods[1]}' cost on this receipt?": _money(prices[1]),
    }
    return _either(dice, image, questions)


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def form(dice: Dice) -> Ask:
    """A form filled in by hand."""
    title = dice.choice(("Library card", "Swimming pass", "Bus ticket", "School trip"))
    fields = {
        "Name": dice.choice(NAMES),
        "City": dice.choice(("Lund", "Bern", "Oslo", "Pisa", "Kobe", "Lima")),
        "Age": str(dice.number(7, 80)),
        "Number": str(dice.number(1000, 9999)),
    }
    image, pen = _page(dice)
    label(pen, title, (112, 34), 22)
    for i, (field, content) in enumerate(fields.items()):
        y = 76 + 36 * i
        pen.text((32, y), f"{field}:", fill=INK, font=font(16), anchor="lm")
        pen.line((96, y + 12, 192, y + 12), fill=(120, 120, 120))
        lettering.scribble(image, dice, content, (144, y), 20, COLOURS["blue"])
    field = dice.choice(list(fields))
    wordings = (
        f"What is filled in for '{field}' on this form? Answer with the entry alone.",
        f"Which entry has the field '{field}'?",
    )
    return Ask((image,), dice.choice(wordings), fields[field])


def formula(dice: Dice) -> Ask:
    """A formula of two to three terms; the answer is its LaTeX."""
    image, pen = blank(dice.choice(PAPER))
    x, y, latex = dice.number(14, 26, 4), dice.number(80, 140, 10), ""
    for i in range(dice.number(2, 3)):
        if i:
            operator = dice.choice("+-=")
            label(pen, operator, (x + 12, y), 30)
            x, latex = x + 26, f"{latex} {operator} "
        x, term = dice.choice((_power, _index, _fraction, _root, _product))(pen, dice, x, y)
        latex += term
    wordings = ("Write the formula in the picture in LaTeX.", "Which LaTeX code gives this formula?")
    return Ask((image,), dice.choice(wordings), latex)


def _put(pen: Pen, text: str, x: float, y: float, size: int = 32) -> float:
    pen.text((x, y), text, fill=INK, font=font(size), anchor="lm")
    return x + font(size).getlength(text)


def _power(pen: Pen, dice: Dice, x: int, y: int) -> tuple[int, str]:
    base, power = dice.choice("xyzab"), dice.choice("23456n")
    end = _put(pen, power, _put(pen, base, x, y) + 1, y - 14, 20)
    return round(end) + 4, f"{base}^{{{power}}}"


def _index(pen: Pen, dice: Dice, x: int, y: int) -> tuple[int, str]:
    base, index = dice.choice("xyzab"), dice.choice("0123n")
    end = _put(pen, index, _put(pen, base, x, y) + 1, y + 13, 20)
    return round(end) + 4, f"{base}_{{{index}}}"


def _fraction(pen: Pen, dice: Dice, x: int, y: int) -> tuple[int, str]:
    top, bottom = dice.choice("123ab"), dice.choice("4567xy")
    pen.line((x, y, x + 26, y), fill=INK, width=3)
    label(pen, top, (x + 13, y - 19), 28)
    label(pen, bottom, (x + 13, y + 19), 28)
    return x + 32, f"\\frac{{{top}}}{{{bottom}}}"


def _root(pen: Pen, dice: Dice, x: int, y: int) -> tuple[int, str]:
    inside = dice.choice(("2", "3", "5", "x", "y", "ab"))
    end = round(_put(pen, inside, x + 18, y))
    pen.line((x, y + 2, x + 6, y + 16, x + 14, y - 20, end + 3, y - 20), fill=INK, width=2)
    return end + 8, f"\\sqrt{{{inside}}}"


def _product(pen: Pen, dice: Dice, x: int, y: int) -> tuple[int, str]:
    text = f"{dice.number(2, 9)}{dice.choice('xyab')}"
    return round(_put(pen, text, x, y)) + 4, text


KINDS = {
    "Regular Text Recognition": (plain,),
    "Irregular Text Recognition": (bent,),
    "Artistic Text Recognition": (art,),
    "Handwriting Recognition": (hand,),
    "Digit String Recognition": (digits,),
    "Non-Semantic Text Recognition": (jumble,),
    "Scene Text-centric VQA": (sign,),
    "Doc-oriented VQA": (notice,),
    "Key Information Extraction": (receipt, form),
    "Handwritten Mathematical Expression Recognition": (formula,),
}
"""OCRBench's types."""
