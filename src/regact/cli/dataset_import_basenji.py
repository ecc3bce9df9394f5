"""`regact dataset import-basenji`: a Basenji data directory becomes a store."""

from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import ContigAlias, Genome, NotFinite, NotFiniteChoice, Overwrite, Resume, StorePath, Workers
from regact.cli.output import print_remark, print_store
from regact.dataset.basenji import BasenjiSource, StorageSettings, import_dataset
from regact.dataset.config import SplitAsImported

_FOLDS = SplitAsImported()


def command(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Holds statistics.json, targets.txt, sequences.bed and tfrecords.")
    ],
    store: StorePath,
    genome: Genome = None,
    valid: Annotated[
        str, typer.Option("--valid", help="Of data with folds: those that validate, with commas between.")
    ] = ",".join(_FOLDS.valid),
    test: Annotated[str, typer.Option("--test", help="Of data with folds: those that test.")] = ",".join(_FOLDS.test),
    not_finite: NotFinite = NotFiniteChoice.stop,
    contig_alias: ContigAlias = None,
    workers: Workers = None,
    overwrite: Overwrite = False,
    resume: Resume = True,
) -> None:
    """Import a data directory of Basenji, Basenji2 or Borzoi into a store.

    Reads TFRecords without TensorFlow, each record checked, in little memory. With --genome every sequence is compared
    with it; without, the store keeps the sequences, and shifts read N where no window knows the bases. An import that
    was interrupted goes on where it was when the same command runs again. docs/import.md says what is read.

    [bold]Examples[/bold]

      regact dataset import-basenji human stores/basenji2 --genome hg38.fa

      regact dataset import-basenji borzoi/hg38 stores/borzoi --valid fold3 --test fold4 --not-finite clip
    """
    source = BasenjiSource(directory=directory, not_finite=not_finite.value)
    folds = SplitAsImported(valid=_names(valid), test=_names(test))
    imported = import_dataset(
        source,
        store,
        genome_path=genome,
        contig_alias=contig_alias,
        storage=StorageSettings(split=folds),
        workers=workers,
        overwrite=overwrite,
        resume=resume,
        tell=print_remark,
    )
    print_store(imported.windows["split"], store)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
