"""What comes after training: every model judged, the 4-mer ridge beside them, tables and page of a comparison."""

from collections.abc import Sequence
from pathlib import Path

from regact.comparison.trial import Trial
from regact.evaluation import distal_pairs, simulation_of
from regact.evaluation.blocks import LEAST_BLOCK_BP, divide_into_blocks
from regact.evaluation.window_sums import MOMENTS, SCALES
from regact.planning.climb import Size
from regact.planning.data_probe import DataReadings, ridge_windows
from regact.planning.dataset_step import Outlook
from regact.planning.forecast import forecast_memory, in_words, straight_line
from regact.planning.model_probe import JUDGED_AT_ONCE
from regact.planning.steps import Step
from regact.planning.training_step import Known, window_time

_TRACK_TEXT_BYTES = 400  # a track's entry in judged_SPLIT.json
# The page of a comparison with its figures, as pages of two and of nine models were: not measured anew.
_REPORT_SECONDS, _REPORT_SECONDS_PER_MODEL = 0.3, 0.7
_REPORT_BYTES, _REPORT_BYTES_PER_MODEL = 100_000, 220_000
_RESAMPLING_SECONDS = 4e-6  # for each block of the genome and track: 1,000 draws (benchmarks/RESULTS.md)


def judging_step(name: str, trial: Trial, known: Known, *, times: int, splits: Sequence[str]) -> Step:
    """What judging a model on some splits takes, `times` times."""
    task, found, data, reading = known.task, known.found, known.data, known.reading
    size = Size.of(task.spec(task.window_bp), JUDGED_AT_ONCE)
    judged = sum(data.windows(split) for split in splits)
    predicted_again = sum(_distal_windows(data, split) for split in splits)
    window, (read, read_cpu) = window_time(found, task), reading.reading
    seconds = judged * (window.wall * found.judged_share + read) + predicted_again * window.wall
    cpu = judged * (window.cpu * found.judged_share + read_cpu) + predicted_again * window.cpu
    sums = max((_sums_bytes(data, split) for split in splits), default=0)
    ram = forecast_memory(found.judging, size, lambda one: one.ram_bytes, found.fixed_bytes)
    gpu = [one.gpu_bytes for one in found.judging if one.gpu_bytes is not None]
    return Step(
        name=f"judge {name} on {' and '.join(splits)}" + (f", {times} seeds" if times > 1 else ""),
        seconds=seconds * times,
        cpu_seconds=cpu * times,
        ram_bytes=ram + sums,
        gpu_bytes=forecast_memory(found.judging, size, lambda one: one.gpu_bytes or 0, found.fixed_gpu_bytes)
        if gpu
        else None,
        disk_bytes=_judgement_bytes(data, splits) * times,
        passing_bytes=0,
        folder=trial.run,
        basis=f"{in_words(found.judging, size)}; {judged:,} windows",
    )


def baseline_step(data: Outlook, reading: DataReadings, splits: Sequence[str], out: Path) -> Step:
    """What the ridge regression on 4-mers takes: fitted on training windows, judged on some splits."""
    n = ridge_windows(data.store, splits)
    seconds, cpu = (straight_line([(one[0], one[k]) for one in reading.ridge], n) for k in (1, 2))
    return Step(
        name="fit and judge the 4-mer ridge",
        seconds=seconds,
        cpu_seconds=cpu,
        ram_bytes=reading.ridge_ram + max(_sums_bytes(data, split) for split in splits),
        gpu_bytes=None,
        disk_bytes=_judgement_bytes(data, splits),
        passing_bytes=0,
        folder=out,
        basis=f"measured on {reading.ridge[-1][0]:,} windows, extrapolated to {n:,}",
    )


def report_step(data: Outlook, models: int, *, trainings: int, splits: Sequence[str], out: Path) -> Step:
    """Tables with intervals and the page of a comparison."""
    blocks = sum(len(divide_into_blocks(data.store, split)) for split in splits)
    seconds = _REPORT_SECONDS + _REPORT_SECONDS_PER_MODEL * models
    seconds += _RESAMPLING_SECONDS * blocks * data.store.n_tracks * trainings
    sums = sum(_sums_bytes(data, split) for split in splits)
    return Step(
        name="write tables and page",
        seconds=seconds,
        cpu_seconds=seconds,
        ram_bytes=data.program_bytes + 2 * sums,
        gpu_bytes=None,
        disk_bytes=_REPORT_BYTES + _REPORT_BYTES_PER_MODEL * models,
        passing_bytes=0,
        folder=out,
        basis="fixed figures",
    )


def _distal_windows(data: Outlook, split: str) -> int:
    """Windows that are predicted once more for distal accuracy, on simulated data."""
    simulation = simulation_of(data.genome)
    return 0 if simulation is None else int(distal_pairs(simulation, data.store, split)["row"].nunique())


def _sums_bytes(data: Outlook, split: str) -> int:
    """The sums of each window and track that intervals are computed from."""
    windows = data.windows(split)
    pieces = windows * (1 + data.store.n_bins * data.store.bin_bp / LEAST_BLOCK_BP)
    return int(pieces * len(MOMENTS) * len(SCALES) * 8 * data.store.n_tracks)


def _judgement_bytes(data: Outlook, splits: Sequence[str]) -> int:
    return sum(_sums_bytes(data, split) + _TRACK_TEXT_BYTES * data.store.n_tracks + 2 * 4096 for split in splits)
