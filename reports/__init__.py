"""Runs -> tables and pages. Reads run directories only; imports no model and no task."""
