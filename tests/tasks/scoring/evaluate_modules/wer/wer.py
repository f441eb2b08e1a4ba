"""A metric of Hugging Face evaluate, to be loaded from this folder without network: word error rate by jiwer."""

from __future__ import annotations

from typing import Any

import datasets
import evaluate
import jiwer


class Metric(evaluate.Metric):
    def _info(self) -> evaluate.MetricInfo:
        texts = datasets.Features({"predictions": datasets.Value("string"), "references": datasets.Value("string")})
        return evaluate.MetricInfo(description="word error rate by jiwer", citation="", features=texts)

    def _compute(self, predictions: list[str], references: list[str], **settings: Any) -> dict[str, float]:
        return {"wer": jiwer.wer(references, predictions)}
