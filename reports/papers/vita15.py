"""Tables of VITA-1.5 (arXiv:2501.01957)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports import averages
from reports.papers.columns import accuracy, cer, wer
from reports.papers.layout import Derived, Layout, Measure

_SOURCE = "VITA-1.5 (arXiv:2501.01957)"
_STAGE = "the paper's speech rows are of a stage before the released weights"


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


LAYOUTS: Mapping[str, Layout] = {
    "vita15:2": Layout(
        _SOURCE,
        "Table 2",
        "pictures: nine benchmarks and their average",
        (
            accuracy("MMBench", "MMBench", "test EN V1.1 (inferred)", *_MMBENCH, metric="acc % (circular)"),
            accuracy("MMStar", "MMStar", "val", Measure("mmstar", "accuracy")),
            accuracy("MMMU", "MMMU", "val", Measure("mmmu", "accuracy")),
            accuracy("MathVista", "MathVista", "testmini", Measure("mathvista", "accuracy")),
            accuracy(
                "Hal Bench",
                "HallusionBench",
                "image",
                Measure("hallusionbench", "average"),
                metric="mean of aAcc,fAcc,qAcc %",
            ),
            accuracy("AI2D", "AI2D", "test", Measure("ai2d", "accuracy")),
            accuracy(
                "OCRBench", "OCRBench", "all 1000", Measure("ocrbench", "score"), metric="score /1000", unit="points"
            ),
            accuracy("MM-Vet", "MM-Vet", "all 218", Measure("mmvet", "score"), metric="judge score /100", unit="/100"),
            accuracy(
                "MME",
                "MME",
                "all",
                Measure("mme", "total"),
                metric="score /2800 (perception+cognition)",
                unit="points",
            ),
            accuracy("Avg", "Avg", "Table 2", _AVERAGE, metric="mean of 9 with OCR/10 and MME/23.74 (derived)"),
        ),
        "LLM",
    ),
    "vita15:3": Layout(
        _SOURCE,
        "Table 3",
        "videos: Video-MME, MVBench, TempCompass",
        (
            accuracy("w/o subs", "Video-MME", "w/o subtitles", Measure("videomme", "accuracy"), over="Video-MME"),
            accuracy(
                "w/ subs", "Video-MME", "w/ subtitles", Measure("videomme_subtitles", "accuracy"), over="Video-MME"
            ),
            accuracy("MVBench", "MVBench", "all 20 tasks", Measure("mvbench", "accuracy")),
            accuracy(
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
        _SOURCE,
        "Table 4",
        "speech recognition: LibriSpeech, AISHELL-1, WenetSpeech",
        (
            cer("AISHELL-1", "test", "aishell1", note=_STAGE),
            cer("WenetSpeech", "test_net", "wenetspeech_net", note=_STAGE),
            cer("WenetSpeech", "test_meeting", "wenetspeech_meeting", note=_STAGE),
            *(
                wer("LibriSpeech", split, f"librispeech_{split.replace('-', '_')}", _STAGE)
                for split in ("dev-clean", "dev-other", "test-clean", "test-other")
            ),
        ),
    ),
}
