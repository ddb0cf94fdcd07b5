"""``dns weights``: networks of the reference implementation in and out."""

import json as json_text
from pathlib import Path
from typing import Annotated, Any

import typer

from dns_apps.cli.options import Json
from dns_apps.cli.output import print_json, print_line

app = typer.Typer(no_args_is_help=True, help="Convert networks of the reference implementation.")

DEFAULT_WEIGHTS = Path("weights")


@app.command(name="import")
def import_weights(
    file: Annotated[Path, typer.Argument(metavar="FILE.pth", help="A checkpoint of the reference.")],
    name: Annotated[
        str, typer.Option("--as", metavar="ARCHITECTURE.TAG", help="What it is, and a name for it.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for ARCHITECTURE.TAG.safetensors.")
    ] = DEFAULT_WEIGHTS,
    config: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A setting that the file does not tell, e.g. symmetric=true."),
    ] = None,
    json: Json = False,
) -> None:
    """Convert a checkpoint without running anything that is in it."""
    from dns_core.errors import ParamsError
    from dns_core.models.checkpoints import save_network
    from dns_core.models.reference_checkpoint import ReferenceCheckpoint

    architecture, _, tag = name.partition(".")
    if not tag or not tag.replace("-", "_").isidentifier():
        raise ParamsError(f"--as: expected ARCHITECTURE.TAG with a plain word as tag, found {name!r}")
    loaded = ReferenceCheckpoint.read(file).network(architecture, _overrides(config or []))
    path = out / f"{name}.safetensors"
    fingerprint = save_network(
        path,
        loaded.network,
        architecture=architecture,
        config=loaded.config,
        provenance=loaded.provenance,
    )
    if json:
        print_json({"file": str(path), "fingerprint": fingerprint, "config": dict(loaded.config)})
        return
    settings = ", ".join(f"{key} {value}" for key, value in loaded.config.items())
    print_line(f"{path}: {architecture} of {settings}; fingerprint {fingerprint}")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.safetensors", help="A network of this software.")],
    out: Annotated[Path, typer.Option(metavar="FILE.pth", help="The checkpoint to write.")],
) -> None:
    """Write a network as the reference's scripts load it."""
    from dns_core.models.checkpoints import load_network
    from dns_core.models.reference_checkpoint import write_reference

    loaded = load_network(file)
    write_reference(out, loaded)
    print_line(f"{out}: {loaded.architecture} {loaded.fingerprint}")


def _overrides(pairs: list[str]) -> dict[str, Any]:
    """``KEY=VALUE`` texts; a value is JSON, or the text itself where it is none."""
    from dns_core.errors import ParamsError

    found: dict[str, Any] = {}
    for pair in pairs:
        key, separator, text = pair.partition("=")
        if not separator:
            raise ParamsError(f"--config: expected KEY=VALUE, found {pair!r}")
        try:
            found[key] = json_text.loads(text)
        except ValueError:
            found[key] = text
    return found
