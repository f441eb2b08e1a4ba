"""The decode loop: the same answer in any batch, against transformers' own loop, stops, sampling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import Qwen2ForCausalLM

from models.decoding import BLOCK, Decode, Decoded, Decoding, Prompt, Sampling, collect, decode, supplier
from models.sampling import sample
from models.vita15.config import Vita15Config
from models.vita15.language import qwen2_config

VOCABULARY = 50


@pytest.fixture(scope="module")
def lm() -> Qwen2ForCausalLM:
    torch.manual_seed(0)
    config = replace(Vita15Config.tiny().language, vocab_size=VOCABULARY)
    model = Qwen2ForCausalLM(qwen2_config(config)).eval()
    with torch.no_grad():  # larger weights than the initial ones, so that answers vary
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8)
    return model


def prompts(lm: Qwen2ForCausalLM, lengths: list[int], left: bool = False) -> tuple[Tensor, Tensor]:
    """Embeddings [B, S, D] and mask of prompts of those lengths; row i depends on its length alone."""
    width = max(lengths)
    embeds = torch.full((len(lengths), width, lm.config.hidden_size), 7.0)
    mask = torch.zeros(len(lengths), width, dtype=torch.bool)
    for row, length in enumerate(lengths):
        ids = torch.randint(0, VOCABULARY, (length,), generator=torch.Generator().manual_seed(length))
        place = slice(width - length, width) if left else slice(0, length)
        embeds[row, place] = lm.model.embed_tokens(ids).detach()
        mask[row, place] = True
    return embeds, mask


def ids(decoded: list[Decoded]) -> list[list[int]]:
    return [row.ids for row in decoded]


LENGTHS = [5, 19, 2, 33, 8, 1, 64, 27]
STOPS = (3, 17, 21, 30, 44)


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("size", [2, 8])
def test_greedy_answers_do_not_depend_on_the_batch(lm: Qwen2ForCausalLM, size: int, left: bool) -> None:
    alone = [ids(decode(lm, *prompts(lm, [n]), max_new_tokens=40))[0] for n in LENGTHS]
    assert len({tuple(answer) for answer in alone}) > 4
    for start in range(0, len(LENGTHS), size):
        part = LENGTHS[start : start + size]
        assert ids(decode(lm, *prompts(lm, part, left), max_new_tokens=40)) == alone[start : start + size]


def test_sampled_answers_do_not_depend_on_the_batch(lm: Qwen2ForCausalLM) -> None:
    how: dict[str, Any] = {"max_new_tokens": 30, "sampling": Sampling(temperature=1.0, top_k=20, top_p=0.9)}
    alone = [ids(decode(lm, *prompts(lm, [n]), seeds=[n], **how))[0] for n in LENGTHS]
    assert ids(decode(lm, *prompts(lm, LENGTHS), seeds=LENGTHS, **how)) == alone
    other = ids(decode(lm, *prompts(lm, LENGTHS), seeds=[n + 1 for n in LENGTHS], **how))
    assert other != alone


@pytest.mark.filterwarnings("ignore:Passing `repetition_penalty`")  # new tokens only is what is meant
@pytest.mark.parametrize("penalty", [1.0, 1.3])
def test_greedy_agrees_with_transformers(lm: Qwen2ForCausalLM, penalty: float) -> None:
    embeds, mask = prompts(lm, [21])
    want = lm.generate(
        inputs_embeds=embeds, attention_mask=mask.long(), max_new_tokens=200, do_sample=False,
        repetition_penalty=penalty, pad_token_id=0, eos_token_id=None,
    )  # fmt: skip
    got = decode(lm, embeds, mask, max_new_tokens=200, sampling=Sampling(repetition_penalty=penalty))
    assert ids(got) == want.tolist()
    assert BLOCK < 200 + 21  # the visible part of the cache grew on the way


def test_rows_end_at_their_own_stop_token(lm: Qwen2ForCausalLM) -> None:
    free = ids(decode(lm, *prompts(lm, LENGTHS), max_new_tokens=12))
    stop = free[1][6]
    got = decode(lm, *prompts(lm, LENGTHS), max_new_tokens=12, stop_ids=[stop])
    for row, answer in zip(got, free, strict=True):
        cut = answer.index(stop) if stop in answer else None
        assert row.ids == answer[:cut]
        assert row.finish == ("length" if cut is None else "stop")
    assert {row.finish for row in got} == {"stop", "length"}


@pytest.mark.parametrize("every", [1, 3, 8, 100])
def test_reading_less_often_changes_no_answer(lm: Qwen2ForCausalLM, every: int) -> None:
    stop = ids(decode(lm, *prompts(lm, LENGTHS), max_new_tokens=12))[0][3]
    want = decode(lm, *prompts(lm, LENGTHS), max_new_tokens=12, stop_ids=[stop])
    got = decode(lm, *prompts(lm, LENGTHS), max_new_tokens=12, stop_ids=[stop], read_every=every)
    assert [(row.ids, row.finish) for row in got] == [(row.ids, row.finish) for row in want]


def prompt(lm: Qwen2ForCausalLM, length: int) -> Prompt:
    return Prompt(prompts(lm, [length])[0][0], seed=length)


def test_tokens_come_as_they_are_made(lm: Qwen2ForCausalLM) -> None:
    decoding = Decode(lm, supplier(prompt(lm, n) for n in (4, 9)), 2, Decoding(5))
    emissions = list(decoding)
    assert [(e.row, len(e.ids)) for e in emissions] == [(row, 1) for _ in range(5) for row in (0, 1)]
    assert [e.time for e in emissions] == sorted(e.time for e in emissions)
    assert [e.finish for e in emissions] == [None] * 8 + ["length"] * 2


def test_a_prompt_can_be_ended_from_outside(lm: Qwen2ForCausalLM) -> None:
    decoding = Decode(lm, supplier(prompt(lm, n) for n in (4, 9, 6)), 2, Decoding(9))
    found: dict[int, int] = {}
    for emission in decoding:
        found[emission.row] = found.get(emission.row, 0) + len(emission.ids)
        if emission.row == 1 and found[1] == 3:
            decoding.end(1)
    assert found == {0: 9, 1: 3, 2: 9}


def test_prompts_are_taken_as_rows_become_free(lm: Qwen2ForCausalLM) -> None:
    """Answers of 3 and 12 tokens in two rows: the third prompt is asked for when the first is done."""
    taken: list[tuple[int, int]] = []  # (tokens of the long answer so far, prompts taken)
    so_far = {0: 0, 1: 0, 2: 0}
    waiting = iter([prompt(lm, n) for n in (4, 9, 6)])

    def supply(count: int) -> list[Prompt]:
        given = [item for _, item in zip(range(count), waiting, strict=False)]
        taken.append((so_far[1], len(given)))
        return given

    decoding = Decode(lm, supply, 2, Decoding(12))
    for emission in decoding:
        so_far[emission.row] += len(emission.ids)
        if emission.row == 0 and so_far[0] == 3:
            decoding.end(0)
    assert taken == [(0, 2), (3, 1), (12, 0)]  # the last call finds nothing more
    assert so_far == {0: 3, 1: 12, 2: 12}


@settings(max_examples=25)
@given(
    order=st.permutations(LENGTHS),
    rows=st.integers(1, 9),
    read_every=st.sampled_from([None, 1, 3, 8]),
    temperature=st.sampled_from([0.0, 1.0]),
    penalty=st.sampled_from([1.0, 1.2]),
)
def test_who_comes_and_goes_beside_it_changes_no_answer(
    lm: Qwen2ForCausalLM, order: list[int], rows: int, read_every: int | None, temperature: float, penalty: float
) -> None:
    how = Decoding(24, 0, STOPS, Sampling(temperature, repetition_penalty=penalty))
    alone = {n: collect(Decode(lm, supplier(iter([prompt(lm, n)])), 1, how))[0] for n in order}
    found = collect(Decode(lm, supplier(prompt(lm, n) for n in order), rows, how, read_every))
    assert [(row.ids, row.finish) for row in found] == [(alone[n].ids, alone[n].finish) for n in order]


def test_the_cache_grows_with_the_answers_and_changes_none(
    lm: Qwen2ForCausalLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    how: dict[str, Any] = {"max_new_tokens": 150, "rows": 3}
    want = decode(lm, *prompts(lm, LENGTHS), **how)
    monkeypatch.setattr("models.rows.ROOM", 8)
    monkeypatch.setattr("models.rows.BLOCK", 16)
    assert ids(decode(lm, *prompts(lm, LENGTHS), **how)) == ids(want)


def test_stop_tokens_cannot_be_chosen_before_the_minimum(lm: Qwen2ForCausalLM) -> None:
    free = decode(lm, *prompts(lm, LENGTHS), max_new_tokens=20, stop_ids=STOPS)
    held = decode(lm, *prompts(lm, LENGTHS), max_new_tokens=20, stop_ids=STOPS, min_new_tokens=20, rows=3)
    assert min(len(row.ids) for row in free) < 20
    assert {(len(row.ids), row.finish) for row in held} == {(20, "length")}
    assert not {token for row in held for token in row.ids} & {*STOPS}


def test_the_sampled_distribution_is_the_models() -> None:
    logits = torch.tensor([[1.0, 3.0, 2.0, 0.5]]).expand(20_000, 4)
    uniforms = torch.rand(20_000, 1, generator=torch.Generator().manual_seed(0))
    drawn = sample(logits, uniforms, Sampling(temperature=0.7))[:, 0]
    counts = torch.bincount(drawn, minlength=4)
    want = (logits[0] / 0.7).softmax(-1)
    torch.testing.assert_close(counts / 20_000, want, atol=0.012, rtol=0)


def test_what_is_drawn_does_not_hang_on_the_last_bit_of_a_logit() -> None:
    """Two tokens that are all but equally likely change places in the order of likeness, and in no other."""
    logits = torch.tensor([[2.0, 2.0 + 1e-6, 1.0, 2.0 - 1e-6]])
    uniforms = torch.linspace(0, 0.999, 200)[:, None]
    for top_p in (None, 0.95):
        drawn = [
            sample(some.expand(200, 4), uniforms, Sampling(1.0, top_p=top_p))
            for some in (logits, logits + torch.tensor([[2e-6, -2e-6, 0.0, 1e-6]]))
        ]
        assert torch.equal(*drawn) and len(set(drawn[0].flatten().tolist())) > 2


@settings(max_examples=50)
@given(
    st.integers(1, 8), st.floats(0.05, 1.0), st.floats(0.1, 3.0),
    st.floats(0, 1, exclude_max=True, allow_subnormal=False),
)  # fmt: skip
def test_only_candidates_are_drawn(top_k: int, top_p: float, temperature: float, uniform: float) -> None:
    logits = torch.randn(1, 8, generator=torch.Generator().manual_seed(top_k))
    token = int(sample(logits, torch.tensor([[uniform]]), Sampling(temperature, top_k, top_p)))
    order = logits[0].argsort(descending=True)
    kept = (logits[0] / temperature).softmax(-1)[order][:top_k]
    within = int((kept.cumsum(0) - kept < top_p * kept.sum() + 1e-6).sum())
    assert token in order[:within]


def test_bad_settings_are_refused(lm: Qwen2ForCausalLM) -> None:
    embeds, mask = prompts(lm, [3])
    with pytest.raises(ValueError, match="without tokens"):
        decode(lm, embeds, mask & False, max_new_tokens=1)
    with pytest.raises(ValueError, match="max_new_tokens"):
        decode(lm, embeds, mask, max_new_tokens=0)
    with pytest.raises(ValueError, match="0 rows"):
        Decode(lm, lambda count: [], 0, Decoding(1))
    with pytest.raises(ValueError, match="top_p above 0 and at most 1"):
        Sampling(1.0, top_p=0.0)


def test_a_row_that_moves_takes_its_penalty_along(lm: Qwen2ForCausalLM) -> None:
    """Rows close up when one ends and nobody waits: what was seen must go with them."""
    how = Decoding(60, 0, STOPS, Sampling(repetition_penalty=3.0))

    def answers(lengths: list[int], rows: int) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in lengths]
        embeds = [prompts(lm, [n])[0][0] for n in lengths]
        for emission in Decode(lm, supplier(Prompt(one) for one in embeds), rows, how):
            found[emission.row] += emission.ids
        return found

    alone = [answers([n], 1)[0] for n in LENGTHS]
    assert len({len(answer) for answer in alone}) > 3, "some end early"
    assert answers(LENGTHS, 8) == answers(LENGTHS, 3) == alone
    assert answers(LENGTHS[::-1], 8) == alone[::-1]
