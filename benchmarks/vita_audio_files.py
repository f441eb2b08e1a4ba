"""How the measurement of VITA-Audio's modes is shown: text, CSV and the plot of figure 5."""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.vita_audio_timing import Times
from models.vita_audio.schedule import Mode

Found = Mapping[tuple[Mode, bool], Sequence[Times]]


def as_text(result: Mapping[str, Any]) -> str:
    """Both tables, the measured bandwidth and what must hold."""
    settings, memory = result["settings"], result["bandwidth_measured"]
    lines = [
        f"{settings['device']}, {settings['size']}: {settings['parameters'] / 1e6:.0f} M random parameters in "
        f"{settings['dtype']}, {settings['prefill']} + {settings['tokens']} tokens, {settings['clock']} seconds",
        "bandwidth measured: " + ", ".join(f"{name} {speed / 1e9:.1f} GB/s" for name, speed in memory.items()),
        *(
            f"bytes of a turbo cycle, {name}: " + ", ".join(f"{part} {share:.3f}" for part, share in shares.items())
            for name, shares in result["turbo_cycle_shares"].items()
        ),
        "",
        f"{'mode':10}{'graphs':>7}{'tokens/s':>10}{'x vanilla':>10}{'(range)':>14}{'x limit':>9}{'MB/token':>10}"
        f"{'MB/cycle':>10}{'of limit':>9}{'calling':>9}{'paper':>9}",
    ]
    for row in result["modes"]:
        paper = row["paper_tokens_per_s"]
        spread = f"({row['ratio_least']:.2f}-{row['ratio_most']:.2f})"
        lines.append(
            f"{row['mode']:10}{_on(row):>7}{row['tokens_per_s']:10.1f}{row['ratio']:10.2f}{spread:>14}"
            f"{row['ratio_limit']:9.2f}{row['bytes_per_token'] / 1e6:10.1f}{row['cycle_bytes'] / 1e6:10.1f}"
            f"{row['share_of_limit']:9.3f}{row['calling_share']:9.2f}{paper or '-':>9}"
        )
    lines += ["", f"{'first chunk':14}{'graphs':>7}{'tokens':>8}{'LLM ms':>10}{'limit ms':>10}"]
    for row in result["first_chunk"]:
        lines.append(
            f"{row['mode']:14}{_on(row):>7}{row['tokens']:8}{row['llm_s'] * 1e3:10.1f}{row['limit_s'] * 1e3:10.1f}"
        )
    if speech := result["speech"]:
        lines.append(
            f"encoder, {speech['question_s']:g} s of speech: {speech['encoder_s'] * 1e3:.0f} ms; decoder, 0.64 s of "
            f"speech by one flow step: {speech['decoder_s'] * 1e3:.0f} ms; both at published size"
        )
    words = {True: "holds", False: "DOES NOT HOLD", None: "not measured here"}
    lines += ["", *(f"{goal['goal']}: {words[goal['holds']]}" for goal in result["goals"])]
    return "\n".join(lines)


def write(folder: Path, result: Mapping[str, Any], found: Found) -> None:
    """`modes.json`, `modes.csv`, `first-chunk.csv`, `tokens.csv` and `tokens.svg`, which are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "modes.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    _table(folder / "modes.csv", result["modes"])
    _table(folder / "first-chunk.csv", result["first_chunk"])
    times = token_rows(found)
    _table(folder / "tokens.csv", times)
    plot(folder / "tokens.svg", times, result["settings"])


def token_rows(found: Found) -> list[dict[str, Any]]:
    """Figure 5: when each token was read, in seconds from the start; medians over the repeats."""
    return [
        {
            "mode": str(mode),
            "graphs": graph,
            "token": token,
            "wall_s": statistics.median(each.wall[token] for each in times),
            "cpu_s": statistics.median(each.cpu[token] for each in times),
        }
        for (mode, graph), times in found.items()
        for token in range(len(times[0].wall))
    ]


def plot(path: Path, times: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> None:
    """A line a mode, tokens over time, as SVG; the same times give the same bytes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    with matplotlib.rc_context({"svg.hashsalt": "modes"}):
        figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
        for mode, graphs in dict.fromkeys((row["mode"], row["graphs"]) for row in times):
            rows = [row for row in times if (row["mode"], row["graphs"]) == (mode, graphs)]
            seconds = [row[f"{settings['clock']}_s"] for row in rows]
            label = mode + (", CUDA graphs" if graphs else "")
            axes.plot(seconds, range(1, len(seconds) + 1), "-" if graphs else "--", label=label)
        axes.set(
            title=f"{settings['size']}, {settings['dtype']}, random weights, {settings['device']}",
            xlabel="CPU seconds" if settings["clock"] == "cpu" else "seconds",
            ylabel="tokens made",
        )
        axes.legend()
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def _table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _on(row: Mapping[str, Any]) -> str:
    return "on" if row["graphs"] else "off"
