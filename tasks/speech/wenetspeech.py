"""WenetSpeech test_net and test_meeting: Mandarin from the web and from far-field meetings (Zhang et al., 2022)."""

from __future__ import annotations

from functools import partial

from harness.task import Task
from tasks.data import Source
from tasks.readers.hub import Hub
from tasks.readers.speech import hub_utterances, wenetspeech, wenetspeech_recording
from tasks.speech.asr import Clusters, Published, asr_task


def _task(part: str) -> Task:
    split = f"test_{part}"
    return asr_task(
        f"wenetspeech_{part}",
        "zh",
        Source(
            partial(wenetspeech, split=split),
            (f"WenetSpeech/{split}",),
            f"WenetSpeech/{split}/metadata.jsonl (file_name, text) and the audio that it names",
            Hub(
                id="TwinkStart/WenetSpeech",
                split=split,
                files=f"data/{split}-*.parquet",
                columns=("audio", "text"),
                adapt=hub_utterances,
            ),
            published={"net": 24774, "meeting": 8370}[part],
        ),
        Clusters("recording", wenetspeech_recording),
        published=Published("WenetSpeech", split),
        lmms_eval_prompt="Please listen to the audio and transcribe what you hear. Please only provide the "
        "transcription without any additional commentary. Do not include any punctuation.",
        citation="Zhang et al., WenetSpeech: a 10000+ hours multi-domain Mandarin corpus, ICASSP 2022",
        licence="CC-BY-4.0",
    )


NET = _task("net")
MEETING = _task("meeting")
