"""What a small model is to reach in the mini world, and what may be left of it with its input blanked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Target(NamedTuple):
    title: str
    task: str
    metric: str
    bound: float
    """An error rate is to be at most this, everything else at least this."""
    blank: str = ""
    """The medium that is blanked for the control: audio, image or video."""
    blank_bound: float | None = None
    """On the other side of what a guess may reach."""
    channel: str = ""
    """Of an answer that is written and spoken; else the task's own."""

    @property
    def is_error(self) -> bool:
        return self.metric in ("wer", "cer")

    @property
    def told(self) -> str:
        return f"at {'most' if self.is_error else 'least'} {self.bound:g}{self._unit}"

    @property
    def told_blank(self) -> str:
        """The other way round."""
        return f"at {'least' if self.is_error else 'most'} {self.blank_bound:g}{self._unit}"

    @property
    def _unit(self) -> str:
        return "" if self.metric in ("bleu", "total", "score") else " %"

    def met(self, value: float) -> bool:
        return value <= self.bound if self.is_error else value >= self.bound

    def guessed(self, value: float) -> bool:
        """Whether a value with a blank input is no better than allowed."""
        if self.blank_bound is None:
            return True
        return value >= self.blank_bound if self.is_error else value <= self.blank_bound


def _spoken_questions(title: str, task: str) -> tuple[Target, Target]:
    return (
        Target(f"{title}, spoken to written", task, "accuracy", 70, "audio", 10, "text"),
        Target(f"{title}, spoken to spoken", task, "accuracy", 50, "audio", 10, "speech"),
    )


TARGETS: tuple[Target, ...] = (
    Target("LibriSpeech test-clean, WER", "librispeech_test_clean", "wer", 4, "audio", 90),
    Target("LibriSpeech test-other, WER", "librispeech_test_other", "wer", 10, "audio", 90),
    Target("AISHELL-1, CER", "aishell1", "cer", 5, "audio", 90),
    Target("MME, total of 2800", "mme", "total", 2400, "image", 1500),
    Target("MMBench 1.1 English", "mmbench_en", "accuracy", 70, "image", 40),
    Target("MMStar", "mmstar", "accuracy", 70, "image", 40),
    Target("AI2D", "ai2d", "accuracy", 70, "image", 40),
    Target("MMMU", "mmmu", "accuracy", 70, "image", 40),
    Target("OCRBench of 1000", "ocrbench", "score", 600, "image", 100),
    Target("HallusionBench, aAcc", "hallusionbench", "aAcc", 70, "image", 60),
    Target("MathVista", "mathvista", "accuracy", 50, "image", 30),
    Target("Video-MME", "videomme", "accuracy", 60, "video", 45),
    Target("MVBench", "mvbench", "accuracy", 60, "video", 45),
    Target("TempCompass", "tempcompass", "accuracy", 60, "video", 45),
    *_spoken_questions("LLaMA questions", "llama_questions"),
    *_spoken_questions("TriviaQA", "trivia_qa_audio"),
    *_spoken_questions("Web questions", "web_questions_audio"),
    Target("CoVoST 2 Mandarin to English, BLEU", "covost2_zh_en", "bleu", 40, "audio", 5),
    Target("CoVoST 2 English to Mandarin, BLEU", "covost2_en_zh", "bleu", 40, "audio", 5),
    Target("Seed-TTS English, WER", "seedtts_en", "wer", 15),
    Target("Seed-TTS Mandarin, CER", "seedtts_zh", "cer", 15),
)
"""VITA-1.5's small weights."""
KEPT = ("mme", "mmbench_en", "mmstar", "ai2d", "mmmu", "ocrbench", "hallusionbench", "mathvista")
"""Tasks on pictures, which training for speech is to leave as good as they were."""
SEEN = (*KEPT, "videomme", "mvbench", "tempcompass")
"""All that is seen: practice is to make it better."""


def tasks(targets: tuple[Target, ...] = TARGETS, blank: str = "") -> tuple[str, ...]:
    """Their names in order, once each; with `blank`, of those that have this control."""
    return tuple(dict.fromkeys(target.task for target in targets if not blank or target.blank == blank))


def numbers(results: Mapping[str, Any], task: str, channel: str = "") -> Mapping[str, Any]:
    """The numbers of a task's headline profile and of a channel, as they stand in `results.json`."""
    entry = results["tasks"][task]
    found: Mapping[str, Any] = entry["scores"][entry["profile"]][channel or entry["channel"]]
    return found


def metric(results: Mapping[str, Any], target: Target) -> Mapping[str, Any]:
    found: Mapping[str, Any] = numbers(results, target.task, target.channel)["metrics"][target.metric]
    return found


def measured(found: Mapping[str, Any]) -> str:
    """A score with its 95 % interval: "3.2 % [2.5, 4.0]"."""
    digits, unit = (1, " %") if found["unit"] == "%" else (0 if found["unit"] == "points" else 1, "")
    if found["value"] is None:
        return "none"
    if found["ci"] is None:
        return f"{found['value']:.{digits}f}{unit}"
    low, high = found["ci"]
    return f"{found['value']:.{digits}f}{unit} [{low:.{digits}f}, {high:.{digits}f}]"


def reached(found: Mapping[str, Any], target: Target) -> str:
    """For a card: a score, and whether it misses its target."""
    met = found["value"] is not None and target.met(found["value"])
    return measured(found) + ("" if met else ", missed")


def remains(found: Mapping[str, Any], target: Target, blank: str = "") -> str:
    """For a card: the score that a blank input leaves, what it is blanked by, and whether that is more than a guess."""
    guessed = found["value"] is None or target.guessed(found["value"])
    by = f" ({blank})" if blank else ""
    return f"{measured(found)}{by}{'' if guessed else f', not {target.told_blank}'}"


def row(
    target: Target, results: Mapping[str, Any], blanked: Mapping[str, Mapping[str, Any]], blanks: Mapping[str, str]
) -> dict[str, str]:
    """A line of a card's table. `blanked` are results by the medium that is blanked, `blanks` by what each is."""
    without = "–"
    if target.blank:
        without = remains(metric(blanked[target.blank], target), target, blanks[target.blank])
    told = reached(metric(results, target), target)
    return {"title": target.title, "target": target.told, "measured": told, "without": without}
