"""Questions on clips in MVBench's twenty tasks: this half is on things, and the list of all tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tasks.mini import deeds
from tasks.mini.clip_tasks import PEOPLE, Asked, others
from tasks.mini.deeds import OPPOSITES, THING_DEEDS, act, hues, names, on_paper, placed
from tasks.mini.dice import Dice
from tasks.mini.drawing import OBJECTS
from tasks.mini.motion import GREY, Actor, Move, a_thing, of_part
from tasks.mini.partition import Part
from tasks.mini.questions import with_article

NUMBERS = ["0", "1", "2", "3", "4", "5"]


def action_antonym(dice: Dice) -> Asked:
    deed = dice.choice(list(OPPOSITES))
    actor = placed(dice, dice.choice(deeds.TURNABLE), deeds.any_colour(dice), deed)
    film = on_paper(dice, 4.0, act(actor, deed, 0.0, 4.0, 120))
    said = {key: f"The {actor.name} is {THING_DEEDS[key].ing}." for key in (deed, OPPOSITES[deed])}
    ask = dice.choice(("What is going on in the video?", "Which of these is happening?"))
    return Asked(film, ask, said[deed], (said[OPPOSITES[deed]], "It cannot be told."))


def unexpected_action(dice: Dice) -> Asked:
    """Three things do the same; then one does what nobody expects."""
    name, hue = names(dice, 1)[0], dice.sample(deeds.STRONG, 3)
    common = dice.choice(("jump", "shake"))
    odd = dice.randrange(3)
    new = dice.choice([other for other in OBJECTS if other != name])
    told = {
        "become": f"the {hue[odd]} {name} turns into {with_article(new)}",
        "fly": f"the {hue[odd]} {name} flies away",
        "grow": f"the {hue[odd]} {name} gets very big",
        "vanish": f"the {hue[odd]} {name} suddenly vanishes",
        "paint": f"the {hue[odd]} {name} suddenly turns grey",
    }
    event = dice.choice(list(told))
    actors = list[Actor]()
    for i in range(3):
        actor = act(a_thing(name, hue[i], 44.0 + 68 * i, 140, 48), common, 0.0, 3.0)
        if i == odd:
            actor = actor.does(*{
                "become": (Move(3.0, 3.0, "become", (), new),),
                "fly": (Move(3.0, 5.0, "go", (actor.x, -60.0)),),
                "grow": (Move(3.0, 4.5, "grow", (2.6,)),),
                "vanish": (Move(3.0, 3.0, "leave"),),
                "paint": (Move(3.0, 3.0, "paint", (), GREY),),
            }[event])  # fmt: skip
        actors.append(actor)
    ask = dice.choice(("What happens that nobody expects?", "Which surprise is in the video?"))
    film = on_paper(dice, 6.0, *actors)
    return Asked(
        film, ask, f"{told[event]}.", tuple(f"{text}." for text in others(dice, list(told.values()), told[event]))
    )


def _crowd(dice: Dice, moving: int, still: int) -> tuple[list[Actor], list[Actor]]:
    """Things of different kinds and colours in two rows, some of which move within their cells."""
    count = moving + still
    cells = dice.sample([(x, y) for y in (60.0, 164.0) for x in (44.0, 112.0, 180.0)], count)
    colours = [*deeds.STRONG] if count <= len(deeds.STRONG) else []
    dice.shuffle(colours)
    actors = [
        a_thing(name, hue, x, y, 40) for name, hue, (x, y) in zip(names(dice, count), colours, cells, strict=False)
    ]
    goers = list[Actor]()
    for actor in actors[:moving]:
        deed = dice.choice(("up", "down"))
        start = actor._replace(y=actor.y + (22 if deed == "up" else -22))
        goers.append(act(start, deed, dice.choice((0.5, 1.0)), 4.0, 46))
    return goers, actors[moving:]


def object_existence(dice: Dice) -> Asked:
    """Whether a thing of a colour moves; among the colours that are not there, or there and still."""
    goers, still = _crowd(dice, 2, 3)
    right = dice.random() < 0.5
    asked = dice.choice(goers if right else still)
    if not right and dice.random() < 0.4:
        absent = [hue for hue in deeds.STRONG if hue not in {actor.colour for actor in (*goers, *still)}]
        asked = asked._replace(colour=dice.choice(absent))
    ask = dice.choice(("Is there anything {} that moves?", "Does any {} thing move in the video?")).format(asked.colour)
    answer, wrong = ("yes", "no") if right else ("no", "yes")
    return Asked(on_paper(dice, 5.0, *goers, *still), ask, answer, (wrong, "not sure"))


def object_shuffle(dice: Dice) -> Asked:
    """A ball under one of three bowls that change places."""
    xs = [44.0, 112.0, 180.0]
    hue, tint = hues(dice, 2)
    at = dice.randrange(3)
    ball = a_thing("ball", tint, xs[at], 176.0, 32).does(Move(1.6, 1.6, "leave"))
    bowls = [a_thing("bowl", hue, x, 168.0, 56) for x in xs]
    bowls[at] = bowls[at]._replace(y=110.0).does(Move(0.6, 1.6, "go", (xs[at], 168.0)))
    place = [0, 1, 2]
    for turn in range(dice.number(1, 3)):
        one, two = dice.choice(((0, 1), (1, 2), (0, 2)))
        start = 2.0 + 1.5 * turn
        for bowl, goal, bend in ((place[one], two, 64.0), (place[two], one, -20.0)):
            bowls[bowl] = bowls[bowl].does(Move(start, start + 1.2, "go", (xs[goal], 168.0, bend)))
        place[one], place[two] = place[two], place[one]
        end = start + 1.5
    said = ["Under the left bowl.", "Under the middle bowl.", "Under the right bowl."]
    found = said[place.index(at)]
    ask = dice.choice((f"Where is the {tint} ball at the end?", f"Under which bowl is the {tint} ball in the end?"))
    return Asked(on_paper(dice, end + 0.5, ball, *bowls), ask, found, tuple(text for text in said if text != found))


_COMPASS = {"up and to the left": (-1, -1), "up and to the right": (1, -1), "down and to the left": (-1, 1),
            "down and to the right": (1, 1)}  # fmt: skip


def moving_direction(dice: Dice) -> Asked:
    way = dice.choice(list(_COMPASS))
    (dx, dy), (name, other), (hue, tint) = _COMPASS[way], names(dice, 2), hues(dice, 2)
    mover = a_thing(name, hue, 112 - 64 * dx, 112 - 64 * dy, 48).does(
        Move(0.5, 4.0, "go", (112.0 + 64 * dx, 112.0 + 64 * dy))
    )
    still = a_thing(other, tint, 112 + 70 * dx, 112 - 70 * dy, 44)
    film = on_paper(dice, 4.5, still, mover)
    options = [*_COMPASS, "it does not move"]
    if dice.random() < 0.2:
        mover, way = still, "it does not move"
    ask = dice.choice(("Which way does the {} go?", "In what direction does the {} move?")).format(mover.name)
    return Asked(film, ask, f"{way}.", tuple(f"{text}." for text in others(dice, options, way)))


def action_count(dice: Dice) -> Asked:
    deed, times = dice.choice(("jump", "grow", "turn into a heart")), dice.number(1, 4)
    name, hue = dice.choice(("star", "house", "cup", "fish", "tree", "flower")), deeds.any_colour(dice)
    actor = a_thing(name, hue, float(dice.number(80, 144, 8)), 140, 56)
    beat = 1.6
    for i in range(times):
        start = 0.6 + beat * i
        back = start + 0.8
        moves: dict[str, tuple[Move, ...]] = {
            "jump": (Move(start, start + 1.0, "hop", (60, 1)),),
            "grow": (Move(start, start + 0.5, "grow", (1.7,)), Move(start + 0.6, start + 1.1, "grow", (1 / 1.7,))),
            "turn into a heart": (Move(start, start, "become", (), "heart"), Move(back, back, "become", (), name)),
        }
        actor = actor.does(*moves[deed])
    seconds = 0.6 + beat * times + 0.4
    said = "grow big" if deed == "grow" else deed
    ask = dice.choice(
        (f"How many times does the {hue} {name} {said}?", f"How often does the {name} {said} in the video?")
    )
    return Asked(on_paper(dice, seconds, actor), ask, str(times), others(dice, NUMBERS[1:5], str(times)))


def moving_count(dice: Dice) -> Asked:
    moving = dice.number(0, 4)
    goers, still = _crowd(dice, moving, dice.number(1, 5 - moving))
    actors = [*goers, *still]
    dice.shuffle(actors)
    ask = dice.choice(("How many things move?", "How many of the things are moving in the video?"))
    return Asked(on_paper(dice, 5.0, *actors), ask, str(moving), others(dice, NUMBERS[:5], str(moving)))


def moving_attribute(dice: Dice) -> Asked:
    """Of four things one moves: its colour or its shape."""
    goers, still = _crowd(dice, 1, 3)
    mover = goers[0]
    film = on_paper(dice, 5.0, *still, mover)
    if dice.random() < 0.5:
        ask = dice.choice(("What colour is the thing that moves?", "Which colour does the moving thing have?"))
        return Asked(film, ask, mover.colour, tuple(actor.colour for actor in still))
    ask = dice.choice(("What is it that moves?", "Which of the things moves?"))
    return Asked(film, ask, f"the {mover.look.name}", tuple(f"the {actor.look.name}" for actor in still))


def state_change(dice: Dice) -> Asked:
    """A lamp that goes on and off, or a thing that takes another colour."""
    x, y = float(dice.number(88, 136, 8)), float(dice.number(88, 136, 8))
    if dice.random() < 0.5:
        lit, times = dice.choice((True, False)), dice.number(1, 3)
        colours = [("yellow" if lit == (i % 2 == 0) else GREY) for i in range(times + 1)]
        lamp = a_thing("lamp", colours[0], x, y, 100)
        for i, colour in enumerate(colours[1:]):
            lamp = lamp.does(Move(1.5 * (i + 1), 1.5 * (i + 1), "paint", (), colour))
        said = ["It is on.", "It is off."]
        end = said[0] if colours[-1] == "yellow" else said[1]
        ask = dice.choice(("Is the lamp on or off at the end?", "What is the lamp like when the video ends?"))
        wrong = said[1] if end == said[0] else said[0]
        return Asked(on_paper(dice, 1.5 * (times + 1) + 0.5, lamp), ask, end, (wrong, "It is broken."))
    old, between, new = hues(dice, 3)
    name = dice.choice(("house", "heart", "star", "flower", "cup", "boat"))
    actor = a_thing(name, old, x, y, 90).does(Move(1.5, 1.5, "paint", (), between), Move(3.0, 3.0, "paint", (), new))
    asked, answer = dice.choice((("at the end", new), ("at first", old), ("in between", between)))
    ask = f"What colour is the {name} {asked}?"
    return Asked(on_paper(dice, 4.5, actor), ask, answer, tuple(hue for hue in (old, between, new) if hue != answer))


def counterfactual_inference(dice: Dice) -> Asked:
    """A thing is stopped by another; what it would do without that depends on where it goes and where the third is."""
    (hit, wall, goal), (red, blue, green) = names(dice, 3), hues(dice, 3)
    way, aside = dice.choice((1, -1)), dice.choice((1, -1))
    said = {
        "reach": f"The {red} {hit} reaches the {green} {goal}.",
        "pass": f"The {red} {hit} goes past the {green} {goal}.",
        "leave": f"The {red} {hit} goes away from the {green} {goal}.",
        "stay": f"The {red} {hit} stays where it is.",
    }
    event = dice.choice(list(said))
    far = {"reach": (84, 112), "pass": (60, 112 + 72 * aside), "leave": (-90, 112), "stay": (84, 112)}[event]
    start, stop = (-40, -2) if event == "leave" else (-84, -2)
    block = a_thing(wall, blue, 112.0 + 42 * way, 112.0, 48)
    third = a_thing(goal, green, 112.0 + far[0] * way, float(far[1]), 40)
    runner = a_thing(hit, red, 112.0 + start * way, 112.0, 40)
    if event != "stay":
        runner = runner.does(Move(0.5, 3.0, "go", (112.0 + stop * way, 112.0)))
    ask = dice.choice(
        (
            f"What would happen if the {blue} {wall} were not there?",
            f"What does the {red} {hit} do if somebody takes the {blue} {wall} away at the beginning?",
        )
    )
    wrong = tuple(text for key, text in said.items() if key != event)
    return Asked(on_paper(dice, 4.0, third, block, runner), ask, said[event], wrong)


TASKS: dict[str, Callable[[Dice], Asked]] = PEOPLE | {
    task.__name__: task
    for task in (
        action_antonym, unexpected_action, object_existence, object_shuffle, moving_direction, action_count,
        moving_count, moving_attribute, state_change, counterfactual_inference,
    )
}  # fmt: skip


def asked(dice: Dice, task: str, part: Part) -> Iterator[Asked]:
    """Endless questions of one task and part of the world, each film once."""
    return of_part(TASKS[task], dice, part)
