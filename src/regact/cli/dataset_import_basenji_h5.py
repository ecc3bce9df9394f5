"""`regact dataset import-basenji-h5`: the HDF5 of Basenji's paper of 2018 becomes a store."""

from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import ContigAlias, Genome, NotFinite, NotFiniteChoice, Overwrite, Resume, StorePath, Workers
from regact.cli.output import print_remark, print_store
from regact.dataset.basenji import BasenjiH5Source, import_dataset


def command(
    file: Annotated[Path, typer.Argument(metavar="HDF5", help="The file, such as l131k_w128.h5.")],
    store: StorePath,
    bed: Annotated[
        Path | None, typer.Option("--bed", help="Where its sequences lie: chrom, start, end, set.", metavar="BED")
    ] = None,
    samples: Annotated[
        Path | None, typer.Option("--samples", help="Its samples: identifier, file, label.", metavar="TSV")
    ] = None,
    genome: Genome = None,
    not_finite: NotFinite = NotFiniteChoice.stop,
    contig_alias: ContigAlias = None,
    workers: Workers = None,
    overwrite: Overwrite = False,
    resume: Resume = True,
) -> None:
    """Import the HDF5 of Basenji's paper of 2018, which the attention models were trained on, into a store.

    Its split and its mask of unmappable bins come with it; the split was drawn window by window and leaks between
    neighbours, which the store says of itself. Numbers in which the file is not the paper's data are printed. Without
    --bed each sequence is a contig of its own. With --genome (hg19) every sequence is compared with it.

    [bold]Examples[/bold]

      regact dataset import-basenji-h5 l131k_w128.h5 stores/paper --bed l131k_w128.bed --samples sample_wigs.txt

      regact dataset import-basenji-h5 l131k_w128.h5 stores/paper
    """
    source = BasenjiH5Source(file=file, bed=bed, samples=samples, not_finite=not_finite.value)
    imported = import_dataset(
        source,
        store,
        genome_path=genome,
        contig_alias=contig_alias,
        workers=workers,
        overwrite=overwrite,
        resume=resume,
        tell=print_remark,
    )
    print_store(imported.windows["split"], store)
