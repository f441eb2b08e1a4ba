"""Whole runs against an endpoint: a server that dies, a resume, limits, and answers that are kept."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from harness.config import RunConfig, gather
from harness.run import Objects
from harness.store import RunDir
from tests.fake_endpoint import Endpoint
from tests.harness.toy import TASK

OBJECTS = Objects({TASK.name: TASK})


def config(fake: Endpoint, data: Path, **more: Any) -> RunConfig:
    option = [f"base_url={fake.url}", *more.pop("option", [])]
    given = {"model": "openai:fake", "tasks": [TASK.name], "data": str(data), "option": option} | more
    return gather(given, objects=OBJECTS.tasks)


def answered(run: RunDir) -> Counter[str]:
    return Counter(record.id for record in run.records(TASK.name))


def failed(run: RunDir) -> list[str]:
    return [record.failure.message for record in run.records(TASK.name) if record.failure]
