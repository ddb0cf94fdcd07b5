"""Writing a graph: the one module here that needs torch, for it exports from it."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dns_core.store.atomic import atomic_file
from dns_core.store.seal import BLANK, SEAL, sealed


def write_graph(path: Path, module: nn.Module, example: Tensor, metadata: Mapping[str, str]) -> None:
    """Write a module of one input and one output, of any length along their first axis.

    Args:
        path: of the ONNX file, written atomically.
        module: on the CPU; it is exported in evaluation mode.
        example: an input, of at least two rows.
        metadata: strings that travel with the graph.
    """
    rows = torch.export.Dim("rows", min=1, max=1 << 20)
    with _quiet():
        program = torch.onnx.export(
            module.eval(),
            (example,),
            dynamo=True,
            dynamic_shapes=({0: rows},),
            input_names=["input"],
            output_names=["output"],
            verbose=False,
        )
    assert program is not None  # noqa: S101 - it is where dynamo exports
    model = program.model_proto
    _forget_source(model.graph)
    for key, value in sorted(metadata.items()):
        model.metadata_props.add(key=key, value=value)
    write_model(path, model)


def write_model(path: Path, model: Any) -> None:
    """Write a graph, atomically, with the digest of its content.

    Args:
        path: of the ONNX file.
        model: an ``onnx.ModelProto``.
    """
    kept = [entry for entry in model.metadata_props if entry.key != SEAL]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    model.metadata_props.add(key=SEAL, value=BLANK)
    with atomic_file(path) as temporary:
        temporary.write_bytes(sealed(model.SerializeToString(deterministic=True)))


def _forget_source(graph: Any) -> None:
    """Take out where in the code, and on which machine's paths, each node comes from."""
    for entry in (graph, *graph.node, *graph.value_info, *graph.initializer, *graph.input, *graph.output):
        entry.ClearField("metadata_props")
        entry.ClearField("doc_string")


@contextmanager
def _quiet() -> Iterator[None]:
    """No talk of the exporter's: of packages that are not there, and of what it will change one day."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
