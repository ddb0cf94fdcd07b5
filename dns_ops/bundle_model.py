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
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.pipeline import open_features, query_video


class BundleModel(PythonModel):
    """Searches an index with the models of one version."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the models that were registered."""
        self._bundle = Bundle.load(Path(context.artifacts["models"]))
        self._features = open_features(self._bundle)

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
        engine = Engine(open_index(Path(wanted["index"])), self._bundle)
        budget = Budget.parse(wanted["budget"])
        rows = [
            row
            for path in model_input["video"]
            for row in _rows(
                query_video(engine, self._features, Path(path), top_k=wanted["top_k"], budget=budget)
            )
        ]
        return pd.DataFrame(rows, columns=["query", "rank", "video", "score", "stage", "segments"])


def _rows(result: QueryResult) -> list[tuple[str, int, str, float, str, str]]:
    return [
        (result.query, rank, match.video_id, match.score, match.stage,
         json.dumps([asdict(segment) for segment in match.segments]))
        for rank, match in enumerate(result.results, start=1)
    ]  # fmt: skip


set_model(BundleModel())
