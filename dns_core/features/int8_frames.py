"""A described frame in integers of 8 bits: the exported backbone, its weights and activations rounded."""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType
from onnxruntime.quantization.quantize import quantize_static

from dns_core.errors import InputError
from dns_core.features.exported_frames import INT8_GRAPH
from dns_core.records import UInt8Array
from dns_core.runtime.write_graph import write_model

_ROUNDED = ["Conv", "Add", "Clip"]
# The first layers see all the contrast of a picture in few channels: rounded too, they cost half of what is
# lost, and are no faster for it.
_N_WHOLE = 3
_BATCH_FRAMES = 4


def write_int8(graph: Path, out: Path, frames: UInt8Array) -> None:
    """Write the graph that computes nearly the same as ``graph`` in integers of 8 bits.

    Args:
        graph: of `dns_core.features.live_frames.export_frames`.
        out: written atomically.
        frames: ``[N, S, S, 3]`` of real footage, which show how large activations get; 128 are enough.

    Raises:
        InputError: there is no frame.
    """
    if not len(frames):
        raise InputError("expected frames to calibrate on, found none")
    model = onnx.load(graph)
    whole = [node.name for node in model.graph.node if node.op_type == "Conv"][:_N_WHOLE]
    with tempfile.TemporaryDirectory() as folder, _quiet():
        rounded = Path(folder) / INT8_GRAPH
        quantize_static(
            model,
            rounded,
            _Frames(model.graph.input[0].name, frames),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_ROUNDED,
            nodes_to_exclude=whole,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        write_model(out, onnx.load(rounded))


class _Frames(CalibrationDataReader):  # type: ignore[misc]  # untyped
    """Frames by batches, as the calibration asks for them."""

    def __init__(self, name: str, frames: UInt8Array) -> None:
        self._batches: Iterator[UInt8Array] = (
            frames[start : start + _BATCH_FRAMES] for start in range(0, len(frames), _BATCH_FRAMES)
        )
        self._name = name

    def get_next(self) -> Mapping[str, UInt8Array] | None:
        """One batch; None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}


@contextmanager
def _quiet() -> Iterator[None]:
    """No advice of the library's, which is for graphs that were not optimised."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
