"""Where the files of an index's videos lie; nothing outside those folders is ever opened."""

from collections.abc import Collection, Container
from pathlib import Path, PurePosixPath

from dns_core.video.discover import discover_videos


class VideoFolders:
    """The folders that ids are paths in.

    Args:
        folders: the first that has a file of an id is the one that is meant.
    """

    def __init__(self, folders: Collection[Path]) -> None:
        self._folders = tuple(folder.resolve() for folder in folders)

    def find(self, video_id: str) -> Path | None:
        """The file of a video; None if there is none, or if its path leads out of the folders.

        Args:
            video_id: a path with ``/``, relative to a folder.
        """
        pure = PurePosixPath(video_id)
        if pure.is_absolute() or ".." in pure.parts or "\0" in video_id:
            return None
        for folder in self._folders:
            try:
                path = (folder / pure).resolve()
                if path.is_relative_to(folder) and path.is_file():
                    return path
            except OSError:
                continue  # a name that the file system cannot have: too long, or through a file
        return None

    def files(self, search: str = "", without: Container[str] = ()) -> list[str]:
        """Ids of all files in the folders that `find` would open, sorted.

        Args:
            search: a part of each of them.
            without: ids that are not wanted; their files are not looked at.
        """
        ids = {
            video_id
            for folder in self._folders
            if folder.is_dir()
            for video_id, _ in discover_videos(folder)
            if search in video_id and video_id not in without
        }
        return sorted(video_id for video_id in ids if self.find(video_id) is not None)
