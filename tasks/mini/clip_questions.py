"""Questions on time in clips, in TempCompass's five dimensions and four forms.

Each draft is a film with four statements about it, of which the first is true; the true one is drawn from where the
false ones come from. A single frame does not tell which is true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal, NamedTuple, get_args

from tasks.mini import deeds
from tasks.mini.deeds import act, act_person, hues, names, on_paper, placed, someone
from tasks.mini.dice import Dice
from tasks.mini.motion import Actor, Film, Move, a_thing, of_part
from tasks.mini.partition import Part
from tasks.mini.questions import with_article

Dimension = Literal["action", "direction", "speed", "order", "attribute_change"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)


class Statement(NamedTuple):
    answer: str
    """As an option of a question: "moving to the left"."""
    caption: str
    """As a sentence: "The red star moves to the left."."""
    check: str
    """As a question: "Is the red star moving to the left?"."""


@dataclass(frozen=True, slots=True)
class Draft:
    film: Film
    question: str
    statements: tuple[Statement, Statement, Statement, Statement]
    """The first is true."""


def _draft(dice: Dice, film: Film, questions: Sequence[str], true: Statement, false: Sequence[Statement]) -> Draft:
    first, second, third = dice.sample(list(false), 3)
    return Draft(film, dice.choice(questions), (true, first, second, third))


def _doing(subject: str, deed: deeds.Deed) -> Statement:
    return Statement(deed.ing, f"The {subject} {deed.third}.", f"Is the {subject} {deed.ing}?")


def _of_deeds(dice: Dice, film: Film, subject: str, table: dict[str, deeds.Deed], deed: str, asks: list[str]) -> Draft:
    false = [_doing(subject, other) for key, other in table.items() if key != deed]
    return _draft(dice, film, [ask.format(subject) for ask in asks], _doing(subject, table[deed]), false)


_DOING = ["What is the {} doing?", "Which of these does the {} do in the video?", "How does the {} move?"]


def _action(dice: Dice) -> Draft:
    seconds = float(dice.number(4, 5))
    if dice.random() < 0.6:
        colour, deed = dice.choice(deeds.STRONG), dice.choice(list(deeds.PERSON_DEEDS))
        film = on_paper(dice, seconds, act_person(someone(dice, colour), deed, 0.0, seconds))
        return _of_deeds(dice, film, f"person in {colour}", deeds.PERSON_DEEDS, deed, _DOING)
    table = {key: deeds.THING_DEEDS[key] for key in ("jump", "shake", "clockwise", "grow", "left")}
    table["clockwise"] = deeds.Deed("turn round", "turns round", "turning round", "turned round")
    table["left"] = deeds.Deed("slide", "slides to one side", "sliding to one side", "slid to one side")
    deed = dice.choice(list(table))
    actor = placed(dice, dice.choice(deeds.TURNABLE), deeds.any_colour(dice), deed)
    return _of_deeds(
        dice, on_paper(dice, seconds, act(actor, deed, 0.0, seconds, 110)), actor.name, table, deed, _DOING
    )


_CORNERS = {"upper left": (-1, -1), "upper right": (1, -1), "lower left": (-1, 1), "lower right": (1, 1)}
_WAY = ["Which way does the {} move?", "In what direction is the {} going?", "Where does the {} go?"]


def _direction(dice: Dice) -> Draft:
    seconds, colour = float(dice.number(3, 5)), deeds.any_colour(dice)
    kind = dice.choice(("straight", "slanting", "turning"))
    if kind == "straight":
        deed = dice.choice(list(deeds.DIRECTIONS))
        actor = placed(dice, dice.choice(names(dice, 3)), colour, deed)
        film = on_paper(dice, seconds, act(actor, deed, 0.0, seconds, 130))
        return _of_deeds(dice, film, actor.name, deeds.DIRECTIONS, deed, _WAY)
    if kind == "slanting":
        table = {key: deeds.moving(f"to the {key}") for key in _CORNERS}
        deed = dice.choice(list(table))
        (dx, dy), name = _CORNERS[deed], names(dice, 1)[0]
        x, y = 112 - 60 * dx + dice.number(-16, 16, 8), 112 - 60 * dy + dice.number(-16, 16, 8)
        actor = a_thing(name, colour, x, y)
        film = on_paper(dice, seconds, actor.does(Move(0.0, seconds, "go", (x + 110 * dx, y + 110 * dy))))
        return _of_deeds(dice, film, actor.name, table, deed, _WAY)
    table = deeds.TURNS | {
        "both": deeds.turning("first clockwise and then counter-clockwise"),
        "back": deeds.turning("first counter-clockwise and then clockwise"),
    }
    deed = dice.choice(list(table))
    actor = placed(dice, dice.choice(deeds.TURNABLE), colour, "clockwise")
    if deed in deeds.TURNS:
        actor, seconds = act(actor, deed, 0.0, seconds), seconds
    else:
        first, second = ("clockwise", "counter") if deed == "both" else ("counter", "clockwise")
        seconds = 6.0
        actor = act(act(actor, first, 0.0, 3.0), second, 3.0, 6.0)
    return _of_deeds(dice, on_paper(dice, seconds, actor), actor.name, table, deed,
                     ["How does the {} turn?", "Which way round does the {} turn?"])  # fmt: skip


def _race(dice: Dice) -> Draft:
    (one, two), (hue, tint) = names(dice, 2), hues(dice, 2)
    winner = dice.choice(("one", "two", "both", "none"))
    lanes = [(one, hue, 64.0), (two, tint, 160.0)]
    reaches = {"one": (150, 60), "two": (60, 150), "both": (110, 110), "none": (0, 0)}[winner]
    way = dice.choice((1, -1))
    actors = list[Actor]()
    for (name, colour, y), reach in zip(lanes, reaches, strict=True):
        x = 112.0 - 78 * way
        actor = a_thing(name, colour, x, y)
        actors.append(actor.does(Move(0.0, 4.0, "go", (x + way * reach, y))) if reach else actor)
    first, second = (f"{hue} {one}", f"{tint} {two}")
    told = {
        "one": Statement(f"the {first}", f"The {first} is faster than the {second}.",
                         f"Does the {first} go faster than the {second}?"),
        "two": Statement(f"the {second}", f"The {second} is faster than the {first}.",
                         f"Does the {second} go faster than the {first}?"),
        "both": Statement("both are equally fast", f"The {first} and the {second} are equally fast.",
                          f"Do the {first} and the {second} move equally fast?"),
        "none": Statement("neither of them moves", f"Neither the {first} nor the {second} moves.",
                          f"Do both the {first} and the {second} stand still?"),
    }  # fmt: skip
    asks = [f"Which is faster, the {first} or the {second}?", f"Which of the {first} and the {second} moves faster?"]
    false = [statement for key, statement in told.items() if key != winner]
    return _draft(dice, on_paper(dice, 4.0, *actors), asks, told[winner], false)


def _pace(dice: Dice) -> Draft:
    seconds, name, colour = 4.0, names(dice, 1)[0], deeds.any_colour(dice)
    kinds: dict[str, tuple[str, str, str]] = {
        "rush": ("getting faster", "gets faster and faster", "get faster and faster"),
        "brake": ("getting slower", "gets slower and slower", "get slower and slower"),
        "go": ("keeping one speed", "moves at one speed", "move at one speed all the time"),
        "halt": ("moving, then standing still", "moves quickly and then stands still", "move quickly and then stand"),
    }
    kind = dice.choice(list(kinds))
    way, y = dice.choice((1, -1)), float(dice.number(64, 160, 16))
    x, goal = 112.0 - 78 * way, (112.0 + 78 * way, y)
    move = {
        "rush": Move(0.0, seconds, "rush", goal),
        "brake": Move(0.0, seconds, "brake", goal),
        "go": Move(0.0, seconds, "go", goal),
        "halt": Move(0.0, 1.5, "go", goal),
    }[kind]
    actor = a_thing(name, colour, x, y)
    told = {
        key: Statement(ing, f"The {actor.name} {third}.", f"Does the {actor.name} {base}?")
        for key, (ing, third, base) in kinds.items()
    }
    asks = [f"How does the speed of the {actor.name} change?", f"What can be said of the speed of the {actor.name}?"]
    false = [statement for key, statement in told.items() if key != kind]
    return _draft(dice, on_paper(dice, seconds, actor.does(move)), asks, told[kind], false)


def _speed(dice: Dice) -> Draft:
    return dice.choice((_race, _pace))(dice)


def _two_deeds(dice: Dice) -> Draft:
    """One after the other, both at once, or only one."""
    colour, name = deeds.any_colour(dice), dice.choice(deeds.TURNABLE)
    first, second = dice.choice(
        (("left", "grow"), ("right", "grow"), ("up", "clockwise"), ("down", "clockwise"), ("left", "jump"),
         ("right", "shake"), ("grow", "up"), ("clockwise", "left"), ("jump", "grow"), ("shake", "down"))
    )  # fmt: skip
    actor = a_thing(name, colour, 112, 112, 48)
    one, two = deeds.THING_DEEDS[first], deeds.THING_DEEDS[second]
    if dice.random() < 0.5:
        first, second, one, two = second, first, two, one
    kind, subject = dice.choice(("in turn", "in turn", "at once", "once")), actor.name
    match kind:
        case "in turn":
            actor = act(act(actor, first, 0.0, 2.5, 60), second, 2.5, 5.0, 60)
        case "at once":
            actor = act(act(actor, first, 0.5, 4.5, 60), second, 0.5, 4.5, 60)
        case _:
            actor = act(actor, second, 1.0, 4.0, 60)
    told = (
        Statement(f"{one.ing}, then {two.ing}", f"The {subject} first {one.third} and then {two.third}.",
                  f"Does the {subject} first {one.base} and then {two.base}?"),
        Statement(f"{two.ing}, then {one.ing}", f"The {subject} first {two.third} and then {one.third}.",
                  f"Does the {subject} first {two.base} and then {one.base}?"),
        Statement(f"{one.ing} and {two.ing} at the same time", f"The {subject} {one.third} and {two.third} at once.",
                  f"Does the {subject} {one.base} and {two.base} at the same time?"),
        Statement(f"only {two.ing}", f"The {subject} only {two.third}.", f"Does the {subject} only {two.base}?"),
    )  # fmt: skip
    asks = [f"What does the {subject} do in the video?", f"In which order does the {subject} move?"]
    true = told[{"in turn": 0, "at once": 2, "once": 3}[kind]]
    false = [statement for statement in told if statement != true]
    return _draft(dice, on_paper(dice, 5.0, actor), asks, true, false)


def _coming(dice: Dice) -> Draft:
    """Three things come one after the other, each where it may be."""
    shown, colours = names(dice, 3), hues(dice, 3)
    gone = dice.random() < 0.5
    xs = dice.sample([44.0, 112.0, 180.0], 3)
    actors = [
        a_thing(name, colour, x, float(dice.number(80, 144, 16)))._replace(
            since=1.5 * i + 0.25, until=1.5 * (i + 1) + 0.25 if gone else 10.0
        )
        for i, (name, colour, x) in enumerate(zip(shown, colours, xs, strict=True))
    ]
    told = [
        Statement(f"the {p}, the {q}, the {r}", f"First the {p} comes, then the {q}, then the {r}.",
                  f"Does the {p} come first, then the {q}, and the {r} last?")
        for p, q, r in permutations(shown)
    ]  # fmt: skip
    asks = ["In which order do the things come?", "What comes first, what next and what last?"]
    return _draft(dice, on_paper(dice, 5.0, *actors), asks, told[0], told[1:])


def _order(dice: Dice) -> Draft:
    return dice.choice((_two_deeds, _coming))(dice)


def _recoloured(dice: Dice) -> Draft:
    name, (old, new, other) = dice.choice(("star", "heart", "house", "flower", "cup", "ball", "fish")), hues(dice, 3)
    actor = a_thing(name, old, float(dice.number(80, 144, 8)), float(dice.number(80, 144, 8)), 88)
    film = on_paper(dice, 4.0, actor.does(Move(2.0, 2.0, "paint", (), new)))
    told = [
        Statement(f"from {p} to {q}", f"The {name} turns from {p} to {q}.", f"Does the {name} turn from {p} to {q}?")
        for p, q in permutations((old, new, other), 2)
    ]
    asks = [f"How does the colour of the {name} change?", f"What colour is the {name} first, and what colour then?"]
    return _draft(dice, film, asks, told[0], told[1:])


def _resized(dice: Dice) -> Draft:
    name, colour = names(dice, 1)[0], deeds.any_colour(dice)
    kinds: dict[str, tuple[str, str, str, tuple[float, ...]]] = {
        "big": ("It gets bigger", "gets bigger", "get bigger", (2.6,)),
        "small": ("It gets smaller", "gets smaller", "get smaller", (1 / 2.6,)),
        "there": ("It gets bigger, then smaller", "gets bigger and then smaller", "first get bigger and then smaller",
                  (2.2, 1 / 2.2)),
        "back": ("It gets smaller, then bigger", "gets smaller and then bigger", "first get smaller and then bigger",
                 (1 / 2.2, 2.2)),
    }  # fmt: skip
    kind = dice.choice(list(kinds))
    factors = kinds[kind][3]
    actor = a_thing(name, colour, float(dice.number(88, 136, 8)), float(dice.number(88, 136, 8)),
                    48.0 if factors[0] > 1 else 120.0)  # fmt: skip
    step = 4.0 / len(factors)
    moves = [Move(step * i, step * (i + 1), "grow", (factor,)) for i, factor in enumerate(factors)]
    told = {
        key: Statement(answer, f"The {actor.name} {third}.", f"Does the {actor.name} {base}?")
        for key, (answer, third, base, _) in kinds.items()
    }
    asks = [f"How does the size of the {actor.name} change?", f"What happens to the size of the {actor.name}?"]
    false = [statement for key, statement in told.items() if key != kind]
    return _draft(dice, on_paper(dice, 4.0, actor.does(*moves)), asks, told[kind], false)


def _reshaped(dice: Dice) -> Draft:
    colour, (old, new, other) = deeds.any_colour(dice), names(dice, 3)
    actor = a_thing(old, colour, float(dice.number(80, 144, 8)), float(dice.number(80, 144, 8)), 88)
    film = on_paper(dice, 4.0, actor.does(Move(2.0, 2.0, "become", (), new)))
    told = [
        Statement(f"the {p} turns into {with_article(q)}", f"The {colour} {p} turns into {with_article(q)}.",
                  f"Does the {colour} {p} turn into {with_article(q)}?")
        for p, q in permutations((old, new, other), 2)
    ]  # fmt: skip
    return _draft(dice, film, ["What changes in the video?", "What turns into what?"], told[0], told[1:])


def _attribute_change(dice: Dice) -> Draft:
    return dice.choice((_recoloured, _resized, _reshaped))(dice)


DRAFTS: dict[Dimension, Callable[[Dice], Draft]] = {
    "action": _action,
    "direction": _direction,
    "speed": _speed,
    "order": _order,
    "attribute_change": _attribute_change,
}


def temporal(dice: Dice, dimension: Dimension, part: Part) -> Iterator[Draft]:
    """Endless drafts of one dimension and part of the world, each film once."""
    return of_part(DRAFTS[dimension], dice, part)


# The four forms. `place` says which option is the right one, from 0.

_MATCH = (
    "Which of these fits the video better?",
    "Which description belongs to the video?",
    "Which of the two says what happens in the video?",
)
_LABELS = (("Caption A", "Caption B"), ("Sentence A", "Sentence B"), ("Option 1", "Option 2"))
_DESCRIBE = (
    "Write one sentence about the video. It should contain the one of these points that is true.",
    "Give the video a caption, and say in it which of these points is right.",
    "Describe the video in a sentence that contains the right one of these points.",
)


def multi_choice(draft: Draft, place: int) -> dict[str, str]:
    """The question with its options on lines of their own, and the right option's line."""
    options = list(draft.statements[1:])
    options.insert(place, draft.statements[0])
    lines = [f"{letter}. {option.answer}" for letter, option in zip("ABCD", options, strict=True)]
    return {"question": "\n".join((draft.question, *lines)), "answer": lines[place]}


def yes_no(draft: Draft) -> list[dict[str, str]]:
    """A question that is true of the film, and one that is not."""
    true, false = draft.statements[:2]
    return [{"question": true.check, "answer": "yes"}, {"question": false.check, "answer": "no"}]


def caption_matching(draft: Draft, dice: Dice, place: int) -> dict[str, str]:
    """Two captions with labels, and the right one with its label."""
    captions = [draft.statements[1].caption]
    captions.insert(place, draft.statements[0].caption)
    lines = [f"{label}: {caption}" for label, caption in zip(dice.choice(_LABELS), captions, strict=True)]
    return {"question": "\n".join((dice.choice(_MATCH), *lines)), "answer": lines[place]}


def captioning(draft: Draft, dice: Dice, place: int) -> dict[str, str]:
    """What to write about, and the question of several choices that a judge answers from the caption."""
    asked = multi_choice(draft, place)
    points = [option.answer for option in dice.sample(draft.statements, 4)]
    return {
        "question": "\n".join((dice.choice(_DESCRIBE), "Information points: " + "; ".join(points))),
        "answer": draft.statements[0].caption,
        "mc_question": asked["question"],
        "mc_answer": asked["answer"],
    }
