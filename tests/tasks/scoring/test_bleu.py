"""Corpus BLEU from sums, beside sacrebleu by hand, for floats and for arrays of resampled sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu import corpus_bleu
from sacrebleu.metrics import BLEU

from harness.stats import bootstrap_interval
from tasks.scoring import bleu
from tasks.scoring.conventions import LANGUAGES, Language

TOKENIZERS = {"en": "13a", "zh": "zh"}
english = st.lists(
    st.sampled_from(["the", "The", "cat", "sat", "on", "a", "mat.", "it's", "3.5", "&amp;", "x-y", "。"])
)
chinese = st.lists(st.sampled_from([*"今天气很好我们，。", "APP", "3.5 ", "ＡＢ", " "])).map("".join)
SENTENCES = {"en": english.map(" ".join), "zh": chinese}
counts = st.integers(0, 40)


def summed(rows: list[bleu.Counts]) -> bleu.Counts:
    return {part: sum(row[part] for row in rows) for part in bleu.PARTS}


@pytest.mark.parametrize("target", LANGUAGES)
@settings(max_examples=80)
@given(data=st.data())
def test_the_value_of_summed_sentences_is_that_of_sacrebleu(target: Language, data: st.DataObject) -> None:
    texts = SENTENCES[target] | st.text(st.characters(codec="utf-8"), max_size=12)
    pairs = data.draw(st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
    rows = [bleu.statistics("sacrebleu", target, ref, hyp) for ref, hyp in pairs]
    theirs = corpus_bleu([hyp for _, hyp in pairs], [[ref for ref, _ in pairs]], tokenize=TOKENIZERS[target])
    ours = bleu.bleu(summed(rows))
    assert ours == pytest.approx(theirs.score, abs=1e-9)
    assert [summed(rows)[f"correct_{n}"] for n in bleu.ORDERS] == theirs.counts
    assert (summed(rows)["hyp_len"], summed(rows)["ref_len"]) == (theirs.sys_len, theirs.ref_len)


@settings(max_examples=150)
@given(st.lists(st.tuples(counts, counts, counts, counts), min_size=4, max_size=4), counts, counts)
def test_arrays_give_the_values_of_each_resample(orders: list[tuple[int, ...]], hyp_len: int, ref_len: int) -> None:
    total = np.sort(np.array(orders), axis=0)[::-1]  # longer n-grams are no more than shorter ones
    correct = np.minimum(total, np.array(orders)[:, ::-1])
    sums = {f"{part}_{n}": rows[n - 1] for part, rows in (("correct", correct), ("total", total)) for n in bleu.ORDERS}
    sums |= {"hyp_len": np.full(4, hyp_len), "ref_len": np.full(4, ref_len)}
    values = bleu.bleu(sums)
    assert values.shape == (4,) and ((values >= 0) & (values <= 100 + 1e-9)).all()
    for j, value in enumerate(values):
        theirs = BLEU.compute_bleu(
            correct[:, j].tolist(), total[:, j].tolist(), hyp_len, ref_len, smooth_method="exp"
        ).score
        assert value == pytest.approx(theirs, abs=1e-9)
        assert bleu.bleu({part: column[j] for part, column in sums.items()}) == value


def test_the_bootstrap_takes_it() -> None:
    pairs = [
        ("the cat sat on the mat", "the cat sat on a mat"),
        ("it is a dog", "it was a dog"),
        ("a b c d", "a b c d"),
    ]
    rows = [bleu.statistics("sacrebleu", "en", *pair) for pair in pairs * 10]
    parts = np.array([[row[part] for part in bleu.PARTS] for row in rows])
    interval = bootstrap_interval(parts, bleu.PARTS, bleu.bleu)
    assert interval is not None and interval.low < bleu.bleu(summed(rows)) < interval.high


def test_lmms_eval_normalises_both_sides() -> None:
    assert bleu.prepared("lmms_eval", "en", "<|en|>It's 50%, colour!") == "it is 50% color"
    assert bleu.prepared("lmms_eval", "zh", "价格上涨了10%。Tom") == "价 格 上 涨 了 百 分 之 十 tom"
    same = bleu.statistics("lmms_eval", "en", "It's a colour film.", "it is a color film")
    assert bleu.bleu(same) == pytest.approx(100)
    assert bleu.bleu(bleu.statistics("sacrebleu", "en", "It's a colour film.", "it is a color film")) < 50


def test_nothing_in_common_and_nothing_at_all_are_zero() -> None:
    assert bleu.bleu(bleu.statistics("sacrebleu", "en", "a b c d", "e f g h")) == 0
    assert bleu.bleu(bleu.statistics("sacrebleu", "en", "a b c d", "")) == 0
    assert bleu.bleu(dict.fromkeys(bleu.PARTS, 0.0)) == 0


@pytest.mark.parametrize(("reference", "scored"), [("", False), (" \n", False), ("。", True), ("a", True)])
def test_an_empty_reference_is_not_scored(reference: str, scored: bool) -> None:
    assert (bleu.unscored(reference) is None) == scored


def test_the_signature_says_how_it_was_computed() -> None:
    for target in LANGUAGES:
        metric = BLEU(tokenize=TOKENIZERS[target])
        metric.corpus_score(["a"], [["a"]])
        assert bleu.signature("sacrebleu", target) == str(metric.get_signature())
        assert bleu.signature("lmms_eval", target).endswith("|text:lmms_eval")


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="lmms_eval"):
        bleu.statistics("fairseq", "en", "a", "a")
    with pytest.raises(ValueError, match="'fr'"):
        bleu.signature("sacrebleu", "fr")  # type: ignore[arg-type]
