"""All Shards say the same of the same videos: on this machine, in groups, and asked of a holder."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from dns_core.errors import ShardsLostError
from dns_core.index import Index, add_videos, build_index, open_index
from dns_core.index.manifest import Manifest, ShardEntry
from dns_core.records import Float32Array, VideoFeatures
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.chunked_video import ChunkedVideo
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.local_shards import LocalShards
from dns_core.retrieval.shards import CoarseQuery, EngineLimits, ShardGroups, Shards
from dns_ops.holders.asking import Group, HeldShards, Replica
from dns_ops.holders.holder import Holder
from dns_ops.holders.plans import Computing, Source, plans_of
from tests.dns_core.retrieval.conftest import features_of, write_networks

FINE, CODE = "fine_binary", "the same code"
LIMITS = EngineLimits(large_index=5, shortlist=3, timed_block_cells=1)
SHARDS, IN_SHARD = 3, 6
N_VIDEOS = SHARDS * IN_SHARD
ROWS = np.array([11, 0, 17, 5, 6])
KINDS = ("local", "groups", "held")


@dataclass(frozen=True)
class Archive:
    """An index of three shards, one of whose videos is there twice, and its models."""

    index: Index
    models: Path
    bundle: Bundle

    @property
    def local(self) -> LocalShards:
        return LocalShards(self.index, self.bundle, FINE, LIMITS)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in self.index.manifest.shards)

    def groups(self) -> Shards:
        """Two groups: the first shard, and the others."""
        entries = self.index.manifest.shards
        parts = [(self.names[cut], entries[cut]) for cut in (slice(0, 1), slice(1, None))]
        return ShardGroups(
            [
                (names, LocalShards(Index(self.index.folder, self._manifest(own)), self.bundle, FINE, LIMITS))
                for names, own in parts
            ],
            LIMITS.shortlist,
        )

    def held(self, home: Path, pool: ThreadPoolExecutor) -> Shards:
        """What a holder has pulled, asked on a thread."""
        source = Source(self.index.folder.resolve(), self.models.resolve())
        (plan,) = plans_of(self.index, source, 1, Computing((FINE,), LIMITS, CODE))
        holder = Holder(home, CODE)
        holder.prepare(plan)
        group = Group([Replica("a holder", lambda *asked: pool.submit(holder.step, *asked))])
        return HeldShards(group, plan.shards, plan.n_videos, plan.key, FINE)

    def _manifest(self, shards: Sequence[ShardEntry]) -> Manifest:
        return self.index.manifest.model_copy(update={"shards": shards})


def video(name: str) -> VideoFeatures:
    return features_of(name, 2 + int(name[1:]) % 20)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    models, folder = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("index")
    write_networks(models, seed=1)
    bundle = Bundle.load(models)
    encoder = VideoEncoder(bundle)
    videos = [video(f"v{n:02d}") for n in range(N_VIDEOS - 1)]
    videos.append(replace(videos[4], video_id="a copy of v04"))
    for start in range(0, N_VIDEOS, IN_SHARD):
        records = [encoder.encode(one) for one in videos[start : start + IN_SHARD]]
        if start:
            add_videos(folder, records, models=encoder.origin.models)
        else:
            build_index(folder, records, encoder.origin)
    return Archive(open_index(folder), models, bundle)


@pytest.fixture(params=KINDS)
def shards(request: pytest.FixtureRequest, archive: Archive, tmp_path: Path) -> Iterator[Shards]:
    with ThreadPoolExecutor(2) as pool:
        if request.param == "local":
            yield archive.local
        elif request.param == "groups":
            yield archive.groups()
        else:
            yield archive.held(tmp_path / "holder", pool)


@pytest.fixture(scope="module")
def query(archive: Archive) -> tuple[CoarseQuery, ChunkedVideo]:
    """The video that is there twice, as the two stages compare it."""
    record = VideoEncoder(archive.bundle).encode(video("v04"))
    engine = Engine(archive.index, archive.bundle, fine=FINE)
    return CoarseQuery(record.coarse, record.numbers[FINE], record.panes), engine.stretches(video("v04"))


Query = tuple[CoarseQuery, ChunkedVideo]


def test_every_video_is_seen_once_in_the_order_of_rows(
    shards: Shards, archive: Archive, query: Query
) -> None:
    seen, expected = shards.seen(query[0], shortlisted=False), archive.local.seen(query[0], shortlisted=False)
    assert shards.n_videos == N_VIDEOS
    assert seen.rows.tolist() == list(range(N_VIDEOS))
    assert tuple(seen.ids) == tuple(archive.index.ids)
    np.testing.assert_array_equal(seen.scores, expected.scores)
    np.testing.assert_array_equal(seen.features, expected.features)


def test_a_shortlist_is_some_of_the_videos_seen_the_same_way(shards: Shards, query: Query) -> None:
    every, short = (shards.seen(query[0], shortlisted=shortlisted) for shortlisted in (False, True))
    assert LIMITS.shortlist <= len(short.rows) < N_VIDEOS
    assert np.all(np.diff(short.rows) > 0)
    assert {"v04", "a copy of v04"} <= set(short.ids)
    assert tuple(short.ids) == tuple(every.ids[row] for row in short.rows)
    np.testing.assert_array_equal(short.scores, every.scores[short.rows])
    np.testing.assert_array_equal(short.features, every.features[short.rows])


def test_fine_scores_and_segments_come_in_the_order_asked(
    shards: Shards, archive: Archive, query: Query
) -> None:
    scores, segments = shards.fine_scores(query[1], ROWS), shards.segments(query[1], ROWS)
    np.testing.assert_array_equal(scores, archive.local.fine_scores(query[1], ROWS))
    assert segments == archive.local.segments(query[1], ROWS)
    assert scores.dtype == np.float32
    assert ROWS[np.argmax(scores)] == N_VIDEOS - 1  # the copy
    assert segments[2]
    np.testing.assert_array_equal(shards.fine_scores(query[1], ROWS[::-1]), scores[::-1])
    assert shards.segments(query[1], ROWS[::-1]) == segments[::-1]
    assert shards.fine_scores(query[1], ROWS[:0]).shape == (0,)
    assert shards.segments(query[1], ROWS[:0]) == []


def test_what_there_was_no_time_for_is_nan_and_the_most_wanted_is_there(shards: Shards, query: Query) -> None:
    rows = np.concatenate([ROWS, np.setdiff1d(np.arange(N_VIDEOS), ROWS)])
    whole: Float32Array = shards.fine_scores(query[1], rows)
    hurried = shards.fine_scores(query[1], rows, deadline_ms=0.0)
    there = ~np.isnan(hurried)
    assert not np.isnan(whole).any()
    assert there[0]
    assert not there.all()
    np.testing.assert_array_equal(hurried[there], whole[there])


def test_best_frames_come_best_first_with_ties_by_id(shards: Shards, archive: Archive, query: Query) -> None:
    picture = replace(
        query[1], frames=query[1].frames[1:2], times_s=query[1].times_s[1:2], spans=np.array([[0, 1]])
    )
    frames = shards.best_frames(picture, 0)
    assert frames == archive.local.best_frames(picture, 0)
    assert sorted(frame.video_id for frame in frames) == sorted(archive.index.ids)
    assert [frame.video_id for frame in frames[:2]] == ["a copy of v04", "v04"]
    assert all(frame.start_s == frame.likely_s[0] < frame.stop_s for frame in frames)
    assert shards.best_frames(picture, 2) == frames[:2]


def test_what_is_lost_is_left_out_where_others_remain(shards: Shards, archive: Archive) -> None:
    if isinstance(shards, ShardGroups):
        assert shards.without(archive.names[:1]).n_videos == N_VIDEOS - IN_SHARD
    else:
        with pytest.raises(ShardsLostError, match=archive.names[0]):
            shards.without(archive.names[:1])
