"""Readers of MME: the archive's category folders, or VLMEvalKit's table with images in base64.

Rows have the columns {question_id, image_path, category, question, answer}; `sample_id`, `image` (a path, or bytes
from a table) and `image_key` are added. Questions on one image are numbered: `<category>/<image>/<0, 1>`.

`image_key` says which questions belong to one picture, within their category: the SHA-256 of the picture's content,
as names may be missing or differ from question to question. Rows that name the same image have one key, whatever
their contents: one of them may be broken. A row without a picture has the key of a neighbour that names the same
image, else `name:<image>`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.task import Row
from tasks.readers.layout import (
    IMAGE_SUFFIXES,
    LayoutError,
    Line,
    RowError,
    folders_in,
    found_instead,
    lines,
    matches,
    names_of,
    need_folder,
    only_one,
    readable,
)
from tasks.readers.locate import Locator
from tasks.readers.media import content_key
from tasks.readers.rows import failed
from tasks.readers.tsv import read_table

_QUESTIONS, _IMAGES = "questions_answers_YN", "images"
_TABLE = "MME.tsv"
_LOOK_AHEAD = 8
"""Rows that are read to find a neighbour with the same image's name; the published forms have them side by side."""


def read(folder: Path) -> Iterator[Row]:
    """`MME/<category>/...` or `MME.tsv` (in the folder or in `MME/`); MME may have its archive's name.

    Raises LayoutError when there is none of these, or more than one.
    """
    homes = [folder / name for name in names_of("MME")]
    homes += [homes[0] / name for name in names_of("MME")[1:]]
    tables = [place / _TABLE for place in (folder, *homes) if (place / _TABLE).is_file()]
    archives = [place for place in homes if place.is_dir() and any(_texts(path) for path in folders_in(place))]
    source = only_one([*tables, *archives], "MME")
    if source is not None and source in tables:
        return numbered(map(_of_table, read_table(source, ("image", "question", "answer", "category"))))
    return numbered(archive(source or need_folder(homes[0]), folder))


def _of_table(row: Row) -> Row:
    """A row of VLMEvalKit's table, which may lack the picture's name, in MME's own columns."""
    category, own_name = row["category"], row.get("image_path")
    named = {
        "image": row["image"],
        "question_id": own_name or f"{category}/{row['index']}",
        "image_path": own_name or f"{category}/{readable(row['image_row'])}",
    }
    kept = {name: row[name] for name in ("category", "question", "answer", "error", "media_path") if name in row}
    return named | kept


def archive(root: Path, data: Path | None = None) -> Iterator[Row]:
    """`<category>/{images/*.jpg, questions_answers_YN/*.txt}`, or images and texts side by side in the category.

    A text has one line for each question: the question, a tab, Yes or No. `data` is the folder that images may not
    lead out of, `root` when it is not given.
    """
    found = False
    for category in folders_in(root):
        texts = _texts(category)
        inside = category / _QUESTIONS
        if inside.is_dir():
            if not matches(inside, "*.txt"):
                raise LayoutError(f"no question files (*.txt) in {inside}. {found_instead(inside / '*.txt')}")
            if beside := [text for text in texts if text.parent == category]:
                only_one([inside, beside[0]], f"questions of {category.name}")
        images = category / _IMAGES if (category / _IMAGES).is_dir() else category
        for text in texts:
            found = True
            real = text.resolve().parent
            find = Locator(IMAGE_SUFFIXES, data or root, root, real.parent if real.name == _QUESTIONS else real)
            yield from _questions(text, images / f"{text.stem}.jpg", category.name, find)
    if not found:
        wanted = root / "<category>" / _QUESTIONS / "<image>.txt"
        raise LayoutError(f"file not found: {wanted}. {found_instead(wanted)}")


def _texts(category: Path) -> list[Path]:
    return [*matches(category / _QUESTIONS, "*.txt"), *matches(category, "*.txt")]


def _questions(text: Path, image: Path, category: str, find: Locator) -> Iterator[Row]:
    fault = ""
    try:
        image = find(image)
    except RowError as error:
        fault = f"{text}: {error}"
    name = f"{category}/{image.name}"
    for line in lines(text):
        row = {"image": image, "question_id": name, "image_path": name, "category": category, **_question(line)}
        problem = fault or line.fault or _problem(line, text)
        yield failed(row, problem) if problem else row


def _question(line: Line) -> Row:
    question, _, answer = line.text.rpartition("\t")
    return {"question": question.strip(), "answer": answer.strip()}


def _problem(line: Line, text: Path) -> str:
    if _question(line)["question"] and _question(line)["answer"] in ("Yes", "No"):
        return ""
    return f"{text}:{line.number}: expected a question, a tab and Yes or No: {line.text[:200]!r}"


def numbered(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with a `sample_id` (their image's name and how many questions came before on it) and an `image_key`."""
    asked: Counter[str] = Counter()
    for number, row in enumerate(_keyed(rows)):
        name, category = str(row.get("question_id") or f"row-{number}"), str(row.get("category") or "")
        stem = (name if name.startswith(f"{category}/") else f"{category}/{name}").rsplit(".", 1)[0]
        yield {**row, "sample_id": f"{stem}/{asked[stem]}"}
        asked[stem] += 1


def _keyed(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with an `image_key`, in order. At most `_LOOK_AHEAD` rows are held back, behind one without a picture."""
    known: dict[tuple[str, str], str] = {}
    waiting: deque[tuple[Row, str | None, tuple[str, str]]] = deque()

    def settled() -> Row:
        row, key, name = waiting.popleft()
        return {**row, "image_key": key or known.get(name) or f"name:{name[1]}"}

    content: object = None  # the picture before: a table hands out one object for all rows that refer to it
    key: str | None = None
    for row in rows:
        image = row.get("image")
        if image is not content or image is None:
            content, key = image, content_key(image)
        name = (str(row.get("category")), str(row.get("image_path") or row.get("question_id")))
        own = key
        if key is not None:
            own = known.setdefault(name, key)
        elif "error" not in row:
            row = failed(row, f"the row of {name[1]} has no readable image") if not isinstance(image, Path) else row
        waiting.append((row, own, name))
        while waiting and (waiting[0][1] or waiting[0][2] in known or len(waiting) > _LOOK_AHEAD):
            yield settled()
    while waiting:
        yield settled()
