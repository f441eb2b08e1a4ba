"""What holds for all tests.

One thread a process: the small models of the tests are slower with two, and the processes share the cores. No test is
timed: a busy machine must not fail one.
"""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
