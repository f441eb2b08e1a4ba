"""Whole runs against an endpoint: a server that dies, resumes, limits, and answers that are kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cache import stat
from harness.cli import command
from harness.config import RunConfig, gather
from harness.failures import ModelStopped, RunStopped, UsageError
from harness.run import Objects, new_path, resume, start
from harness.store import RunDir
from models.openai_compatible.adapter import SILENT
from tests.fake_endpoint import KEY, Asked, Endpoint, Sends, endpoint, lists, refuses, streams
from tests.harness.toy import TASK
from tests.models.asking import ready
from tests.models.contract import asked as asked_of
from tests.models.openai_compatible.conftest import Opens
from tests.patience import PATIENCE_S

TOYS = Objects({TASK.name: TASK})
N = 40


def config(fake: Endpoint, *option: str, **more: Any) -> RunConfig:
    given = {"model": "openai:fake", "tasks": ["toy"], "data": "mini", "option": [f"base_url={fake.url}", *option]}
    return gather(given | more, objects=TOYS.tasks)


def number(asked: Asked) -> str:
    """Of "what is 7?" the 7."""
    return asked.last.removeprefix("what is ").removesuffix("?")


def right(asked: Asked) -> Sends:
    return streams(number(asked))


def ids(run: RunDir) -> Counter[str]:
    return Counter(record.id for record in run.records("toy"))


def failures(run: RunDir) -> list[str]:
    return [record.failure.message for record in run.records("toy") if record.failure]


def test_a_run_is_answered_and_keeps_its_answers(fake: Endpoint, tmp_path: Path) -> None:
    fake.answer = right
    run = start(config(fake), tmp_path / "run", TOYS)
    found = run.results()
    assert found.valid and found.tasks["toy"].headline.metrics["accuracy"].value == 100
    assert len(fake.asked) == stat()["answers"] == N
    again = start(config(fake, "concurrency=2"), tmp_path / "again", TOYS)
    assert len(fake.asked) == N and again.results().valid
    start(config(fake, cache=False), tmp_path / "anew", TOYS)
    assert len(fake.asked) == 2 * N
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and not any(KEY.encode() in path.read_bytes() for path in files)


def test_failures_are_recorded_and_stay_in_the_denominator(fake: Endpoint, tmp_path: Path) -> None:
    fake.answer = lambda asked: refuses(400, "no") if number(asked) == "3" else right(asked)
    run = start(config(fake), tmp_path / "run", TOYS)
    assert len(failures(run)) == 1 and "status 400" in failures(run)[0]
    found = run.results().tasks["toy"]
    assert (found.n_expected, found.n_failed) == (N, 1)


def test_prompts_that_are_too_long_fail_alone_though_they_come_first(fake: Endpoint, tmp_path: Path) -> None:
    """Whether it is the prompts is found out by the least request that there is."""

    def short(asked: Asked) -> Sends:
        return right(asked) if asked.last == "Hello" or int(number(asked)) >= 30 else refuses(400, "too long")

    fake.answer = short
    run = start(config(fake), tmp_path / "run", TOYS)
    assert run.finished and len(failures(run)) == 30 and "too long" in failures(run)[0]
    assert [asked.last for asked in fake.asked].count("Hello") == 1


def test_an_endpoint_that_refuses_the_least_request_too_stops_the_run(fake: Endpoint, tmp_path: Path) -> None:
    fake.answer = lambda asked: refuses(400, "no such field: seed")
    with pytest.raises(RunStopped, match=r"in a row were in vain, the last: .*no such field: seed"):
        start(config(fake), tmp_path / "run", TOYS)
    assert not ids(RunDir.open(tmp_path / "run"))
    assert [asked.last for asked in fake.asked].count("Hello") == 1


@pytest.mark.parametrize("cache", [True, False])
def test_a_server_that_dies_stops_the_run_which_goes_on_with_the_next(
    fake: Endpoint, tmp_path: Path, cache: bool
) -> None:
    def dying(asked: Asked) -> Sends:
        if len(fake.asked) == 15:
            fake.stop()
        return right(asked)

    fake.answer = dying
    path = tmp_path / "run"
    with pytest.raises(RunStopped, match="harness resume"):
        start(config(fake, cache=cache), path, TOYS)
    before = ids(RunDir.open(path))
    assert 0 < len(before) < N and failures(RunDir.open(path)) == []
    with pytest.raises(UsageError, match="Is it running"):
        resume(path, TOYS)
    with endpoint(fake.port) as revived:
        revived.answer = right
        run = resume(path, TOYS)
        assert run.finished and run.results().valid and failures(run) == []
        assert ids(run) == Counter(dict.fromkeys(map(str, ids(run)), 1)) and len(ids(run)) == N
        both = Counter(map(number, fake.asked)) & Counter(map(number, revived.asked))
        assert len(revived.asked) == N - len(before)
        assert len(both) <= 16, "only what was under way when it died is asked once more"


def test_a_run_that_is_killed_asks_again_only_what_was_under_way(fake: Endpoint, tmp_path: Path) -> None:
    """A process of its own, killed by the reply number 20 itself."""
    path, child = tmp_path / "run", list[subprocess.Popen[bytes]]()

    def killing(asked: Asked) -> Sends:
        if len(fake.asked) >= 20 and child[0].poll() is None:
            child[0].send_signal(signal.SIGKILL)
        return right(asked)

    fake.answer = killing
    code = (
        "from tests.models.openai_compatible.test_runs import *\n"
        f"fake = Endpoint({fake.url!r}, right)\n"
        f"start(config(fake), Path({str(path)!r}), TOYS)\n"
    )
    root = Path(__file__).resolve().parents[3]
    child.append(
        subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-c", code], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}
        )
    )
    assert child[0].wait(PATIENCE_S) == -signal.SIGKILL
    asked_before = Counter(map(number, fake.asked))
    run = resume(path, TOYS)
    assert ids(run) == Counter(dict.fromkeys(ids(run), 1)) and len(ids(run)) == N and failures(run) == []
    twice = [text for text, times in Counter(map(number, fake.asked)).items() if times > 1]
    assert max(asked_before.values()) == 1 and max(Counter(map(number, fake.asked)).values()) <= 2
    assert len(twice) <= 16


def test_a_limit_stops_the_run_and_each_start_has_it_anew(fake: Endpoint, tmp_path: Path) -> None:
    fake.answer = right
    path = tmp_path / "run"
    with pytest.raises(RunStopped, match=r"max_tokens_total=2000[\s\S]*harness resume"):
        start(config(fake, "max_tokens_total=2000"), path, TOYS)
    first = len(fake.asked)
    assert sum(ids(RunDir.open(path)).values()) == first and 10 <= first <= 2000 // 110
    starts = 1
    while not RunDir.open(path).finished:
        starts += 1
        try:
            resume(path, TOYS)
        except RunStopped:
            assert starts < 6
    assert len(fake.asked) == N and starts == 3 and RunDir.open(path).results().valid


def test_a_storm_that_does_not_pass_stops_the_run_without_failures(fake: Endpoint, tmp_path: Path) -> None:
    fake.answer = lambda asked: refuses(429, "storm")
    path = tmp_path / "run"
    with pytest.raises(RunStopped, match="requests in a row were in vain"):
        start(config(fake), path, TOYS)
    assert not ids(RunDir.open(path))
    fake.answer = right
    assert resume(path, TOYS).results().valid


def test_another_model_under_the_same_name_is_not_gone_on_with(fake: Endpoint, tmp_path: Path) -> None:
    fake.answer = lambda asked: right(asked) if len(fake.asked) < 9 else refuses(401, "expired")
    path = tmp_path / "run"
    with pytest.raises(RunStopped):
        start(config(fake), path, TOYS)
    fake.answer, fake.models = right, lists("other")
    with pytest.raises(UsageError, match="served"):
        resume(path, TOYS)


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ("base_url=https://me:hush@host/v1", "credentials"),
        ("base_url=https://host/v1?key=hush", "OPENAI_BASE_URL"),
        ("max_cost=1", "price_in"),
        ("timeout=soon", "timeout"),
        ("inputs=text,smell", "smell"),
        ("streem=no", "Did you mean stream"),
        ("speech=loud", "yes"),
    ],
)
def test_an_option_that_is_wrong_is_told_before_anything_is_asked(
    fake: Endpoint, tmp_path: Path, option: str, word: str
) -> None:
    with pytest.raises(UsageError, match=word) as told:
        start(gather({"model": "openai:m", "tasks": ["toy"], "option": [option]}, objects=TOYS.tasks), None, TOYS)
    assert "hush" not in str(told.value) and not fake.asked


def test_no_key_is_told_for_the_hosted_endpoint_alone(
    fake: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    fake.answer = right
    assert start(config(fake), tmp_path / "run", TOYS).finished and fake.asked[0].key == "Bearer none"
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        start(gather({"model": "openai:m", "tasks": ["toy"]}, objects=TOYS.tasks), None, TOYS)


def test_a_name_with_slashes_has_a_run_directory(fake: Endpoint) -> None:
    assert "-openai-Qwen-Qwen3-Omni-" in new_path(gather({"model": "openai:Qwen/Qwen3-Omni", "tasks": ["mme"]})).name


def test_the_command_line_takes_the_url_of_an_endpoint(fake: Endpoint) -> None:
    fake.answer = lambda asked: streams("it ", "works")
    called = CliRunner().invoke(
        command(), ["ask", "-m", "openai:fake", "--base-url", fake.url, "--text", "hi", "--stream"]
    )
    assert called.exit_code == 0 and "it works" in called.output and fake.asked[0].last == "hi"


def test_a_storm_over_many_small_groups_stops_the_run_too(opens: Opens, fake: Endpoint) -> None:
    fake.answer = lambda asked: refuses(503, "storm")
    model, found = opens(), 0
    with pytest.raises(ModelStopped, match="8 requests in a row"):
        for _ in range(SILENT):
            found += len(list(model.generate(ready(model, [asked_of("a")]), 1)))
    assert found == SILENT - 1
