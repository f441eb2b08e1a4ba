"""Tables of NEXUS-O (arXiv:2503.01879)."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from reports.papers.columns import accuracy, cer, tts, wer
from reports.papers.layout import Aligned, Chance, Derived, Entry, Layout, Measure
from reports.probe_figures import AVERAGE

_SOURCE = "NEXUS-O"
_SUBTITLES = (
    "13 of the 16 values of the paper's column are MMStar values; it does not say whether subtitles were shown; ours "
    "without"
)


_KNN = {"cycle knn": "cycle_knn", "mutual knn": "mutual_knn", "lcs knn": "lcs_knn", "edit knn": "edit_distance_knn"}
_ALIGNED = ("cycle knn", "mutual knn", "lcs knn", "cka", "cknna", "svcca", "edit knn")


N, K = 1847, 50
"""Table 7's samples and neighbours. The paper names neither: all its cycle and lcs values are multiples of 1 / 1847,
cut after 5 decimals, and no k below 49 allows its mutual and edit values (specification 4.3)."""
CHANCE = Chance(
    N,
    K,
    exact={"cycle knn": 1 - (1 - K / (N - 1)) ** K, "mutual knn": K / (N - 1), "edit knn": 1 / (N - 1)},
    about={"lcs knn": 1.06, "cknna": 0.023, "svcca": 0.062},
    note="the paper: chance is the level of unrelated features without hubs; values with ≈ are simulated with normal "
    "features of 64 and of 512 dimensions (lcs 1.01 to 1.08, cknna 0.021 to 0.025, svcca 0.056 to 0.065); cka has no "
    "one level, it was 0.03 with 64 and 0.22 with 512; where lengths of vectors differ, cycle falls and mutual and lcs "
    "rise without any alignment",
)


def _aligned(printed: bool) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            name,
            (("ImageNet concepts", "unembedding, averaged tokens", name),) if printed else (),
            fills=(Aligned(_KNN.get(name, name)),),
        )
        for name in _ALIGNED
    ) + (() if printed else (Entry(AVERAGE, (), fills=(Aligned(AVERAGE),)),))


LAYOUTS: Mapping[str, Layout] = {
    "nexus_o:2": Layout(
        _SOURCE,
        "Table 2",
        "pictures and videos: eight benchmarks",
        (
            accuracy(
                "Video-MME", "Video-MME", "-", Measure("videomme", "accuracy", None, _SUBTITLES, comparable=False)
            ),
            Entry(
                "MMMU",
                (("MMMU", "val", "acc %"), ("MMMU", "val (asterisk rows only say so)", "acc %")),
                unit="%",
                fills=(Measure("mmmu", "accuracy"),),
            ),
            accuracy("MathVista", "MathVista", "mini", Measure("mathvista", "accuracy")),
            accuracy(
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
            accuracy("AI2D", "AI2D", "test", Measure("ai2d", "accuracy")),
            accuracy("OCRBench", "OCRBench", "1000", Measure("ocrbench", "score"), metric="score /1000", unit="points"),
            accuracy("MM-Vet", "MM-Vet", "-", Measure("mmvet", "score"), metric="judge score /100", unit="/100"),
            accuracy("MME", "MME", "all", Measure("mme", "total"), metric="score /2800", unit="points"),
        ),
        "LLM",
    ),
    "nexus_o:3": Layout(
        _SOURCE,
        "Table 3",
        "spoken questions: Llama Questions",
        (
            accuracy(
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
        _SOURCE,
        "Table 4",
        "speech recognition: AISHELL-2, LibriSpeech, NEXUS-O-audio",
        (
            cer("AISHELL-2", "Mac", "aishell2_mic", note="the set's third recording is of a microphone (Mic)"),
            cer("AISHELL-2", "iOS", "aishell2_ios"),
            cer("AISHELL-2", "Android", "aishell2_android"),
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
                        "mean of the three recordings' rates; the paper has one number for all",
                        comparable=False,
                    ),
                ),
            ),
            wer("LibriSpeech", "test-clean", "librispeech_test_clean"),
            wer("LibriSpeech", "test-other", "librispeech_test_other"),
            Entry("CH", (("NEXUS-O-audio", "CH", "CER %"),), "NEXUS-O-audio", "CER %"),
            Entry("EN", (("NEXUS-O-audio", "EN", "WER %"),), "NEXUS-O-audio", "WER %"),
        ),
        said=("NEXUS-O-audio is not released, so it is not measured here.",),
    ),
    "nexus_o:5": Layout(
        _SOURCE,
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
        _SOURCE,
        "Table 6",
        "speech synthesis: Seed-TTS",
        (tts("test-zh", "seedtts_zh", "cer", "CER"), tts("test-en", "seedtts_en", "wer", "WER")),
    ),
    "nexus_o:7": Layout(
        _SOURCE,
        "Table 7",
        "alignment at the model's input (probe runs, stage unembedding)",
        _aligned(printed=True),
        said=(
            "The paper's data are ImageNet concepts, their speech CosyVoice's; lcs knn is a length, not a share.",
            "Chance of ours: shuffled pairs. Most of the paper's values lie near chance: none is a target.",
        ),
        stage="unembedding",
        sides=("vision-text", "vision+audio-text"),
        chance=CHANCE,
    ),
    "nexus_o:fig3": Layout(
        _SOURCE,
        "",
        "alignment layer by layer (probe runs, stage embedding)",
        _aligned(printed=False),
        said=(
            "The paper draws this as figure 3 and prints no values there. Chance: shuffled pairs. In the mean of 7 "
            "lcs is divided by k.",
        ),
        stage="embedding",
    ),
}
