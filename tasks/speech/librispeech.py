"""LibriSpeech: read English, clean and other conditions (Panayotov et al., ICASSP 2015; OpenSLR 12)."""

from __future__ import annotations

from functools import partial

from harness.task import Task
from tasks.data import Source
from tasks.readers.hub import Hub
from tasks.readers.speech import hub_utterances, librispeech
from tasks.speech.asr import SPEAKERS, Published, asr_task

ROWS = {"dev-clean": 2703, "dev-other": 2864, "test-clean": 2620, "test-other": 2939}


def _task(part: str, condition: str) -> Task:
    split = f"{part}-{condition}"
    layout = f"LibriSpeech/{split}/<speaker>/<chapter>/*.flac with <speaker>-<chapter>.trans.txt beside them"
    hub_split = "validation" if part == "dev" else "test"
    hub = Hub(
        id="openslr/librispeech_asr",
        revision="71cacbfb7e2354c4226d01e70d77d5fca3d04ba1",
        config=condition,
        split=hub_split,
        files=f"{condition}/{hub_split}/*.parquet",
        columns=("audio", "text", "id", "speaker_id"),
        adapt=hub_utterances,
    )
    return asr_task(
        f"librispeech_{part}_{condition}",
        "en",
        Source(partial(librispeech, split=split), (f"LibriSpeech/{split}",), layout, hub, ROWS[split]),
        SPEAKERS,
        published=Published("LibriSpeech", split),
        citation="Panayotov et al., Librispeech: an ASR corpus based on public domain audio books, ICASSP 2015",
        licence="CC-BY-4.0",
    )


DEV_CLEAN = _task("dev", "clean")
DEV_OTHER = _task("dev", "other")
TEST_CLEAN = _task("test", "clean")
TEST_OTHER = _task("test", "other")
