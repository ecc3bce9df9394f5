"""The dataset of an experiment: the step that makes it, and what later steps must know of its windows."""

from dataclasses import dataclass
from pathlib import Path

from regact.dataset import Store, open_store
from regact.dataset.basenji import StorageSettings
from regact.dataset.basenji.importer import survey_source
from regact.dataset.basenji.plan import ImportPlan, plan_import
from regact.dataset.basenji.run import useful_workers as workers_of_import
from regact.dataset.build import useful_workers as workers_of_build
from regact.dataset.plan import BuildPlan, plan_build
from regact.dataset.rounds import Layout
from regact.dataset.sample import DatasetSample, SampleReading, SampleTask, sample_dataset
from regact.engine import Usage, measured, run_apart
from regact.experiment import Experiment, open_or_build_store
from regact.genome import Genome, load_genome
from regact.planning.data_probe import planned_store
from regact.planning.forecast import straight_line
from regact.planning.program import program_bytes
from regact.planning.steps import Step


@dataclass(frozen=True)
class Outlook:
    """A dataset, there or not.

    Attributes:
        step: What making it takes, or opening it.
        store: Its windows; whether its targets can be read as well depends on `is_there`.
        genome: Its genome.
        probed: A store of which some windows can be read: itself, or a sample of it.
        program_bytes: Memory of a program that has started and not opened it yet.
        is_there: Whether it is built.
    """

    step: Step
    store: Store
    genome: Genome
    probed: Path
    program_bytes: int
    is_there: bool

    def windows(self, split: str) -> int:
        """How many windows a split has."""
        return int((self.store.windows["split"] == split).sum())


def look_at_dataset(experiment: Experiment, folder: Path, *, workers: int | None, seconds: float) -> Outlook:
    """The dataset of an experiment: opened where it is there, else planned, with a sample of it made in `folder`.

    Raises: as `open_or_build_store`, before any work and for the windows of the sample.
    """
    if experiment.store_path.exists():
        return _there(experiment)
    program = program_bytes()
    plan, planning = _plan(experiment)
    where = f"a sample of {experiment.store_path}"
    with measured() as outside:
        sample = run_apart(sample_dataset, SampleTask(plan, folder, seconds), where=where)
    inside = sum(reading.seconds for reading in sample.readings)
    step = _make_step(experiment, plan, sample, planning, program, workers, max(0.0, outside.seconds - inside))
    store = planned_store(plan.header, plan.windows)
    genome = open_store(sample.store).open_genome(experiment.genome)
    return Outlook(step, store, genome, sample.store, program, is_there=False)


def _there(experiment: Experiment) -> Outlook:
    program = program_bytes()
    with measured() as opening:
        store = open_or_build_store(experiment)
    step = Step(
        name="open the dataset",
        seconds=opening.seconds,
        cpu_seconds=opening.cpu_seconds,
        ram_bytes=program,
        gpu_bytes=None,
        disk_bytes=0,
        passing_bytes=0,
        folder=store.path,
        basis=f"it is there: {store.n_windows:,} windows, {store.n_tracks:,} tracks",
    )
    return Outlook(step, store, store.open_genome(experiment.genome), store.path, program, is_there=True)


def _plan(experiment: Experiment) -> tuple[BuildPlan | ImportPlan, Usage]:
    """What the build or import would decide before it begins, and how long that takes."""
    if experiment.genome is not None:
        load_genome(experiment.genome)  # its codes are kept: the build will find them
    with measured() as usage:
        plan: BuildPlan | ImportPlan
        if experiment.source is None:
            genome, tracks = experiment.inputs
            plan = plan_build(genome, tracks, experiment.dataset, contig_alias=experiment.contig_alias)
        else:
            plan = plan_import(
                survey_source(experiment.source),
                experiment.source,
                StorageSettings.of(experiment.dataset),
                genome=None if experiment.genome is None else load_genome(experiment.genome),
                contig_alias=experiment.contig_alias,
                expected=experiment.dataset,
            )
    return plan, usage


def _make_step(
    experiment: Experiment,
    plan: BuildPlan | ImportPlan,
    sample: DatasetSample,
    planning: Usage,
    program: int,
    workers: int | None,
    start_seconds: float,
) -> Step:
    n = len(plan.windows)
    is_build = isinstance(plan, BuildPlan)
    used = workers_of_build(plan, workers) if isinstance(plan, BuildPlan) else workers_of_import(plan, workers)
    seconds, cpu, disk = (_extrapolate(sample.readings, name, n) for name in ("seconds", "cpu_seconds", "disk_bytes"))
    ram = program + (sample.peak_bytes - sample.base_bytes if used == 1 else used * sample.peak_bytes)
    parts = sample.readings[-1].windows
    what = f"measured on {parts:,} of its {n:,} windows" + (", the rest extrapolated" if parts < n else "")
    return Step(
        name="build the dataset" if is_build else "import the dataset",
        seconds=planning.seconds + seconds / used + start_seconds * (used > 1),
        cpu_seconds=planning.cpu_seconds + cpu + sample.start_cpu_seconds * used * (used > 1),
        ram_bytes=int(ram),
        gpu_bytes=None,
        disk_bytes=int(disk),
        passing_bytes=_bytes_of_a_round(plan) if isinstance(plan, BuildPlan) else 0,
        folder=experiment.store_path,
        basis=f"{what}; {used} process{'es' if used > 1 else ''}",
    )


def _extrapolate(readings: tuple[SampleReading, ...], name: str, n_windows: int) -> float:
    return straight_line([(reading.windows, getattr(reading, name)) for reading in readings], n_windows)


def _bytes_of_a_round(plan: BuildPlan) -> int:
    """The parts of the largest round, which are on the disk until its windows are assembled."""
    n_windows, n_bins = plan.mask.shape
    return min(n_windows, Layout.of(plan).round) * n_bins * len(plan.sheet) * 2
