"""Decoding with modules: the same in any batch, as if all was computed anew for each token, with every ending."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.sampling import Decoding, Sampling
from models.vita_audio import cascade
from models.vita_audio.cascade import Cascade, CascadeDecode, MtpPrompt, decode
from models.vita_audio.config import MtpConfig
from models.vita_audio.language import MtpModel, build
from models.vita_audio.schedule import BALANCE, BOOST, MODES, TURBO, Mode, sources, turns

VOCABULARY = 50
EVERY_MODE = [*MODES.values(), Mode.of([1, 14]), Mode.of([2, 3, 1, 1])]


@pytest.fixture(scope="module")
def model() -> MtpModel:
    made = build(MtpConfig.tiny(VOCABULARY), seed=0)
    with torch.no_grad():  # larger weights than the initial ones, so that answers vary
        for parameter in made.parameters():
            if parameter.dim() > 1:
                parameter.mul_(4)
    return made


def prompt(length: int, seed: int = 0) -> MtpPrompt:
    generator = torch.Generator().manual_seed(100 * length + seed)
    return MtpPrompt(torch.randint(0, VOCABULARY, (length,), generator=generator), seed=seed)


def anew(model: MtpModel, ids: Tensor, mode: Mode, tokens: int) -> list[int]:
    """Greedy decoding from the formulas alone: every network over the whole sequence for each token."""
    for source in islice(sources(mode, model.config.modules), tokens):
        with torch.no_grad():
            logits = model.forced(ids[None]).logits[source + 1]
        ids = torch.cat([ids, logits[0, -1].argmax()[None]])
    return ids[-tokens:].tolist()


@pytest.mark.parametrize("mode", EVERY_MODE, ids=str)
@pytest.mark.parametrize("length", [1, 9])
def test_cached_decoding_equals_computing_all_anew(model: MtpModel, mode: Mode, length: int) -> None:
    assert decode(model, [prompt(length)], Decoding(30), mode)[0] == anew(model, prompt(length).ids, mode, 30)


@pytest.mark.parametrize("mode", EVERY_MODE, ids=str)
def test_a_batch_of_four_gives_what_each_gives_alone(model: MtpModel, mode: Mode) -> None:
    prompts = [prompt(length) for length in (5, 1, 17, 17)]
    alone = [decode(model, [one], Decoding(40), mode)[0] for one in prompts]
    assert len({tuple(answer) for answer in alone}) > 2
    assert decode(model, prompts, Decoding(40), mode) == alone


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 20), min_size=2, max_size=5), st.sampled_from(EVERY_MODE))
def test_sampled_answers_follow_their_own_seed(model: MtpModel, lengths: list[int], mode: Mode) -> None:
    how = Decoding(15, sampling=Sampling(1.0, top_k=20, top_p=0.9, repetition_penalty=1.1))
    prompts = [prompt(length, seed) for seed, length in enumerate(lengths)]
    assert decode(model, prompts, how, mode) == [decode(model, [one], how, mode)[0] for one in prompts]


def test_an_answer_that_outgrows_its_room_is_the_same(model: MtpModel, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = [prompt(4), prompt(7)]
    whole = decode(model, prompts, Decoding(50), BOOST)
    monkeypatch.setattr(cascade, "ROOM", 3)
    assert decode(model, prompts, Decoding(50), BOOST) == whole


@pytest.mark.parametrize("mode", [BALANCE, TURBO], ids=str)
def test_any_network_may_end_an_answer(model: MtpModel, mode: Mode) -> None:
    """Each token of an answer is made the stop token: the answer then ends where it first occurs."""
    whole = decode(model, [prompt(6)], Decoding(24), mode)[0]
    for token in set(whole):
        emissions = list(CascadeDecode(model, [prompt(6)], Decoding(24, stop_ids=(token,)), mode))
        assert [ids for emission in emissions for ids in emission.ids] == whole[: whole.index(token)]
        assert [emission.finish for emission in emissions][-1] == "stop"


def test_an_answer_at_its_limit_says_so_and_one_that_is_ended_says_no_more(model: MtpModel) -> None:
    running = CascadeDecode(model, [prompt(3), prompt(8)], Decoding(12), TURBO)
    seen = []
    for emission in running:
        seen.append(emission)
        if emission.row == 0 and len(seen) >= 5:
            running.end(0)
    assert [emission.finish for emission in seen if emission.row == 1][-1] == "length"
    assert sum(len(emission.ids) for emission in seen if emission.row == 1) == 12
    assert sum(len(emission.ids) for emission in seen if emission.row == 0) == 3


def test_stop_tokens_wait_for_the_least_length(model: MtpModel) -> None:
    stop = decode(model, [prompt(6)], Decoding(5), TURBO)[0][0]
    assert len(decode(model, [prompt(6)], Decoding(20, 8, (stop,)), TURBO)[0]) >= 8


def test_a_model_without_modules_decodes_by_itself_in_every_mode() -> None:
    plain = build(MtpConfig.tiny(VOCABULARY, modules=0), seed=1)
    assert len({tuple(decode(plain, [prompt(5)], Decoding(12), mode)[0]) for mode in EVERY_MODE}) == 1


def test_a_prompt_without_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="without tokens"):
        MtpPrompt(torch.zeros(0, dtype=torch.long))


@pytest.mark.parametrize("mode", [BALANCE, TURBO], ids=str)
@torch.inference_mode()
def test_an_answer_is_the_same_after_rewinding(model: MtpModel, mode: Mode) -> None:
    how = Decoding(20, sampling=Sampling(1.0, top_k=20, repetition_penalty=1.1))
    table = Cascade(model, [prompt(4), prompt(7)], how, mode)
    answers = []
    for _ in range(3):
        made = 0
        for turn in turns(mode, model.config.modules, 20):
            table.take(turn, made)
            made += len(turn)
        answers.append(table.ids[:, table.prompt : table.prompt + made].tolist())
        table.rewind()
    assert answers[0] == answers[1] == answers[2]


def test_graphs_do_not_change_an_answer(model: MtpModel) -> None:
    plain = list(CascadeDecode(model, [prompt(5)], Decoding(20), TURBO, graphs=False))
    assert [token for emission in plain for token in emission.ids] == decode(model, [prompt(5)], Decoding(20), TURBO)[0]
