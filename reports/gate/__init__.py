"""A run held against a baseline: which numbers got worse than a gates file allows, and whether that is chance."""
