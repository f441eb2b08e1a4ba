"""A set of ids that stays small for benchmarks of any size."""

from __future__ import annotations

from array import array
from hashlib import blake2b

_EMPTY = 0
_START = 1 << 10


class IdSet:
    """Ids by their 64-bit hashes, in a table with open addressing: 16 to 32 bytes an id.

    Two different ids are taken for one with a probability of 3e-8 in a million ids.
    """

    def __init__(self) -> None:
        self._table = array("Q", bytes(8 * _START))
        self._used = 0

    def __len__(self) -> int:
        return self._used

    def __contains__(self, identity: str) -> bool:
        return self._table[self._place(_hash(identity))] != _EMPTY

    def add(self, identity: str) -> bool:
        """Put an id in; False if it was there."""
        value = _hash(identity)
        place = self._place(value)
        if self._table[place] != _EMPTY:
            return False
        self._table[place] = value
        self._used += 1
        if 2 * self._used > len(self._table):
            self._grow()
        return True

    def _place(self, value: int) -> int:
        """The slot that holds the value, or the empty one where it belongs."""
        table, mask = self._table, len(self._table) - 1
        place = value & mask
        while table[place] not in (_EMPTY, value):
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        values = self._table
        self._table = array("Q", bytes(16 * len(values)))
        for value in values:
            if value != _EMPTY:
                self._table[self._place(value)] = value


def _hash(identity: str) -> int:
    """64 bits of the id, never the mark of an empty slot."""
    return int.from_bytes(blake2b(identity.encode(errors="surrogatepass"), digest_size=8).digest(), "little") or 1
