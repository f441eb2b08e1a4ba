"""Two runs of the same tasks that can be compared, with hostile words wherever a model or a data set has words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.media import sha256_of
from harness.schema import GroupResult, StoredPart, StoredResponse, StoredSpeech
from tests.reports.fake_run import Sample, answered, asked, entry, medium, metric, picture, sample, tone, write_run

SPEECH, PICTURES = "librispeech_test_clean", "mme"
HOSTILE = (
    "<script>window.hacked=1</script>",
    "</script><b>bold</b>",
    '"><img src=x onerror="window.hacked=1">',
    "\u202eabc",
)
SHOWN = (*HOSTILE[:3], "U+202Eabc")
"""The same as a reader is to see them."""
GROUPS = {"OCR": (185.0, 170.0), "posters": (20.0, None), HOSTILE[2]: (0.0, 100.0)}
"""Category -> its score in both runs."""


def heard(id: str, errors: int, text: str = "a b d", *parts: StoredPart, **changes: Any) -> Sample:
    """An utterance of three words with that many errors."""
    score = {"parts": {"errors": float(errors), "units": 3.0}, "shown": ("a b d", text), "wrong": errors > 0}
    return sample(id, errors / 3, text, messages=asked(*parts), score=score, **changes)


def spoken(run: Path, text: str, seed: Path) -> StoredResponse:
    """An answer with a recording of its own run."""
    digest = sha256_of(seed)
    stored = run / "media" / digest[:2] / f"{digest}.flac"
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_bytes(seed.read_bytes())
    return StoredResponse(text, speech=StoredSpeech(f"media/{digest[:2]}/{digest}.flac", digest, 0.5))


def one_run(folder: Path, n: int, **more: Any) -> Path:
    """Run 0 or 1: of speech 2 samples are fixed, 60 broken, 1 is better, 2 are worse, 40 the same; of pictures 1 is
    broken and 1 wrong in both."""
    sound, gone, seen = (
        tone(folder / "tone.flac"),
        medium("audio", tone(folder / "gone.flac")),
        picture(folder / "a.png"),
    )
    (folder / "gone.flac").unlink()
    path = folder / f"run-{n}"
    said = ("a b d", *HOSTILE)
    first = heard("fixed-0", 1 - n, ("a b c", "a b d")[n], medium("audio", sound))
    first.record.response = spoken(path, ("a b c", "a b d")[n], sound)
    speech = [
        first,
        heard("fixed-1", 1 - n, ("a b", "a b d")[n], gone),
        heard(HOSTILE[0], 3 * n, (HOSTILE[1], HOSTILE[2])[n]),
        *(heard(f"broken-{i:02d}", n, said[i % 5] if n else "a b d") for i in range(1, 60)),
        heard("better", 2 - n, ("x b", "a b")[n]),
        *(heard(f"worse-{i}", 1 + n, "a", cluster=None) for i in range(2)),
        *(heard(f"same-{i}", 0) for i in range(40)),
    ]
    pictures = [
        sample(f"q/{i}", text="yes", messages=asked(medium("image", seen)), scores=answered("yes", not wrong))
        for i, wrong in enumerate((False, bool(n), True))
    ]
    points = metric((1900.0, 1800.0)[n], None, "points", True)
    looked = entry({"total": points}, "vlmevalkit_vita", n_scored=3)
    own = {name: values[n] for name, values in GROUPS.items()}
    looked.headline.groups = {
        "category": {
            name: GroupResult(6, {"score": metric(value, None, "points", True)})
            for name, value in own.items()
            if value is not None
        }
    }
    heard_result = entry(
        {"wer": metric(4.0 + n, (3.0, 6.0))}, n_expected=len(speech), n_scored=len(speech), version="2"
    )
    tasks = {SPEECH: heard_result, PICTURES: looked}
    return write_run(path, tasks, {SPEECH: speech, PICTURES: pictures}, data="mini", **more)


def both(folder: Path) -> list[Path]:
    return [one_run(folder, n) for n in range(2)]
