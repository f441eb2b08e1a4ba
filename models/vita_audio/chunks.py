"""When to decode which speech codes of an answer that is still being made.

Codes come one by one, in segments that each end with `<|end_of_audio|>`. A policy says after every event whether a
chunk is due. There are two:

`Released` is what the release's demo does: at the end of a segment it decodes the whole history again and sends what
is new of it, in more and more flow steps. It decodes at the first segment, then only where more than 16 codes are new;
a history of more than 512 codes is begun anew. What is left when the answer ends is lost, and pieces do not fit
together, as each comes from another decode.

`Clean`, the default, cuts the answer into windows and decodes each once, going on from the codes before it. The first
window is the first segment, so that sound starts as soon; a later one ends with the first segment that makes it at
least `least` codes long, any with its `most`-th code, and the last with the answer. So nothing is lost, a code is
decoded once as new and at most `context` codes stand before a window as its prompt: the work is bounded for a chunk
and linear in the answer. The windows follow from codes and segment ends alone and not from when they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol

from models.vita_audio.flow import FRAME

Event = Literal["code", "end", "finish"]
"""A code came; its segment ended; the answer ended."""


class Chunk(NamedTuple):
    """Decode the codes from `first` on and before `end` in `steps` flow steps; those before `sent` were heard."""

    first: int
    sent: int
    end: int
    steps: int


class Progress(NamedTuple):
    """Of an answer: `codes` came, `decoded` of them are in chunks, of which there were `chunks`; the history begins at
    `first`."""

    codes: int = 0
    decoded: int = 0
    chunks: int = 0
    first: int = 0


class Policy(Protocol):
    goes_on: ClassVar[bool]
    """Whether the spectrogram of the codes before `Chunk.sent` stands, or is made again with the chunk."""

    def due(self, progress: Progress, event: Event) -> Chunk | None:
        """The chunk to decode after an event, which `progress` has counted already."""

    def history(self, chunk: Chunk) -> int:
        """Where the history begins after a chunk."""


@dataclass(frozen=True)
class Released:
    """The release's demo (specification, section 4)."""

    apart: int = 16
    longest: int = 512
    most_steps: int = 10
    goes_on: ClassVar[bool] = False

    def due(self, progress: Progress, event: Event) -> Chunk | None:
        new = progress.codes - progress.decoded
        if event != "end" or new <= (self.apart if progress.chunks else 0):
            return None
        steps = min(1 + 2 * progress.chunks, self.most_steps)
        return Chunk(progress.first, progress.decoded, progress.codes, steps)

    def history(self, chunk: Chunk) -> int:
        return chunk.end if chunk.end - chunk.first > self.longest else chunk.first


@dataclass(frozen=True)
class Clean:
    """Windows that lose nothing. Raises ValueError on a setting that is out of range."""

    least: int = 16
    most: int = 64
    context: int = 24
    steps: int = 10
    goes_on: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most or self.context < 0 or self.steps < 1:
            raise ValueError(
                f"chunks of {self.least} to {self.most} codes after {self.context} in {self.steps} steps: "
                "expected 1 <= least <= most, context of at least 0 and steps of at least 1"
            )

    def due(self, progress: Progress, event: Event) -> Chunk | None:
        new = progress.codes - progress.decoded
        enough = {"code": self.most, "end": self.least if progress.chunks else 1, "finish": 1}[event]
        if new < enough:
            return None
        first = max(0, progress.decoded - self.context)
        return Chunk(first, progress.decoded, progress.codes, self.steps)

    def history(self, chunk: Chunk) -> int:
        return 0


def after(policy: Policy, progress: Progress, event: Event) -> tuple[Progress, Chunk | None]:
    """What an event leads to."""
    progress = progress._replace(codes=progress.codes + (event == "code"))
    chunk = policy.due(progress, event)
    if chunk is None:
        return progress, None
    return Progress(progress.codes, chunk.end, progress.chunks + 1, policy.history(chunk)), chunk


def chunks(policy: Policy, segments: Sequence[int]) -> Iterator[Chunk]:
    """The chunks of a finished answer, from the number of codes of each segment, all of which ended."""
    events: list[Event] = []
    for codes in segments:
        events += [*["code"] * codes, "end"]
    progress = Progress()
    for event in (*events, "finish"):
        progress, chunk = after(policy, progress, event)
        if chunk is not None:
            yield chunk


def new_samples(chunk: Chunk, frames: Callable[[int], int]) -> tuple[int, int]:
    """Which samples to send of a chunk that is decoded from `first` on; `frames` counts the mel frames of codes."""
    return FRAME * frames(chunk.sent - chunk.first), FRAME * frames(chunk.end - chunk.first)
