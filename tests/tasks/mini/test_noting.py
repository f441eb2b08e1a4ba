"""What a drawing notes of itself: words, digits, colours and things, each where it is."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, OBJECTS, WHOLE, Box, blank, font, label, write_hanzi
from tasks.mini.motion import picture
from tasks.mini.noting import Frame, Thing, lettered, note, noted
from tasks.mini.persons import draw_mood
from tasks.mini.places import SCENES


def names(image: Image.Image) -> list[str]:
    return [thing.name for thing in noted(image)]


def test_the_digits_of_a_number_are_told_apart_and_each_number_begins_anew():
    things = lettered("Q1: 205 and 7", (10, 20), font(16), "la")
    assert [(thing.name, thing.rank) for thing in things] == [
        (" Q", 0), ("1", 0), (" :", 0), ("2", 0), ("0", 1), ("5", 2), (" and", 0), ("7", 0)
    ]  # fmt: skip
    lefts = [thing.frame.left for thing in things]
    assert lefts[0] == 10 and lefts == sorted(lefts)
    assert all((thing.frame.top, thing.frame.bottom) == (20, 36) for thing in things)


def test_a_line_is_noted_where_its_anchor_puts_it():
    (middle,), (right,) = (lettered("apple", (100, 50), font(20), anchor) for anchor in ("mm", "rm"))
    assert middle.frame.left + middle.frame.right in (199, 200, 201) and middle.frame.top == 40
    assert right.frame.right == 100 and right.frame.bottom == 60


def test_a_thing_is_noted_once_with_its_colour_and_not_what_it_is_drawn_of():
    image, pen = blank((255, 255, 255))
    OBJECTS["house"](pen, Box(10, 20, 60), COLOURS["red"])
    draw_mood(pen, Box(100, 100, 50), "happy", (250, 220, 90))
    write_hanzi(pen, "山", Box(0, 150, 40))
    label(pen, "oak", (180, 30))
    assert names(image) == [" red house", " happy", "山", " oak"]
    assert noted(image)[0].frame == Frame(10, 20, 70, 80)


def test_flat_colours_with_a_name_are_noted_if_they_are_not_tiny():
    image, pen = blank((255, 255, 255))
    pen.rectangle((10, 20, 30, 90), fill=COLOURS["green"])
    pen.rectangle((10, 20, 30, 90), fill=(1, 2, 3))
    pen.ellipse((40, 40, 43, 43), fill=COLOURS["red"])
    pen.polygon(((0, 100), (20, 100), (10, 130)), fill=COLOURS["blue"], outline=COLOURS["red"])
    assert noted(image) == (
        Thing(Frame(10, 20, 30, 90), " green"),
        Thing(Frame(0, 100, 20, 130), " blue"),
    )


def test_notes_pass_through_filters_and_are_in_no_file():
    image, pen = blank((255, 255, 255))
    SCENES["beach"](pen, Dice(1))
    small = image.filter(ImageFilter.GaussianBlur(2)).resize((112, 112))
    assert names(small) == [" beach"] and noted(small)[0].frame == Frame(0, 0, WHOLE.side, WHOLE.side)
    file = BytesIO()
    image.save(file, "PNG")
    assert b"beach" not in file.getvalue() and noted(Image.open(file)) == ()


def test_other_pens_draw_the_same_and_note_nothing():
    image, pen = blank((255, 255, 255))
    plain = Image.new("RGB", image.size, (255, 255, 255))
    for each in (pen, ImageDraw.Draw(plain)):
        OBJECTS["star"](each, Box(10, 20, 60), COLOURS["red"])
        label(each, "12 kg", (100, 100))
    assert plain.tobytes() == image.tobytes() and noted(plain) == ()


def test_putting_notes_with_a_copy_leaves_the_picture_its_own():
    image, pen = blank((255, 255, 255))
    label(pen, "oak", (100, 100))
    copy = image.copy()
    note(copy, ())
    assert names(image) == [" oak"] and names(copy) == []


def test_the_frames_of_a_film_note_what_moves_where_it_is():
    from tasks.mini.clip_exercises import training_clip

    film = training_clip("tempcompass", 0, 3).film
    (first, last) = (picture(film, moment) for moment in (0.0, film.seconds))
    for frame in (first, last):
        assert all(thing.name.startswith(" ") for thing in noted(frame))
    assert any(noted(frame) for frame in (first, last))
