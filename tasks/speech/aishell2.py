"""AISHELL-2 test: read Mandarin recorded by three devices at once (Du et al., 2018). Given out on request only."""

from __future__ import annotations

from functools import partial

from harness.task import Task
from tasks.data import Source
from tasks.readers.speech import aishell2
from tasks.speech.asr import SPEAKERS, Published, asr_task


def _task(channel: str) -> Task:
    folder = f"AISHELL-2/{channel}/test"
    return asr_task(
        f"aishell2_{channel.lower()}",
        "zh",
        Source(
            partial(aishell2, channel=channel),
            (folder,),
            f"{folder}/wav.scp (id and path) and {folder}/trans.txt (id and text)",
            published=5000,
        ),
        SPEAKERS,
        published=Published("AISHELL-2", "Mac" if channel == "Mic" else channel),  # NEXUS-O's name for it
        citation="Du et al., AISHELL-2: transforming Mandarin ASR research into industrial scale, 2018",
        licence="research use, on request from the publisher",
    )


IOS = _task("iOS")
ANDROID = _task("Android")
MIC = _task("Mic")
