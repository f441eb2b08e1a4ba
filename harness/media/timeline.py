"""Which frame is shown when, and where a video can be entered, from its index or its packets: nothing is decoded.

Frames are numbered as they are shown. What comes before a key frame in decoding order is shown before it, so a key
frame's number is how many frames are stored before it and how many of those stored behind it are shown before it (the
leading ones of an open group). The first is counted for all key frames at once, the second where one is entered.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.failures import SampleError
from harness.media.files import shown as named
from harness.media.streams import opened

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Item = TypeVar("Item")

MISSING_S = 1.0
"""Seconds by which what is in a file may fall short of the length in its header: writers round, and streams end at
different moments."""
_STAMPS = {"mov": "dts", "matroska": "pts"}
"""Containers that mark key frames and give each packet a time of its own, and the time that their seeking goes by."""
_FROM_ZERO = ("matroska", "flv")
"""Containers whose stated length counts from 0 and not from where the first stream begins."""
_CHECKED = 8
"""Frames at the beginning that are decoded to see that they come when the packets say."""


class Doubt(Exception):
    """What a video shows is not what its packets say: it has to be decoded from its beginning."""


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """`n_frames` that are shown and, of each key frame, int64 [keys]: the time that it is known by (`stamp` says which
    of a packet's), the last such time before the next one, and how many frames are stored before it."""

    n_frames: int
    stamp: str
    stamps: npt.NDArray[np.int64]
    lasts: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]

    def key_of(self, index: int) -> int:
        """The last key frame that is stored no later than the frame with this number could be."""
        return int(self.before.searchsorted(index, "right")) - 1

    def place(self, packet: Any) -> int:
        """Which key frame a packet is. Raises Doubt where it is none."""
        at = getattr(packet, self.stamp)
        key = -1 if at is None else int(self.stamps.searchsorted(at))
        if not packet.is_keyframe or not 0 <= key < len(self.stamps) or self.stamps[key] != at:
            raise Doubt
        return key


def timeline(path: Path) -> Timeline | None:
    """Where a video can be entered; None where only decoding from the beginning tells its frames.

    Remembered for each state of a file. Raises SampleError for one that is truncated, as far as packets are read.
    """
    state = path.stat()
    return _timeline(path, state.st_size, state.st_mtime_ns)


def items_at(
    container: Any, timeline: Timeline, run: Callable[[Any], Iterator[Item]], wanted: Sequence[int]
) -> Iterator[tuple[int, Item]]:
    """Each wanted number, ascending, with what `run` gives at that place: `frames` or `times`.

    A key frame is sought where one lies between the place reached and the wanted one. Raises Doubt, also where
    seeking leads so far back that decoding from the beginning is as well.
    """
    items: Iterator[Item] | None = None
    at = again = 0
    for index in wanted:
        key = timeline.key_of(index)
        if items is None or timeline.before[key] > at:
            entered = _enter(container, timeline, key, index)
            again += max(0, at - entered)
            if again > timeline.n_frames:
                raise Doubt
            items, at = run(container), entered
        for item in items:
            at += 1
            if at > index:
                yield index, item
                break
        else:
            raise Doubt


def frames(container: Any) -> Iterator[Any]:
    """Decoded frames from the key frame on which the container stands. Raises Doubt unless each is shown at the time
    of the packet that is due and the first one stands alone."""
    from av.video.frame import PictureType

    due: list[int] = []
    start = None
    for packet in container.demux(container.streams.video[0]):
        if packet.size:
            at = _time(packet)
            start = at if start is None else start
            if at >= start and _is_shown(packet):
                heapq.heappush(due, at)
        for frame in packet.decode():
            if start is None or frame.pts is None or frame.is_corrupt:
                raise Doubt
            if frame.pts < start:  # leading: it needs what was shown before the key frame
                continue
            if not due or frame.pts != heapq.heappop(due) or (frame.pts == start and frame.pict_type != PictureType.I):
                raise Doubt
            yield frame


def times(container: Any) -> Iterator[int]:
    """When the frames from the key frame on are shown, in the stream's unit, by their packets. Raises Doubt."""
    due: list[int] = []
    start = None
    for packet in container.demux(container.streams.video[0]):
        if not packet.size:
            continue
        at = _time(packet)
        start = at if start is None else start
        if at >= start and _is_shown(packet):
            heapq.heappush(due, at)
        while due and packet.dts is not None and due[0] <= packet.dts:
            yield heapq.heappop(due)
    yield from sorted(due)


def whole_packets(path: Path, container: Any) -> Iterator[Any]:
    """The packets of all streams. Raises SampleError for one that is cut, and where together they do not reach as far
    as the header says."""
    reached = 0.0
    declared = (container.duration or 0) / 1e6
    start = 0.0 if container_kind(container) in _FROM_ZERO else (container.start_time or 0) / 1e6
    for packet in container.demux():
        if packet.is_corrupt:
            raise SampleError(f"video is truncated: {named(path)}: a packet is cut; fetch it again")
        if packet.pts is not None:
            reached = max(reached, float((packet.pts + (packet.duration or 0)) * packet.time_base) - start)
        yield packet
    if reached < declared - MISSING_S:
        raise SampleError(f"video is truncated: {named(path)} holds {reached:.2f} of {declared:.2f} s; fetch it again")


@lru_cache(maxsize=256)
def _timeline(path: Path, size: int, mtime_ns: int) -> Timeline | None:
    import av

    try:
        with opened(path) as container:
            stream = container.streams.video[0]
            stamp = _STAMPS.get(container_kind(container))
            if stamp is None:
                return None
            indexed = 0 < len(stream.index_entries) <= stream.frames
            found = _by_index(stream, stamp) if indexed else _by_packets(path, container, stamp)
        with opened(path) as container:
            first = [index for index, _ in items_at(container, found, frames, range(min(_CHECKED, found.n_frames)))]
        return found if first else None
    except (Doubt, av.FFmpegError):
        return None


def _by_index(stream: Any, stamp: str) -> Timeline:
    found = _Keys(stamp)
    entries = stream.index_entries
    for i in range(len(entries)):
        entry = entries[i]
        found.add(entry.timestamp, entry.is_keyframe, is_shown(entry))
    return found.timeline()


def _by_packets(path: Path, container: Any, stamp: str) -> Timeline:
    import numpy as np

    found, shown = _Keys(stamp), array("q")
    video = container.streams.video[0].index
    for packet in whole_packets(path, container):
        if packet.stream_index == video and packet.size:
            if _is_shown(packet):
                shown.append(_time(packet))
            found.add(getattr(packet, stamp), packet.is_keyframe, _is_shown(packet))
    if len(np.unique(np.asarray(shown))) < len(shown):
        raise Doubt
    return found.timeline()


class _Keys:
    """A timeline on its way, packet by packet."""

    def __init__(self, stamp: str) -> None:
        self.stamp = stamp
        self.n_frames = 0
        self.stamps, self.lasts, self.before = array("q"), array("q"), array("q")

    def add(self, at: int | None, is_key: bool, is_shown: bool) -> None:
        """Raises Doubt for a key frame without a time, and where the first packet is none."""
        if is_key:
            if at is None:
                raise Doubt
            self.stamps.append(at)
            self.lasts.append(at)
            self.before.append(self.n_frames)
        elif not self.lasts:
            raise Doubt
        elif at is not None:
            self.lasts[-1] = max(self.lasts[-1], at)
        self.n_frames += is_shown

    def timeline(self) -> Timeline:
        """Raises Doubt where nothing is shown, and unless each key frame has a time of its own."""
        import numpy as np

        stamps, lasts, before = (np.array(values, np.int64) for values in (self.stamps, self.lasts, self.before))
        if not self.n_frames or not (np.diff(stamps) > 0).all():
            raise Doubt
        return Timeline(self.n_frames, self.stamp, stamps, lasts, before)


def is_shown(entry: Any) -> bool:
    """False for an entry of an index that an edit list takes out, and for an empty one: the frame before it stays."""
    return bool(entry.size) and not entry.is_discard


def container_kind(container: Any) -> str:
    """FFmpeg's first name for its format."""
    return str(container.format.name.split(",")[0])


def _enter(container: Any, timeline: Timeline, key: int, index: int) -> int:
    """Stand on the last key frame from which the frame `index` can be decoded; its own number. Raises Doubt."""
    stream = container.streams.video[0]
    for earlier in range(key, -1, -1):
        goal = int(timeline.lasts[earlier])  # by its own time FFmpeg would find the one before, if it is shown later
        container.seek(goal, stream=stream)
        number = _number(container.demux(stream), timeline)
        if number <= index:
            container.seek(goal, stream=stream)
            return number
    raise Doubt


def _number(packets: Iterator[Any], timeline: Timeline) -> int:
    """The number of the key frame that comes first: of those stored behind it, the leading ones are shown before."""
    first = next(packets)
    number = int(timeline.before[timeline.place(first)])
    start = _time(first)
    for packet in packets:
        if not packet.size or packet.is_keyframe or (packet.dts is not None and packet.dts >= start):
            break
        number += _time(packet) < start and _is_shown(packet)
    return number


def _time(packet: Any) -> int:
    """When it is shown. Raises Doubt where that is not said, or before it is decoded."""
    if packet.pts is None or (packet.dts is not None and packet.dts > packet.pts):
        raise Doubt
    return int(packet.pts)


def _is_shown(packet: Any) -> bool:
    """False for what an edit list takes out, and for a VP8 frame that is never shown (RFC 6386, 9.1)."""
    if packet.stream.codec_context.name == "vp8" and not memoryview(packet)[0] & 0x10:
        return False
    return not packet.is_discard
