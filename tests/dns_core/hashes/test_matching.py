import numpy as np
import pytest

from dns_core.hashes import matching
from dns_core.hashes.matching import HashSearch, Rule
from dns_core.hashes.signals import Signal
from dns_core.video.pdq import FrameHash


def code(seed: int, flipped: int = 0) -> str:
    """A random hash, some bits of which are flipped."""
    bits = np.random.default_rng(seed).integers(0, 2, 256, dtype=np.uint8)
    bits[:flipped] ^= 1
    return np.packbits(bits).tobytes().hex()


def video(name: str, *hashes: str, quality: int = 100) -> Signal:
    return Signal(name, tuple(FrameHash(one, quality, float(t)) for t, one in enumerate(hashes)))


def test_an_excerpt_is_found_with_its_moment_and_both_shares() -> None:
    film = video("film", *map(code, range(20)))
    (match,) = HashSearch([film, video("other", code(99))], Rule()).matches(
        video("excerpt", code(7, 31), code(8))
    )
    assert (match.target, match.query_share, match.target_share) == ("film", 1.0, 0.1)
    assert (match.distance, match.query_s, match.target_s) == (0, 1.0, 8.0)
    (turned,) = HashSearch([video("excerpt", code(7), code(8))], Rule()).matches(film)
    assert (turned.query_share, turned.target_share) == (0.1, 1.0)


@pytest.mark.parametrize(("flipped", "n_found"), [(31, 1), (32, 0)])
def test_31_bits_may_differ(flipped: int, n_found: int) -> None:
    search = HashSearch([video("a", code(1))], Rule())
    assert len(search.matches(video("b", code(1, flipped)))) == n_found


def test_plain_frames_count_for_nothing() -> None:
    search = HashSearch([video("plain", code(1), quality=49), video("a", code(1))], Rule())
    assert search.n_without == 1
    assert [match.target for match in search.matches(video("b", code(1)))] == ["a"]
    assert search.matches(video("b", code(1), quality=49)) == []


def test_equal_hashes_count_once() -> None:
    still = video("still", *[code(1)] * 9, code(2))
    (match,) = HashSearch([still], Rule(share=0)).matches(video("b", code(1), code(3)))
    assert (match.query_share, match.target_share) == (0.5, 0.5)


def test_all_is_found_as_by_comparing_each_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "_BLOCK", 7)
    rng = np.random.default_rng(0)
    videos = [
        video(str(n), *(code(int(rng.integers(40)), int(rng.integers(60))) for _ in range(5)))
        for n in range(60)
    ]
    search = HashSearch(videos, Rule(share=0.4))

    def share(one: Signal, other: Signal) -> float:
        near = [
            any((int(a, 16) ^ int(b.hex, 16)).bit_count() <= 31 for b in other.frames)
            for a in {frame.hex for frame in one.frames}
        ]
        return sum(near) / len(near)

    for query in videos[:10]:
        expected = {
            target.name: pytest.approx((share(query, target), share(target, query)))
            for target in videos
            if max(share(query, target), share(target, query)) >= 0.4
        }
        assert {m.target: (m.query_share, m.target_share) for m in search.matches(query)} == expected
