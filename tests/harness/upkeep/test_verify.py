"""A run is made again and compared: an untouched one agrees, and whatever is changed in one is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import manifest, registry
from harness.differences import fields
from harness.failures import UsageError
from harness.media import sha256_of
from harness.run import Objects, resume, score_again, start
from harness.upkeep.exclude import exclude
from harness.upkeep.verify import Verified, verify
from tests.harness.conftest import Call
from tests.harness.plugin import TOYS, write_plugin
from tests.harness.test_spoken import Speaks
from tests.harness.toy import config, numbered, objects, toy_task
from tests.harness.toy_judge import HEARD

Json = dict[str, Any]


class Whole:
    """A run of a spoken task that a judge hears, and of one on a recording."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path, self.sound = folder, folder / "run", folder / "sound.wav"
        soundfile.write(self.sound, np.full(800, 0.5, np.float32), 16_000)
        self.toy = toy_task(numbered(10, media=str(self.sound), sha256=sha256_of(self.sound)))
        start(config(self.toy, HEARD, seed=3), self.path, self.own)

    @property
    def own(self) -> Objects:
        return objects(self.toy, HEARD, model=Speaks())

    def copy(self) -> Path:
        """The run as it was made, where it was made."""
        target = self.folder / "copy"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.path, target)
        return target

    def verified(self, path: Path) -> Verified:
        return verify(path, self.own)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("verify")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(write_plugin(folder / "plugins", TOYS)))
        patch.setenv("HARNESS_CACHE", str(folder / "cache"))
        registry._addresses.cache_clear()
        made = Whole(folder)
        shutil.rmtree(folder / "cache")  # the run has all that it needs
        yield made
    registry._addresses.cache_clear()


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


def kinds(found: Verified) -> str:
    return "\n".join(one.text for one in found.differences)


def test_an_untouched_run_agrees_and_nothing_is_written(whole: Whole) -> None:
    path = whole.copy()
    before = snapshot(path)
    found = whole.verified(path)
    assert (found.agrees, found.differences, found.notes) == (True, [], [])
    assert found.made_again == {"records": 19, "media": 1, "recordings of speech": 9}
    assert snapshot(path) == before
    told = " ".join(found.trusted)
    for what in ("no model was asked again", "no judge was asked again", "latencies", "weights"):
        assert what in told


def test_a_rescored_and_resumed_run_with_exclusions_agrees(whole: Whole) -> None:
    path = whole.copy()
    exclude(path, [("toy", "3"), ("toy_heard", "3")], "a reason", "ids.txt", whole.own)
    score_again(path, {"toy": "loose"}, objects=whole.own)
    found = whole.verified(path)
    assert found.agrees and found.notes == ["results.json: the headline of toy is loose, the run was begun with exact"]

    for name in ("results.json", "finished.json"):
        (path / name).unlink()
    shutil.rmtree(path / "scores")
    log = path / "samples" / "toy.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:4]))
    resume(path, whole.own)
    assert whole.verified(path).agrees


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from leaves(inner, (*path, name))
        case list():
            for place, inner in enumerate(value):
                yield from leaves(inner, (*path, place))
        case _:
            yield path


def changed(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case float():
            return np.nextafter(value, np.inf).item()
        case int():
            return value + 1
        case str():
            return value + "x"
    return 1


def change(content: Any, path: tuple[Any, ...]) -> None:
    for name in path[:-1]:
        content = content[name]
    content[path[-1]] = changed(content[path[-1]])


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_field_of_the_results_that_is_changed_is_found(whole: Whole, data: st.DataObject) -> None:
    path = whole.copy()
    content = json.loads((path / "results.json").read_text())
    leaf = data.draw(st.sampled_from(list(leaves(content))))
    change(content, leaf)
    (path / "results.json").write_text(json.dumps(content, indent=2))
    found = whole.verified(path)
    assert not found.agrees and "results.json" in kinds(found), leaf


@settings(max_examples=60, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", ["results.json", "scores/1/toy.jsonl", "scores/1/toy_heard.jsonl"])
def test_any_byte_of_what_is_derived_that_is_changed_is_found(whole: Whole, name: str, data: st.DataObject) -> None:
    path = whole.copy()
    content = bytearray((path / name).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    (path / name).write_bytes(content)
    found = whole.verified(path)
    assert not found.agrees and name in kinds(found)


def edit(folder: str, name: str, work: Callable[[Json], object], line: int = 2) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        lines = (path / folder / name).read_text().splitlines()
        content = json.loads(lines[line])
        work(content)
        lines[line] = json.dumps(content, separators=(",", ":"))
        (path / folder / name).write_text("".join(f"{one}\n" for one in lines))

    return do


def media(path: Path) -> Path:
    return sorted((path / "media").rglob("*.flac"))[0]


def damage(path: Path) -> None:
    content = bytearray(media(path).read_bytes())
    content[-1] ^= 1
    media(path).write_bytes(content)


def repeat_line(path: Path) -> None:
    log = path / "samples" / "toy.jsonl"
    log.write_bytes(log.read_bytes() + log.read_bytes().splitlines(keepends=True)[0])


def drop_line(path: Path) -> None:
    log = path / "samples" / "toy.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[1:]))


def rewrite_table(path: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(path / "scores/1/samples.parquet")
    frame = table.to_pylist()
    frame[0]["response"] = "another"
    pq.write_table(type(table).from_pylist(frame, schema=table.schema), path / "scores/1/samples.parquet")


LOG = "samples/toy.jsonl"
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "answer": (edit("samples", "toy.jsonl", lambda line: line["response"].update(text="77")), "scores/1/toy.jsonl"),
    "answer that scores the same": (
        edit("samples", "toy.jsonl", lambda line: line.update(response={**line["response"], "truncated": True})),
        "results.json",
    ),
    "gold answer": (edit("samples", "toy.jsonl", lambda line: line["doc"].update(answer="77")), LOG),
    "gold answer in the plan": (edit("plan", "toy.jsonl", lambda line: line["doc"].update(answer="77")), LOG),
    "question": (
        edit("samples", "toy.jsonl", lambda line: line["messages"][0]["parts"][1].update(text="what?")),
        "messages[0].parts[1].text",
    ),
    "request": (edit("samples", "toy.jsonl", lambda line: line.update(request="0" * 64)), "request"),
    "seed": (edit("samples", "toy.jsonl", lambda line: line.update(seed=1)), "seed"),
    "cluster": (edit("samples", "toy.jsonl", lambda line: line.update(cluster="9")), "cluster"),
    "id": (edit("samples", "toy.jsonl", lambda line: line.update(id="77")), "a record that was not planned"),
    "neither answer nor failure": (edit("samples", "toy.jsonl", lambda line: line.pop("response")), "an answer or a"),
    "a record twice": (repeat_line, "a second record of a sample"),
    "a record less": (drop_line, "a planned sample has no record"),
    "a planned row less": (lambda path: drop(path / "plan" / "toy.jsonl"), "not the plan that the manifest names"),
    "score": (
        edit("scores/1", "toy.jsonl", lambda line: line["scores"]["exact"][""]["parts"].update(right=0.5)),
        "scores.exact..parts.right",
    ),
    "verdict": (
        edit("judgements", "toy-ear.jsonl", lambda line: line.update(text="77")),
        "scores/1/toy_heard.jsonl",
    ),
    "tokens of a judge": (edit("judgements", "toy-ear.jsonl", lambda line: line.update(new_tokens=7)), "judge_usage"),
    "speech": (damage, "not the speech that was generated"),
    "speech that is gone": (lambda path: media(path).unlink(), "generated speech is missing"),
    "speech elsewhere": (
        edit("samples", "toy_heard.jsonl", lambda line: line["response"]["speech"].update(path="../run/x.flac")),
        "speech is not named as speech is",
    ),
    "table": (rewrite_table, "samples.parquet"),
    "no table": (lambda path: (path / "scores/1/samples.parquet").unlink(), "samples.parquet: cannot be read"),
    "no scores": (lambda path: (path / "scores/1/toy.jsonl").unlink(), "scores/1/toy.jsonl: missing"),
    "no results": (lambda path: (path / "results.json").unlink(), "results.json: cannot be made again"),
    "a seed in the manifest": (lambda path: reseed(path), "seed"),
    "a line that is no record": (lambda path: drop(path / "samples" / "toy.jsonl", b"{}\n"), "line 1"),
    "an exclusion": (
        lambda path: (path / "exclusions.jsonl").write_text('{"task":"toy","id":"1","reason":"r","when":"w"}\n'),
        "results.json",
    ),
}


def drop(path: Path, instead: bytes = b"") -> None:
    path.write_bytes(instead + b"".join(path.read_bytes().splitlines(keepends=True)[1:]))


def reseed(path: Path) -> None:
    content = json.loads((path / "manifest.json").read_text())
    content["config"]["seed"] = 4
    (path / "manifest.json").write_text(json.dumps(content))


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_is_found_and_named(whole: Whole, name: str) -> None:
    path = whole.copy()
    work, told = CHANGES[name]
    work(path)
    found = whole.verified(path)
    assert not found.agrees
    assert told in kinds(found)


def test_a_source_that_is_another_file_is_found_and_one_that_is_gone_is_counted(whole: Whole) -> None:
    path, kept = whole.copy(), whole.sound.read_bytes()
    try:
        whole.sound.write_bytes(kept[:-1] + b"\x01")
        assert "not the file that was asked about" in kinds(whole.verified(path))
        whole.sound.unlink()
        found = whole.verified(path)
    finally:
        whole.sound.write_bytes(kept)
    assert found.agrees and found.made_again["media"] == 0
    assert "1 media are not at their paths on this machine: what was asked about was not seen." in found.trusted


def test_a_judgement_that_is_gone_is_told_and_its_score_taken_as_it_is(whole: Whole) -> None:
    path = whole.copy()
    (path / "judgements" / "toy-ear.jsonl").write_bytes(b"")
    found = whole.verified(path)
    assert found.agrees
    assert any("the scores of 9 records rest on them and are taken as they are stored" in one for one in found.trusted)


def test_what_is_odd_is_told(whole: Whole) -> None:
    path = whole.copy()
    (path / "notes.txt").write_text("mine")
    (path / "media" / "00").mkdir(exist_ok=True)
    (path / "media" / "00" / f"{'0' * 64}.flac").write_bytes(b"?")
    odd = {"samples/toy.jsonl": '{"id": "9', "judgements/toy-ear.jsonl": '{"key":"k","role":"r","text":""}\n'}
    for name, line in odd.items():
        with (path / name).open("a") as file:
            file.write(line)
    found = whole.verified(path)
    told = "\n".join(found.notes)
    assert found.agrees
    assert "samples/toy.jsonl: the last line is torn" in told
    assert "files that no run has: notes.txt" in told
    assert "recordings that no answer names: media/00/0000" in told
    assert "1 judgements belong to no score, e.g. k" in told


def test_other_code_may_differ_in_the_last_digits(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    path = whole.copy()
    content = json.loads((path / "results.json").read_text())
    content["tasks"]["toy"]["scores"]["exact"][""]["metrics"]["accuracy"]["ci"][0] *= 1 + 1e-12
    (path / "results.json").write_text(json.dumps(content, indent=2))
    assert not whole.verified(path).agrees
    monkeypatch.setattr(manifest, "versions", lambda: {"python": "2.7"})
    found = whole.verified(path)
    assert found.agrees and "made by other code: python" in found.notes[0]
    content["tasks"]["toy"]["scores"]["exact"][""]["metrics"]["accuracy"]["ci"][0] *= 1 + 1e-6
    (path / "results.json").write_text(json.dumps(content, indent=2))
    assert not whole.verified(path).agrees


def test_the_first_few_of_many_differences_are_shown_and_all_counted(whole: Whole) -> None:
    path = whole.copy()
    log = path / "samples" / "toy.jsonl"
    log.write_text(log.read_text().replace('"cluster":"', '"cluster":"x'))
    found = whole.verified(path)
    assert found.counts["samples/toy.jsonl: another value"] == 10
    assert sum(one.file == "samples/toy.jsonl" for one in found.differences) == 5


LEAVES = st.none() | st.booleans() | st.floats() | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(VALUES)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert list(fields(value, value, exact=True)) == []


def test_what_is_no_finished_run_of_answers_is_refused(whole: Whole, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run directory"):
        verify(tmp_path)
    path = whole.copy()
    (path / "finished.json").unlink()
    with pytest.raises(UsageError, match="not finished"):
        whole.verified(path)
    (tmp_path / "manifest.json").write_text('{"format": 2, "kind": "probe"}')
    with pytest.raises(UsageError, match="is a probe run"):
        verify(tmp_path)


def test_the_command(toys: None, call: Call, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert call("run", "-m", "toy-model", "-t", "toy", "--data", "mini", "--out", out).code == 0
    told = call("verify", out)
    assert told.code == 0 and "all that can be made again agrees (40 records" in told.out
    assert "What would have to be trusted:" in told.out
    edit("scores/1", "toy.jsonl", lambda line: line["scores"]["exact"][""].update(value=0.25))(out)
    found = json.loads(call("verify", out, "--json").out)
    sample = found["differences"][0]["sample"]
    assert not found["agrees"] and sample == json.loads((out / LOG).read_text().splitlines()[2])["id"]
    told = call("verify", out)
    assert told.code == 4
    assert f"(toy, sample {sample}, scores.exact..value): 0.25 is stored, 1.0 is made again" in told.out
    assert call("verify", tmp_path).code == 2
