"""Building a store: the plan, then rounds of reading and assembling, then the header, then the final name.

All work lies in `OUT.partial`, which is renamed at the end. A build that was killed at any point continues where it was
when the same command runs again; a build of another plan there is refused, naming what differs.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from regact.dataset.config import DatasetConfig
from regact.dataset.depth import measure_depth
from regact.dataset.plan import BuildPlan, plan_build
from regact.dataset.rounds import TEMPORARY_BYTES, Layout, Round, collect_rounds
from regact.dataset.store import Store, open_store
from regact.dataset.store_writer import create_store, finish_store
from regact.engine import (
    available_cores,
    check_space,
    disk_full_as_error,
    partial_folder,
    refuse_existing,
    whole_folder,
    write_json,
)
from regact.errors import DiskSpaceError, StoreError

COMPRESSION = 3  # targets shrink at least so much, to ask for disk space by: 3.4 to 10.8 times was measured
DISK_BLOCK_BYTES = 4096  # each window is a file of its own, and takes whole blocks
BASES_PER_WORKER = 2**28  # read in about the second that a process takes to start
_WORK = "build"


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
    refuse_existing(out, overwrite)
    plan = plan_build(genome_path, sheet_path, config, contig_alias=contig_alias)
    for remark in plan.header.remarks:
        tell(remark)
    check_space(out, _needed_bytes(plan), f"{len(plan.windows):,} windows of {len(plan.sheet):,} tracks")
    with whole_folder(out, overwrite=overwrite, resume=True) as folder:
        _claim(folder, plan, out, resume=resume)
        try:
            with disk_full_as_error(folder):
                _fill(folder, plan, _useful_workers(plan, workers))
        except DiskSpaceError as error:
            remedy = "make room and run the same command again: what is built is kept"
            raise DiskSpaceError(partial_folder(out), error.found, "", remedy) from error
        shutil.rmtree(folder / _WORK)
    return open_store(out)


def _claim(folder: Path, plan: BuildPlan, out: Path, *, resume: bool) -> None:
    """Write into `folder` which plan it is for, or see that it is for this one.

    Raises: StoreError naming the fields that differ.
    """
    note = folder / _WORK / "plan.json"
    if not resume:
        for entry in folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != ".lock":  # held by this process
                entry.unlink()
    identity = plan.identity()
    if not note.is_file():
        write_json(note, identity)
        return
    begun = json.loads(note.read_text())
    differing = [name for name in {**identity, **begun} if identity.get(name) != begun.get(name)]
    if differing:
        shown = "; ".join(f"{name}: {_short(begun.get(name))}, now {_short(identity.get(name))}" for name in differing)
        raise StoreError(
            partial_folder(out),
            f"an unfinished build of another plan ({shown})",
            "the same plan to continue it",
            "say --no-resume to begin anew, or write to another folder",
        )


def _fill(folder: Path, plan: BuildPlan, workers: int) -> None:
    """Do all that is not done yet of a store, until its header is written."""
    work = folder / _WORK
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


def _useful_workers(plan: BuildPlan, workers: int | None) -> int:
    """As many as asked for or as there are cores, but no more than have enough to do."""
    bases = len(plan.windows) * plan.config.target_bp * len(plan.sheet)
    return max(1, min(available_cores() if workers is None else workers, bases // BASES_PER_WORKER))


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
