"""Parity with recorded outputs of the public reference implementations."""
