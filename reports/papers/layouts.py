"""The layouts of the papers' tables: which column is what, and what of a run fills it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from harness.types import Channel
from reports import averages
from reports.papers.layout import Aligned, Derived, Entry, Fill, Layout, Measure

_VITA15, _VITA_AUDIO, _NEXUS_O = "VITA-1.5 (arXiv:2501.01957)", "VITA-Audio", "NEXUS-O"
_STAGE = "the paper's speech rows are of a stage before the released weights"
_NORMALISER = "the paper does not say how it normalises text; ours is the profile's"
_GREEDY = "decoded greedily, where the paper sampled"
_AS_WER = "a character error rate, which the paper heads WER"
_SUBTITLES = "the paper does not say whether subtitles were shown; ours without"


def _asr(task: str, note: str = _NORMALISER) -> Measure:
    return Measure(task, "cer" if task.startswith(("aishell", "wenet")) or task.endswith("_zh") else "wer", None, note)


def _wer(over: str, split: str, task: str, note: str = _NORMALISER) -> Entry:
    return Entry(split, ((over, split, "WER %"),), over, "WER %", (_asr(task, note),))


def _cer(over: str, split: str, *tasks: str, metric: str = "CER %", note: str = _NORMALISER) -> Entry:
    return Entry(split, ((over, split, metric),), over, "CER %", tuple(_asr(task, note) for task in tasks))


def _accuracy(
    heading: str, benchmark: str, split: str, *fills: Fill, metric: str = "acc %", unit: str = "%", over: str = ""
) -> Entry:
    return Entry(heading, ((benchmark, split, metric),), over, unit, fills)


def _table2(values: Sequence[float]) -> float:
    return averages.table2(dict(zip(averages.TABLE_2, values, strict=True))).as_printed


_MMBENCH = (
    Measure("mmbench_en_test", "accuracy"),
    Measure("mmbench_en", "accuracy", None, "the dev split; the paper's is likely the test split", comparable=False),
)
_AVERAGE = Derived(
    tuple(Measure(task, metric) for task, (metric, _) in averages.TABLE_2.items()),
    _table2,
    "%",
    "mean of nine as the paper prints it: MME / 23.74, OCRBench / 10; of MMBench's dev split",
    comparable=False,
)
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


def _tts(split: str, task: str, metric: str, unit: str, printed: str = "") -> Entry:
    place = ("Seed-TTS", split, printed or f"{unit} %")
    return Entry(split, (place,), "Seed-TTS", f"{unit} %", (Measure(task, metric, None, _GREEDY),))


def _generation(metric: str, heading: str, unit: str) -> Entry:
    return Entry(
        heading, tuple(("generation of 4096 tokens", size, metric) for size in ("0.5B", "7B", "72B")), "", unit
    )


def _first_sound(heading: str, metric: str, *fills: Fill) -> Entry:
    place = ("first audio segment latency", "streaming, flow-matching step 1", metric)
    return Entry(heading, (place,), "", "ms", fills)


_KNN = {"cycle knn": "cycle_knn", "mutual knn": "mutual_knn", "lcs knn": "lcs_knn", "edit knn": "edit_distance_knn"}
_ALIGNED = ("cycle knn", "mutual knn", "lcs knn", "cka", "cknna", "svcca", "edit knn")


def _aligned(printed: bool) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            name,
            (("ImageNet concepts", "unembedding, averaged tokens", name),) if printed else (),
            fills=(Aligned(_KNN.get(name, name)),),
        )
        for name in _ALIGNED
    )


LAYOUTS: Mapping[str, Layout] = {
    "vita15:2": Layout(
        _VITA15,
        "Table 2",
        "pictures: nine benchmarks and their average",
        (
            _accuracy("MMBench", "MMBench", "test EN V1.1 (inferred)", *_MMBENCH, metric="acc % (circular)"),
            _accuracy("MMStar", "MMStar", "val", Measure("mmstar", "accuracy")),
            _accuracy("MMMU", "MMMU", "val", Measure("mmmu", "accuracy")),
            _accuracy("MathVista", "MathVista", "testmini", Measure("mathvista", "accuracy")),
            _accuracy(
                "Hal Bench",
                "HallusionBench",
                "image",
                Measure("hallusionbench", "average"),
                metric="mean of aAcc,fAcc,qAcc %",
            ),
            _accuracy("AI2D", "AI2D", "test", Measure("ai2d", "accuracy")),
            _accuracy(
                "OCRBench", "OCRBench", "all 1000", Measure("ocrbench", "score"), metric="score /1000", unit="points"
            ),
            _accuracy("MM-Vet", "MM-Vet", "all 218", Measure("mmvet", "score"), metric="judge score /100", unit="/100"),
            _accuracy(
                "MME",
                "MME",
                "all",
                Measure("mme", "total"),
                metric="score /2800 (perception+cognition)",
                unit="points",
            ),
            _accuracy("Avg", "Avg", "Table 2", _AVERAGE, metric="mean of 9 with OCR/10 and MME/23.74 (derived)"),
        ),
        "LLM",
    ),
    "vita15:3": Layout(
        _VITA15,
        "Table 3",
        "videos: Video-MME, MVBench, TempCompass",
        (
            _accuracy("w/o subs", "Video-MME", "w/o subtitles", Measure("videomme", "accuracy"), over="Video-MME"),
            _accuracy(
                "w/ subs", "Video-MME", "w/ subtitles", Measure("videomme_subtitles", "accuracy"), over="Video-MME"
            ),
            _accuracy("MVBench", "MVBench", "all 20 tasks", Measure("mvbench", "accuracy")),
            _accuracy(
                "TempCompass",
                "TempCompass",
                "overall (task mix not named)",
                Measure(
                    "tempcompass", "accuracy", None, "the paper does not name the mix of formats; ours is all four"
                ),
            ),
        ),
        "LLM",
    ),
    "vita15:4": Layout(
        _VITA15,
        "Table 4",
        "speech recognition: LibriSpeech, AISHELL-1, WenetSpeech",
        (
            _cer("AISHELL-1", "test", "aishell1", note=_STAGE),
            _cer("WenetSpeech", "test_net", "wenetspeech_net", note=_STAGE),
            _cer("WenetSpeech", "test_meeting", "wenetspeech_meeting", note=_STAGE),
            *(
                _wer("LibriSpeech", split, f"librispeech_{split.replace('-', '_')}", _STAGE)
                for split in ("dev-clean", "dev-other", "test-clean", "test-other")
            ),
        ),
    ),
    "vita_audio:1": Layout(
        _VITA_AUDIO,
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
        _VITA_AUDIO, "Table 4", "spoken questions, answered in text (S->T) and in speech (S->S)", _spoken(), "size"
    ),
    "vita_audio:5": Layout(
        _VITA_AUDIO,
        "Table 5",
        "speech synthesis: Seed-TTS, LibriTTS",
        (
            _tts("test-zh", "seedtts_zh", "cer", "CER"),
            _tts("test-en", "seedtts_en", "wer", "WER"),
            _tts("test-hard", "seedtts_hard", "cer", "CER", "WER %"),
            Entry(
                "test-clean",
                (("LibriTTS", "test-clean", "WER %"),),
                "LibriTTS",
                "WER %",
                (Measure("libritts_test_clean", "wer", None, _GREEDY),),
            ),
        ),
    ),
    "vita_audio:6": Layout(
        _VITA_AUDIO,
        "Table 6",
        "speech recognition: LibriSpeech, Fleurs",
        (
            _wer("LibriSpeech", "test-clean", "librispeech_test_clean"),
            _wer("LibriSpeech", "test-other", "librispeech_test_other"),
            _cer("Fleurs", "zh", "fleurs_zh", metric="CER % (printed as WER)", note=_AS_WER),
            _wer("Fleurs", "en", "fleurs_en"),
        ),
    ),
    "vita_audio:7": Layout(
        _VITA_AUDIO,
        "Table 7",
        "speech recognition: AISHELL-1, AISHELL-2, WenetSpeech",
        tuple(
            _cer(over, split, task, metric="CER % (printed as WER)", note=_AS_WER)
            for over, split, task in (
                ("AISHELL-1", "test", "aishell1"),
                ("AISHELL-2", "ios", "aishell2_ios"),
                ("WenetSpeech", "test_meeting", "wenetspeech_meeting"),
                ("WenetSpeech", "test_net", "wenetspeech_net"),
            )
        ),
    ),
    "vita_audio:8": Layout(
        _VITA_AUDIO,
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
        _VITA_AUDIO,
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
        _VITA_AUDIO,
        "",
        "time of each token while 32 + 4,096 tokens are generated",
        (),
        said=(
            "The paper draws this as figure 5 and prints no values there.",
            "Not measured here: runs keep the time to the first token and the rate, not the time of every token.",
        ),
    ),
    "nexus_o:2": Layout(
        _NEXUS_O,
        "Table 2",
        "pictures and videos: eight benchmarks",
        (
            _accuracy("Video-MME", "Video-MME", "-", Measure("videomme", "accuracy", None, _SUBTITLES)),
            Entry(
                "MMMU",
                (("MMMU", "val", "acc %"), ("MMMU", "val (asterisk rows only say so)", "acc %")),
                unit="%",
                fills=(Measure("mmmu", "accuracy"),),
            ),
            _accuracy("MathVista", "MathVista", "mini", Measure("mathvista", "accuracy")),
            _accuracy(
                "Hal",
                "HallusionBench",
                "-",
                Measure(
                    "hallusionbench",
                    "average",
                    None,
                    "mean of aAcc, fAcc and qAcc; the row of NEXUS-O looks like aAcc alone",
                    comparable=False,
                ),
            ),
            _accuracy("AI2D", "AI2D", "test", Measure("ai2d", "accuracy")),
            _accuracy(
                "OCRBench", "OCRBench", "1000", Measure("ocrbench", "score"), metric="score /1000", unit="points"
            ),
            _accuracy("MM-Vet", "MM-Vet", "-", Measure("mmvet", "score"), metric="judge score /100", unit="/100"),
            _accuracy("MME", "MME", "all", Measure("mme", "total"), metric="score /2800", unit="points"),
        ),
        "LLM",
    ),
    "nexus_o:3": Layout(
        _NEXUS_O,
        "Table 3",
        "spoken questions: Llama Questions",
        (
            _accuracy(
                "Llama Questions",
                "Llama Questions",
                "-",
                Measure("llama_questions", "accuracy", "text", "the paper does not say how answers are judged"),
                metric="accuracy %",
            ),
        ),
        "modality",
    ),
    "nexus_o:4": Layout(
        _NEXUS_O,
        "Table 4",
        "speech recognition: AISHELL-2, LibriSpeech, NEXUS-O-audio",
        (
            _cer("AISHELL-2", "Mac", "aishell2_mic", note="the set's third recording is of a microphone (Mic)"),
            _cer("AISHELL-2", "iOS", "aishell2_ios"),
            _cer("AISHELL-2", "Android", "aishell2_android"),
            Entry(
                "all",
                (("AISHELL-2", "all", "CER %"),),
                "AISHELL-2",
                "CER %",
                (
                    Derived(
                        tuple(Measure(f"aishell2_{name}", "cer") for name in ("mic", "ios", "android")),
                        fmean,
                        "%",
                        "mean of the three recordings' rates",
                    ),
                ),
            ),
            _wer("LibriSpeech", "test-clean", "librispeech_test_clean"),
            _wer("LibriSpeech", "test-other", "librispeech_test_other"),
            Entry("CH", (("NEXUS-O-audio", "CH", "CER %"),), "NEXUS-O-audio", "CER %"),
            Entry("EN", (("NEXUS-O-audio", "EN", "WER %"),), "NEXUS-O-audio", "WER %"),
        ),
        said=("NEXUS-O-audio is not released, so it is not measured here.",),
    ),
    "nexus_o:5": Layout(
        _NEXUS_O,
        "Table 5",
        "speech translation: CoVoST2",
        tuple(
            Entry(
                split,
                (("CoVoST2", split, "BLEU"),),
                "CoVoST2",
                "BLEU",
                (Measure(f"covost2_{split.replace('->', '_')}", "bleu"),),
            )
            for split in ("zh->en", "en->zh")
        ),
    ),
    "nexus_o:6": Layout(
        _NEXUS_O,
        "Table 6",
        "speech synthesis: Seed-TTS",
        (_tts("test-zh", "seedtts_zh", "cer", "CER"), _tts("test-en", "seedtts_en", "wer", "WER")),
    ),
    "nexus_o:7": Layout(
        _NEXUS_O,
        "Table 7",
        "alignment at the model's input (probe runs, stage unembedding)",
        _aligned(printed=True),
        said=("The paper's data are ImageNet concepts; lcs knn is a length, not a share. Chance: shuffled pairs.",),
        stage="unembedding",
    ),
    "nexus_o:fig3": Layout(
        _NEXUS_O,
        "",
        "alignment layer by layer (probe runs, stage embedding)",
        _aligned(printed=False),
        said=("The paper draws this as figure 3 and prints no values there. Chance: shuffled pairs.",),
        stage="embedding",
    ),
}
"""Name -> layout, in the order of the papers."""
