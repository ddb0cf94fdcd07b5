"""``dns stage`` and ``dns reproduce``: run one step of the offline pipeline, or all that are out of date."""

from pathlib import Path
from typing import Annotated

import typer

from dns_apps.cli.progress import command_progress

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Replace one value of params.yaml; may be repeated."),
]


def stage(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A stage of dvc.yaml, or STAGE@ITEM.")],
    overrides: Overrides = None,
) -> None:
    """Run one stage, whether or not it is up to date."""
    from dns_core.params import load_params, run_stage, stage_module
    from dns_core.workspace import StageContext, Workspace
    from dns_ops.fleet.choosing import open_fleet
    from dns_ops.quality.validator import GxValidator
    from dns_ops.settings import load_settings, n_devices
    from dns_ops.tracking.optional import recorded_stage

    workspace = Workspace(Path.cwd())
    settings = load_settings(workspace.root)
    params = load_params(workspace.root / "params.yaml", overrides or [])
    stage_name, _, item = name.partition("@")
    progress = command_progress()
    device = settings.torch_device()
    stage_module(stage_name)  # a name that is none has no run
    values = params.model_dump()[stage_name]
    with recorded_stage(workspace.root, settings, name, values, progress) as logger:
        context = StageContext(
            workspace,
            item=item,
            device=device,
            n_devices=n_devices(device),
            progress=progress,
            logger=logger,
            validator=GxValidator(),
            fleet=open_fleet(settings, device),
        )
        run_stage(stage_name, params, context)


def reproduce(overrides: Overrides = None) -> None:
    """Run every stage whose inputs have changed, in the order of dvc.yaml, and print the trade-off table.

    --set rewrites params.yaml, since what has to run again is decided from that file.
    """
    from dns_apps.cli.report import print_report
    from dns_core.workspace import Workspace
    from dns_ops.pipeline.reproduce import reproduce as reproduce_pipeline

    workspace = Workspace(Path.cwd())
    reproduce_pipeline(workspace.root, overrides or [])
    print_report(workspace.report)
