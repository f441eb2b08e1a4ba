"""What a site costs: CPU seconds to write it, bytes of its index, and how long Chromium takes to load that.

`python -m benchmarks.site [--models 3] [--samples 2000] [--json]`. Runs of 15 tasks with made-up answers; the load
time is the median of 5, from the address to the end of the page's load event, from the disk.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import described
from harness.schema import MetricResult, TaskResult
from reports.page.site import write_site
from tests.reports import fake_run
from tests.reports.browser import FLAGS, chromium

TASKS: dict[str, tuple[str, str, bool, float]] = {
    "librispeech_test_clean": ("wer", "%", False, 3.0),
    "librispeech_test_other": ("wer", "%", False, 7.0),
    "aishell1": ("cer", "%", False, 2.2),
    "wenetspeech_net": ("cer", "%", False, 8.4),
    "fleurs_zh": ("cer", "%", False, 4.0),
    "seedtts_en": ("wer", "%", False, 4.5),
    "covost2_zh_en": ("bleu", "", True, 21.0),
    "llama_questions": ("accuracy", "%", True, 76.0),
    "mmbench_en": ("accuracy", "%", True, 76.0),
    "mmstar": ("accuracy", "%", True, 60.0),
    "mmmu": ("accuracy", "%", True, 52.0),
    "ai2d": ("accuracy", "%", True, 79.0),
    "mme": ("total", "points", True, 2300.0),
    "videomme": ("accuracy", "%", True, 56.0),
    "latency_fixed": ("ttft_p50_ms", "ms", False, 400.0),
}
"""Task -> metric, unit, whether higher is better, and a value of the right size."""
PAPER = {
    "mme": {"benchmark": "MME", "split": "all", "published_metrics": {"total": "score /2800 (perception+cognition)"}},
    "wenetspeech_net": {"benchmark": "WenetSpeech", "split": "test_net", "published_metrics": {"cer": "CER %"}},
}
"""Task -> where the paper has a value of it."""
BUDGET = {"cpu_s": 60.0, "index_bytes": 300_000}


def result(task: str, n: int, shift: float) -> TaskResult:
    """Numbers of a task, `shift` times a 20th above the table's, under two profiles."""
    name, unit, higher, value = TASKS[task]

    def one(scale: float) -> dict[str, MetricResult]:
        own = value * (1 + 0.05 * shift) * scale
        return {name: fake_run.metric(own, (0.97 * own, 1.03 * own), unit, higher, n=n)}

    made = fake_run.entry(one(1.0), "strict", n_expected=n, n_scored=n, n_published=n)
    made.scores["loose"] = {"": fake_run.numbers(one(1.01), n_scored=n)}
    return made


def make_runs(folder: Path, models: int, n: int) -> list[Path]:
    """Run directories of complete runs; those of the released model get the paper's values beside theirs."""
    return [
        fake_run.write_run(
            folder / f"2026010{i + 1}T000000Z-model",
            {task: result(task, n, (i * 7 + place * 3) % 5 - 2) for place, task in enumerate(TASKS)},
            {task: [fake_run.sample(f"{task}-{k}") for k in range(n)] for task in TASKS},
            model="vita15" if i == 0 else f"model-{i}",
            released=i == 0,
            described=PAPER,
        )
        for i in range(models)
    ]


def load_ms(page: Path, repeats: int = 5) -> float:
    """Median milliseconds until a page is loaded, each time in a fresh window."""
    from playwright.sync_api import sync_playwright

    times = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for _ in range(repeats):
            window = browser.new_page(viewport={"width": 1280, "height": 900})
            window.goto(page.as_uri())
            times.append(window.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
            window.close()
        browser.close()
    return statistics.median(times)


def measure(models: int, n: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        runs = make_runs(Path(folder), models, n)
        before = time.process_time()
        index = write_site(runs, Path(folder) / "site")
        return {
            "models": models,
            "tasks": len(TASKS),
            "samples_per_task": n,
            "cpu_s": time.process_time() - before,
            "index_bytes": index.stat().st_size,
            "load_ms": load_ms(index),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.models, arguments.samples)
    if arguments.json:
        print(json.dumps({"machine": described(), "runs": [found], "budget": BUDGET}, indent=1))
        return
    for name, value in found.items():
        limit = f"  (at most {BUDGET[name]:,.0f})" if name in BUDGET else ""
        print(f"{name:18} {value:,.1f}{limit}")


if __name__ == "__main__":
    main()
