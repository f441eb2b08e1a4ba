"""The curve of a stage's losses."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

SMOOTHING = 50  # steps


def plot_losses(csv: Path, path: Path, title: str) -> None:
    """Each step's loss and its moving mean, as SVG; the same losses give the same bytes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    losses = pd.read_csv(csv)
    with matplotlib.rc_context({"svg.hashsalt": "losses"}):
        figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
        axes.plot(losses["step"], losses["loss"], color="0.8", linewidth=0.6, label="each step")
        mean = losses["loss"].rolling(SMOOTHING, min_periods=1).mean()
        axes.plot(losses["step"], mean, color="tab:blue", label=f"mean of {SMOOTHING} steps")
        axes.set(title=title, xlabel="step", ylabel="loss")
        axes.legend()
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
