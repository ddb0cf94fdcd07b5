import numpy as np

from dns_core.retrieval.ranking import best_pairs, falling_order, video_scores

# three query chunks; videos of 1, 3 and 2 chunks
OFFSETS = np.array([0, 1, 4, 6])
SCORES = np.array(
    [
        [0.1, 0.2, 0.9, 0.3, 0.0, 0.4],
        [0.5, 0.1, 0.1, 0.7, 0.2, 0.2],
        [0.3, 0.0, 0.2, 0.1, 0.8, 0.6],
    ],
    dtype=np.float32,
)


def test_a_video_scores_its_best_target_chunks_for_the_two_best_query_chunks() -> None:
    np.testing.assert_allclose(video_scores(SCORES, OFFSETS), [0.4, 0.8, 0.6], rtol=1e-6)


def test_a_query_of_one_chunk_takes_the_best_target_chunk() -> None:
    np.testing.assert_array_equal(video_scores(SCORES[:1], OFFSETS), SCORES[0][[0, 2, 5]])


def test_a_short_match_in_a_long_target_is_not_diluted() -> None:
    scores = np.full((1, 100), -0.5, dtype=np.float32)
    scores[0, 63] = 0.9
    assert video_scores(scores, np.array([0, 100]))[0] == np.float32(0.9)


def test_the_best_pane_of_the_query_decides() -> None:
    # the first two chunks are of the whole picture, the last one of a window in it
    panes = np.array([0, 0, 1])
    np.testing.assert_allclose(video_scores(SCORES, OFFSETS, panes), [0.3, 0.8, 0.8], rtol=1e-6)


def test_the_best_pair_of_chunks_is_found() -> None:
    query, target = best_pairs(SCORES, OFFSETS)
    assert query.tolist() == [1, 0, 2]
    assert target.tolist() == [0, 2, 4]


def test_of_equal_pairs_the_first_is_taken() -> None:
    query, target = best_pairs(np.ones((2, 5), dtype=np.float32), np.array([0, 2, 5]))
    assert (query.tolist(), target.tolist()) == ([0, 0], [0, 2])


def test_an_empty_index_has_no_scores() -> None:
    empty = np.empty((2, 0), dtype=np.float32)
    assert video_scores(empty, np.array([0])).shape == (0,)
    assert [part.shape for part in best_pairs(empty, np.array([0]))] == [(0,), (0,)]


def test_ties_are_ordered_by_id_wherever_videos_are_stored() -> None:
    scores = np.array([0.5, 0.9, 0.5, 0.5, 0.9])
    ids = ["d", "z", "b", "a", "c"]
    assert [ids[row] for row in falling_order(scores, ids)] == ["c", "z", "a", "b", "d"]
