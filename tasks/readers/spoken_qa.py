"""Spoken questions with their answers: llama-questions, TriviaQA and WebQuestions.

On the hub as `fixie-ai/...` and `TwinkStart/...`, and in the folders of OpenAudioBench (`baichuan-inc/OpenAudioBench`):
`eval_datas/<set>/{<set>.csv, audios/*}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.task import Row
from tasks.readers import parquet
from tasks.readers.answers import answers_of
from tasks.readers.delimited import Commas, Record, records
from tasks.readers.hub import copies_of
from tasks.readers.layout import AUDIO_SUFFIXES, LayoutError, RowError, found_instead, matches, only_one
from tasks.readers.locate import Locator
from tasks.readers.rows import failed, utterance_id

MIRRORS = {"trivia_qa": "TwinkStart/speech-triavia-qa", "web_questions": "TwinkStart/speech-web-questions"}
"""Set -> a second data set of the hub, with a split `test`, whose local copy is read. That of llama-questions has the
name of the first one and is read as such."""
_QUESTIONS = ("question", "questions", "instruction", "prompt")
_ANSWERS = ("answers", "answer")
_FILES = ("audio_filename", "audio_file", "file_name", "audio")
_LEFT_OUT = ("question_audio", "entity_pages", "search_results")
"""TriviaQA's evidence is megabytes a row."""


def spoken_qa(folder: Path, name: str) -> Iterator[Row]:
    """The set in `OpenAudioBench/eval_datas/<name>/` (or `eval_datas/<name>/`), or in a copy of its mirror.

    Rows have `audio`, `question` (None where the table has none), `answers` (a list of texts, which may be empty) and
    `published_answer`, what the table holds. Names of columns count in any case.
    """
    places = [folder / "OpenAudioBench" / "eval_datas" / name, folder / "eval_datas" / name]
    place = only_one([place for place in places if place.is_dir()], f"OpenAudioBench {name}")
    if place is None and (copy := _mirror(folder, name)) is not None:
        return hub_questions(parquet.read(parquet.split_files(copy, None, "test"), ("audio",), folder))
    if place is None:
        raise LayoutError(f"folder not found: {places[0]}. {found_instead(places[0])}")
    tables = [table for table in (place / f"{name}.csv",) if table.is_file()] or matches(place, "*.csv")
    if (table := only_one(tables, f"OpenAudioBench {name}")) is None:
        raise LayoutError(f"file not found: {place / f'{name}.csv'}. {found_instead(place / f'{name}.csv')}")
    return _read(table, folder)


def _mirror(folder: Path, name: str) -> Path | None:
    if (id_ := MIRRORS.get(name)) is None:
        return None
    return only_one([folder / copy for copy in copies_of(id_) if (folder / copy).is_dir()], id_)


def _read(table: Path, data: Path) -> Iterator[Row]:
    find = Locator(AUDIO_SUFFIXES, data, table.parent, table.resolve().parent)
    for record in records(table, Commas):
        file, answer = _need(record, _FILES, table), _need(record, _ANSWERS, table)
        question = _column(record.cells, _QUESTIONS)
        row: Row = {
            "sample_id": utterance_id(record.cells[file]) or f"line-{record.line}",
            "audio": None,
            "question": record.cells[question] if question else None,
            "answers": answers_of(record.cells[answer]),
            "published_answer": record.cells[answer],
        }
        try:
            if not record.cells[file]:
                raise RowError(f"column {file} is empty; write the recording's file name there")
            row["audio"] = find(table.parent / "audios" / record.cells[file])
        except RowError as error:
            yield failed(row, record.fault or f"{table}:{record.line}: {error}")
            continue
        yield failed(row, record.fault) if record.fault else row


def hub_questions(rows: Iterable[Row]) -> Iterator[Row]:
    """Hub rows in the same columns. The id is TriviaQA's `question_id`, else the row's number: the recordings' names
    are not unique there. Raises LayoutError where no column answers."""
    for number, row in enumerate(rows):
        answer, question = _column(row, _ANSWERS), _column(row, _QUESTIONS)
        if answer is None and "error" not in row:
            raise LayoutError(f"no column {', '.join(_ANSWERS)}; the columns are {', '.join(row)}")
        audio = row.get("audio", row.get("question_audio"))
        value = row[answer] if answer else None
        known: Row = {
            **{column: cell for column, cell in row.items() if column not in (*_LEFT_OUT, question, answer)},
            "sample_id": str(row.get("question_id") or f"row-{number}"),
            "audio": audio,
            "question": row[question] if question else None,
            "answers": answers_of(value),
            "published_answer": value,
        }
        if audio in (None, {"bytes": None, "path": None}) and "error" not in row:
            known = failed(known, f"row {number} has no audio")
        yield known


def _column(row: Row, names: tuple[str, ...]) -> str | None:
    """The first of the names that a row has, as the row writes it."""
    written = {column.lower(): column for column in row}
    return next((written[name] for name in names if name in written), None)


def _need(record: Record, names: tuple[str, ...], table: Path) -> str:
    if (column := _column(record.cells, names)) is None:
        raise LayoutError(f"{table} has no column {' or '.join(names)}; its columns are {', '.join(record.cells)}")
    return column
