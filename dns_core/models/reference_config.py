"""What a state dict of the reference was built of, read off its tensors.

Shapes cannot lie; the settings beside them can (dict, Namespace or none, and keys of the whole training
command among them). Two settings leave no trace in any shape and are taken from the file's settings.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from torch import Tensor

from dns_core.errors import ForeignFileError

Tensors = Mapping[str, Tensor]

_CONTEXT = "attention.context_vector.weight"
_LAYER = "transformer.layers.0."
# Settings that no shape shows, by architecture.
_UNSEEN = MappingProxyType({"coarse": ("transformer_heads",), "teacher": ("symmetric",)})


def reference_config(architecture: str, tensors: Tensors, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The config that `dns_core.models.registry.build_network` needs for ``tensors``.

    Args:
        architecture: a key of `dns_core.models.registry.ARCHITECTURES`.
        tensors: the state dict.
        settings: what the file says of itself; may be empty.

    Raises:
        ForeignFileError: a tensor that every network of the architecture has is missing or misshapen.
    """
    config = _READERS[architecture](tensors)
    return config | {name: settings[name] for name in _UNSEEN.get(architecture, ()) if name in settings}


def _teacher(tensors: Tensors) -> dict[str, Any]:
    attention = _CONTEXT in tensors
    dims = {"dims": _size(tensors, _CONTEXT, 1)} if attention else {}
    # The released head pads by repeating the edge: zeros there move scores by up to .72.
    return {**dims, "attention": attention, "padding": "replicate"}


def _fine_attention(tensors: Tensors) -> dict[str, Any]:
    return {"dims": _size(tensors, _CONTEXT, 1)}


def _fine_binary(tensors: Tensors) -> dict[str, Any]:
    weights = "binarization.W"
    return {"dims": _size(tensors, weights, 0), "binary_bits": _size(tensors, weights, 1)}


def _selector(tensors: Tensors) -> dict[str, Any]:
    hidden = sum(name.startswith("mlp.model.") and name.endswith(".running_mean") for name in tensors)
    return {
        "dims": _size(tensors, _CONTEXT, 1),
        "hidden_size": _size(tensors, "mlp.model.0.weight", 0),
        "num_layers": max(0, hidden - 1),
    }


def _coarse(tensors: Tensors) -> dict[str, Any]:
    config: dict[str, Any] = {
        "attention": _CONTEXT in tensors,
        "transformer": f"{_LAYER}linear1.weight" in tensors,
        "netvlad": "netvlad.centroids" in tensors,
    }
    if config["transformer"]:
        depth = {name.split(".")[2] for name in tensors if name.startswith("transformer.layers.")}
        config["transformer_feedforward_dims"] = _size(tensors, f"{_LAYER}linear1.weight", 0)
        config["transformer_layers"] = len(depth)
    if config["netvlad"]:
        config["netvlad_clusters"] = _size(tensors, "netvlad.centroids", 0)
        config["netvlad_outdims"] = _reduced(tensors)
    sources = ((_CONTEXT, 1), (f"{_LAYER}linear1.weight", 1), ("netvlad.centroids", 1))
    dims = [_size(tensors, name, axis) for name, axis in sources if name in tensors]
    if not dims:
        raise ForeignFileError(f"expected a coarse student with {sources[0][0]}, found {_some(tensors)}")
    return {"dims": dims[0], **config}


def _reduced(tensors: Tensors) -> int | None:
    reduction = "netvlad.reduction_layer.weight"
    return _size(tensors, reduction, 0) if reduction in tensors else None


_READERS: Mapping[str, Callable[[Tensors], dict[str, Any]]] = MappingProxyType(
    {
        "teacher": _teacher,
        "fine_attention": _fine_attention,
        "fine_binary": _fine_binary,
        "coarse": _coarse,
        "selector": _selector,
    }
)


def _size(tensors: Tensors, name: str, axis: int) -> int:
    """The length of one axis of the matrix ``name``."""
    if name not in tensors:
        raise ForeignFileError(f"expected the tensor {name}, found {_some(tensors)}")
    shape = tuple(tensors[name].shape)
    if len(shape) != 2:
        raise ForeignFileError(f"{name}: expected a matrix, found shape {shape}")
    return int(shape[axis])


def _some(tensors: Tensors) -> str:
    names = sorted(tensors)
    return f"only {', '.join(names[:6])}" + (f" and {len(names) - 6} others" if len(names) > 6 else "")
