"""What the index keeps of one video: arrays only, independent of the networks that made them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dns_core.errors import InputError
from dns_core.index.chunks import chunk_panes
from dns_core.index.npy_stream import AnyArray
from dns_core.records import Float32Array, Float64Array, Int64Array, VideoProbe


@dataclass(frozen=True, slots=True)
class EncodedVideo:
    """One video as the networks of one bundle encode it.

    Attributes:
        video_id: as in `dns_core.records.VideoProbe`.
        content: fingerprint of what was encoded; two videos of equal content have equal ones.
        times_s: ``[T]`` float64, presentation time of each frame, pane after pane; see
            `dns_core.records.pane_spans`.
        spans: ``[C, 2]`` int64, the frames ``start`` to ``stop`` (exclusive) of each chunk, by start.
        coarse: ``[C, E]`` float32, the unit vector of each chunk.
        numbers: by fine network, ``[C]`` float32, the selector's number of each chunk.
        frames: by name, ``[T, ...]``, what fine comparison reads of each frame, for example packed
            codes. Chunks are windows of these, so that frames where chunks overlap are kept once.
        probe: of the file; None if it was not at hand.
    """

    video_id: str
    content: str
    times_s: Float64Array
    spans: Int64Array
    coarse: Float32Array
    numbers: Mapping[str, Float32Array] = field(default_factory=dict)
    frames: Mapping[str, AnyArray] = field(default_factory=dict)
    probe: VideoProbe | None = None

    @property
    def n_frames(self) -> int:
        """T, the number of sampled frames."""
        return len(self.times_s)

    @property
    def panes(self) -> Int64Array:
        """``[C]`` the pane of each chunk."""
        return chunk_panes(self.times_s, self.spans)


def check_encoded(record: EncodedVideo) -> None:
    """Check that the arrays of a record agree in length.

    Raises:
        InputError: the id is empty, there is no frame, or the length of an array is not T or C.
    """
    n_chunks = len(record.spans)
    if not record.video_id or not record.n_frames or not n_chunks:
        raise InputError(
            f"a video to index needs an id and frames: {record.video_id!r} has {record.n_frames}"
        )
    by_chunk: dict[str, AnyArray] = {"coarse": record.coarse, **record.numbers}
    wrong = [name for name, array in by_chunk.items() if len(array) != n_chunks]
    wrong += [name for name, array in record.frames.items() if len(array) != record.n_frames]
    if wrong or record.spans.min() < 0 or record.spans.max() > record.n_frames:
        raise InputError(f"the arrays of {record.video_id} disagree in length: {', '.join(wrong) or 'spans'}")
