"""A metric of Hugging Face evaluate, to be loaded from this folder without network: corpus BLEU by sacrebleu."""

from __future__ import annotations

from typing import Any

import datasets
import evaluate
import sacrebleu


class Metric(evaluate.Metric):
    def _info(self) -> evaluate.MetricInfo:
        texts = datasets.Features({"predictions": datasets.Value("string"), "references": datasets.Value("string")})
        return evaluate.MetricInfo(description="corpus BLEU by sacrebleu", citation="", features=texts)

    def _compute(self, predictions: list[str], references: list[str], **settings: Any) -> dict[str, float]:
        return {"bleu": sacrebleu.corpus_bleu(predictions, [references], **settings).score}
