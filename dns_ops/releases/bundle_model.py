"""The bundle as an MLflow model: what is loaded when a model version is, and answers ``predict``.

MLflow runs this file instead of unpickling an object. Input: a column ``video`` of paths. Output: a row a
match, by query and rank. Parameters: ``index``, ``top_k`` and ``budget``, as ``dns query`` has them.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from dns_core.index import open_index
from dns_core.records import QueryResult
from dns_core.search import Searcher


class BundleModel(PythonModel):
    """Searches an index with the models of one version."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the models that were registered."""
        self._models = Searcher.of_models(context.artifacts["models"])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow passes it
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Ranked matches of every video.

        Raises:
            MismatchError: other models made the index.
            VideoError: a file is no video.
        """
        wanted = params or {}
        searcher = self._models.over(open_index(Path(wanted["index"])))
        rows = [
            row
            for path in model_input["video"]
            for row in _rows(searcher.query(path, top_k=wanted["top_k"], budget=wanted["budget"]))
        ]
        return pd.DataFrame(rows, columns=["query", "rank", "video", "score", "stage", "segments"])


def _rows(result: QueryResult) -> list[tuple[str, int, str, float, str, str]]:
    return [
        (result.query, rank, match.video_id, match.score, match.stage,
         json.dumps([asdict(segment) for segment in match.segments]))
        for rank, match in enumerate(result.results, start=1)
    ]  # fmt: skip


set_model(BundleModel())
