"""LibriTTS test-clean: sentences of audio books to be said (Zen et al., Interspeech 2019).

The rate is over all words, by Whisper large-v3 in long form, both sides normalised by WeTextProcessing (speech
protocol 3.3). Where that library is not installed Whisper's own normalisation stands in, which is another number.
Speakers are clusters: their sentences are from the same books.
"""

from __future__ import annotations

from tasks.scoring.heard import LONG_FORM
from tasks.scoring.normalizers import wetext_english
from tasks.speech.asr import speaker_of
from tasks.speech.sources import LIBRITTS
from tasks.speech.tts import tts_task

_WHOLE = wetext_english.installed()
_STANDS_IN = "stands in for profile libritts, which needs WeTextProcessing: pip install 'omni-harness[judges]'"

TEST_CLEAN = tts_task(
    "libritts_test_clean",
    "en",
    LIBRITTS,
    text="text_normalized",
    profiles=("libritts", "whisper", "qwen2", "libritts_dropped") if _WHOLE else ("whisper", "qwen2"),
    signatures={} if _WHOLE else {"whisper": _STANDS_IN},
    how=LONG_FORM,
    mean=False,
    judge="whisper",
    cluster=speaker_of,
    benchmark="LibriTTS",
    split="test-clean",
    published={"wer": "WER %"} if _WHOLE else {},
    citation="Zen et al., LibriTTS: a corpus derived from LibriSpeech for text-to-speech, Interspeech 2019",
    licence="CC-BY-4.0",
)
