"""LibriTTS: audiobooks cut into sentences, with the text as printed and as read (Zen et al., 2019; OpenSLR 60).

Evaluation scripts ask for `text_normalized`, in which numbers and abbreviations are written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.task import Row
from tasks.readers.layout import (
    AUDIO_SUFFIXES,
    LayoutError,
    RowError,
    found_instead,
    lines,
    matches,
    need_folder,
)
from tasks.readers.locate import Locator
from tasks.readers.media import media_name
from tasks.readers.rows import failed, utterance_id

_NORMALIZED, _ORIGINAL = ".normalized.txt", ".original.txt"


def libritts(folder: Path, split: str) -> Iterator[Row]:
    """`LibriTTS/<split>/<speaker>/<chapter>/<utterance>{.wav,.normalized.txt,.original.txt}`.

    Rows have the hub's columns text_normalized, text_original (None without its file), speaker_id, chapter_id and id,
    and `reference_wav`, what the reader said, None where that recording is absent.
    """
    root = need_folder(folder / "LibriTTS" / split)
    texts = matches(root, f"*/*/*{_NORMALIZED}")
    if not texts:
        wanted = root / "<speaker>" / "<chapter>" / f"<utterance>{_NORMALIZED}"
        raise LayoutError(f"file not found: {wanted}. {found_instead(wanted)}")
    find = Locator(AUDIO_SUFFIXES, folder, root)
    for path in texts:
        name = path.name.removesuffix(_NORMALIZED)
        row: Row = {
            "sample_id": name,
            "id": name,
            "speaker_id": path.parent.parent.name,
            "chapter_id": path.parent.name,
            "reference_wav": None,
        }
        original = path.with_name(name + _ORIGINAL)
        text, fault = _text(path)
        printed, printed_fault = _text(original) if original.is_file() else (None, "")
        row |= {"text_normalized": text, "text_original": printed}
        try:
            spoken = find(path.with_name(f"{name}.wav"))
            row["reference_wav"] = spoken if spoken.is_file() else None
        except RowError as error:
            fault = fault or f"{path}: {error}"
        fault = fault or printed_fault
        yield failed(row, fault) if fault else row


def _text(path: Path) -> tuple[str, str]:
    """A file's text on one line, and what is wrong with it."""
    held = list(lines(path))
    return " ".join(line.text for line in held), next((line.fault for line in held if line.fault), "")


def hub_libritts(rows: Iterable[Row]) -> Iterator[Row]:
    """The hub's rows with a `sample_id` and the recording as `reference_wav`; its `path` is that of another machine."""
    for number, row in enumerate(rows):
        kept = {name: value for name, value in row.items() if name not in ("audio", "path")}
        name = kept.get("id") or utterance_id(media_name(row.get("audio"))) or f"row-{number}"
        spoken = row.get("audio")
        yield {
            **kept,
            "sample_id": str(name),
            "reference_wav": None if spoken == {"bytes": None, "path": None} else spoken,
        }
