"""Figures of a probe run as SVG, PNG and the CSV behind each; the same results give the same bytes.

curves: each metric by layer with its interval and chance line. bars: the same by layer side by side.
vision_audio: the mean of the seven metrics, vision against vision+audio (NEXUS-O paper, figure 3). heatmap:
layer against layer, always from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.plots import drawing
from reports.plots.plot import Plot, Words
from reports.runs import MINI

COLOURS = {"vision-text": drawing.COLOURS[0], "vision+audio-text": drawing.COLOURS[1], "audio-text": drawing.COLOURS[2]}
_MARKERS = {"vision-text": "o", "vision+audio-text": "s", "audio-text": "^"}
Results = Mapping[str, Any]
AVERAGE = "mean of 7"
VARIANTS = {"raw": "raw", "l2": "unit rows"}
BAR_KEY = "thin line: 95 % interval; black mark: chance (shuffled pairs)"


def write_figures(run_dir: Path, results: Results) -> list[Plot]:
    """Draw what the results hold into `figures/`; returns the figures in reading order."""
    folder = run_dir / "figures"
    folder.mkdir(exist_ok=True)
    figures = figures_of(results)
    for figure in figures:
        drawing.write(figure, folder)
    return figures


def conditions(results: Results) -> str:
    """What has to be said on every figure and table: n, k, profile, and what limits the numbers."""
    variant = {"raw": "raw features", "l2": "unit rows"}[results["variant"]]
    clamp = "" if results["clamp"] is None else f", clamped at q {results['clamp']:g}"
    k = f"k = {results['k']}"
    if results["k"] != results["k_of_profile"]:
        k += f" (profile: {results['k_of_profile']})"
    fuse = f", vision+audio by {results['fuse']}" if results["fuse"] else ""
    said = [
        f"n = {results['n']} of {results['n_expected']}, {k}, profile {results['profile']} ({variant}{clamp}){fuse}"
    ]
    silent = "" if any("audio" in entry["comparison"] for entry in results["scores"]) else "without speech"
    notes = [results["model"]["note"] or "", silent, MINI if results["data"] == "mini" else ""]
    if not results["valid"]:
        notes.append(f"invalid: {results['n_failed']} samples left out")
    return "; ".join([*said, *filter(None, notes)])


def figures_of(results: Results) -> list[Plot]:
    """The figures that the results hold, in reading order; nothing is drawn yet."""
    headline = [entry for entry in results["scores"] if entry["headline"]]
    rows = _score_rows(headline, results["metrics"])
    title = f"{results['model']['name']}, {results['stage']} stage"

    def plot(
        name: str, seen: str, main: str, caption: str, rows: list[dict[str, Any]], draw: Callable[[], Any]
    ) -> Plot:
        words = Words(title, conditions(results), (caption,))
        alt = f"{seen} of {results['model']['name']}{f': {main}' if main else ''}."
        return Plot("probe", name, words, alt, tuple(rows), draw)

    main = _highest(headline, results["metrics"])
    if results["stage"] == "unembedding":
        caption = "Alignment with the text at the language model's input. Whiskers: 95 % interval; mark: chance."
        seen = "Bars of the alignment with the text at the input"
        return [plot("bars", seen, main, caption, rows, lambda: _stage_bars(headline, results, title))]
    caption = (
        "Alignment of the last token's states with the text's, by layer. Band: 95 % interval; dashed: chance "
        "(shuffled pairs)."
    )
    seen = "Curves of the alignment with the text by layer"
    lines = _score_rows(headline, _with_average(headline, results["metrics"]))
    figures = [plot("curves", seen, main, caption, lines, lambda: _curves(headline, results, title))]
    caption = "The same by layer, side by side. Whiskers: 95 % interval; black mark: chance."
    seen = "Bars of the alignment with the text by layer"
    figures.append(plot("bars", seen, main, caption, rows, lambda: _layer_bars(headline, results, title)))
    averages = [
        {
            "comparison": entry["comparison"],
            "layer": entry["layer"],
            "mean": entry["average"]["value"],
            "chance": entry["average"]["chance"],
        }
        for entry in headline
    ]
    if any(row["mean"] is not None for row in averages):
        caption = (
            "Vision against vision+audio: mean of the seven metrics (LCS divided by k) by layer. Dashed: chance. A "
            "layer where one of the seven is undefined has no mean."
        )
        seen, main = "Curves of the mean alignment by layer", _highest_mean(averages)
        figures.append(plot("vision_audio", seen, main, caption, averages, lambda: _averages(averages, results, title)))
    for grid in (grid for grid in results["grids"] if grid["headline"]):
        name = f"heatmap-{grid['comparison'].replace('+', '_')}"
        caption = f"{grid['comparison']}: every layer against every layer of the text; LCS divided by k; box: best."
        seen = f"Heatmaps of {grid['comparison']} by pair of layers"
        figures.append(plot(name, seen, _best(grid), caption, _grid_rows(grid), _drawer(grid, results, title)))
    return figures


def _highest(entries: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> str:
    """Each comparison's highest value of one metric, with its layer and chance level."""
    metric = "cka" if "cka" in metrics else metrics[0]
    told = []
    for name, found in _by_comparison(entries).items():
        known = [entry for entry in found if entry["metrics"][metric]["value"] is not None]
        if known:
            best = max(known, key=lambda entry: entry["metrics"][metric]["value"])
            cell, layer = best["metrics"][metric], best["layer"]
            chance = f" (chance {cell['chance']['mean']:.3f})" if cell["chance"] else ""
            told.append(f"{name} {cell['value']:.3f}{'' if layer is None else f' at layer {layer}'}{chance}")
    return f"highest {metric} {', '.join(told)}" if told else ""


def _highest_mean(averages: Sequence[Mapping[str, Any]]) -> str:
    found = []
    for name, line in _by_comparison(averages).items():
        known = [row for row in line if row["mean"] is not None]
        if known:
            best = max(known, key=lambda row: row["mean"])
            found.append(f"{name} {best['mean']:.3f} at layer {best['layer']}")
    return f"highest mean {', '.join(found)}" if found else ""


def _best(grid: Mapping[str, Any]) -> str:
    """The best pair of layers of one metric."""
    metric = "cka" if "cka" in grid["metrics"] else next(iter(grid["metrics"]))
    best = grid["metrics"][metric]["best"]
    if best is None:
        return ""
    return f"best {metric} {best['value']:.3f} at layer {best['layer']}, text layer {best['text_layer']}"


def _drawer(grid: Mapping[str, Any], results: Results, title: str) -> Callable[[], Any]:
    return lambda: _heatmap(grid, results, title)


def _with_average(entries: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> list[str]:
    """The metrics, and their mean where a layer has one."""
    return [*metrics, *([AVERAGE] if any(entry["average"]["value"] is not None for entry in entries) else [])]


def _cell(entry: Mapping[str, Any], metric: str) -> Mapping[str, Any]:
    """A metric of an entry, or its mean of the seven in the same form, which has no interval."""
    if metric != AVERAGE:
        found: Mapping[str, Any] = entry["metrics"][metric]
        return found
    level = entry["average"]["chance"]
    chance = None if level is None else {"mean": level, "sd": None}
    return {"value": entry["average"]["value"], "ci": None, "chance": chance}


def _score_rows(entries: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for entry in entries:
        for metric in metrics:
            found = _cell(entry, metric)
            low, high = found["ci"] or (None, None)
            chance = found["chance"] or {"mean": None, "sd": None}
            rows.append(
                {
                    "comparison": entry["comparison"],
                    "layer": entry["layer"],
                    "variant": entry["variant"],
                    "metric": metric,
                    "value": found["value"],
                    "low": low,
                    "high": high,
                    "chance": chance["mean"],
                    "chance_sd": chance["sd"],
                    "n": entry["n"],
                    "k": entry["k"],
                }
            )
    return rows


def _grid_rows(grid: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"metric": metric, "layer": layer, "text_layer": text_layer, "value": value}
        for metric, found in grid["metrics"].items()
        for layer, line in zip(grid["layers"], found["grid"], strict=True)
        for text_layer, value in zip(grid["layers"], line, strict=True)
    ]


def _panels(count: int, results: Results, title: str, key: str, height: float = 2.3) -> tuple[Any, list[Any]]:
    """A figure with one axes a panel, its title, and the marks' meaning and the conditions below it."""
    from matplotlib.figure import Figure

    columns = min(4, count)
    lines = -(-count // columns)
    figure = Figure(figsize=(max(5.0, 3.1 * columns), height * lines + 1.1), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False)
    figure.suptitle(title, fontsize=11, fontweight="bold")
    figure.supxlabel(f"{key}\n{conditions(results)}", fontsize=7.5, color="#444444", wrap=True)
    flat = list(axes.flat)
    for spare in flat[count:]:
        spare.set_visible(False)
    return figure, flat[:count]


def _by_comparison(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        found.setdefault(entry["comparison"], []).append(entry)
    return found


def _look(name: str) -> dict[str, Any]:
    """How a comparison's line is told from the others besides by its colour."""
    return {"color": COLOURS[name], "marker": _MARKERS[name]}


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _curves(entries: Sequence[Mapping[str, Any]], results: Results, title: str) -> Any:
    key = "band: 95 % interval; dashed: chance (shuffled pairs); in the mean of 7 lcs is divided by k"
    shown = _with_average(entries, results["metrics"])
    figure, axes = _panels(len(shown), results, title, key)
    for ax, metric in zip(axes, shown, strict=True):
        for name, line in _by_comparison(entries).items():
            layers, cells = [e["layer"] for e in line], [_cell(e, metric) for e in line]
            colour = COLOURS[name]
            ax.plot(layers, [_number(c["value"]) for c in cells], ms=3, lw=1.4, **_look(name), label=name)
            low, high = ([_number((c["ci"] or (None, None))[i]) for c in cells] for i in (0, 1))
            ax.fill_between(layers, low, high, color=colour, alpha=0.18, lw=0)
            chance = [_number(c["chance"] and c["chance"]["mean"]) for c in cells]
            ax.plot(layers, chance, "--", lw=1, color=colour)
        ax.set_title(metric, fontsize=9)
        _layer_ticks(ax, sorted({e["layer"] for e in entries}))
    _legend(figure, axes[0], entries)
    return figure


def _layer_bars(entries: Sequence[Mapping[str, Any]], results: Results, title: str) -> Any:
    figure, axes = _panels(len(results["metrics"]), results, title, BAR_KEY)
    groups = _by_comparison(entries)
    width = 0.8 / len(groups)
    for ax, metric in zip(axes, results["metrics"], strict=True):
        for place, (name, line) in enumerate(groups.items()):
            at = [i + (place - (len(groups) - 1) / 2) * width for i in range(len(line))]
            _bars(ax, at, [e["metrics"][metric] for e in line], width, name)
        ticks = range(0, len(line), max(1, len(line) // 7))
        ax.set_xticks(ticks, [str(line[i]["layer"]) for i in ticks])
        ax.set_xlabel("layer")
        ax.set_title(metric, fontsize=9)
    _legend(figure, axes[0], entries)
    return figure


def _stage_bars(entries: Sequence[Mapping[str, Any]], results: Results, title: str) -> Any:
    figure, axes = _panels(len(results["metrics"]), results, title, BAR_KEY)
    for ax, metric in zip(axes, results["metrics"], strict=True):
        for place, entry in enumerate(entries):
            _bars(ax, [place], [entry["metrics"][metric]], 0.7, entry["comparison"])
        ax.set_xticks([])
        ax.set_title(metric, fontsize=9)
    _legend(figure, axes[0], entries)
    return figure


def _bars(ax: Any, at: Sequence[float], cells: Sequence[Mapping[str, Any]], width: float, name: str) -> None:
    ax.bar(at, [_number(c["value"]) for c in cells], width, color=COLOURS[name], label=name)
    for x, cell in zip(at, cells, strict=True):
        if cell["ci"]:
            ax.vlines(x, *cell["ci"], color="#333333", lw=1)
        if cell["chance"]:
            ax.hlines(cell["chance"]["mean"], x - width / 2, x + width / 2, color="black", lw=1.6)
        if cell["value"] is None:
            ax.annotate("–", (x, 0), ha="center", va="bottom")


def _averages(averages: Sequence[Mapping[str, Any]], results: Results, title: str) -> Any:
    figure, (ax,) = _panels(1, results, title, "dashed: chance (shuffled pairs)", height=3.2)
    for name, line in _by_comparison(averages).items():
        layers = [row["layer"] for row in line]
        ax.plot(layers, [_number(row["mean"]) for row in line], ms=4, **_look(name), label=name)
        ax.plot(layers, [_number(row["chance"]) for row in line], "--", lw=1, color=COLOURS[name])
    ax.set_ylabel("mean of the seven metrics")
    _layer_ticks(ax, sorted({row["layer"] for row in averages}))
    ax.legend(frameon=False, fontsize=8)
    return figure


def _heatmap(grid: Mapping[str, Any], results: Results, title: str) -> Any:
    from matplotlib.patches import Rectangle

    figure, axes = _panels(
        len(results["metrics"]), results, f"{title}: {grid['comparison']}", "LCS is divided by k; box: best pair", 2.7
    )
    layers = grid["layers"]
    step = max(1, len(layers) // 7)
    for ax, metric in zip(axes, results["metrics"], strict=True):
        found = grid["metrics"][metric]
        scale = grid["k"] if metric == "lcs_knn" else 1
        cells = [[_number(value) / scale for value in line] for line in found["grid"]]
        image = ax.imshow(cells, vmin=0, vmax=1, cmap="viridis", origin="lower")
        ax.grid(False)
        best, chance = found["best"], found["best_chance"]
        told = "no value above 0" if best is None else f"best {best['value'] / scale:.3f}"
        if chance is not None:
            told += f", chance of the best {chance / scale:.3f}"
        ax.set_title(f"{metric}\n{told}", fontsize=8)
        if best is not None:
            corner = (layers.index(best["text_layer"]) - 0.5, layers.index(best["layer"]) - 0.5)
            ax.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor="white", lw=1.8))
        ticks = range(0, len(layers), step)
        ax.set_xticks(ticks, [str(layers[i]) for i in ticks])
        ax.set_yticks(ticks, [str(layers[i]) for i in ticks])
        ax.set_xlabel("text layer")
        ax.set_ylabel("layer")
    figure.colorbar(image, ax=axes, shrink=0.7)
    return figure


def _layer_ticks(ax: Any, layers: Sequence[int]) -> None:
    step = max(1, len(layers) // 7)
    ax.set_xticks(layers[::step])
    ax.set_xlabel("layer")


def _legend(figure: Any, ax: Any, entries: Sequence[Mapping[str, Any]]) -> None:
    handles, labels = ax.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    count = len({entry["comparison"] for entry in entries})
    figure.legend(shown.values(), shown.keys(), loc="outside upper right", ncols=count, frameon=False, fontsize=8)
