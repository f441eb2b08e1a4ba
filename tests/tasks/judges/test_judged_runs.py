"""Runs that a language model judges over HTTP: what is kept, what is asked again, what it cost, where the key is."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.failures import UsageError
from harness.run import prepare, score_again, start
from harness.schema import JudgeUsage, TaskResult
from harness.store import RunDir
from harness.types import Answer, Ask, Doc, Score, Verdict
from tasks.scoring.asking import asked, score_of
from tests.fake_endpoint import KEY, Asked, Endpoint, Sends, refuses, says
from tests.harness.toy import ToyModel, config, numbered, objects, score, toy_task

N = 12


def graded(doc: Doc, answer: Answer, profile: str) -> Score | Generator[Ask, Verdict, Score]:
    return score(doc, answer, profile) if profile == "exact" or answer.text is None else _graded(doc, answer)


def _graded(doc: Doc, answer: Answer) -> Generator[Ask, Verdict, Score]:
    value = yield from asked(f"{doc['answer']}|{answer.text}", score_of)
    return Score("grade", value, {"right": value, "n": 1.0}, wrong=value < 1)


GRADED = toy_task(
    numbered(N), scorer=graded, judges={"llm": "llm"}, without_judge=("exact",), default_profile="loose", name="graded"
)
HAPPY = says("0.5")


def of(number: int, *responses: Sends) -> Callable[[Asked], Sends]:
    """Question `number` gets these one after the other, the last one for ever; every other question a good reply."""
    left = list(responses)

    def answer(asked: Asked) -> Sends:
        if not asked.prompt.startswith(f"{number}|"):
            return HAPPY
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def run(out: Path, judge: str = "llm:grader") -> TaskResult:
    return start(config(GRADED, judge=judge), out, objects(GRADED, model=ToyModel())).results().tasks["graded"]


def again(out: Path) -> TaskResult:
    return score_again(out, {}, ["llm:grader"], objects(GRADED)).results().tasks["graded"]


RETRIED = {
    "busy": refuses(429, "slow down", **{"Retry-After": "3"}),
    "broken": refuses(500, "sorry"),
    "no JSON": Sends(b"oops"),
    "no choices": Sends(b'{"choices": []}'),
    "empty": says(""),
    "cut off": says("0.", "length"),
    "closed in the middle": Sends(HAPPY.body, cut=30),
    "above the scale": says("7"),
    "no number": says("NaN"),
    "talkative": says("0.8, because it is fine"),
}


@pytest.mark.parametrize("trouble", RETRIED)
def test_a_trouble_that_passes_leaves_no_trace_in_the_numbers(fake: Endpoint, tmp_path: Path, trouble: str) -> None:
    fake.answer = of(3, RETRIED[trouble], HAPPY)
    entry = run(tmp_path / "run")
    assert entry.valid and entry.failures == {} and entry.headline.metrics["accuracy"].value == 50
    assert len(fake.asked) == N + 1
    assert again(tmp_path / "run") == entry and len(fake.asked) == N + 1, "nothing is asked again"


UNUSABLE = {
    "empty": (says(""), "the reply is empty"),
    "cut off": (says("0.", "length"), "cut off"),
    "above the scale": (says("7"), "'7', '7', '7'"),
    "no number": (says("NaN"), "'NaN', 'NaN', 'NaN'"),
}


@pytest.mark.parametrize("trouble", UNUSABLE)
def test_replies_that_cannot_be_used_fail_and_are_not_asked_again(fake: Endpoint, tmp_path: Path, trouble: str) -> None:
    response, why = UNUSABLE[trouble]
    fake.answer = of(3, response)
    entry = run(tmp_path / "run")
    assert (entry.failures, entry.n_failed) == ({"judge/permanent": 1}, 1)
    assert entry.headline.metrics["accuracy"].value == pytest.approx(50 * (N - 1) / N), "never a score"
    failed = [line for _, line in RunDir.open(tmp_path / "run").pairs("graded") if line.failure]
    assert len(failed) == 1 and failed[0].failure is not None and why in failed[0].failure.message
    so_far = len(fake.asked)
    assert again(tmp_path / "run") == entry and len(fake.asked) == so_far
    assert run(tmp_path / "other") == replace_seconds(entry, tmp_path / "other") and len(fake.asked) == so_far


def replace_seconds(entry: TaskResult, out: Path) -> TaskResult:
    """The entry with the time that another run took."""
    entry.seconds = RunDir.open(out).results().tasks["graded"].seconds
    return entry


@pytest.mark.parametrize("trouble", [refuses(500, "sorry"), refuses(429, "busy"), Sends(b"oops"), refuses(400, "no")])
def test_a_failure_is_asked_again_and_alone(fake: Endpoint, tmp_path: Path, trouble: Sends) -> None:
    fake.answer = of(3, trouble)
    entry = run(tmp_path / "run")
    assert sum(entry.failures.values()) == 1 and entry.n_failed == 1
    fake.answer, so_far = of(3, HAPPY), len(fake.asked)
    assert again(tmp_path / "run").failures == {}
    assert len(fake.asked) == so_far + 1


def test_a_wrong_key_is_mended_by_another_pass(fake: Endpoint, tmp_path: Path) -> None:
    fake.script(refuses(401, f"wrong key {KEY}"))
    entry = run(tmp_path / "run")
    assert entry.failures == {"judge/permanent": N} and not entry.valid
    assert len(fake.asked) <= 8, "one for each that was on its way"
    assert KEY not in everything(tmp_path)
    fake.script(HAPPY)
    assert again(tmp_path / "run").valid


def everything(folder: Path) -> str:
    """All that was written below a folder."""
    return "\n".join(path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file())


def test_the_key_is_in_no_file(fake: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{fake.url}?tenant=hush-hush")
    fake.answer = of(3, refuses(400, f"{KEY} may not ask, nor may hush-hush"))
    run(tmp_path / "run")
    assert all(asked.key.endswith(KEY) and asked.path.endswith("?tenant=hush-hush") for asked in fake.asked)
    written = everything(tmp_path)
    assert "may not ask" in written
    assert KEY not in written and "hush-hush" not in written


def test_judge_model_tokens_and_cost_stand_in_the_result(
    fake: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_JUDGE_PRICES", "1,10")
    fake.answer = of(3, says("7"), HAPPY)
    entry = run(tmp_path / "run")
    assert entry.judges["llm"].startswith("llm grader (")
    n = N + 1
    assert entry.judge_usage == {"llm": JudgeUsage(n, 100 * n, 10 * n, pytest.approx(n * (100 * 1 + 10 * 10) / 1e6))}
    stored = json.loads((tmp_path / "run" / "results.json").read_bytes())["tasks"]["graded"]["judge_usage"]["llm"]
    assert stored["prompt_tokens"] == 100 * n and stored["cost"] == pytest.approx(0.0026)
    monkeypatch.delenv("HARNESS_JUDGE_PRICES")
    assert again(tmp_path / "run").judge_usage == entry.judge_usage, "what it cost then"


def test_judgements_of_before_costs_were_kept_are_read(fake: Endpoint, tmp_path: Path) -> None:
    fake.script(HAPPY)
    run(tmp_path / "run")
    log = tmp_path / "run" / "judgements" / "llm.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text("".join(json.dumps({k: line[k] for k in ("key", "role", "text")}) + "\n" for line in lines))
    entry = again(tmp_path / "run")
    assert entry.valid and entry.judge_usage == {"llm": JudgeUsage(N, 0, 0, None)} and len(fake.asked) == N


def test_another_model_or_endpoint_judges_anew(fake: Endpoint, tmp_path: Path) -> None:
    fake.script(HAPPY)
    run(tmp_path / "one")
    run(tmp_path / "two", "llm:other")
    assert len(fake.asked) == 2 * N
    assert {asked.body["model"] for asked in fake.asked} == {"grader", "other"}


def test_nobody_is_asked_who_is_not_named(fake: Endpoint, tmp_path: Path) -> None:
    for judge in ("", "none"):
        out = tmp_path / f"run {judge}"
        entry = start(config(GRADED, **({"judge": judge} if judge else {})), out, objects(GRADED)).results()
        assert entry.tasks["graded"].profile == "exact"
    assert fake.asked == []


def test_what_the_judge_lacks_is_told_before_anything_is_loaded(
    fake: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    without = replace(GRADED, without_judge=())
    for task, judge in ((GRADED, ["llm"]), (without, [])):
        with pytest.raises(UsageError) as told:
            prepare(config(task, judge=judge), objects(task))
        assert "OPENAI_API_KEY" in str(told.value) and "HARNESS_JUDGE_MODEL" in str(told.value)
