"""FLEURS test, English and Mandarin: read sentences of Wikipedia (Conneau et al., SLT 2022).

The reference is `transcription` (lower case, no punctuation), as in Kimi-Audio-Evalkit and lmms-eval;
UltraEval-Audio takes `raw_transcription`, which scores differently.
"""

from __future__ import annotations

from functools import partial

from harness.task import Task
from tasks.data import Source
from tasks.readers.hub import Hub
from tasks.readers.speech import fleurs, fleurs_sentence, hub_utterances
from tasks.scoring.error_rate import Language
from tasks.speech.asr import Clusters, Published, asr_task


def _task(language: Language, config: str, kimi_prompt: str) -> Task:
    return asr_task(
        f"fleurs_{language}",
        language,
        Source(
            partial(fleurs, language=config),
            (f"FLEURS/{config}",),
            f"FLEURS/{config}/metadata.jsonl (file_name, transcription) or FLEURS/{config}/test.tsv, and the audio",
            Hub(
                id="google/fleurs",
                revision="70bb2e84b976b7e960aa89f1c648e09c59f894dd",
                config=config,
                split="test",
                files=f"parquet-data/{config}/test-*.parquet",
                columns=("audio", "transcription"),
                adapt=hub_utterances,
            ),
            published={"en": 647, "zh": 945}[language],
        ),
        Clusters("sentence", fleurs_sentence),
        published=Published("Fleurs", language),
        reference="transcription",
        kimi_prompt=kimi_prompt,
        citation="Conneau et al., FLEURS: few-shot learning evaluation of universal representations of speech, 2022",
        licence="CC-BY-4.0",
    )


EN = _task("en", "en_us", "Please transcribe this audio.")
ZH = _task("zh", "cmn_hans_cn", "请将这段语音转写成文字。")
