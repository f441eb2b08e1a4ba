"""Tables of VITA-Audio."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from harness.types import Channel
from reports.papers.columns import SAMPLED, cer, tts, wer
from reports.papers.layout import Derived, Entry, Fill, Layout, Measure

_SOURCE = "VITA-Audio"
_AS_WER = "a character error rate, which the paper heads WER"
_SPOKEN = (
    ("Llama Questions", "llama_questions"),
    ("TriviaQA", "trivia_qa_audio"),
    ("Web Questions", "web_questions_audio"),
)


def _spoken() -> tuple[Entry, ...]:
    """VITA-Audio, table 4: text and speech of three sets, and their means."""
    ways: dict[str, Channel] = {"S->T": "text", "S->S": "speech"}
    found = [
        Entry(way, ((benchmark, way, "accuracy %"),), benchmark, "%", (Measure(task, "accuracy", channel),))
        for benchmark, task in _SPOKEN
        for way, channel in ways.items()
    ]
    for way, channel in ways.items():
        members = tuple(Measure(task, "accuracy", channel) for _, task in _SPOKEN)
        found.append(Entry(way, (("Mean", way, "accuracy %"),), "Mean", "%", (Derived(members, fmean, "%"),)))
    return tuple(found)


def _generation(metric: str, heading: str, unit: str) -> Entry:
    return Entry(
        heading, tuple(("generation of 4096 tokens", size, metric) for size in ("0.5B", "7B", "72B")), "", unit
    )


def _first_sound(heading: str, metric: str, *fills: Fill) -> Entry:
    place = ("first audio segment latency", "streaming, flow-matching step 1", metric)
    return Entry(heading, (place,), "", "ms", fills)


LAYOUTS: Mapping[str, Layout] = {
    "vita_audio:1": Layout(
        _SOURCE,
        "Table 1",
        "properties of spoken models",
        tuple(
            Entry(name, (("design", "-", name),), "", unit)
            for name, unit in (
                ("audio token delay", "tokens"),
                ("leveraging hidden states", ""),
                ("end-to-end", ""),
            )
        ),
        said=("Not measured here: these are properties of a design.",),
    ),
    "vita_audio:4": Layout(
        _SOURCE, "Table 4", "spoken questions, answered in text (S->T) and in speech (S->S)", _spoken(), "size"
    ),
    "vita_audio:5": Layout(
        _SOURCE,
        "Table 5",
        "speech synthesis: Seed-TTS, LibriTTS",
        (
            tts("test-zh", "seedtts_zh", "cer", "CER"),
            tts("test-en", "seedtts_en", "wer", "WER"),
            tts("test-hard", "seedtts_hard", "cer", "CER", "WER %"),
            Entry(
                "test-clean",
                (("LibriTTS", "test-clean", "WER %"),),
                "LibriTTS",
                "WER %",
                (Measure("libritts_test_clean", "wer", None, SAMPLED),),
            ),
        ),
    ),
    "vita_audio:6": Layout(
        _SOURCE,
        "Table 6",
        "speech recognition: LibriSpeech, Fleurs",
        (
            wer("LibriSpeech", "test-clean", "librispeech_test_clean"),
            wer("LibriSpeech", "test-other", "librispeech_test_other"),
            cer("Fleurs", "zh", "fleurs_zh", metric="CER % (printed as WER)", note=_AS_WER),
            wer("Fleurs", "en", "fleurs_en"),
        ),
    ),
    "vita_audio:7": Layout(
        _SOURCE,
        "Table 7",
        "speech recognition: AISHELL-1, AISHELL-2, WenetSpeech",
        tuple(
            cer(over, split, task, metric="CER % (printed as WER)", note=_AS_WER)
            for over, split, task in (
                ("AISHELL-1", "test", "aishell1"),
                ("AISHELL-2", "ios", "aishell2_ios"),
                ("WenetSpeech", "test_meeting", "wenetspeech_meeting"),
                ("WenetSpeech", "test_net", "wenetspeech_net"),
            )
        ),
    ),
    "vita_audio:8": Layout(
        _SOURCE,
        "Table 8",
        "speed of generating 4,096 tokens",
        (
            _generation("total seconds", "total", "s"),
            _generation("tokens per second", "speed", "tokens/s"),
            _generation("speedup x", "speedup", "x"),
        ),
        "size",
        ("Not measured here: `latency_fixed` generates 64 tokens of 512, which is another speed.",),
    ),
    "vita_audio:9": Layout(
        _SOURCE,
        "Table 9",
        "time to the first sound, and its parts",
        (
            _first_sound(
                "audio encoder",
                "audio encoder ms",
                Measure(
                    "latency_spoken",
                    "encode_p50_ms",
                    None,
                    "median time until the input is encoded, which counts preparing it",
                    comparable=False,
                ),
            ),
            _first_sound("first chunk", "first audio token chunk ms"),
            _first_sound("audio decoder", "audio decoder ms"),
            _first_sound(
                "sum",
                "sum ms",
                Measure(
                    "latency_spoken",
                    "ttfa_p50_ms",
                    None,
                    "median time from request to first sound, on this run's device",
                    comparable=False,
                ),
            ),
        ),
        "size",
        ("First chunk and audio decoder are not measured apart here.",),
    ),
    "vita_audio:fig5": Layout(
        _SOURCE,
        "",
        "time of each token while 32 + 4,096 tokens are generated",
        (),
        said=(
            "The paper draws this as figure 5 and prints no values there.",
            "Not measured here: runs keep the time to the first token and the rate, not the time of every token.",
        ),
    ),
}
