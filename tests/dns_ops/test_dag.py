"""The order of the stages is DVC's."""

from pathlib import Path

import pytest

from dns_core.errors import InputError
from dns_core.stages import STAGES
from dns_ops.dag import Step, read_dag

ROOT = Path(__file__).resolve().parents[2]


def test_every_stage_comes_after_what_it_needs() -> None:
    dag = read_dag(ROOT)
    names = [step.name for step in dag]
    assert {name.partition("@")[0] for name in names} == set(STAGES)
    for place, step in enumerate(dag):
        assert set(step.needs) <= set(names[:place]), step.name
    by_name = {step.name: step for step in dag}
    student = by_name["train_student@coarse"]
    assert student.outputs[0] == Path("artifacts/models/coarse.safetensors")
    assert "train_teacher" in student.needs
    assert "score_pairs@fine_attention" in student.needs
    assert "train_student@fine_binary" not in student.needs


def test_videos_that_dvc_keeps_are_no_steps(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    (tmp_path / "dvc.yaml").write_text("stages: {probe: {cmd: ls videos, deps: [videos]}}\n")
    content = "outs: [{md5: 0123.dir, size: 1, nfiles: 1, hash: md5, path: videos}]\n"
    (tmp_path / "videos.dvc").write_text(content)
    assert read_dag(tmp_path) == (Step("probe", (), ()),)


def test_a_folder_without_pipeline_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no dvc\.yaml"):
        read_dag(tmp_path)
