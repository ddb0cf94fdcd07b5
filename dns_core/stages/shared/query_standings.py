"""The worker of stage ``label_selector``: also scores each query with the background."""

from pathlib import Path

import numpy as np

from dns_core.fleet import Json, Place, Task
from dns_core.records import VideoFeatures
from dns_core.retrieval.background import Background
from dns_core.retrieval.background_scores import BackgroundFine, in_one_chunk
from dns_core.stages.shared.pair_tasks import PairWorker

STANDINGS = "dns_core.stages.shared.query_standings:StandingWorker"


class StandingWorker(PairWorker):
    """Scores a query with its targets and with the background.

    Args:
        settings: of `PairWorker`, and the file of the ``background``.
        place: where it runs.
    """

    def __init__(self, settings: Json, place: Place) -> None:
        super().__init__(settings, place)
        self._background = BackgroundFine(self.scorer.fine, Background.load(Path(settings["background"])))

    def answer(self, task: Task) -> Json:
        """``scores`` as in `PairWorker`, and ``background``: fine scores with each of its videos."""
        regions = self.scorer.features.regions(task.id)
        query = VideoFeatures(task.id, regions, np.arange(len(regions), dtype=np.float64))
        scores = self._background.scores(in_one_chunk(self.scorer.fine, query))
        return {**super().answer(task), "background": scores.tolist()}
