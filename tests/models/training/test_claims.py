"""The page of claims is what its command makes, and tells nothing that the cards do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.training import claim_tables, recorded
from models.training.claim_tables import PAGE, WEIGHTS, table
from models.training.claims import headlines, read, verdict
from models.training.nexus import alignment
from models.training.person import Heard, Person, hear, told
from models.training.recorded import FILE, Claim, Record
from models.vita15.adapter import MINI
from tasks.mini.build import DATA

RECORDED = [path.parent for path in sorted(WEIGHTS.glob(f"*/{FILE}"))]


def metric(**more: Any) -> dict[str, Any]:
    found = {"value": -5.0, "low": -9.0, "high": -1.0}
    return {
        "name": "accuracy", "unit": "%", "higher_is_better": True, "headline": True, "one": 70.0, "other": 65.0,
        "units": 9, "unit_kind": "sample", "p_holm": 0.041, "difference": found, "detectable": 3.0, **more,
    }  # fmt: skip


def compared(*metrics: dict[str, Any]) -> dict[str, Any]:
    sides = {side: {"run": side, "model": "m"} for side in ("one", "other")}
    task = {"task": "mmstar", "profile": "p", "channel": "", "changes": [{"id": "1"}], "metrics": list(metrics)}
    return {**sides, "refused": {}, "tasks": [task]}


def probed(value: float, difference: float | None) -> dict[str, Any]:
    cell = {"value": value, "ci": [value - 0.1, value + 0.1], "chance": {"mean": 0.01, "sd": 1.0}, "printed": None}
    plain = {"variant": "raw", "layer": None, "comparison": "audio"}
    metrics = dict.fromkeys((*alignment.METRICS, "svcca"), cell)
    tests = [plain | {"metric": name, "difference": difference, "p_holm": 0.5, "p": 0.1} for name in metrics]
    scores = [plain | {"metrics": metrics, "n": 4}, plain | {"variant": "l2", "metrics": metrics}]
    return {"scores": scores, "against_baseline": None if difference is None else {"tests": tests}, "grids": []}


def test_the_page_is_what_the_command_makes():
    assert RECORDED
    assert PAGE.read_text(encoding="utf-8") == claim_tables.page(WEIGHTS)


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_the_card_tells_what_is_recorded(folder: Path):
    record, card = recorded.load(folder), (folder / "README.md").read_text(encoding="utf-8")
    assert record.model == folder.name and record.claims
    assert record.heard and told(record.heard) in card
    for claim in record.claims:
        for row in table(claim).rows:
            state, *cells = row
            told_as = [state, *cells] if claim.kind == "probe" else [" ".join(cells[:2]), *cells[2:]]
            assert f"| {' | '.join(told_as)} |\n" in card


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "of 1 numbers 1 worse (mmstar accuracy), 0 undecided"),
        ({"higher_is_better": False}, "of 1 numbers 1 better (mmstar accuracy), 0 undecided"),
        ({"p_holm": 0.051}, "of 1 numbers 1 undecided"),
        ({"difference": None, "p_holm": None}, "of 0 numbers 0 undecided"),
        ({"headline": False}, "of 0 numbers 0 undecided"),
    ],
)
def test_better_is_what_the_test_shows_in_the_metrics_own_direction(more: dict[str, Any], said: str):
    assert verdict(compared(metric(**more))) == said


def test_of_a_comparison_the_headline_numbers_are_kept():
    whole = compared(metric(), metric(name="hidden", headline=False))
    kept = headlines(whole)
    assert read(kept) == read(whole) and verdict(kept) == verdict(whole)
    assert "changes" not in kept["tasks"][0] and "hidden" not in json.dumps(kept)


def test_of_a_probe_the_printed_numbers_are_kept():
    kept = alignment.kept(probed(0.5, 0.25))
    assert alignment.read("2", kept) == alignment.read("2", probed(0.5, 0.25))
    assert alignment.read("2", kept)[0] == (
        "2",
        "audio",
        "mutual_knn",
        "0.500 [0.400, 0.600]",
        "0.010",
        "+0.250",
        "0.5",
    )
    assert len(alignment.read("2", kept)) == len(alignment.METRICS) and "l2" not in json.dumps(kept)


def test_a_record_is_read_as_it_was_written_and_its_page_has_all_of_it(tmp_path: Path):
    claims = (
        Claim("Kept?", "It says so.", "compare", {"turbo": headlines(compared(metric()))}, "vanilla"),
        Claim(
            "Nearer?",
            "Table 7.",
            "probe",
            {"1": alignment.kept(probed(0.5, None)), "2": alignment.kept(probed(0.6, 0.1))},
        ),
    )
    record = Record("some-mini", claims, (Heard("A", "b", "c", 99.6, "turbo"),))
    folder = tmp_path / "weights" / "some-mini"
    folder.mkdir(parents=True)
    recorded.save(record, folder)
    assert recorded.load(folder) == record

    out = tmp_path / "claims.md"
    arguments = ["--weights", str(tmp_path / "weights"), "--out", str(out)]
    assert claim_tables.main([*arguments, "--check"]) == 1 and not out.exists()
    assert claim_tables.main(arguments) == 0 and claim_tables.main([*arguments, "--check"]) == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    assert "| turbo | mmstar | accuracy | 70.0 % | 65.0 % | -5.0 [-9.0, -1.0] | 0.041 |" in lines
    assert "- vanilla to turbo: of 1 numbers 1 worse (mmstar accuracy), 0 undecided." in lines
    assert "| 1 | audio | cka | 0.500 [0.400, 0.600] | 0.010 | – | – |" in lines
    assert "| 2 | audio | cka | 0.600 [0.500, 0.700] | 0.010 | +0.100 | 0.5 |" in lines
    assert "| some-mini | turbo | A | b | c | 100 % |" in lines


def test_a_record_of_another_format_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "some-mini").mkdir()
    (tmp_path / "some-mini" / FILE).write_text('{"format": 99}')
    assert claim_tables.main(["--weights", str(tmp_path), "--out", str(tmp_path / "page.md")]) == 2
    assert "is of format 99, not 1; make it again" in capsys.readouterr().err


def test_a_recording_is_asked_and_scored_as_a_row_of_librispeech(tmp_path: Path):
    chapter = next((DATA / "LibriSpeech" / "test-clean").glob("*/*"))
    key, said = next(chapter.glob("*.trans.txt")).read_text(encoding="utf-8").splitlines()[0].split(" ", 1)
    (right,) = hear(Person(chapter / f"{key}.flac", "A voice", said), "vita15", MINI, tmp_path)
    (wrong,) = hear(Person(chapter / f"{key}.flac", "A voice", "NOTHING OF THE KIND"), "vita15", MINI, tmp_path)
    assert right.answer == wrong.answer != ""
    assert right.wer <= 50 < wrong.wer and (right.who, right.said, right.mode) == ("A voice", said, "")


def test_without_a_recording_nothing_is_asked(tmp_path: Path):
    assert hear(None, "no-such-model", tmp_path, tmp_path) == []
    assert told([]) == "Human speech is outside its world; it answers such speech with words of its own."
