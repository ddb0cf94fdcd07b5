"""Copies gathered into groups of which most members are pairs.

One wrong pair must not make one group of two: in a large archive some pair connects almost everything.
Two groups become one if at least half of the pairs between them were found (average linkage).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from dns_core.retrieval.pair_journal import Pair

_SHARE = 0.5
# A video is compared with those of a shortlist, and not with all of a large group.
_COMPARED = 30

Members = tuple[set[str], list[Pair]]


def linked(pairs: Sequence[Pair]) -> list[Members]:
    """Groups of two or more names, each with the pairs inside it.

    Args:
        pairs: of copies, in any order. Those of equal content have a score of 1 and stand for one another.
    """
    equal = connected(pair for pair in pairs if pair.score == 1.0)
    stands_for = {name: min(names) for names, _ in equal for name in names}
    groups = _Groups()
    for pair in sorted(pairs, key=lambda pair: (-pair.score, pair.first, pair.second)):
        one, other = (stands_for.get(name, name) for name in (pair.first, pair.second))
        groups.link(one, other)
    group_of = {
        name: groups.of(stands_for.get(name, name)) for pair in pairs for name in (pair.first, pair.second)
    }
    found: defaultdict[int, Members] = defaultdict(lambda: (set(), []))
    for pair in pairs:
        if group_of[pair.first] == group_of[pair.second]:
            names, inside = found[group_of[pair.first]]
            names |= {pair.first, pair.second}
            inside.append(pair)
    return list(found.values())


def connected(pairs: Iterable[Pair]) -> list[Members]:
    """The sets of names that pairs connect, each with its pairs."""
    set_of: dict[str, Members] = {}
    for pair in pairs:
        one, other = (set_of.setdefault(name, ({name}, [])) for name in (pair.first, pair.second))
        if one is not other:
            if len(one[0]) < len(other[0]):
                one, other = other, one
            one[0].update(other[0])
            one[1].extend(other[1])
            set_of |= dict.fromkeys(other[0], one)
        one[1].append(pair)
    return list({id(entry): entry for entry in set_of.values()}.values())


class _Groups:
    """Groups that grow, and how many pairs were found between each two."""

    def __init__(self) -> None:
        self._group: dict[str, int] = {}
        self._members: dict[int, list[str]] = {}
        self._links: defaultdict[int, Counter[int]] = defaultdict(Counter)

    def of(self, name: str) -> int:
        """Number of the group of a name."""
        number = self._group.setdefault(name, len(self._group))
        self._members.setdefault(number, [name])
        return number

    def link(self, one: str, other: str) -> None:
        """Count a pair, and join what belongs together by it."""
        a, b = self.of(one), self.of(other)
        if a == b:
            return
        self._links[a][b] += 1
        self._links[b][a] += 1
        while (near := self._near(a)) is not None:
            a = self._joined(a, near)

    def _near(self, group: int) -> int | None:
        return next((other for other in self._links[group] if self._is_one(group, other)), None)

    def _is_one(self, a: int, b: int) -> bool:
        fewer, more = sorted((len(self._members[a]), len(self._members[b])))
        return self._links[a][b] >= _SHARE * fewer * min(more, _COMPARED)

    def _joined(self, a: int, b: int) -> int:
        """The larger group, with the smaller one in it."""
        large, small = sorted((a, b), key=lambda group: -len(self._members[group]))
        moved = self._members.pop(small)
        self._members[large] += moved
        self._group |= dict.fromkeys(moved, large)
        for other, count in self._links.pop(small).items():
            self._links[other].pop(small)
            if other != large:
                self._links[large][other] += count
                self._links[other][large] += count
        return large
