"""`python -m tests.parity {models,tasks,probes} [--goldens DIR] [--only NAME] [--json]`.

Runs the implementation against golden files and prints one row a component. Exit 1 if a comparison
failed or nothing was checked. A golden file that DIR does not hold is named on stderr and left out, and so is what
needs a library that is not installed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.failures import UsageError
from tests.parity.check import Check

DEFAULT_GOLDENS = Path(__file__).resolve().parents[1] / "goldens"

# Each module holds COMPONENTS: {name: function(goldens folder) -> Check}.
GROUPS = {
    "models": (
        "vita15_perception",
        "vita15_language",
        "vita15_speech",
        "vita_audio_language",
        "vita_audio_text",
        "vita_audio_hearing",
        "vita_audio_speech",
        "vita_audio_streaming",
        "nexus_o",
    ),
    "tasks": (
        "speech_scoring",
        "speech_tts",
        "speech_questions",
        "speech_bleu",
        "vision_mme",
        "vision_choices",
        "vision_judged",
        "vision_prompts",
        "vita_audio_prompts",
    ),
    "probes": ("probes",),
}

Component = Callable[[Path], Check]


def components(group: str) -> dict[str, Component]:
    """The components of a group, in the order in which they are printed. Raises ValueError on two of one name."""
    found: dict[str, Component] = {}
    for module in GROUPS[group]:
        more = importlib.import_module(f"tests.parity.{module}").COMPONENTS
        if twice := found.keys() & more.keys():
            raise ValueError(f"{module}: there is another component of the name {', '.join(sorted(twice))}")
        found |= more
    return found


def run(group: str, goldens: Path, only: str | None = None) -> Iterator[Check]:
    """Run the group's components whose golden files are in `goldens`."""
    for name, component in components(group).items():
        if only is not None and name != only:
            continue
        try:
            yield component(goldens)
        except FileNotFoundError as error:
            print(f"{name}: not checked, no golden file {error.filename}", file=sys.stderr)
        except UsageError as error:  # a library of an extra is not installed
            print(f"{name}: not checked, {error}", file=sys.stderr)
        except Exception as error:  # the other components are still worth running
            traceback.print_exc()
            broken = Check(name)
            broken.equal(f"{name} ran", f"{type(error).__name__}: {error}", "to its end")
            yield broken


def allowed(check: Check) -> str:
    """The bound, or from which to which bound where comparisons have some of their own, and how near errors came."""
    upto = f" to {check.widest:.0e}" if check.widest > check.tolerance else ""
    return f"(allowed {check.tolerance:.0e}{upto}; at most {100 * check.of_allowed:.0f} % of it)"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__.splitlines()[0])
    parser.add_argument("group", choices=GROUPS)
    parser.add_argument("--goldens", type=Path, default=DEFAULT_GOLDENS)
    parser.add_argument("--only", help="one component")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.only is not None and args.only not in components(args.group):
        parser.error(f"no component {args.only!r}; there are {', '.join(components(args.group))}")

    checks = list(run(args.group, args.goldens, args.only))
    if args.json:
        print(json.dumps([check.as_dict() for check in checks], ensure_ascii=False, indent=1))
    else:
        width = max((len(check.component) for check in checks), default=0)
        for check in checks:
            verdict = "ok" if check.checked and not check.failed else "FAILED"
            print(
                f"{check.component:{width}} {check.checked:6} checked {check.failed:5} failed   "
                f"max |err| {check.max_abs_err:.2e} {allowed(check)}  {verdict}"
            )
            for example in check.examples:
                print(f"    {example}")
    good = checks and all(check.checked and not check.failed for check in checks)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
