"""Our rates beside those of Hugging Face evaluate, with its metrics out of a folder: equal where the rule is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.scoring.bleu import PARTS, bleu, statistics
from tasks.scoring.error_rate import ErrorCounts

evaluate = pytest.importorskip("evaluate", reason="it is in the extra lmms, which `make test-full` installs")
MODULES = Path(__file__).parent / "evaluate_modules"
ENGLISH = [
    "the",
    "a",
    "cat",
    "dog",
    "sat",
    "runs",
    "on",
    "mat,",
    "today",
    "big",
    "red",
    "don't",
    "it's",
    "12",
    "U.S.",
    '"so"',
    "well-known",
]
MANDARIN = list("今天猫狗在公园里跑，我喜欢红色的。A1")


@pytest.fixture(scope="module", autouse=True)
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr("evaluate.config.HF_MODULES_CACHE", str(tmp_path_factory.mktemp("modules")))
        yield


def loaded(name: str, folder: Path) -> Any:
    return evaluate.load(str(MODULES / name), cache_dir=str(folder))


def pairs(words: list[str], joint: str, seed: int) -> tuple[list[str], list[str]]:
    rng = random.Random(seed)
    references = [joint.join(rng.choices(words, k=rng.randint(1, 25))) for _ in range(200)]
    hypotheses = []
    for text in references:
        pieces = text.split(joint) if joint else list(text)
        kept = [rng.choice(words) if rng.random() < 0.15 else piece for piece in pieces if rng.random() > 0.1]
        hypotheses.append(joint.join(kept))
    return references, hypotheses


def counted(units: Any, references: list[str], hypotheses: list[str]) -> float:
    total = ErrorCounts()
    for one, other in zip(references, hypotheses, strict=True):
        total += ErrorCounts.of(units(one), units(other))
    return total.rate


@pytest.mark.parametrize("seed", range(3))
def test_word_and_character_errors(seed: int, tmp_path: Path) -> None:
    english, mandarin = pairs(ENGLISH, " ", seed), pairs(MANDARIN, "", seed)
    wer = loaded("wer", tmp_path).compute(references=english[0], predictions=english[1])["wer"]
    cer = loaded("cer", tmp_path).compute(references=mandarin[0], predictions=mandarin[1])["cer"]
    assert counted(str.split, *english) == pytest.approx(wer, abs=1e-12)
    assert counted(list, *mandarin) == pytest.approx(cer, abs=1e-12)


@pytest.mark.parametrize(("target", "tokenize"), [("en", "13a"), ("zh", "zh")])
@pytest.mark.parametrize("seed", range(3))
def test_bleu(seed: int, target: Any, tokenize: str, tmp_path: Path) -> None:
    references, hypotheses = pairs(ENGLISH, " ", seed) if target == "en" else pairs(MANDARIN, "", seed)
    counts = [statistics("sacrebleu", target, *pair) for pair in zip(references, hypotheses, strict=True)]
    sums = {part: sum(one[part] for one in counts) for part in PARTS}
    settings = {"references": references, "predictions": hypotheses, "tokenize": tokenize}
    assert bleu(sums) == pytest.approx(loaded("bleu", tmp_path).compute(**settings)["bleu"], abs=1e-9)
