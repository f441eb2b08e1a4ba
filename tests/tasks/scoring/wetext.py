"""Tests of what reads numbers out with WeTextProcessing run where it is installed (`make test-full`)."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

needs_wetext = pytest.mark.skipif(find_spec("tn") is None, reason="needs the extra judges (WeTextProcessing)")
