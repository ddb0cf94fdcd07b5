"""The worker of stage ``extract_features``: writes features of videos and of their edited copies."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from dns_core.decoding.offline import frame_chunks, open_decoder, tried
from dns_core.features.description import Description, FrameNetwork, known_card
from dns_core.features.exported_frames import ExportedFrames
from dns_core.features.extractor import Extractor
from dns_core.features.live_frames import LiveFrames
from dns_core.features.prefetch import prefetched
from dns_core.features.registry import load_backbone
from dns_core.fleet import Json, Place, Task
from dns_core.records import Float32Array, Float64Array
from dns_core.store.feature_store import FeatureWriter
from dns_core.training.views import ViewsConfig, edited_views


def description_of(settings: Json) -> Description:
    """What the settings of the stage describe of frames."""
    names = ("sampling_fps", "precision", "frame", "luma_weight")
    return Description(known_card(settings["backbone"]), **{name: settings[name] for name in names})


def _open_extractor(settings: Json, graph: Path, device: str) -> Extractor:
    """The extractor of the settings: on a processor by the exported graph, as in a search."""
    description = description_of(settings)
    if device == "cpu":
        network: FrameNetwork = ExportedFrames(graph, description)
    else:
        network = LiveFrames(load_backbone(settings["backbone"]), description, device)
    return Extractor(network, batch_frames=settings["batch_frames"])


def open_writer(settings: Json) -> FeatureWriter:
    """The writer whose parts are written: ``out``, ``metadata`` and ``partial`` of the settings."""
    return FeatureWriter(
        Path(settings["out"]), metadata=settings["metadata"], partial=Path(settings["partial"])
    )


class FeatureWorker:
    """Writes the features of a video, or of its edited copies, as parts; see `do`.

    Args:
        settings: of the stage (``config``), the exported backbone (``graph``), whether windows are
            described (``windows``), and those of `open_writer`.
        place: where it runs.
    """

    def __init__(self, settings: Json, place: Place) -> None:
        self._config = settings["config"]
        graph = Path(settings["graph"])
        self._extractor = _open_extractor(self._config, graph, place.device)
        self._sampling = self._extractor.description.sampling
        self._windows = settings["windows"]
        self._views = ViewsConfig(**self._config["views"])
        self._writer = open_writer(settings)
        self._decoder = open_decoder(place)

    def do(self, task: Task) -> Json:
        """Nothing to say: parts of the names in ``views`` are written, or one of the video itself."""
        path, names = Path(task.facts["path"]), task.facts.get("views")
        if names is None:
            tried(lambda: self._write(path, task))
        else:
            tried(lambda: self._write_views(path, task, names))
        return {}

    def close(self) -> None:
        """End the decoder."""
        self._decoder.close()

    def _write(self, path: Path, task: Task) -> None:
        self._writer.write(task.id, self._described(path), source=task.facts["sha256"])

    def _described(self, path: Path) -> Iterator[tuple[Float32Array, Float64Array]]:
        with closing(self._decoder.frames(path, self._sampling, pictures=False)) as found:
            yield from self._extractor.describe(frame_chunks(found), windows=self._windows)

    def _write_views(self, path: Path, task: Task, names: list[str]) -> None:
        # Each video has draws of its own, so that a resumed run draws the same.
        rng = np.random.default_rng([self._config["seed"], int(task.facts["sha256"][:12], 16)])
        views = self._views
        clip = self._decoder.whole(
            path,
            fps=self._sampling.fps,
            max_side_px=views.longest_side_px,
            max_frames=views.longest_frames,
        )
        # The next copy is edited while the network looks at this one.
        with prefetched(edited_views(clip, self._sampling, views, rng), 1) as found:
            for name, view in zip(names, found, strict=True):
                regions = self._extractor.frames_to_regions(view.frames)
                self._writer.write(name, [(regions, view.times_s)], source=task.facts["sha256"])
