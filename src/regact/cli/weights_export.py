"""`regact weights export`: a run becomes one folder that travels, to the hub if asked."""

from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Overwrite
from regact.cli.output import print_line, print_remark
from regact.pretrained import export_weights, push_to_hub


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, trained or imported.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder; it appears there when whole.")],
    license_id: Annotated[
        str | None,
        typer.Option(
            "--license", help="Licence of the weights, as Hugging Face's hub names it: cc-by-4.0.", metavar="ID"
        ),
    ] = None,
    repository: Annotated[
        str | None,
        typer.Option("--push-to-hub", help="Upload the folder to this repository on the hub.", metavar="OWNER/NAME"),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Make a new repository private; a public one that is there is refused.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Write a run's weights and what is known of them as one folder that travels.

    It holds the best weights (safetensors), the card without places of this machine, accuracy per track, checksums and
    a README. Nothing in it is run when it is loaded, and a folder that was changed is refused. `regact evaluate`,
    `regact train --tower` and `regact.from_pretrained` take it. The hub needs the extra `hub` and `hf auth login`.

    [bold]Examples[/bold]

      regact weights export runs/liver liver-atac --license cc-by-4.0

      regact weights export runs/liver liver-atac --push-to-hub my-lab/liver-atac --private
    """
    folder = export_weights(run, out, license_id=license_id, overwrite=overwrite)
    if repository:
        print_remark(f"uploaded: {push_to_hub(folder, repository, private=private)}")
    print_line(str(folder))
