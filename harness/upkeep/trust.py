"""What a run's numbers rest on that its directory cannot prove."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import manifest
from harness.schema import Manifest
from harness.upkeep.log import Media
from harness.upkeep.replayed import Replayed


def other_code(described: Manifest) -> str:
    """How the code and packages that made the run's numbers differ from those of today; "" where they do not."""
    last: Mapping[str, Any] = described.resumed[-1] if described.resumed else {}
    then = last.get("harness", described.harness), last.get("versions", described.versions)
    now = {"version": manifest.package_version("omni-harness"), **manifest.git_state()}, manifest.versions()
    told = [
        f"{name} {old.get(name)} then, {new.get(name)} now"
        for old, new in zip(then, now, strict=True)
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]
    return "; ".join(told)


def trusted(described: Manifest, media: Media, replayed: Replayed | None) -> list[str]:
    """Sentences, each on something that would have to be trusted."""
    model = described.model
    digest = model.fingerprint.get("digest")
    said = [
        "The answers are what the log says: no model was asked again.",
        f"They are those of {model.label}, and its weights have the digest {digest}: the weights were not read."
        if digest
        else f"They are those of {model.label}: its weights have no digest.",
        "Seconds and latencies are what was measured then; tokens are as the model counted them.",
        "The plan holds the benchmark's rows and gold answers: the data was not read again.",
    ]
    if media.missing:
        said.append(f"{media.missing} media are not at their paths on this machine: what was asked about was not seen.")
    if replayed is not None and replayed.judgements.used:
        said.append(
            f"{len(replayed.judgements.used)} judgements are what the judges said: "
            "they were replayed, and no judge was asked again."
        )
    if replayed is not None and replayed.n_absent:
        rows = sum(replayed.taken.values())
        said.append(
            f"{replayed.n_absent} judgements are neither in the run nor on this machine, or were never given: "
            f"the scores of {rows} records rest on them and are taken as they are stored."
        )
    if described.harness.get("commit") is None:
        said.append(f"The harness was of version {described.harness.get('version')}; its commit is not known.")
    elif described.harness.get("dirty"):
        said.append(f"The harness had changes beside its commit {described.harness['commit']}, which are not known.")
    return said
