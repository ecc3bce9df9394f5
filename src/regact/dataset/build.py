"""Building a store: the plan, then rounds of reading and assembling, then the header, then the final name.

All work lies in `OUT.partial`, which is renamed at the end. A build that was killed at any point continues where it was
when the same command runs again; a build of another plan there is refused, naming what differs.
"""

from collections.abc import Callable
from pathlib import Path

from regact.dataset.config import DatasetConfig
from regact.dataset.depth import measure_depth
from regact.dataset.plan import BuildPlan, plan_build
from regact.dataset.rounds import TEMPORARY_BYTES, Layout, Round, collect_rounds
from regact.dataset.schema import STORE_MARK
from regact.dataset.store import Store, open_store
from regact.dataset.store_writer import create_store, finish_store
from regact.dataset.unfinished import unfinished_store
from regact.engine import available_cores, check_space, refuse_existing

COMPRESSION = (
    2  # targets shrink at least so much, to ask for disk space by: 2.0 (yeast) to 13 (worm) times was measured
)
DISK_BLOCK_BYTES = 4096  # each window is a file of its own, and takes whole blocks
BASES_PER_WORKER = 2**28  # read in about the second that a process takes to start


def build_dataset(
    genome_path: str | Path,
    sheet_path: str | Path,
    config: DatasetConfig,
    out: str | Path,
    *,
    workers: int | None = None,
    contig_alias: str | None = None,
    overwrite: bool = False,
    resume: bool = True,
    tell: Callable[[str], object] = lambda remark: None,
) -> Store:
    """Build a store of training examples, and open it.

    Args:
        genome_path: FASTA.
        sheet_path: Track sheet.
        config: Windows, splits, masks, storage.
        out: Folder of the store; it appears whole.
        workers: Processes; as many as there are cores where None.
        contig_alias: "chr" or a table of names, where contigs go by other names in other files than the FASTA.
        overwrite: Replace a store that is there.
        resume: Continue an unfinished build of the same plan; otherwise begin anew.
        tell: Called with each remark on what is left out, before the work begins.

    Raises:
        FormatError, ConfigError, ContigError, DataError: What is wrong with the inputs; everything but a wrong value is
            found before the work begins.
        StoreError: An unfinished build of another plan lies at `OUT.partial`.
        OutputExistsError, DiskSpaceError: `out` is there; it does not fit on the disk.
    """
    out = Path(out)
    refuse_existing(out, overwrite, mark=STORE_MARK)
    plan = plan_build(genome_path, sheet_path, config, contig_alias=contig_alias)
    for remark in plan.header.remarks:
        tell(remark)
    check_space(out, _needed_bytes(plan), f"{len(plan.windows):,} windows of {len(plan.sheet):,} tracks")
    with unfinished_store(out, plan.identity(), overwrite=overwrite, resume=resume) as (folder, work):
        fill_store(folder, work, plan, useful_workers(plan, workers))
    return open_store(out)


def fill_store(folder: Path, work: Path, plan: BuildPlan, workers: int) -> None:
    """Do all that is not done yet of a store, until its header is written."""
    header = measure_depth(plan, work, workers)
    create_store(folder, header, plan.windows, plan.mask)
    layout = Layout.of(plan)
    all_rows = layout.rounds()
    rounds = [
        Round(plan, header, layout, rows, folder, work, f", round {number} of {len(all_rows)}" * (len(all_rows) > 1))
        for number, rows in enumerate(all_rows, start=1)
    ]
    for one in rounds:
        one.run(workers)
    values_sha256, statistics = collect_rounds(rounds)
    finish_store(folder, header, plan.windows, plan.mask, values_sha256=values_sha256, statistics=statistics)


def _needed_bytes(plan: BuildPlan) -> int:
    """The room that a build needs at most: the store, and the parts of one round."""
    store = plan.target_bytes // COMPRESSION + len(plan.windows) * DISK_BLOCK_BYTES
    return store + min(plan.target_bytes, TEMPORARY_BYTES)


def useful_workers(plan: BuildPlan, workers: int | None) -> int:
    """As many as asked for or as there are cores, but no more than have enough to do."""
    bases = len(plan.windows) * plan.config.target_bp * len(plan.sheet)
    return max(1, min(available_cores() if workers is None else workers, bases // BASES_PER_WORKER))
