"""Questions on clips in MVBench's twenty tasks: this half is on people, places and words.

A draft is a film with a question, its answer and what else may be offered. Where a task's clips are cut, the question
is on what lies between `start` and `end`, and the film shows more than that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

from tasks.mini import deeds
from tasks.mini.deeds import PERSON_DEEDS, POSE_DEEDS, act_person, hues, on_paper, someone
from tasks.mini.dice import Dice
from tasks.mini.drawing import OBJECTS
from tasks.mini.motion import Actor, Film, Ground, Move, a_person, a_thing, a_word
from tasks.mini.places import SCENES
from tasks.mini.questions import with_article


@dataclass(frozen=True, slots=True)
class Asked:
    film: Film
    question: str
    answer: str
    wrong: tuple[str, ...]
    start: float | None = None
    """Seconds; None where the whole film is shown."""
    end: float | None = None


def others(dice: Dice, options: list[str], but: str, count: int = 3) -> tuple[str, ...]:
    """Wrong answers, from where the right one comes from."""
    return tuple(dice.sample([option for option in options if option != but], count))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def a_row_of_deeds(dice: Dice, person: Actor, count: int, each: float) -> tuple[Actor, list[str]]:
    """The person does so many different deeds, each for so many seconds with a short rest after it."""
    chosen = dice.sample(list(PERSON_DEEDS), count)
    for i, deed in enumerate(chosen):
        person = act_person(person, deed, i * each, (i + 1) * each - 0.4)
    return person, chosen


def action_sequence(dice: Dice) -> Asked:
    """Four deeds, of which the cut shows the first or the last three."""
    colour = dice.choice(deeds.STRONG)
    person, done = a_row_of_deeds(dice, someone(dice, colour), 4, 2.0)
    first = dice.choice((0, 1))
    seen = done[first : first + 3]
    said = {key: f"{_capital(deed.past)}." for key, deed in PERSON_DEEDS.items()}
    kind = dice.choice(("after", "before", "last", "first"))
    index = {"after": 1, "before": 0, "last": 2, "first": 0}[kind]
    after = PERSON_DEEDS[seen[0]].past
    before = PERSON_DEEDS[seen[1]].past
    ask = {
        "after": f"What did the person in {colour} do right after the person {after}?",
        "before": f"What did the person in {colour} do just before the person {before}?",
        "last": f"What was the last thing that the person in {colour} did?",
        "first": f"What did the person in {colour} do first?",
    }[kind]
    near = [said[deed] for deed in done if deed != seen[index]]
    far = [text for key, text in said.items() if key not in done]
    wrong = (*dice.sample(near, 2), dice.choice(far))
    film = on_paper(dice, 8.0, person)
    return Asked(film, ask, said[seen[index]], wrong, 2.0 * first, 2.0 * first + 6.0)


def action_prediction(dice: Dice) -> Asked:
    """The cut ends before what is asked: a pattern that goes on, or a walk towards a thing."""
    colour = dice.choice(deeds.STRONG)
    if dice.random() < 0.5:
        one, two = dice.sample([deed for deed in PERSON_DEEDS if deed != "walk"], 2)
        person = someone(dice, colour)
        for i, deed in enumerate((one, two, one, two)):
            person = act_person(person, deed, 2.0 * i, 2.0 * i + 1.6)
        said = {key: f"{_capital(deed.base)}." for key, deed in PERSON_DEEDS.items()}
        wrong = (said[one], *others(dice, [text for key, text in said.items() if key != one], said[two], 2))
        ask = f"The person in {colour} goes on like this. What will the person do next?"
        return Asked(on_paper(dice, 8.0, person), ask, said[two], wrong, 0.0, 6.0)
    left, right, *absent = dice.sample(list(OBJECTS), 4)
    goal = dice.choice((left, right))
    way = -1 if goal == left else 1
    walker = a_person(colour, 112.0, 120.0, 110.0).does(
        Move(1.0, 5.0, "pose", (4.0,), "walk"), Move(1.0, 5.0, "go", (112.0 + 62 * way, 120.0))
    )
    things = [
        a_thing(name, hue, x, 150, 44) for name, hue, x in zip((left, right), hues(dice, 2), (26, 198), strict=True)
    ]
    said = {name: f"Take the {name}." for name in (left, right, *absent)}
    wrong = tuple(text for name, text in said.items() if name != goal)
    ask = f"What is the person in {colour} going to do next?"
    return Asked(on_paper(dice, 6.0, *things, walker), ask, said[goal], wrong, 0.0, 4.0)


def fine_grained_action(dice: Dice) -> Asked:
    colour, deed = dice.choice(deeds.STRONG), dice.choice(list(PERSON_DEEDS))
    film = on_paper(dice, 4.0, act_person(someone(dice, colour), deed, 0.0, 4.0))
    said = {key: other.ing for key, other in PERSON_DEEDS.items()}
    ask = dice.choice(("What is the person doing here?", f"Which action does the person in {colour} do?"))
    return Asked(film, ask, said[deed], others(dice, list(said.values()), said[deed]))


def fine_grained_pose(dice: Dice) -> Asked:
    colour, pose = dice.choice(deeds.STRONG), dice.choice(list(POSE_DEEDS))
    film = on_paper(dice, 3.0, act_person(someone(dice, colour), pose, 0.5, 2.5))
    said = {key: other.base for key, other in POSE_DEEDS.items()}
    alike = {"wave": "lift one arm", "lift one arm": "wave", "clap": "stretch", "stretch": "clap"}
    options = [text for key, text in said.items() if key != alike.get(pose)]
    ask = dice.choice(("What does the person do with the body?", "Which movement of the body is shown?"))
    return Asked(film, ask, said[pose], others(dice, options, said[pose]))


def object_interaction(dice: Dice) -> Asked:
    """A person takes one of two things with them; before or after the cut another one."""
    colour = dice.choice(deeds.STRONG)
    left, right, *absent = dice.sample(list(OBJECTS), 4)
    taken = dice.choice((left, right))
    way = -1 if taken == left else 1
    there, back = 112.0 + 44 * way, 112.0 - 20 * way
    other = back - 44 * way
    person = a_person(colour, 112.0, 112.0, 116.0).does(
        Move(0.5, 2.0, "pose", (2.0,), "walk"), Move(0.5, 2.0, "go", (there, 112.0)),
        Move(2.5, 4.0, "pose", (2.0,), "walk"), Move(2.5, 4.0, "go", (back, 112.0)),
        Move(4.5, 6.5, "pose", (2.0,), "kick"),
    )  # fmt: skip
    things = list[Actor]()
    for name, hue, x in zip((left, right), hues(dice, 2), (30.0, 194.0), strict=True):
        item = a_thing(name, hue, x, 140.0, 44)
        if name == taken:
            item = item.does(
                Move(2.3, 2.5, "go", (there + 34 * way, 112.0)), Move(2.5, 4.0, "go", (back + 34 * way, 112.0))
            )
        else:
            item = item.does(Move(5.0, 6.5, "go", (other - 30 * way, 140.0)))
        things.append(item)
    said = {name: f"The {name}." for name in (left, right, *absent)}
    wrong = tuple(text for name, text in said.items() if name != taken)
    ask = dice.choice(("Which thing did the person take?", f"What did the person in {colour} pick up and carry?"))
    return Asked(on_paper(dice, 7.0, *things, person), ask, said[taken], wrong, 0.0, 4.5)


_WHEN = {
    "first": "In the first third.",
    "middle": "In the middle.",
    "last": "In the last third.",
    "all": "All the time.",
}


def action_localization(dice: Dice) -> Asked:
    """Part of nine seconds is cut out; when in that part the person does it."""
    colour, deed = dice.choice(deeds.STRONG), dice.choice([deed for deed in PERSON_DEEDS if deed != "walk"])
    when, start = dice.choice(list(_WHEN)), float(dice.choice((0, 1, 2)))
    at = {"first": 0.0, "middle": 2.0, "last": 4.0, "all": 0.0}[when]
    length = 6.0 if when == "all" else 2.0
    person = act_person(someone(dice, colour), deed, start + at, start + at + length)
    ask = dice.choice(("In which part of the clip does the person {}?", "When does the person {}?"))
    wrong = tuple(text for key, text in _WHEN.items() if key != when)
    film = on_paper(dice, 8.0, person)
    return Asked(film, ask.format(PERSON_DEEDS[deed].base), _WHEN[when], wrong, start, start + 6.0)


def scene_transition(dice: Dice) -> Asked:
    old, new, absent = dice.sample(list(SCENES), 3)
    half = float(dice.number(2, 3))
    seeds = dice.number(0, 9), dice.number(0, 9)
    person = act_person(someone(dice, dice.choice(deeds.STRONG)), dice.choice(("wave", "walk", "clap")), 0.0, 2 * half)
    film = Film(2 * half, (Ground(0.0, old, seeds[0]), Ground(half, new, seeds[1])), (person,))

    def said(a: str, b: str) -> str:
        return f"From {with_article(a)} to {with_article(b)}."

    ask = dice.choice(("How does the place change?", "From where to where does the video go?"))
    changes = [said(a, b) for a, b in permutations((old, new, absent), 2)]
    return Asked(film, ask, changes[0], others(dice, changes, changes[0]))


def character_order(dice: Dice) -> Asked:
    """Letters or words, one after the other."""
    letters = (
        dice.sample("ABEFHKLMRSTX", 3) if dice.random() < 0.6 else dice.sample(("CAT", "KEY", "EGG", "BOX", "HAT"), 3)
    )
    hue = dice.choice(deeds.STRONG)
    xs = [44.0, 112.0, 180.0] if dice.random() < 0.5 else [112.0] * 3
    words = [
        a_word(text, 112.0, 52 if len(text) == 1 else 34, hue, x)._replace(since=1.5 * i + 0.25, until=1.5 * i + 1.75)
        for i, (text, x) in enumerate(zip(letters, xs, strict=True))
    ]
    orders = [f"{p}, {q}, {r}." for p, q, r in permutations(letters)]
    what = "letters" if len(letters[0]) == 1 else "words"
    ask = dice.choice((f"In which order are the {what} shown?", f"Which {what} come first, second and third?"))
    return Asked(on_paper(dice, 5.0, *words), ask, orders[0], others(dice, orders, orders[0], 2))


_STEPS = {-1: "Turn left and go on.", 0: "Go straight on.", 1: "Turn right and go on.", 2: "Stop."}


def egocentric_navigation(dice: Dice) -> Asked:
    """Along a road, with the goal ahead, to a side, or at the feet."""
    goal, other = dice.sample(("house", "tree", "flower", "mushroom", "star"), 2)
    hue, tint = hues(dice, 2)
    step = dice.choice(list(_STEPS))
    seconds = 5.0
    far_x = 112.0 + (22 * step if abs(step) == 1 else 0)
    near = {-1: (30.0, 140.0), 0: (112.0, 96.0), 1: (194.0, 140.0), 2: (112.0, 120.0)}[step]
    factor = {-1: 5.0, 0: 2.2, 1: 5.0, 2: 11.0}[step]
    target = a_thing(goal, hue, far_x, 88, 16).does(
        Move(0.0, seconds, "rush", near), Move(0.0, seconds, "grow", (factor,))
    )
    side = dice.choice((-1, 1)) if abs(step) != 1 else -step
    passed = a_thing(other, tint, 112.0 + 30 * side, 100, 20).does(
        Move(0.0, 3.0, "rush", (112.0 + 170 * side, 190.0)), Move(0.0, 3.0, "grow", (5.0,))
    )
    film = Film(seconds, (Ground(0.0, "road", 3),), (target, passed))
    ask = f'You walk along the road. You were told: "Go to the {hue} {goal} and stop there." What do you do next?'
    return Asked(film, ask, _STEPS[step], tuple(text for key, text in _STEPS.items() if key != step))


def episodic_reasoning(dice: Dice) -> Asked:
    """Two people; one leaves within the cut, and after that the other does something; later something else."""
    stays, leaves = hues(dice, 2)
    before, after, later, *rest = dice.sample([deed for deed in PERSON_DEEDS if deed != "walk"], 5)
    person = a_person(stays, 72.0, 124.0, 116.0)
    for i, deed in enumerate((before, after, later)):
        person = act_person(person, deed, 2.0 * i + (0.0 if i == 0 else 1.0), 2.0 * i + (1.8 if i == 0 else 2.8))
    goer = a_person(leaves, 156.0, 124.0, 116.0).does(
        Move(1.8, 3.0, "pose", (2.0,), "walk"), Move(1.8, 3.0, "go", (290.0, 124.0))
    )
    said = {key: f"{_capital(PERSON_DEEDS[key].past)}." for key in (before, after, later, *rest)}
    kind = dice.choice(("after", "before"))
    answer = said[after if kind == "after" else before]
    ask = f"What did the person in {stays} do {kind} the person in {leaves} left?"
    wrong = tuple(text for text in said.values() if text != answer)
    return Asked(on_paper(dice, 7.0, person, goer), ask, answer, wrong, 0.0, 5.0)


PEOPLE: dict[str, Callable[[Dice], Asked]] = {
    task.__name__: task
    for task in (
        action_sequence, action_prediction, fine_grained_action, fine_grained_pose, object_interaction,
        action_localization, scene_transition, character_order, egocentric_navigation, episodic_reasoning,
    )
}  # fmt: skip
