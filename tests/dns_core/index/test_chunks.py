import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dns_core.errors import ParamsError
from dns_core.index import Chunking


def test_a_short_video_is_one_chunk() -> None:
    assert Chunking(256, 64).spans(256).tolist() == [[0, 256]]
    assert Chunking(256, 64).spans(1).tolist() == [[0, 1]]
    assert Chunking(256, 64).spans(0).shape == (0, 2)


def test_a_tail_does_not_become_a_tiny_chunk() -> None:
    assert Chunking(256, 64).spans(260).tolist() == [[0, 162], [98, 260]]


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(4, 300), st.data())
def test_chunks_cover_every_frame_and_overlap_as_promised(n: int, size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, size // 2))
    spans = Chunking(size, overlap).spans(n)
    lengths = spans[:, 1] - spans[:, 0]
    assert spans[0, 0] == 0
    assert spans[-1, 1] == n
    assert lengths.max() <= size
    assert lengths.min() == lengths.max()
    assert (spans[:-1, 1] - spans[1:, 0] >= overlap).all()


@settings(deadline=None)
@given(st.integers(257, 3000), st.integers(0, 2936))
def test_a_stretch_as_long_as_the_overlap_lies_whole_in_some_chunk(n: int, start: int) -> None:
    start = min(start, n - 64)
    spans = Chunking(256, 64).spans(n)
    assert np.any((spans[:, 0] <= start) & (start + 64 <= spans[:, 1]))


@pytest.mark.parametrize(("size", "overlap"), [(3, 0), (8, 5), (8, -1)])
def test_a_chunking_that_makes_no_sense_is_refused(size: int, overlap: int) -> None:
    with pytest.raises(ParamsError):
        Chunking(size, overlap)
