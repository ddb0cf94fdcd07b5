"""A new query by the video of another one, with other options."""

import os
import shutil

from dns_apps.service.context import ServiceContext
from dns_apps.service.schemas import Query, QueryOptions
from dns_core.retrieval.budget import Budget


def new_search(context: ServiceContext, query_id: str, options: QueryOptions) -> Query:
    """A query by the same part of the same video, not yet submitted.

    Raises:
        RefusalError: there is no such query, or its video is not there any more (404).
        OSError: the disk is full.
        ParamsError: the budget is none.
    """
    Budget.parse(options.budget)
    context.live_index.current().engine(options.fine)
    jobs = context.query_jobs
    former, file = jobs.get(query_id), jobs.file(query_id)
    query = jobs.new(former.name, former.searched, options)
    if query.source is None:
        _link(file, jobs.upload_path(query.id))
    jobs.share_features(query_id, query.id)
    return query


def _link(file: os.PathLike[str], new: os.PathLike[str]) -> None:
    """Give the file another name; copy it where the file system has no hard links."""
    try:
        os.link(file, new)
    except PermissionError:
        shutil.copy2(file, new)
