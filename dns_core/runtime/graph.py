"""A graph of fixed meaning in an ONNX file, run by ONNX Runtime."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnxruntime

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.records import Float32Array
from dns_core.store.seal import check_seal

_ERRORS_ONLY = 3


class Graph:
    """A graph of one input and one output, ready to run; several threads may call it at once.

    One thread computes a call. With more the runtime rounds otherwise, and an index would depend on the
    machine that made it.

    Args:
        path: of the ONNX file.

    Raises:
        MissingArtefactError: there is no such file.
        CorruptArtefactError: the file is not a graph that this version can run, or was altered.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise MissingArtefactError(f"{path}: expected an exported network, found no such file")
        check_seal(path)
        providers = ["CPUExecutionProvider"]
        try:
            self._session = onnxruntime.InferenceSession(path, _options(), providers=providers)
        except Exception as error:  # its C++ module raises many kinds that share no parent
            raise CorruptArtefactError(f"{path}: expected an exported network, found: {error}") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise CorruptArtefactError(f"{path}: expected a graph of one input, found {len(inputs)}")
        self._input = inputs[0].name
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map

    def __call__(self, value: npt.NDArray[Any]) -> Float32Array:
        """The output for one input."""
        output: Float32Array = self._session.run(None, {self._input: value})[0]
        return output


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Memory of the largest batch so far is not kept for ever.
    options.enable_cpu_mem_arena = False
    return options
