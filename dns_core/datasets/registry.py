"""The public benchmarks by name: what ``dns datasets`` and ``dns evaluate --dataset`` know."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from dns_core.datasets import cc_web_video, evve, fivr, svd, vcdb
from dns_core.datasets.benchmark import Benchmark, read_benchmark
from dns_core.errors import GroundTruthError, InputError


@dataclass(frozen=True, slots=True)
class Dataset:
    """A public benchmark that can be read.

    Attributes:
        name: as `Benchmark.name`.
        origin: where its authors publish the annotation file.
        read: the benchmark of the annotation file, and of the file of distractors if there is one.
    """

    name: str
    origin: str
    read: Callable[[Path, Path | None], Benchmark]


DATASETS: Mapping[str, Dataset] = MappingProxyType(
    {
        "fivr-5k": Dataset("FIVR-5K", fivr.ORIGIN, lambda file, _: fivr.read_fivr(file, "5k")),
        "fivr-200k": Dataset("FIVR-200K", fivr.ORIGIN, lambda file, _: fivr.read_fivr(file, "200k")),
        "fivr-5k-audio": Dataset(
            "FIVR-5K-audio", fivr.ORIGIN, lambda file, _: fivr.read_fivr(file, "5k", audio=True)
        ),
        "fivr-200k-audio": Dataset(
            "FIVR-200K-audio", fivr.ORIGIN, lambda file, _: fivr.read_fivr(file, "200k", audio=True)
        ),
        "cc_web_video": Dataset(
            "CC_WEB_VIDEO", cc_web_video.ORIGIN, lambda file, _: cc_web_video.read_cc_web_video(file)
        ),
        "svd": Dataset("SVD", svd.ORIGIN, svd.read_svd),
        "svd-labelled": Dataset(
            "SVD-labelled", svd.ORIGIN, lambda file, _: svd.read_svd(file, None, labelled_only=True)
        ),
        "evve": Dataset("EVVE", evve.ORIGIN, lambda file, _: evve.read_evve(file)),
        "vcdb": Dataset("VCDB", vcdb.ORIGIN, lambda file, _: vcdb.read_vcdb(file)),
    }
)


def read_dataset(name: str, annotations: Path, distractors: Path | None = None) -> Benchmark:
    """A public benchmark, from its authors' file or from what `write_benchmark` made of it.

    Args:
        name: a key of `DATASETS`.
        annotations: the authors' file, or converted JSON.
        distractors: the list of videos without labels, of a benchmark that has one.

    Raises:
        InputError: the name is unknown.
        GroundTruthError: a file is not there, does not say what it should, or is of another benchmark.
        ForeignFileError: a pickle asks for more than plain data.
    """
    if name not in DATASETS:
        raise InputError(f"unknown dataset {name!r}; known: {', '.join(DATASETS)}")
    dataset = DATASETS[name]
    if annotations.suffix != ".json":
        return dataset.read(annotations, distractors)
    benchmark = read_benchmark(annotations)
    if benchmark.name != dataset.name:
        raise GroundTruthError(
            f"{annotations}: benchmark.name: expected {dataset.name}, found {benchmark.name}"
        )
    return benchmark
