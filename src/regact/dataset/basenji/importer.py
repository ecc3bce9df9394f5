"""Public data as stores: a Basenji data directory, or the HDF5 of Basenji's paper of 2018."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from regact.dataset.basenji.config import BasenjiH5Source, BasenjiSource, StorageSettings
from regact.dataset.basenji.plan import Survey, plan_import
from regact.dataset.basenji.run import run_import
from regact.dataset.basenji.surveys import survey_directory, survey_h5
from regact.dataset.config import DatasetConfig
from regact.dataset.store import Store
from regact.engine import refuse_existing
from regact.genome import load_genome


def survey_source(source: BasenjiSource | BasenjiH5Source) -> Survey:
    """What a source holds; raises as `survey_directory` and `survey_h5`."""
    return survey_directory(source) if isinstance(source, BasenjiSource) else survey_h5(source)


def import_basenji(directory: str | Path, out: str | Path, **options: Any) -> Store:
    """Import a Basenji data directory; `options` as in `import_dataset`."""
    return import_dataset(BasenjiSource(directory=Path(directory)), out, **options)


def import_basenji_h5(
    file: str | Path,
    out: str | Path,
    *,
    bed: str | Path | None = None,
    samples: str | Path | None = None,
    **options: Any,
) -> Store:
    """Import the HDF5 of Basenji's paper of 2018; `options` as in `import_dataset`.

    Args:
        bed: Where its sequences lie (`l131k_w128.bed`); without it each is a contig of its own.
        samples: The files of its tracks (`sample_wigs.txt`).
    """
    source = BasenjiH5Source(
        file=Path(file),
        bed=None if bed is None else Path(bed),
        samples=None if samples is None else Path(samples),
    )
    return import_dataset(source, out, **options)


def import_dataset(
    source: BasenjiSource | BasenjiH5Source,
    out: str | Path,
    *,
    genome_path: str | Path | None = None,
    contig_alias: str | None = None,
    storage: StorageSettings | None = None,
    expected: DatasetConfig | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    resume: bool = True,
    tell: Callable[[str], object] = lambda remark: None,
) -> Store:
    """Import public data into a store, and open it.

    Args:
        source: Where they lie.
        out: Folder of the store; it appears whole.
        genome_path: FASTA that every sequence is compared with; without it the store keeps the sequences.
        contig_alias: "chr" or a table of names, where the FASTA has other names of contigs.
        storage: How the store keeps what the data do not say.
        expected: The windows that they must have.
        workers: Processes; as many as there are cores where None.
        overwrite: Replace a store that is there.
        resume: Continue an unfinished import of the same data; otherwise begin anew.
        tell: Called with each remark, before the work begins where it is known then.

    Raises:
        FormatError, ConfigError, ContigError, DataError: What is wrong with the data, naming file and record.
        StoreError: An unfinished store of another plan lies at `OUT.partial`.
        OutputExistsError, DiskSpaceError: `out` is there; it does not fit on the disk.
    """
    out = Path(out)
    refuse_existing(out, overwrite)
    plan = plan_import(
        survey_source(source),
        source,
        storage or StorageSettings(),
        genome=None if genome_path is None else load_genome(genome_path),
        contig_alias=contig_alias,
        expected=expected,
    )
    return run_import(plan, out, workers=workers, overwrite=overwrite, resume=resume, tell=tell)
