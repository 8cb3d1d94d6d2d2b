"""What the service's context cache bills as hits, by its documented rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Rule = Literal["units", "blocks"]

_ENDS_KEPT: Final = 8


class PrefixCache:
    """The prefixes one account has sent, and what a request starting with them is billed as hits.

    `rule` is `"units"`, in force since 2026: a prefix is hit once it was persisted, and it is persisted

    - where the prefix common to this request and an earlier one ended (in whole units, from the next
      request on),
    - at the end of a request's input, to be hit only by a request that contains that input whole
      (`ends`; False leaves this kind out, which matters to repeated requests only),
    - and, if `interval` (tokens, a multiple of `unit`) is given, at every `interval` tokens.

    `"blocks"` is the older rule: the longest prefix seen before, in whole units. `unit` is in tokens: 128
    for units, 64 for blocks, unless told otherwise. `keep` bounds how many units are remembered; the ones
    unused for longest go first. Time plays no part: a prefix is there for the very next request.
    """

    def __init__(
        self,
        rule: Rule = "units",
        unit: int | None = None,
        interval: int | None = None,
        *,
        ends: bool = True,
        keep: int = 1_000_000,
    ) -> None:
        self.rule: Final = rule
        self.unit: Final = unit or (128 if rule == "units" else 64)
        if interval is not None and (interval < self.unit or interval % self.unit):
            raise ValueError(f"interval {interval} is no multiple of the unit {self.unit}")
        self._step: Final = interval // self.unit if interval and rule == "units" else 0
        self._ends_count: Final = ends and rule == "units"
        self._keep: Final = keep
        # Each prefix of whole units, by the hash chained over its units: was it persisted? The dictionary's
        # order is that of use, longer prefixes before their own beginnings, so that these go last.
        self._seen: dict[int, bool] = {}
        # By the hash of an input's whole units: length and hash of what followed up to its end.
        self._ends: dict[int, list[tuple[int, int]]] = {}

    def __len__(self) -> int:
        """How many prefixes are remembered."""
        return len(self._seen)

    def ask(self, ids: Sequence[int]) -> int:
        """Return how many leading tokens of the request `ids` are hits, and remember the request."""
        unit, seen = self.unit, self._seen
        ids = tuple(ids)
        chain: list[int] = []
        before = 0
        for start in range(0, len(ids) - unit + 1, unit):
            before = hash((before, ids[start : start + unit]))
            chain.append(before)
        common = 0
        while common < len(chain) and chain[common] in seen:
            common += 1
        hit = common if self.rule == "blocks" else self._persisted(ids, chain, common)
        self._remember(ids, chain, common)
        return hit * unit

    def _persisted(self, ids: tuple[int, ...], chain: list[int], common: int) -> int:
        for count in range(common, 0, -1):
            key = chain[count - 1]
            if self._seen[key]:
                return count
            start = count * self.unit
            for length, digest in self._ends.get(key, ()):
                # A tuple cut short at the request's own end has another hash, so no length is compared.
                if hash(ids[start : start + length]) == digest:
                    return count
        return 0

    def _remember(self, ids: tuple[int, ...], chain: list[int], common: int) -> None:
        seen = self._seen
        for index in range(len(chain) - 1, -1, -1):
            key = chain[index]
            count = index + 1
            persisted = seen.pop(key, False)
            seen[key] = persisted or count == common or bool(self._step and count % self._step == 0)
        if self._ends_count and chain:
            tail = ids[len(chain) * self.unit :]
            ends = self._ends.setdefault(chain[-1], [])
            end = (len(tail), hash(tail))
            if end in ends:
                ends.remove(end)
            ends.append(end)
            del ends[:-_ENDS_KEPT]
        while len(seen) > self._keep:
            oldest = next(iter(seen))
            del seen[oldest]
            self._ends.pop(oldest, None)
