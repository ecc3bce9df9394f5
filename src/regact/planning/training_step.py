"""The training of a model: its steps, validations and saved states, from what a few of each took."""

from dataclasses import dataclass

from regact.comparison.trial import Trial
from regact.dataset.batch_memory import BatchLayout
from regact.dataset.batch_plan import BatchPlan
from regact.planning.climb import Reading, Size
from regact.planning.data_probe import DataReadings
from regact.planning.dataset_step import Outlook
from regact.planning.forecast import forecast_memory, forecast_time, in_words
from regact.planning.model_probe import JUDGED_AT_ONCE, ModelReadings, ModelTask
from regact.planning.steps import Step
from regact.training import TrainingConfig, TransferConfig

_SLOTS = 4  # batches in memory at once: two each of the training and the validation loader
_WINDOW_ROW_BYTES = 200  # of the window table in memory
_TRACK_TEXT_BYTES = 400  # a track's lines in card.json and metrics.tsv
_READER_BYTES = 170 * 2**20  # a process that reads ahead


@dataclass(frozen=True)
class _Time:
    """Seconds by the clock and of the cores."""

    wall: float
    cpu: float

    def __add__(self, other: "_Time") -> "_Time":
        return _Time(self.wall + other.wall, self.cpu + other.cpu)

    def __mul__(self, factor: float) -> "_Time":
        return _Time(self.wall * factor, self.cpu * factor)


@dataclass(frozen=True)
class _Length:
    """How long a run is: epochs begun, steps in which all learn, frozen ones, and frozen ones on bins that are kept."""

    epochs: int
    learning: int
    frozen: int
    kept: int


@dataclass(frozen=True)
class Known:
    """What is known of a model: as what it is trained, what a few steps took, its dataset, and how that is read."""

    task: ModelTask
    found: ModelReadings
    data: Outlook
    reading: DataReadings


def training_step(name: str, trial: Trial, known: Known, *, times: int, workers: int) -> Step:
    """What training a model `times` times takes."""
    task, found, data, reading = known.task, known.found, known.data, known.reading
    config = task.training
    spec = task.spec(task.window_bp)
    size = Size.of(spec, task.at_once)
    length = run_length(config, task.transfer, data.windows("train"))
    step = _step_time(found, size, config, reading, workers)
    validation = (window_time(found, task) + _reading_time(reading, workers)) * data.windows("valid")
    saving = _Time(*found.saving)
    first = found.training[-1]
    warm_up = _Time(max(0.0, first.first[0] - first.seconds), max(0.0, first.first[1] - first.cpu_seconds))
    whole = (
        _Time(*reading.opening)
        + warm_up
        + step * (length.learning + length.frozen * found.frozen_share + length.kept * found.kept_share)
        + (validation + saving) * length.epochs
    )
    whole = _end_in_time(whole, config, validation + saving)
    text = _TRACK_TEXT_BYTES * task.tracks + 8 * 4096
    seeds = f", {times} seeds" if times > 1 else ""
    return Step(
        name=f"train {name}{seeds}",
        seconds=whole.wall * times,
        cpu_seconds=whole.cpu * times,
        ram_bytes=_ram(found, size, task, data, workers),
        gpu_bytes=_gpu(found, size),
        disk_bytes=(found.state_bytes + found.weights_bytes + text) * times,
        passing_bytes=found.state_bytes,
        folder=trial.run,
        basis=f"{in_words(found.training, size)}; {length.epochs:,} epochs of {_per_epoch(config, data):,} steps",
        at_most=config.patience is not None and length.epochs > config.patience,
    )


def run_length(config: TrainingConfig, transfer: TransferConfig, train_windows: int) -> _Length:
    """How many steps and epochs a run has that nothing ends early."""
    per_epoch = BatchPlan(train_windows, config.batch_size, drop_last=True).batches_per_epoch
    steps = config.total_steps(per_epoch)
    frozen = min(steps, transfer.freeze_epochs * per_epoch)
    computed = min(frozen, _strands(config) * per_epoch) if transfer.keep_bins else frozen
    return _Length(-(-steps // per_epoch), steps - frozen, computed, frozen - computed)


def _strands(config: TrainingConfig) -> int:
    return 1 if config.augmentation.reverse_complement == "none" else 2


def _kept_bytes(task: ModelTask, train_windows: int) -> int:
    """The bins of a frozen tower that are kept in memory."""
    if not task.transfer.keep_bins:
        return 0
    spec, strands = task.spec(task.window_bp), min(_strands(task.training), task.transfer.freeze_epochs)
    return 4 * spec.tower_channels * (spec.window_bp // spec.bin_bp) * strands * train_windows


def window_time(found: ModelReadings, task: ModelTask) -> _Time:
    """Predicting and judging one window."""
    size = Size.of(task.spec(task.window_bp), JUDGED_AT_ONCE)
    return _forecast(found.judging, size) * (1 / JUDGED_AT_ONCE)


def _step_time(found: ModelReadings, size: Size, config: TrainingConfig, reading: DataReadings, workers: int) -> _Time:
    """One optimizer step: its micro-batches, one update, and the windows that are read for it."""
    update = _Time(*found.update)
    micro_batch = _forecast(found.training, size) + update * -1
    compute = micro_batch * config.accumulate + update
    read = _Time(*reading.reading) * config.batch_size
    if workers:  # they read while the step before is computed
        return _Time(max(compute.wall, read.wall / workers), compute.cpu + read.cpu)
    return compute + read


def _reading_time(reading: DataReadings, workers: int) -> _Time:
    return _Time(reading.reading[0] / max(1, workers), reading.reading[1])


def _forecast(readings: tuple[Reading, ...], size: Size) -> _Time:
    return _Time(forecast_time(readings, size), forecast_time(readings, size, lambda reading: reading.cpu_seconds))


def _end_in_time(whole: _Time, config: TrainingConfig, after: _Time) -> _Time:
    """The same run, ended by its limit of minutes; the epoch that was begun is judged."""
    if config.max_minutes is None or whole.wall <= 60 * config.max_minutes:
        return whole
    limit = 60 * config.max_minutes + after.wall
    return whole * min(1.0, limit / whole.wall)


def _ram(found: ModelReadings, size: Size, task: ModelTask, data: Outlook, workers: int) -> int:
    """Of the process that trains, and of those that read for it."""
    layout = BatchLayout(task.at_once, task.window_bp, task.spec(task.window_bp).bins, task.tracks)
    windows = len(data.store.windows) * (layout.n_bins + _WINDOW_ROW_BYTES)
    kept = _kept_bytes(task, data.windows("train"))
    slots = layout.slot_bytes * (_SLOTS + 2 * min(1, workers))
    steps = forecast_memory(found.training, size, lambda reading: reading.ram_bytes, found.fixed_bytes)
    return max(steps, found.saving_ram) + windows + slots + kept + workers * _READER_BYTES


def _gpu(found: ModelReadings, size: Size) -> int | None:
    if found.training[-1].gpu_bytes is None:
        return None
    return forecast_memory(found.training, size, lambda reading: reading.gpu_bytes or 0, found.fixed_gpu_bytes)


def _per_epoch(config: TrainingConfig, data: Outlook) -> int:
    return BatchPlan(data.windows("train"), config.batch_size, drop_last=True).batches_per_epoch
