"""How an index of a bundle cuts and stores videos: one record, in the bundle and in every index it makes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dns_core.errors import CorruptArtefactError, DnsError, MissingArtefactError, ParamsError
from dns_core.index.chunks import Chunking
from dns_core.index.manifest import Manifest
from dns_core.store.seal import read_sealed_json, write_sealed_json

FINE_NETWORKS = ("fine_binary", "fine_attention")
"""Names of the fine networks that an index can serve."""

INDEX_SETTINGS = "index_settings.json"
"""Name of the file in a bundle."""


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What decides the content of an index beside its models.

    Attributes:
        chunking: how videos are cut; queries are cut the same way.
        merge_from: mean cosine in [0, 1] of its regions with those of an earlier frame from which a frame
            is stored as that one, if all between are; None stores each frame as it is.
        fine_networks: the fine networks that the index serves.

    Raises:
        ParamsError: ``merge_from`` is out of range.
    """

    chunking: Chunking
    merge_from: float | None = None
    fine_networks: tuple[str, ...] = FINE_NETWORKS

    def __post_init__(self) -> None:
        if self.merge_from is not None and not 0 <= self.merge_from <= 1:
            raise ParamsError(f"merge_from must be between 0 and 1, got {self.merge_from}")

    @property
    def params(self) -> dict[str, Any]:
        """The settings as the manifest of an index holds them."""
        return {
            "chunking": asdict(self.chunking),
            "fine_networks": sorted(self.fine_networks),
            "merge_from": self.merge_from,
        }

    @classmethod
    def of(cls, manifest: Manifest) -> "IndexSettings":
        """Settings that an index was made with.

        Raises:
            CorruptArtefactError: the manifest does not say how videos were cut.
        """
        return cls.of_params(manifest.params)

    @classmethod
    def of_params(cls, params: Mapping[str, Any]) -> "IndexSettings":
        """The settings whose `params` these are.

        Raises:
            CorruptArtefactError: they do not say how videos were cut.
        """
        try:
            return cls(
                Chunking(**params["chunking"]),
                params.get("merge_from"),
                tuple(params.get("fine_networks", FINE_NETWORKS)),
            )
        except (KeyError, TypeError, ParamsError) as error:
            raise CorruptArtefactError(f"the index does not say how videos were cut: {error!r}") from error


def write_index_settings(models: Path, settings: IndexSettings) -> None:
    """Write the settings into the bundle in ``models``."""
    content = {"chunking": asdict(settings.chunking), "merge_from": settings.merge_from}
    write_sealed_json(models / INDEX_SETTINGS, content)


def read_index_settings(models: Path) -> IndexSettings:
    """Settings of the bundle in ``models``, with every fine network.

    Raises:
        MissingArtefactError: the bundle has none: it was made before 0.2.
        CorruptArtefactError: the file does not say how videos are cut.
    """
    path = models / INDEX_SETTINGS
    if not path.is_file():
        raise MissingArtefactError(
            f"{path}: expected how videos are cut for an index, found no such file; "
            f"`dns stage configure_index` writes it into artifacts/models"
        )
    content = read_sealed_json(path)
    try:
        return IndexSettings(Chunking(**content["chunking"]), content["merge_from"])
    except (KeyError, TypeError, DnsError) as error:
        raise CorruptArtefactError(f"{path} does not say how videos are cut: {error!r}") from error
