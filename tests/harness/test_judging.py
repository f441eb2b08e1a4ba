"""A judge of another package: in a run, alone, in rescoring and over saved responses."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness import judging
from harness.contracts import Capabilities
from harness.failures import JudgeError, UsageError
from harness.files import read_json
from harness.judging import Bench, Replay, open_bench
from harness.run import score_again, start
from harness.schema import Results
from harness.store import RunDir
from harness.types import Answer, Ask, Doc, Failure, Request, Response, Score, Unusable, Verdict, Waveform
from tests.harness.conftest import Call
from tests.harness.toy import ToyModel, config, numbered, objects, toy_task
from tests.harness.toy_judge import HEARD, JUDGED, LOG


@pytest.fixture(autouse=True)
def asked(toys: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toys are installed, the cache is the test's own; returns the file of all that was judged."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(LOG, str(tmp_path / "asked"))
    return tmp_path / "asked"


def run(out: Path, **fields: object) -> Results:
    return start(config(JUDGED, **fields), out, objects(JUDGED, model=ToyModel())).results()


def count(asked: Path) -> int:
    return len(asked.read_text().splitlines()) if asked.exists() else 0


def test_a_run_asks_the_tasks_judge_and_says_whom(asked: Path, tmp_path: Path) -> None:
    entry = run(tmp_path / "run").tasks["toy_judged"]
    assert entry.valid and entry.headline.metrics["accuracy"].value == 100
    assert entry.judges["llm"].startswith("toy-judge (")
    assert count(asked) == 12
    lines = (tmp_path / "run" / "judgements" / "toy-judge.jsonl").read_text().splitlines()
    assert {json.loads(line)["text"] for line in lines} == {"yes"}


def test_nothing_is_judged_twice_within_a_run_or_over_runs(asked: Path, tmp_path: Path) -> None:
    run(tmp_path / "one")
    score_again(tmp_path / "one", {"toy_judged": "exact"}, objects=objects(JUDGED))
    assert count(asked) == 12
    assert run(tmp_path / "two").tasks["toy_judged"].valid
    assert count(asked) == 12
    (tmp_path / "two" / "judgements" / "toy-judge.jsonl").unlink(missing_ok=True)
    assert run(tmp_path / "three", judge="toy-judge:other").tasks["toy_judged"].valid
    assert count(asked) == 24, "another fingerprint judges anew"


def test_without_a_judge_its_samples_failed_and_the_pass_alone_mends_that(
    call: Call, asked: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert (
        call("run", "-m", "toy-model", "-t", "toy_judged", "--data", "mini", "--judge", "none", "--out", out).code == 4
    )
    entry = RunDir.open(out).results().tasks["toy_judged"]
    assert entry.failures == {"judge/unsupported": 12}
    assert entry.headline.metrics["accuracy"].value == 0
    assert entry.scores["exact"][""].metrics["accuracy"].value == 100, "the rule needs no judge"
    assert call("judge", out).code == 0
    assert RunDir.open(out).results().tasks["toy_judged"].failures == {}
    assert count(asked) == 12


@pytest.mark.parametrize("command", ["judge", "score"])
def test_a_run_whose_judge_cannot_be_opened_is_finished_with_another(
    call: Call, asked: Path, tmp_path: Path, command: str
) -> None:
    out = tmp_path / "run"
    told = call(
        "run", "-m", "toy-model", "-t", "toy_judged", "--data", "mini", "--judge", "toy-judge:torn", "--out", out
    )
    assert told.code == 2 and "damaged" in told.err and not RunDir.open(out).finished
    assert call(command, out, "--judge", "toy-judge").code == 0
    assert RunDir.open(out).finished and count(asked) == 12


def test_a_judges_failure_is_no_score_and_is_asked_again(asked: Path, tmp_path: Path) -> None:
    entry = run(tmp_path / "run", judge="toy-judge:picky").tasks["toy_judged"]
    assert (entry.failures, entry.n_failed) == ({"judge/permanent": 1}, 1)
    assert entry.headline.metrics["accuracy"].value == pytest.approx(100 * 11 / 12)
    score_again(tmp_path / "run", {}, ["toy-judge:picky"], objects(JUDGED))
    assert count(asked) == 13


def test_a_judge_that_breaks_fails_its_samples_and_the_run_goes_on(tmp_path: Path) -> None:
    entry = run(tmp_path / "run", judge="toy-judge:deaf").tasks["toy_judged"]
    assert entry.failures == {"judge/transient": 12}
    assert not entry.valid


def test_a_judge_that_no_task_asks_is_refused_before_the_model_is_loaded(call: Call, tmp_path: Path) -> None:
    told = call(
        "run", "-m", "toy-model", "-t", "toy", "--data", "mini", "--judge", "toy-judge", "--out", tmp_path / "r"
    )
    assert told.code == 2 and "none of the tasks asks" in told.err
    told = call(
        "run", "-m", "toy-model", "-t", "toy_judged", "--data", "mini", "--judge", "toy-juge", "--out", tmp_path / "r"
    )
    assert told.code == 2 and "toy-judge" in told.err


def test_no_judge_cannot_stand_beside_one(call: Call, tmp_path: Path) -> None:
    path = responses(tmp_path)
    told = call("score", "--task", "toy_judged", "--responses", path, "--judge", "none", "--judge", "toy-judge")
    assert told.code == 2 and "leave one of them out" in told.err


def test_judges_are_listed(call: Call) -> None:
    listed = call("list", "judges").out.split()
    assert {"llm", "whisper", "toy-ear", "toy-judge"} <= set(listed)
    assert json.loads(call("list", "judges", "--json").out) == {"judges": listed}


def responses(folder: Path, **more: object) -> Path:
    lines = [{"id": i, "doc": {"i": i, "answer": str(i)}, "response": f"it is {i}", **more} for i in range(4)]
    path = folder / "responses.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def test_saved_responses_are_judged_or_their_judges_replies_replayed(call: Call, asked: Path, tmp_path: Path) -> None:
    told = call("score", "--task", "toy_judged", "--responses", responses(tmp_path), "--json")
    entry = json.loads(told.out)
    assert entry["scores"]["loose"][""]["metrics"]["accuracy"]["value"] == 100
    assert entry["judges"]["llm"].startswith("toy-judge (")
    assert count(asked) == 4
    replayed = call("score", "--task", "toy_judged", "--responses", responses(tmp_path, judge_replies=["no"]), "--json")
    entry = json.loads(replayed.out)
    assert entry["scores"]["loose"][""]["metrics"]["accuracy"]["value"] == 0
    assert count(asked) == 4
    missing = call("score", "--task", "toy_judged", "--responses", responses(tmp_path, judge_replies=[]), "--json")
    assert json.loads(missing.out)["failures"] == {"judge/permanent": 4}
    assert missing.code == 4


def test_a_scorer_may_ask_again_and_again(tmp_path: Path) -> None:
    def chain(doc: Doc, answer: Answer, profile: str) -> Generator[Ask, Verdict, Score]:
        first = yield Ask("llm", f"{doc['answer']}|{answer.text}")
        second = yield Ask("llm", f"{first.text}|yes")
        return Score("right", 1.0, {"right": float(second.text == "yes"), "n": 1.0})

    task = replace(toy_task(numbered(300)), scorer=chain, judges={"llm": "toy-judge"})
    entry = start(config(task), tmp_path / "run", objects(task, model=ToyModel())).results().tasks["toy"]
    assert entry.headline.metrics["accuracy"].value == 100
    log = (tmp_path / "run" / "judgements" / "toy-judge.jsonl").read_text().splitlines()
    assert len(log) == 301


def test_a_scorer_may_catch_its_judges_failure(tmp_path: Path) -> None:
    def forgiving(doc: Doc, answer: Answer, profile: str) -> Generator[Ask, Verdict, Score]:
        try:
            yield Ask("recogniser-en", "?")
        except JudgeError as error:
            assert error.failure.stage == "judge"
        return Score("right", 0.0, {"right": 0.0, "n": 1.0})

    task = replace(toy_task(numbered(4)), scorer=forgiving)
    entry = start(config(task), tmp_path / "run", objects(task, model=ToyModel())).results().tasks["toy"]
    assert entry.failures == {} and entry.n_scored == 4


def test_a_replayed_reply_answers_the_same_question_of_every_profile() -> None:
    replay = Replay(["first", "second"])
    one, other = Ask("llm", "one"), Ask("llm", "other")
    assert replay.ask([one, one]) == [Verdict("first"), Verdict("first")]
    assert replay.ask([other, one]) == [Verdict("second"), Verdict("first")]
    assert isinstance(replay.ask([Ask("llm", "third")])[0], Unusable)


def test_the_model_is_closed_before_the_judge_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(ToyModel, "close", lambda self: order.append("model closed"))
    ask = Bench.ask
    monkeypatch.setattr(Bench, "ask", lambda self, asks: (order.append("judge asked"), ask(self, asks))[1])
    run(tmp_path / "run")
    assert order[0] == "model closed" and "judge asked" in order


def test_a_damaged_shared_judgement_is_asked_again(asked: Path, tmp_path: Path) -> None:
    run(tmp_path / "one")
    for kept in (tmp_path / "cache" / "judgements").rglob("*.json"):
        kept.write_text("{")
    run(tmp_path / "two")
    assert count(asked) == 24


def test_an_unknown_judge_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="toy-judge"), open_bench([JUDGED], ["toy-jduge"], None, "cpu"):
        pass
    assert judging.WINDOW > judging.BATCH
    assert not (tmp_path / "judgements").exists()


def test_the_manifest_names_the_judge_of_each_role(tmp_path: Path) -> None:
    run(tmp_path / "run")
    assert read_json(tmp_path / "run" / "manifest.json")["tasks"]["toy_judged"]["judges"] == {"llm": "toy-judge"}


def test_recordings_of_any_system_are_scored_beside_their_text(call: Call, tmp_path: Path) -> None:
    (tmp_path / "sound").mkdir()
    for loud in range(1, 5):
        soundfile.write(tmp_path / "sound" / f"{loud}.wav", np.full(800, loud / 10, np.float32), 16_000)
    lines = [
        {"id": i, "doc": {"i": i, "answer": str(i)}, "response": str(i), "speech": f"sound/{min(i, 3)}.wav"}
        for i in range(1, 5)
    ]
    lines[1]["speech"] = "sound/absent.wav"
    path = tmp_path / "responses.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    told = call("score", "--task", "toy_heard", "--responses", path, "--json")
    entry = json.loads(told.out)
    by_channel = {name: channel["metrics"]["accuracy"]["value"] for name, channel in entry["scores"]["exact"].items()}
    assert by_channel == {"text": 75, "speech": 50}, "2 has lost its recording, 4 was heard as 3"
    assert entry["gap"] == {"accuracy": 25}
    assert entry["failures"] == {"load/permanent": 1}
    assert entry["judges"]["recogniser-en"].startswith("toy-ear (")


@pytest.mark.parametrize(
    ("speech", "told"),
    [
        ("", "an empty text"),
        ("https://x/y.wav", "address, and only files are read: https://x/y.wav"),
        ("sound", "folder"),
    ],
)
def test_speech_that_is_no_file_is_told_for_what_it_is(call: Call, tmp_path: Path, speech: str, told: str) -> None:
    (tmp_path / "sound").mkdir()
    path = responses(tmp_path, speech=speech)
    first = json.loads(call("score", "--task", "toy_heard", "--responses", path, "--json").out)["samples"][0]
    assert told in first["failure"]["message"]


def test_replies_of_a_file_need_no_judge(call: Call, tmp_path: Path) -> None:
    path = responses(tmp_path, judge_replies=["yes"])
    told = call("score", "--task", "toy_judged", "--responses", path, "--profile", "loose", "--json")
    assert told.code == 0 and json.loads(told.out)["judges"] == {}


def test_a_byte_order_mark_is_read_over_and_a_misspelt_field_is_told(call: Call, tmp_path: Path) -> None:
    path = responses(tmp_path, note="of my own")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert call("score", "--task", "toy", "--responses", path).code == 0
    path = responses(tmp_path, speach="a.wav")
    told = call("score", "--task", "toy", "--responses", path)
    assert told.code == 2 and "line 1" in told.err and "is 'speech' meant?" in told.err


def test_speech_that_a_task_does_not_hear_is_told(call: Call, tmp_path: Path) -> None:
    path = responses(tmp_path, speech="a.wav")
    assert "the speech of 4 lines was not heard" in call("score", "--task", "toy", "--responses", path).out


def test_a_judgement_of_the_shared_store_that_is_damaged_is_none(tmp_path: Path) -> None:
    for content in (b"", b"{", b'{"key": "k", "role": "llm", "text": "\xff"}'):
        (tmp_path / "cache" / "judgements" / "ab").mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache" / "judgements" / "ab" / "ab12.json").write_bytes(content)
        assert judging.recall_shared("ab12") is None


@pytest.mark.parametrize("speech", ["a" * 5000, "a\0b", "absent.wav", "."])
def test_speech_that_cannot_be_a_file_fails_its_line(call: Call, tmp_path: Path, speech: str) -> None:
    path = responses(tmp_path, speech=speech)
    entry = json.loads(call("score", "--task", "toy_heard", "--responses", path, "--json").out)
    assert entry["failures"] == {"load/permanent": 4} and len(entry["samples"]) == 4


def test_recordings_are_named_as_samples_name_them(call: Call, tmp_path: Path) -> None:
    path = responses(tmp_path, recordings={"refrence": "a.wav"})
    told = call("score", "--task", "toy_heard", "--responses", path)
    assert told.code == 2 and "line 1" in told.err and "refrence" in told.err


class Speaks(ToyModel):
    """Says a number as loud as it is; 7 too quietly."""

    capabilities = Capabilities(frozenset({"text"}), frozenset({"text", "speech"}))

    def answer(self, request: Request) -> Response | Failure:
        number = int(request.sample_id)
        loud = 0.1 if number == 7 else number / 10
        return Response(str(number), Waveform(np.full(800, loud, np.float32), 16_000))


def test_a_run_scores_text_and_speech_of_one_generation(tmp_path: Path) -> None:
    task = replace(HEARD, outputs=("text", "speech"))
    run = start(config(task), tmp_path / "run", objects(task, model=Speaks()))
    entry = run.results().tasks["toy_heard"]
    assert entry.valid and entry.channel == "text"
    assert entry.scores["exact"]["text"].metrics["accuracy"].value == 100
    assert entry.scores["exact"]["speech"].metrics["accuracy"].value == pytest.approx(100 * 8 / 9)
    assert entry.gap["accuracy"] == pytest.approx(100 / 9)
