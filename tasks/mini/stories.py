"""Films with three questions each in Video-MME's twelve task types. Some are answered by what is said alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tasks.mini.deeds import PERSON_DEEDS, THING_DEEDS
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS
from tasks.mini.motion import Film, of_part
from tasks.mini.partition import Part as WorldPart
from tasks.mini.plots import (
    ALL_PLACES,
    CLEAR,
    CORNERS,
    GIVERS,
    MOST_PEOPLE,
    REASONS,
    SEASONS,
    TOPICS,
    Duration,
    Line,
    Part,
    Plot,
    film,
    plot,
    shown,
    subtitles,
)
from tasks.mini.questions import with_article
from tasks.mini.scenes import MEANINGS, SHORT_WORDS
from tasks.mini.works import PEOPLE


class Question(NamedTuple):
    task_type: str
    text: str
    answer: str
    wrong: tuple[str, str, str]
    """Each answer is a phrase that ends with a full stop."""


@dataclass(frozen=True, slots=True)
class Story:
    film: Film
    plot: Plot
    subtitles: str
    """SubRip text; empty where nothing is said."""
    questions: tuple[Question, ...]


class Unaskable(Exception):
    """The plot has nothing that a task type could ask about."""


class Asked(NamedTuple):
    text: str
    answer: str
    wrong: Sequence[str]
    """At least three, from where the right answer comes from; it may be among them."""


def _one(dice: Dice, options: Iterable[Part]) -> Part:
    if found := list(options):
        return dice.choice(found)
    raise Unaskable


def _said(dice: Dice, plot: Plot, kind: str) -> Line:
    if found := [line for line in plot.lines if line.kind == kind]:
        return dice.choice(found)
    raise Unaskable


def _spoken(dice: Dice, plot: Plot, kind: str) -> bool:
    """Whether to ask about what is said: mostly, where it is said."""
    return any(line.kind == kind for line in plot.lines) and dice.random() < 0.6


def _places(plot: Plot) -> list[str]:
    """Of the film first, then others."""
    seen = [part.place for part in plot.parts]
    return seen + [place for place in ALL_PLACES if place not in seen]


def _temporal_perception(dice: Dice, plot: Plot) -> Asked:
    kind, i = dice.choice(("after", "before", "first", "last")), dice.randrange(len(plot.parts) - 1)
    parts = plot.parts
    text, right = {
        "after": (f"Which place comes right after the part that shows {shown(parts[i].place)}?", parts[i + 1]),
        "before": (f"Which place comes just before the part that shows {shown(parts[i + 1].place)}?", parts[i]),
        "first": ("Which place is shown first?", parts[0]),
        "last": ("Which place is shown last?", parts[-1]),
    }[kind]
    near = [place for place in _places(plot)[: len(parts) + 2] if shown(place) not in text]
    return Asked(text, f"{shown(right.place)}.", [f"{shown(place)}." for place in near])


def _spatial_perception(dice: Dice, plot: Plot) -> Asked:
    part = _one(dice, (part for part in plot.parts if part.beside))
    assert part.beside
    ask = dice.choice(("Where is the {} {}?", "At which edge of the picture is the {} {}?"))
    return Asked(ask.format(part.beside.look.name, part.where), part.corner, list(CORNERS))


def _attribute_perception(dice: Dice, plot: Plot) -> Asked:
    if _spoken(dice, plot, "name"):
        line = _said(dice, plot, "name")
        text = f"What is the name of the person {plot.parts[line.part].where}?"
        return Asked(text, f"{line.value}.", [f"{name}." for name in PEOPLE])
    part = _one(dice, plot.parts)
    ask = "What colour is the shirt of the person {}?" if part.has_person else "What colour is the {thing} {}?"
    text = ask.format(part.where, thing=part.main.look.name)
    return Asked(text, f"{part.main.colour}.", [f"{colour}." for colour in COLOURS])


def _action_recognition(dice: Dice, plot: Plot) -> Asked:
    part = _one(dice, plot.parts)
    who = "person" if part.has_person else part.main.look.name
    ask = dice.choice(("What does the {} do {}?", "How does the {} move {}?"))
    table = PERSON_DEEDS if part.has_person else THING_DEEDS
    return Asked(ask.format(who, part.where), f"The {who} {part.forms.third}.",
                 [f"The {who} {deed.third}." for deed in table.values()])  # fmt: skip


def _object_recognition(dice: Dice, plot: Plot) -> Asked:
    part = _one(dice, (part for part in plot.parts if set(part.things) & set(CLEAR)))
    right = dice.choice([name for name in part.things if name in CLEAR])
    seen = {name for other in plot.parts for name in other.things}
    wrong = [name for name in CLEAR if name in seen and name not in part.things]
    wrong += [name for name in CLEAR if name not in seen][: max(3 - len(wrong), 1)]
    ask = dice.choice(("Which of these things is there {}?", "What can be seen {}?"))
    return Asked(ask.format(part.where), f"{with_article(right)}.", [f"{with_article(name)}." for name in wrong])


def _ocr(dice: Dice, plot: Plot) -> Asked:
    part = _one(dice, (part for part in plot.parts if part.written))
    if part.written in MEANINGS:
        meant = [MEANINGS[sign] for sign in list(MEANINGS)[:10]]
        text = f"What does the writing {part.where} mean?"
        return Asked(text, f"{MEANINGS[part.written]}.", [f"{meaning}." for meaning in meant])
    others = [other.written for other in plot.parts if other.written] + dice.sample(SHORT_WORDS, 4)
    return Asked(f"Which word is written {part.where}?", f"{part.written}.", [f"{word}." for word in others])


def _counting(dice: Dice, plot: Plot) -> Asked:
    text, number = dice.choice(
        (
            ("How many people are in the video?", sum(part.has_person for part in plot.parts)),
            ("In how many parts of the video is something written?", sum(bool(part.written) for part in plot.parts)),
        )
    )
    low = max(0, number - dice.number(0, 3))
    return Asked(text, f"{number}.", [f"{value}." for value in range(low, low + MOST_PEOPLE)])


def _temporal_reasoning(dice: Dice, plot: Plot) -> Asked:
    if _spoken(dice, plot, "season"):
        line = _said(dice, plot, "season")
        text = f"When was the speaker at the place of the part that shows {shown(plot.parts[line.part].place)}?"
        return Asked(text, f"In {line.value}.", [f"In {season}." for season in SEASONS])
    chosen = sorted(dice.sample(range(len(plot.parts)), 3))
    a, b, c = (shown(plot.parts[i].place) for i in chosen)
    orders = [(a, b, c), (a, c, b), (b, a, c), (b, c, a), (c, a, b), (c, b, a)]
    ask = dice.choice(("In which order do these places come?", "Which of these orders of places is that of the video?"))
    texts = [f"{p}, {q}, {r}." for p, q, r in orders]
    return Asked(ask, texts[0], texts)


_NEARER = ("It comes nearer.", "It goes away from it.", "The distance stays the same.", "They change places.")


def _spatial_reasoning(dice: Dice, plot: Plot) -> Asked:
    """A thing that moves along one axis nears the corners on that side and leaves the others."""
    sides = {"left": "left", "right": "right", "up": "upper", "down": "lower"}
    fits = [
        part
        for part in plot.parts
        if part.beside and not part.has_person and part.deed in (*sides, "jump", "clockwise")
    ]
    part = _one(dice, fits)
    assert part.beside
    if part.deed not in sides:
        answer = _NEARER[2]
    else:
        answer = _NEARER[0] if sides[part.deed] in part.corner else _NEARER[1]
    main, other = part.main.look.name, part.beside.look.name
    ask = dice.choice(
        ("Does the {} come nearer to the {} {}?", "How does the distance of the {} from the {} change {}?")
    )
    return Asked(ask.format(main, other, part.where), answer, _NEARER)


def _action_reasoning(dice: Dice, plot: Plot) -> Asked:
    line = _said(dice, plot, "reason")
    part = plot.parts[line.part]
    text = f"Why does the person {part.forms.base} {part.where}?"
    return Asked(text, f"The person is {line.value}.", [f"The person is {reason}." for reason in REASONS])


def _object_reasoning(dice: Dice, plot: Plot) -> Asked:
    if _spoken(dice, plot, "gift"):
        line = _said(dice, plot, "gift")
        text = f"From whom does the speaker have the {plot.parts[line.part].main.look.name}?"
        return Asked(text, f"From the {line.value}.", [f"From the {giver}." for giver in GIVERS])
    if not plot.again:
        raise Unaskable
    seen = {name for part in plot.parts for name in part.things}
    once = [name for name in CLEAR if name in seen and name != plot.again]
    ask = dice.choice(("Which thing is there in two parts of the video?", "Which thing comes back in the last part?"))
    absent = [name for name in CLEAR if name not in seen]
    return Asked(ask, f"the {plot.again}.", [f"the {name}." for name in (*once, *absent[: max(3 - len(once), 1)])])


def _synopsis(dice: Dice, plot: Plot) -> Asked:
    if _spoken(dice, plot, "topic"):
        ask = dice.choice(("What is the video about?", "What does the speaker tell of?"))
        return Asked(ask, f"{TOPICS[plot.sub_category]}.", [f"{topic}." for topic in TOPICS.values()])
    places = _places(plot)
    first, last, count = places[0], places[len(plot.parts) - 1], len(plot.parts)
    between = places[count // 2]

    def summary(a: str, b: str, c: str) -> str:
        more = " and others" if count > 3 else ""
        return f"It begins at {shown(a)}, goes on to {shown(b)}{more} and ends at {shown(c)}."

    wrong = [summary(last, between, first), summary(first, last, between), summary(between, first, last),
             summary(places[count], between, last), summary(first, between, places[count + 1])]  # fmt: skip
    return Asked("Which of these sums up the video?", summary(first, between, last), wrong)


ASK: dict[str, Callable[[Dice, Plot], Asked]] = {
    "Temporal Perception": _temporal_perception,
    "Spatial Perception": _spatial_perception,
    "Attribute Perception": _attribute_perception,
    "Action Recognition": _action_recognition,
    "Object Recognition": _object_recognition,
    "OCR Problems": _ocr,
    "Counting Problem": _counting,
    "Temporal Reasoning": _temporal_reasoning,
    "Spatial Reasoning": _spatial_reasoning,
    "Action Reasoning": _action_reasoning,
    "Object Reasoning": _object_reasoning,
    "Information Synopsis": _synopsis,
}
SPOKEN_ONLY = "Action Reasoning"
"""The task type that cannot be asked where nothing is said."""


def _question(dice: Dice, plot: Plot, task_type: str) -> Question:
    asked = ASK[task_type](dice, plot)
    a, b, c = dice.sample([text for text in dict.fromkeys(asked.wrong) if text != asked.answer], 3)
    return Question(task_type, asked.text, _sentence(asked.answer), (_sentence(a), _sentence(b), _sentence(c)))


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def story(
    dice: Dice, domain: str, sub_category: str, duration: Duration, spoken: bool, task_types: Sequence[str]
) -> Story:
    """A film of the domain and length, with a question of each of the types; drawn until it can be asked them all."""
    while True:
        drawn = plot(dice, domain, sub_category, duration, spoken)
        try:
            questions = tuple(_question(dice, drawn, task_type) for task_type in task_types)
        except Unaskable:
            continue
        return Story(film(dice, drawn), drawn, subtitles(drawn), questions)


def stories(
    dice: Dice,
    domain: str,
    sub_category: str,
    duration: Duration,
    spoken: bool,
    task_types: Sequence[str],
    part: WorldPart,
) -> Iterator[Story]:
    """Endless stories of one part of the world, each film once."""
    return of_part(lambda dice: story(dice, domain, sub_category, duration, spoken, task_types), dice, part)
