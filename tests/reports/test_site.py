"""The site as files: the same bytes again, nothing from elsewhere, nothing of others overwritten."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.failures import UsageError
from harness.schema import StoredPart, StoredResponse, StoredSpeech, decoded
from reports.leaderboard import SCHEMA, Leaderboard, schema
from reports.page import place
from reports.page.render import CSP, STATIC, static, visible
from reports.page.rows import script
from reports.page.site import write_site
from tests.harness.faults import Fault, in_child
from tests.reports.fake_run import HOSTILE, Sample, asked, entry, medium, metric, picture, rich_run, sample, write_run
from tests.reports.two_runs import both

WER = {"wer": metric(4.21, (3.9, 4.55))}


def contents(site: Path) -> dict[str, bytes]:
    return {str(p.relative_to(site)): p.read_bytes() for p in sorted(site.rglob("*")) if p.is_file()}


def site_of(folder: Path, *samples: Sample, media: str | int = "all", **changes: Any) -> Path:
    """The site of one run with one task "x"."""
    n = len(samples)
    run = write_run(folder / "run", {"x": entry(WER, n_expected=n, n_scored=n, **changes)}, {"x": list(samples)})
    return write_site([run], folder / "site", media).parent


def media_files(site: Path) -> list[Path]:
    return [path for path in (site / "media").rglob("*") if path.is_file()]


def test_the_same_run_gives_the_same_bytes_also_over_an_earlier_site(tmp_path: Path) -> None:
    run = rich_run(tmp_path)
    first = contents(write_site([run], tmp_path / "a").parent)
    write_site([run], tmp_path / "b")
    assert first == contents(write_site([run], tmp_path / "b").parent)
    assert not any(b"http://" in c or b"https://" in c for c in first.values())
    assert not any(str(tmp_path).encode() in c for name, c in first.items() if not name.startswith("media"))
    assert [path.name for path in tmp_path.iterdir() if "report-" in path.name] == []


def test_no_page_holds_code_or_styles_and_the_policy_allows_none(tmp_path: Path) -> None:
    site = write_site([rich_run(tmp_path), *both(tmp_path)], tmp_path / "site").parent
    pages = {path: path.read_text() for path in site.rglob("*.html")}
    kinds = {path.parent.relative_to(site).as_posix() for path in pages}
    assert kinds == {".", "tasks", "models", "benchmarks", "compare"}
    for text in pages.values():
        assert f'content="{CSP.replace(chr(39), "&#39;")}"' in text
        assert re.findall(r"<script(?![^>]* src=)", text) == []
        assert re.findall(r"<style|<[^<>]*\s(?:style|on[a-z]+)=|javascript:", text) == []
    assert "unsafe" not in CSP and "base-uri 'none'" in CSP and "form-action 'none'" in CSP
    for name in STATIC:
        assert not re.search(rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", static(name))


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "o" / "data").mkdir(parents=True)
    (tmp_path / "o" / "data" / "mine").write_text("precious")
    with pytest.raises(UsageError, match="not empty"):
        write_site([rich_run(tmp_path)], tmp_path / "o")
    assert (tmp_path / "o" / "data" / "mine").exists()


def test_a_file_in_the_place_of_the_site_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")
    with pytest.raises(UsageError, match="is a file; name a folder"):
        write_site([rich_run(tmp_path)], tmp_path / "site")
    assert (tmp_path / "site").read_text() == "mine"


def test_an_unknown_media_choice_and_no_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--media takes"):
        write_site([rich_run(tmp_path)], tmp_path / "site", "some")
    with pytest.raises(UsageError, match="no run directory"):
        write_site([], tmp_path / "site")


def test_a_run_whose_log_cannot_be_read_leaves_the_earlier_site(tmp_path: Path) -> None:
    run = rich_run(tmp_path)
    before = contents(write_site([run], tmp_path / "site").parent)
    scores = next((run / "scores" / "1").glob("mme.jsonl"))
    scores.write_text("{broken}\n")
    with pytest.raises(UsageError, match=r"mme.jsonl, line 1"):
        write_site([run], tmp_path / "site")
    assert contents(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [run.name, "site"]


def test_what_makes_numbers_invalid_is_told_and_is_on_every_page(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"x": entry(WER, n_expected=280)})
    log = run / "samples" / "x.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:150]))
    told: list[str] = []
    site = write_site([run], tmp_path / "site", tell=told.append).parent
    assert len(told) == 1 and "the log has 150 records, these numbers were made from 280" in told[0]
    for page in ("index.html", "tasks/0-x.html"):
        assert "the log has 150 records, these numbers were made from 280" in (site / page).read_text()


def test_the_leaderboard_is_read_back_by_its_type_and_its_schema_is_in_docs(tmp_path: Path) -> None:
    site = write_site([rich_run(tmp_path)], tmp_path / "site").parent
    board = decoded((site / "data" / "leaderboard.json").read_bytes(), Leaderboard, "leaderboard.json")
    assert [(row.metric, row.result.value) for row in board.rows] == [
        ("wer", 4.21),
        ("perception", 1500.0),
        ("cognition", None),
    ]
    stored = json.loads(SCHEMA.read_text())
    assert stored == json.loads(json.dumps(schema())), "python -m reports.leaderboard writes it anew"


# Kills


def test_a_report_that_is_killed_leaves_the_old_site_or_the_new_one_and_can_be_made_again(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    old_run, run = rich_run(kept), write_run(kept / "small", {"x": entry(WER, n_expected=1)})
    old = contents(write_site([old_run], kept / "old").parent)
    new = contents(write_site([run], kept / "new").parent)

    def again() -> None:
        write_site([run], tmp_path / "trial" / "site")

    def prepared() -> None:
        shutil.rmtree(tmp_path / "trial", ignore_errors=True)
        shutil.copytree(kept / "old", tmp_path / "trial" / "site")

    prepared()
    ended, operations = in_child(again, Fault())
    assert ended and operations > 20
    kills = 0
    for at in range(operations):
        prepared()
        ended, _ = in_child(again, Fault(at, "before"))
        kills += not ended
        site = tmp_path / "trial" / "site"
        if site.exists():
            assert contents(site) in (old, new), f"operation {at}"
        again()
        assert contents(site) == new, f"operation {at}"
        assert [path.name for path in site.parent.iterdir()] == ["site"], f"operation {at}"
    assert kills == operations


def test_an_earlier_site_that_a_kill_left_aside_is_put_back(tmp_path: Path) -> None:
    site = write_site([rich_run(tmp_path)], tmp_path / "site").parent
    before = contents(site)
    site.rename(tmp_path / ".site.report-old")
    with pytest.raises(ZeroDivisionError), place.replacing(site):
        _ = 1 / 0
    assert contents(site) == before


def test_a_place_whose_links_lead_in_a_circle_is_told(tmp_path: Path) -> None:
    (tmp_path / "site").symlink_to(tmp_path / "other")
    (tmp_path / "other").symlink_to(tmp_path / "site")
    with pytest.raises(UsageError, match="site: its links lead in a circle; name another"):
        write_site([rich_run(tmp_path)], tmp_path / "site")


# Media


@pytest.mark.parametrize(("media", "files"), [("all", 2), ("failed", 0), (0, 0), ("1", 2)])
def test_media_are_capped(tmp_path: Path, media: str | int, files: int) -> None:
    site = write_site([rich_run(tmp_path)], tmp_path / "site", media).parent
    assert len(media_files(site)) == files


def test_media_are_copies_that_a_change_of_the_original_does_not_reach(tmp_path: Path) -> None:
    original = picture(tmp_path / "a.png")
    site = site_of(tmp_path, sample("1", messages=asked(medium("image", original))))
    (copied,) = media_files(site)
    assert copied.read_bytes() == original.read_bytes()
    assert copied.stat().st_nlink == 1 and not copied.is_symlink()
    assert not original.samefile(copied)


def test_a_run_from_elsewhere_cannot_publish_a_local_file(tmp_path: Path) -> None:
    secret = picture(tmp_path / "secret.png")
    text = tmp_path / "id.txt"
    text.write_text("secret")
    os.mkfifo(tmp_path / "pipe.png")
    parts = [
        medium("image", secret, sha256=""),
        medium("image", secret, sha256="0" * 64),
        medium("image", text),
        medium("audio", secret),
        StoredPart(None, "image", str(tmp_path / "pipe.png"), "0" * 64),
        StoredPart(None, "image", "/dev/zero", "0" * 64),
        StoredPart(None, "image", str(tmp_path), "0" * 64),
    ]
    spoken = StoredResponse("x", speech=StoredSpeech("../secret.png", medium("image", secret).sha256, 1.0))
    site = site_of(tmp_path, sample("1", messages=asked(*parts), response=spoken))
    assert media_files(site) == []
    data = (site / "data" / "0-x" / "0.js").read_text()
    for note in (
        "no content to compare it with",
        "the file has changed since the run",
        "a browser does not show .txt as image",
        "a browser does not show .png as audio",
        "it is no regular file",
        "a file outside of its run",
    ):
        assert note in data
    assert data.count('"src"') == 0


def test_the_kinds_of_media_are_three_and_a_record_with_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Invalid enum value 'iframe'"):
        decoded(b'{"kind": "iframe", "path": "x"}', StoredPart, "log")


def test_a_medium_that_is_gone_is_named(tmp_path: Path) -> None:
    original = picture(tmp_path / "a.png")
    part = medium("image", original)
    original.unlink()
    site = site_of(tmp_path, sample("1", messages=asked(part)))
    assert "the file is not on the machine that made this page" in (site / "data" / "0-x" / "0.js").read_text()


# Texts


def test_script_data_cannot_end_its_script() -> None:
    made = script("__x", [{"text": HOSTILE + "\u2028\u2029"}])
    assert b"<" not in made and "\u2028".encode() not in made and made.startswith(b"window.__x({")


def test_marks_that_nobody_sees_are_written_out_in_pages_too() -> None:
    assert visible("Y\u200bes\u202e<\n") == (
        'Y<span class="mark">U+200B</span>es<span class="mark">U+202E</span>&lt;\n'
    )


def test_chunks_hold_every_sample_once(tmp_path: Path) -> None:
    samples = [sample(f"sample {i}") for i in range(450)]
    data = site_of(tmp_path, *samples) / "data" / "0-x"
    assert sorted(path.name for path in data.iterdir()) == ["0.js", "1.js", "2.js", "index.js"]
    index = (data / "index.js").read_text()
    details = "".join((data / f"{n}.js").read_text() for n in range(3))
    assert index.count('"sample ') == 450 and details.count('"messages"') == 450
    assert len(index) < 450 * 60
