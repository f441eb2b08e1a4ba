"""Films of several parts, each in a place of its own, with what is said in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from tasks.mini import deeds
from tasks.mini.deeds import PERSON_DEEDS, THING_DEEDS, Deed, act, act_person, hues
from tasks.mini.dice import Dice
from tasks.mini.drawing import OBJECTS
from tasks.mini.motion import Actor, Film, Ground, Look, a_person, a_thing, a_word
from tasks.mini.places import LANDMARKS, SCENES
from tasks.mini.scenes import MEANINGS, SHORT_WORDS
from tasks.mini.works import PEOPLE

Duration = Literal["short", "medium", "long"]
DURATIONS: tuple[Duration, ...] = get_args(Duration)
PARTS: dict[Duration, tuple[int, float]] = {"short": (3, 2.5), "medium": (5, 3.6), "long": (9, 3.8)}
"""Parts of a film, and the seconds of each."""
MOST_PEOPLE = 5
CLEAR = ("heart", "cross", "ring", "arrow", "boat", "fish", "flower", "cup", "mushroom")
"""Things that no place has in its background."""
CORNERS: dict[str, tuple[float, float]] = {
    "In the upper left.": (42, 74),
    "In the upper right.": (182, 74),
    "In the lower left.": (42, 186),
    "In the lower right.": (182, 186),
}


class Theme(NamedTuple):
    topics: dict[str, str]
    """What a film of each sub-category is about, in the words of its speaker."""
    places: tuple[str, ...]
    """Where it is at home; long films go elsewhere too."""
    people: float
    """The share of parts with a person."""


THEMES: dict[str, Theme] = {
    "Knowledge": Theme(
        {
            "Humanity & History": "the people of old times",
            "Literature & Art": "books and painters",
            "Biology & Medicine": "plants and doctors",
            "Finance & Commerce": "money and shops",
            "Astronomy": "the moon and the stars",
            "Geography": "mountains and rivers",
            "Law": "judges and rights",
            "Life Tip": "tricks for the home",
            "Technology": "engines and computers",
        },
        (*list(LANDMARKS)[:6], "night sky", "mountain range", "desert"),
        0.25,
    ),
    "Film & Television": Theme(
        {
            "Animation": "a cartoon for children",
            "Movie & TV Show": "a film with a sad end",
            "Documentary": "the life of wild animals",
            "News Report": "the news of the day",
        },
        (*list(LANDMARKS)[4:8], "city", "night sky", "forest", "beach"),
        0.5,
    ),
    "Sports Competition": Theme(
        {
            "Esports": "a computer game",
            "Basketball": "a game with a basket",
            "Football": "a game with two goals",
            "Athletics": "running and long jumps",
            "Other Sports": "skiing and rowing",
        },
        ("road", "beach", "snow field", "mountain range", "farm", "forest"),
        0.8,
    ),
    "Artistic Performance": Theme(
        {
            "Stage Play": "a play in a theatre",
            "Magic Show": "tricks with cards",
            "Variety Show": "songs and jokes",
            "Acrobatics": "people on a high rope",
        },
        (*list(LANDMARKS)[6:], "night sky", "city", "kitchen"),
        0.7,
    ),
    "Life Record": Theme(
        {
            "Handicraft": "work with wood and paper",
            "Food": "a soup and a cake",
            "Fashion": "hats and shirts",
            "Daily Life": "a day at home",
            "Travel": "a trip by train",
            "Pet & Animal": "a cat and a dog",
            "Exercise": "keeping fit",
        },
        ("kitchen", "farm", "beach", "forest", "city", "road"),
        0.6,
    ),
    "Multilingual": Theme({"Multilingual": "words of another language"}, tuple(SCENES), 0.4),
}
TOPICS = {name: topic for theme in THEMES.values() for name, topic in theme.topics.items()}
ALL_PLACES = (*SCENES, *LANDMARKS)

REASONS = ("cold", "happy", "late", "bored", "hungry", "proud", "angry")
GIVERS = ("mother", "father", "brother", "sister", "friend", "teacher", "doctor")
SEASONS = ("spring", "summer", "autumn", "winter")


class Part(NamedTuple):
    """One place, one actor who does one thing there, at times another thing that stays, at times something written."""

    start: float
    end: float
    place: str
    main: Actor
    deed: str
    beside: Actor | None
    corner: str
    """A key of CORNERS: where the other thing is."""
    written: str

    @property
    def where(self) -> str:
        return f"in the part that shows {shown(self.place)}"

    @property
    def has_person(self) -> bool:
        return self.main.look.kind == "person"

    @property
    def forms(self) -> Deed:
        return (PERSON_DEEDS if self.has_person else THING_DEEDS)[self.deed]

    @property
    def things(self) -> list[str]:
        main = [] if self.has_person else [self.main.look.name]
        return main + ([self.beside.look.name] if self.beside else [])


class Line(NamedTuple):
    """What is said in a part, and the fact that only this says."""

    part: int
    kind: Literal["reason", "gift", "season", "name", "topic"]
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    domain: str
    sub_category: str
    parts: tuple[Part, ...]
    lines: tuple[Line, ...]
    """Empty where nothing is said."""
    again: str
    """The thing of an earlier part that is there again in the last one."""


def shown(place: str) -> str:
    return place if place in LANDMARKS else f"the {place}"


def plot(dice: Dice, domain: str, sub_category: str, duration: Duration, spoken: bool) -> Plot:
    """What happens in a film; all its places and main actors differ."""
    theme = THEMES[domain]
    count, each = PARTS[duration]
    homely = dice.sample(theme.places, min(len(theme.places), count))
    elsewhere = [place for place in ALL_PLACES if place not in homely]
    places = homely + dice.sample(elsewhere, count - len(homely))
    dice.shuffle(places)
    names = dice.sample(list(OBJECTS), len(OBJECTS))
    shirts = hues(dice, MOST_PEOPLE)
    signs = dice.sample(list(MEANINGS)[:10] if domain == "Multilingual" else SHORT_WORDS, count)
    parts = list[Part]()
    for i, place in enumerate(places):
        start, end = round(i * each, 2), round((i + 1) * each, 2)
        corner = dice.choice(list(CORNERS))
        if shirts and dice.random() < theme.people:
            deed = dice.choice(list(PERSON_DEEDS))
            main = act_person(a_person(shirts.pop(), 100.0, 138.0, 112.0), deed, start, end)
        else:
            deed = dice.choice(list(THING_DEEDS))
            side = {"grow": 36.0, "shrink": 80.0}.get(deed, 52.0)
            thing = a_thing(names.pop() if deed not in deeds.TURNS else _turnable(names), deeds.any_colour(dice),
                            112.0, 132.0, side)  # fmt: skip
            main = act(thing, deed, start, end, 44)
        beside = None
        if names and len(names) > count - i and dice.random() < 0.6:
            beside = a_thing(names.pop(), deeds.any_colour(dice), *CORNERS[corner], 44)
        sign = signs[i] if dice.random() < (0.9 if domain == "Multilingual" else 0.5) else ""
        parts.append(Part(start, end, place, main, deed, beside, corner, sign))
    again = ""
    early = [name for part in parts[:-1] for name in part.things if name in CLEAR]
    if early and dice.random() < 0.7:
        again = dice.choice(early)
        there = next(
            actor for part in parts for actor in (part.main, part.beside) if actor and actor.look.name == again
        )
        last = parts[-1]
        parts[-1] = last._replace(beside=a_thing(again, there.colour, *CORNERS[last.corner], 44))
    lines = _lines(dice, parts, TOPICS[sub_category], domain) if spoken else ()
    return Plot(domain, sub_category, tuple(parts), lines, again)


def _turnable(names: list[str]) -> str:
    """Takes out the first name of a thing that shows its turning, any where there is none left."""
    name = next((name for name in names if name in deeds.TURNABLE), names[-1])
    names.remove(name)
    return name


def _lines(dice: Dice, parts: list[Part], topic: str, domain: str) -> tuple[Line, ...]:
    hello = "你好! " if domain == "Multilingual" else ""
    said = [Line(0, "topic", topic, f"{hello}{dice.choice(('This is about', 'I will speak about'))} {topic}.")]
    reasons, givers = dice.sample(REASONS, len(REASONS)), dice.sample(GIVERS, len(GIVERS))
    names = dice.sample(list(PEOPLE), len(PEOPLE))
    for i, part in enumerate(parts):
        kind = dice.choice(("reason", "name", "season") if part.has_person else ("gift", "gift", "season"))
        match kind:
            case "reason":
                value = reasons[i % len(reasons)]
                text = f"I {part.forms.base} because I am {value}."
            case "name":
                value = names[i % len(names)]
                text = f"My name is {value}."
            case "gift":
                value = givers[i % len(givers)]
                text = f"I have the {part.main.look.name} from my {value}."
            case _:
                value = dice.choice(SEASONS)
                text = f"I was here in {value}."
        said.append(Line(i, kind, value, text))  # type: ignore[arg-type]
    return tuple(said)


def film(dice: Dice, plot: Plot) -> Film:
    """The plot as it is seen."""
    grounds = tuple(Ground(part.start, part.place, dice.number(0, 9)) for part in plot.parts)
    actors = list[Actor]()
    for part in plot.parts:
        for actor in (part.beside, part.main, _sign(part)):
            if actor is not None:
                actors.append(actor._replace(since=part.start, until=part.end))
    return Film(plot.parts[-1].end, grounds, tuple(actors))


def _sign(part: Part) -> Actor | None:
    if not part.written:
        return None
    if part.written in MEANINGS:
        return Actor(Look("hanzi", part.written), "black", 112.0, 36.0, 52.0)
    return a_word(part.written, 26.0, 32)


def subtitles(plot: Plot) -> str:
    """All lines as SubRip text: number, times, words."""
    blocks = list[str]()
    spoken: dict[int, list[Line]] = {}
    for line in plot.lines:
        spoken.setdefault(line.part, []).append(line)
    for number, lines in spoken.items():
        part = plot.parts[number]
        each = (part.end - part.start) / len(lines)
        for i, line in enumerate(lines):
            start, end = part.start + i * each, part.start + (i + 1) * each - 0.1
            blocks.append(f"{len(blocks) + 1}\n{_clock(start)} --> {_clock(end)}\n{line.text}\n")
    return "\n".join(blocks)


def _clock(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"00:{minutes:02d}:{rest // 1000:02d},{rest % 1000:03d}"
