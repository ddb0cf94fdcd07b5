"""A search in groups of shards gives what one engine over the same index gives, however they are cut."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dns_core.errors import ShardsLostError
from dns_core.index import Index, add_videos, build_index, open_index, remove_videos
from dns_core.records import QueryResult, VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.local_shards import LocalShards
from dns_core.retrieval.pictures import search_any
from dns_core.retrieval.shards import EngineLimits, ShardGroups, Shards, one_after_the_other
from tests.dns_core.retrieval.conftest import features_of

FINE = "fine_binary"
SIZES = (5, 1, 8, 3, 4, 6)
N_VIDEOS = sum(SIZES)
LENGTHS = {f"v{n:02d}": 1 + 2 * n for n in range(N_VIDEOS - 3)}
COPIES = {"copy of v08": "v08", "another copy of v08": "v08", "copy of v19": "v19"}
REMOVED = ("v02", "v05", "v13")  # v05 is a whole shard
WHOLE = EngineLimits()
SHORT = EngineLimits(large_index=5, shortlist=4)


def video(name: str) -> VideoFeatures:
    return features_of(name, LENGTHS[name])


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, bundle: Bundle) -> Index:
    """Six shards, some of their videos removed, some copies of videos in other shards."""
    folder = tmp_path_factory.mktemp("index")
    encoder = VideoEncoder(bundle)
    videos = [video(name) for name in LENGTHS]
    videos += [replace(video(source), video_id=name) for name, source in COPIES.items()]
    start = 0
    for size in SIZES:
        records = [encoder.encode(one) for one in videos[start : start + size]]
        if start:
            add_videos(folder, records, models=encoder.origin.models)
        else:
            build_index(folder, records, encoder.origin)
        start += size
    remove_videos(folder, REMOVED)
    return open_index(folder)


def part(index: Index, shards: slice) -> Index:
    own = index.manifest.model_copy(update={"shards": index.manifest.shards[shards]})
    return Index(index.folder, own)


@dataclass(frozen=True)
class World:
    """An index, its models, and how much is handled at once."""

    index: Index
    bundle: Bundle
    limits: EngineLimits = WHOLE

    @property
    def engine(self) -> Engine:
        return Engine(self.index, self.bundle, limits=self.limits)

    def names(self, shards: slice) -> tuple[str, ...]:
        return tuple(entry.name for entry in self.index.manifest.shards[shards])

    def group(self, shards: slice) -> LocalShards:
        return LocalShards(part(self.index, shards), self.bundle, FINE, self.limits)

    def cut(
        self,
        cuts: Sequence[int],
        group: Callable[[slice], Shards] | None = None,
        ask: Callable[..., list[Any]] = one_after_the_other,
    ) -> Engine:
        """The engine over groups that end before the shards of the numbers ``cuts``."""
        shards = [slice(*pair) for pair in pairwise([0, *sorted(cuts), len(SIZES)])]
        groups = [(self.names(those), (group or self.group)(those)) for those in shards]
        return self.engine.over(ShardGroups(groups, self.limits.shortlist, ask))


@pytest.fixture
def world(index: Index, bundle: Bundle) -> World:
    return World(index, bundle)


def answer(engine: Engine, query: VideoFeatures, top_k: int, budget: Budget) -> QueryResult:
    return replace(search_any(engine, query, top_k=top_k, budget=budget), timing_ms={})


QUERIES = st.one_of(
    st.sampled_from(["v00", "v08", "v19"]).map(video),  # v00 has one frame: a picture
    st.builds(
        lambda n, length: features_of(f"query {n}", length), st.integers(0, 10_000), st.integers(1, 40)
    ),
)
CUTS = st.sets(st.integers(1, len(SIZES) - 1))


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_cut_gives_the_answer_of_one_engine(world: World, data: st.DataObject) -> None:
    query, cuts, limits = data.draw(QUERIES), data.draw(CUTS), data.draw(st.sampled_from([WHOLE, SHORT]))
    # what a shortlist holds; now and then more, as that is searched whole
    most = data.draw(st.sampled_from([SHORT.shortlist, N_VIDEOS]))
    top_k, n_compared = data.draw(st.integers(0, most)), data.draw(st.integers(0, most))
    budget = Budget(share=n_compared / N_VIDEOS)
    world = replace(world, limits=limits)
    expected = answer(world.engine, query, top_k, budget)
    assert answer(world.cut(sorted(cuts)), query, top_k, budget) == expected
    assert not {match.video_id for match in expected.results} & set(REMOVED)


def test_what_the_law_compares_is_not_trivial(world: World) -> None:
    """Copies tie, segments are found, and a shortlist leaves videos out."""
    world = replace(world, limits=SHORT)
    found = answer(world.engine, video("v08"), 3, Budget(share=0.1))
    assert [match.video_id for match in found.results] == ["another copy of v08", "copy of v08", "v08"]
    assert len({match.score for match in found.results}) == 1
    assert all(match.segments for match in found.results)
    candidates = world.engine.candidates(video("v08"), shortlisted=True)
    assert 3 <= len(candidates.rows) < world.index.n_videos == N_VIDEOS - len(REMOVED)


def test_a_shortlist_keeps_what_ties_with_the_last(world: World) -> None:
    world = replace(world, limits=EngineLimits(large_index=5, shortlist=1))
    for cuts in ([], [1, 2, 3, 4, 5]):
        candidates = world.cut(cuts).candidates(video("v08"), shortlisted=True)
        assert {"v08", "copy of v08", "another copy of v08"} <= set(candidates.ids)
        assert np.all(np.diff(candidates.rows) > 0)


def test_groups_may_be_asked_side_by_side(world: World) -> None:
    with ThreadPoolExecutor(4) as pool:

        def ask(calls: Sequence[Callable[[], Any]]) -> list[Any]:
            return [future.result() for future in [pool.submit(call) for call in calls]]

        found = answer(world.cut([2, 3, 4], ask=ask), video("v19"), 5, Budget(share=0.5))
    assert found == answer(world.engine, video("v19"), 5, Budget(share=0.5))


class Lost(LocalShards):
    """A group that is lost at one step of a search."""

    step = ""

    def __getattribute__(self, name: str) -> Any:
        if name == type(self).step:
            raise ShardsLostError([entry.name for entry in self.index.manifest.shards], "no holder answers")
        return super().__getattribute__(name)


@pytest.mark.parametrize("step", ["seen", "fine_scores", "segments", "best_frames"])
def test_without_a_lost_group_the_answer_is_that_of_an_index_without_it(world: World, step: str) -> None:
    lost = slice(2, 3)
    cls: type[Lost] = type("LostNow", (Lost,), {"step": step})

    def group(shards: slice) -> Shards:
        kind = cls if shards == lost else LocalShards
        return kind(part(world.index, shards), world.bundle, FINE)

    query = video("v00" if step == "best_frames" else "v19")
    engine = world.cut([2, 3], group)
    found = answer(engine, query, 20, Budget(share=1))
    shards = world.index.manifest.shards
    rest = world.index.manifest.model_copy(update={"shards": shards[:2] + shards[3:]})
    expected = answer(Engine(Index(world.index.folder, rest), world.bundle), query, 20, Budget(share=1))
    assert found.results == expected.results
    assert found.missing_shards == world.names(lost)
    n_lost = shards[2].n_videos - len(shards[2].removed)
    assert found.coverage == pytest.approx(1 - n_lost / world.index.n_videos)
    with pytest.raises(ShardsLostError, match=f"{shards[2].name} .no holder answers"):
        search_any(engine, query, top_k=20, budget=Budget(share=1), partial=False)


def test_nothing_left_is_an_error(world: World) -> None:
    cls: type[Lost] = type("LostNow", (Lost,), {"step": "seen"})
    engine = world.cut([], lambda shards: cls(part(world.index, shards), world.bundle, FINE))
    with pytest.raises(ShardsLostError):
        search_any(engine, video("v19"), top_k=9, budget=Budget(share=1))
