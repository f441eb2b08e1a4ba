"""Plots of runs as SVG, PNG and the CSV behind each (docs/plots.md): the same runs give the same bytes."""
