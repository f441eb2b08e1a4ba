"""Files of plots: the same bytes again, any script, nothing cut off, and no file of others lost."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from harness.texts import wide
from reports.plots.commands import kind_choices
from reports.plots.drawing import COLOURS, DASHES, MARKERS, line, styled, wrapped, write
from reports.plots.every import plots_of
from reports.plots.folder import LIST, parse_kinds, write_plots
from reports.plots.plot import KINDS, Plot
from reports.plots.radar import UPRIGHT
from reports.plots.subtasks import subtasks
from tests.harness.conftest import Call, call
from tests.reports.browser import Visit
from tests.reports.fake_run import metric
from tests.reports.plots.some_runs import PICTURES, make, percent, points, whole
from tests.reports.test_probes import FEW
from tests.reports.test_probes import results as probe_results

__all__ = ["call"]

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every plot of two runs and a blind one, and of a probe run."""
    folder = tmp_path_factory.mktemp("plots")
    whole(folder, "阶段一")
    whole(folder, "stage2", digest="two")
    make(folder / "blind", {"mmstar": percent(12.0)}, ablate="image", data="mini")
    probe = folder / "20260101T000000Z-probe-toy-00000000"
    probe.mkdir()
    manifest = {"format": 1, "kind": "probe", "created": "", "config": {}, "tasks": {}, "data": {}}
    model = {"name": "toy", "note": "", "fingerprint": {}}
    (probe / "manifest.json").write_text(json.dumps(manifest | {"model": model}))
    (probe / "results.json").write_text(json.dumps(probe_results(names=FEW)))
    write_plots([folder / name for name in ("阶段一", "stage2", "blind", probe.name)], folder / "out")
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def texts(svg: Path) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.parse(svg).iter(f"{SVG}text")]


def test_every_kind_is_drawn_with_its_files_and_listed(drawn: Path) -> None:
    listed = json.loads((drawn / "out" / LIST).read_text())
    assert {plot["kind"] for plot in listed["plots"]} == set(KINDS)
    for plot in listed["plots"]:
        files = {suffix: drawn / "out" / plot[suffix] for suffix in ("svg", "png", "csv")}
        assert files["png"].read_bytes().startswith(b"\x89PNG") and plot["alt"].endswith(".")
        assert len(list(csv.DictReader(files["csv"].read_text(encoding="utf-8").splitlines()))) > 0
        assert plot["title"].split(":")[0] in " ".join(texts(files["svg"]))
    assert listed["files"] == sorted(path.name for path in (drawn / "out").iterdir() if path.name != LIST)


def test_another_process_with_other_settings_writes_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.mkdir()
    (settings / "matplotlibrc").write_text("font.size: 20\naxes.facecolor: red\nsvg.hashsalt: other\nfigure.dpi: 33\n")
    runs = ["阶段一", "stage2", "blind", "20260101T000000Z-probe-toy-00000000"]
    script = "import sys; from pathlib import Path; from reports.plots.folder import write_plots\n"
    script += "*runs, out = map(Path, sys.argv[1:]); write_plots(runs, out)"
    environment = os.environ | {"PYTHONHASHSEED": "7", "MPLCONFIGDIR": str(settings), "TZ": "Asia/Shanghai"}
    arguments = [*(str(drawn / name) for name in runs), str(tmp_path / "out")]
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, env=environment)
    assert digests(tmp_path / "out") == digests(drawn / "out")


def test_chinese_and_hostile_names_are_text_in_the_svg(tmp_path: Path) -> None:
    names = {"数字": 55.0, "scene <b> $x^2$ & co": 10.0, "bell\x07": 3.0, "plain": 4.0}
    run = make(tmp_path / "run", {PICTURES: points(1.0, names)})
    (plot,) = subtasks(run, PICTURES)
    assert isinstance(plot, Plot)
    files = write(plot, tmp_path)
    shown = texts(tmp_path / files.svg)
    assert {"数字", "scene <b> $x^2$ & co", "bell\ufffd"} <= set(shown)
    rows = list(csv.DictReader((tmp_path / files.csv).read_text(encoding="utf-8").splitlines()))
    assert [row["in_png"] for row in rows] == ["[1]", "", "", ""] and rows[0]["value_of_tag"] == "数字"


def test_a_png_has_no_character_that_its_font_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import findfont, get_font
    from matplotlib.text import Text

    glyphs = set(get_font(findfont("DejaVu Sans")).get_charmap())
    seen: dict[str, set[str]] = {"svg": set(), "png": set()}
    save = Figure.savefig

    def saved(figure: Figure, path: Path, *, format: str, **more: Any) -> None:
        save(figure, path, format=format, **more)
        seen[format] |= {text.get_text() for text in figure.findobj(Text)}  # type: ignore[attr-defined]

    monkeypatch.setattr(Figure, "savefig", saved)
    runs = [whole(tmp_path, "阶段一"), whole(tmp_path, "阶段二", digest="two")]
    for plot in plots_of(runs, ["radar", "subtasks", "retention", "ecdf"]):
        write(plot, tmp_path)
    assert any("阶段二" in text for text in seen["svg"])
    lacking = {text for text in seen["png"] if any(ord(c) not in glyphs and c != "\n" for c in text)}
    assert lacking == set()


def test_chromium_shows_every_svg_with_nothing_cut_off(drawn: Path, visit: Visit) -> None:
    outside: dict[str, list[str]] = {}
    for path in sorted((drawn / "out").glob("*.svg")):
        page = visit.go(path)
        found = page.evaluate(
            """() => {
                const edge = document.documentElement.getBoundingClientRect();
                return [...document.querySelectorAll('text')].filter((text) => {
                    const box = text.getBoundingClientRect();
                    return box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1
                        || box.bottom > edge.bottom + 1;
                }).map((text) => text.textContent);
            }"""
        )
        if found:
            outside[path.name] = found
    assert outside == {}


def test_a_plot_of_other_values_has_other_bytes(tmp_path: Path) -> None:
    made = []
    for value in (3.0, 4.0):
        run = make(tmp_path / f"{value}" / "run", {PICTURES: points(1.0, {"a": value, "b": 9.0})})
        (plot,) = subtasks(run, PICTURES)
        assert isinstance(plot, Plot)
        out = tmp_path / f"{value}"
        made.append([(out / name).read_bytes() for name in write(plot, out)])
    assert all(one != other for one, other in zip(*made, strict=True))


def test_a_gap_is_no_bar_and_no_zero(tmp_path: Path) -> None:
    run = make(tmp_path / "run", {PICTURES: points(1.0, {"a": None, "b": 9.0})})
    (plot,) = subtasks(run, PICTURES)
    assert isinstance(plot, Plot)
    (ax,) = plot.draw().axes
    assert [bar.get_width() for bar in ax.patches] == [9.0]  # type: ignore[attr-defined]
    assert any(text.get_text().startswith("–") for text in ax.texts)


def test_series_differ_in_more_than_colour() -> None:
    looks = [line(n) for n in range(len(COLOURS) * len(DASHES) * len(MARKERS))]
    assert len({(look.color, str(look.linestyle), look.marker) for look in looks}) == len(looks)
    assert len({look.linestyle if isinstance(look.linestyle, str) else str(look.linestyle) for look in looks[:5]}) == 5


def test_words_are_wrapped_by_their_width() -> None:
    assert wrapped("a bb ccc", 4) == ["a bb", "ccc"] and wrapped("", 4) == [] and wrapped("x" * 9, 4)[0] == "xxxx"
    assert wide("数字 a") == 6 and wrapped("数字数字", 5) == ["数字", "数字"] and wrapped("数", 1) == ["数"]


def test_one_sample_and_many_are_drawn(tmp_path: Path) -> None:
    many = {f"task{n}": percent(float(n)) for n in range(30)}
    for name, tasks in (("one", {"mmstar": percent(3.0)}), ("many", many)):
        written = write_plots([make(tmp_path / name, tasks).path], tmp_path / f"{name}-out", ["radar"])
        assert [plot.kind for plot, _ in written.plots] == ["radar"]
        assert len(written.plots[0][0].rows) == len(tasks)


def foreign(folder: Path) -> Iterator[str]:
    yield from (path.name for path in folder.iterdir() if path.name == "notes.txt")


def test_a_folder_is_made_again_and_files_of_others_stay(tmp_path: Path, call: Call) -> None:
    run, out = whole(tmp_path).path, tmp_path / "out"
    found = call("plot", run, "-o", out, "--kind", "radar,subtasks")
    assert found.code == 0 and len(found.out.splitlines()) == 2
    assert "no subtasks of" in found.err and "the task has no sub-scores" in found.err
    found = call("plot", run, "-o", out, "--kind", "radar", "--json")
    content = json.loads(found.out)
    assert [plot["name"] for plot in content["plots"]] == ["radar-run"] and found.err == ""
    assert {path.name for path in out.iterdir()} == {LIST, "radar-run.svg", "radar-run.png", "radar-run.csv"}
    (out / "notes.txt").write_text("mine")
    found = call("plot", run, "-o", out)
    assert found.code == 2 and "holds notes.txt, which `harness plot` did not write" in found.err
    assert call("plot", run, "-o", out, "--kind", "ecdf", "--force").code == 0
    assert list(foreign(out)) == ["notes.txt"] and not (out / "radar-run.svg").exists()


def test_a_list_that_was_edited_names_no_file_elsewhere(tmp_path: Path, call: Call) -> None:
    run = whole(tmp_path).path
    (tmp_path / "mine.svg").write_text("mine")
    for n, content in enumerate(('{"files": ["../mine.svg"]}', "[]", "{", '{"files": 3}')):
        out = tmp_path / f"out{n}"
        out.mkdir()
        (out / LIST).write_text(content)
        assert call("plot", run, "-o", out, "--kind", "radar").code == 0
        assert (tmp_path / "mine.svg").read_text() == "mine"


def test_what_the_caller_can_mend_is_one_message(tmp_path: Path, call: Call) -> None:
    run = make(tmp_path / "run", {"x": percent(None)}).path
    (tmp_path / "file").write_text("")
    for arguments, said in (
        ([tmp_path], "not a run directory"),
        ([run, "--kind", "pie"], "--kind: 'pie' is unknown; there are radar, subtasks"),
        ([run, "--kind", "radar"], "there is nothing to draw; no radar of run: no task has a value with a limit"),
        ([run, "-o", tmp_path / "file", "--kind", "ecdf"], "is a file; name a folder with -o"),
    ):
        found = call("plot", *arguments)
        assert found.code == 2 and said in found.err and "Traceback" not in found.err


def test_kinds_complete_one_after_the_other() -> None:
    assert kind_choices("") == list(KINDS) and kind_choices("ra") == ["radar"]
    assert kind_choices("radar,e") == ["radar,errors", "radar,ecdf"] and "radar,radar" not in kind_choices("radar,")
    assert parse_kinds("ecdf, radar") == ("radar", "ecdf") and parse_kinds(None) == KINDS


def test_caveats_stand_in_the_picture(tmp_path: Path) -> None:
    run = make(tmp_path / "run", {"mmstar": percent(3.0, valid=False)}, note="random weights", finished=False, limit=3)
    (plot,) = plots_of([run], ["radar"])
    assert plot.words.subtitle == "random weights; incomplete run; first 3 samples of each task only"
    shown = " ".join(text.get_text() for text in plot.draw().texts)
    assert "random weights; incomplete run" in shown and "invalid: mmstar" in shown
    assert str(tmp_path) not in shown


def test_a_metric_without_interval_or_sign_is_drawn(tmp_path: Path) -> None:
    run = make(tmp_path / "run", {PICTURES: points(0.0, {"a": 0.0})})
    run.results.tasks[PICTURES].headline.groups["category"]["a"].metrics["score"] = metric(0.0, None, "points")
    (plot,) = subtasks(run, PICTURES)
    assert isinstance(plot, Plot) and plot.draw().axes[0].get_xlim()[1] > 0


@pytest.mark.parametrize("n", [3, 8, UPRIGHT, UPRIGHT + 1, 40])
def test_the_labels_of_a_radar_do_not_meet_and_are_within_the_picture(tmp_path: Path, n: int) -> None:
    names = [f"a_task_with_a_long_name_{i}" for i in range(n)]
    runs = [make(tmp_path / f"r{k}", dict.fromkeys(names, percent(99.5)), digest=str(k)) for k in range(4)]
    (plot,) = plots_of(runs, ["radar"])
    with styled():
        figure = plot.draw()
        figure.canvas.draw()
        labels = [text for text in figure.axes[0].texts if text.get_text()]
        boxes = [text.get_window_extent() for text in labels]
        assert len(boxes) == n
        for box in boxes:
            assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
            assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1
        if n <= UPRIGHT:
            assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])


def test_a_cut_label_has_the_number_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    name = "一二三四五六七八九十" * 4
    runs = [make(tmp_path / run, {"mmstar": percent(3.0)}) for run in (name, "other")]
    pictures: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (pictures.append(self), save(self, *a, **k))[1])
    (plot,) = plots_of(runs, ["radar"])
    files = write(plot, tmp_path)
    rows = list(csv.DictReader((tmp_path / files.csv).read_text(encoding="utf-8").splitlines()))
    assert rows[0]["run"] == name and rows[0]["in_png"] == "[1]; vita15 [1]" and rows[1]["in_png"] == ""
    (legend,) = {text.get_text() for text in pictures[-1].axes[0].get_legend().get_texts()} - {"vita15 other"}
    assert legend == "vita15 [1]…[1]"


def test_a_name_that_begins_with_an_underscore_is_in_the_legend(tmp_path: Path) -> None:
    runs = [make(tmp_path / f"r{n}", {f"_t{i}": percent(9.0 + n) for i in range(3)}, model="_m") for n in range(2)]
    (plot,) = plots_of(runs, ["radar"])
    with styled():
        (legend,) = plot.draw().legends
    assert [text.get_text().strip() for text in legend.get_texts()] == ["_m r0", "_m r1"]


def test_matplotlib_comes_when_a_plot_is_drawn_and_not_before(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from reports.runs import load\n"
        "from reports.plots.every import plots_of; from reports.plots.drawing import write\n"
        "plots = list(plots_of([load(Path(sys.argv[1]))])); before = 'matplotlib' in sys.modules\n"
        "write(plots[0], Path(sys.argv[1]).parent); print(len(plots), before, 'matplotlib' in sys.modules,\n"
        "    'matplotlib.pyplot' in sys.modules)"
    )
    run = whole(tmp_path).path
    done = subprocess.run([sys.executable, "-c", script, str(run)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["11", "False", "True", "False"]
