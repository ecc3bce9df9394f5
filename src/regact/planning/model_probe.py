"""A few real steps of a model on made-up windows: their time and memory, in a process of its own.

Whether windows are real changes neither. Where the model at its full size would take too long, or more memory than
there is, smaller batches and shorter windows are taken; `forecast.py` draws lines through what they took.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from regact.dataset.augment import Example
from regact.dataset.batch import Batch
from regact.engine import measured, memory_bytes, peak_memory_bytes, reset_peak_memory
from regact.errors import ConfigError
from regact.evaluation.blocks import Blocks
from regact.evaluation.window_sums import WindowSumsCollector
from regact.model import ModelConfig, ModelSpec, build_model, count, model_spec, save_model
from regact.model.memory import free_cached_memory, is_memory_full
from regact.model.prediction import inference
from regact.planning.climb import Reading, Size, climb
from regact.training import TrainingConfig, TransferConfig, open_fabric, validate
from regact.training.device import quiet_gradients
from regact.training.learner import Learner, make_learner
from regact.training.state import STATE_FILE, Progress, save_state
from regact.training.transfer import set_frozen
from regact.training.validate import Observe

JUDGED_AT_ONCE = 8  # as `evaluate` and `judge` do
_PARAMETER_BYTES = 16  # weight, gradient and Adam's two moments in float32
_REPEATS = 12


@dataclass(frozen=True)
class ModelTask:
    """A model as it will be trained, and how much time and memory trying it may take."""

    model: ModelConfig
    tracks: int
    window_bp: int
    bin_bp: int
    crop_bins: int
    training: TrainingConfig
    transfer: TransferConfig
    device: str
    seconds: float
    ram_bytes: int
    gpu_bytes: int | None
    sent: float = 0.0  # when it was given away, `time.time()`: from then until work begins, the program starts

    @property
    def at_once(self) -> int:
        """Windows in memory at once in training and in its validation."""
        return -(-self.training.batch_size // self.training.accumulate)

    def spec(self, window_bp: int) -> ModelSpec:
        """The network for windows of this length, with as large a share of its bins cropped."""
        crop = self.crop_bins * window_bp // self.window_bp
        return model_spec(self.model, tracks=self.tracks, window_bp=window_bp, crop_bins=crop, bin_bp=self.bin_bp)

    def size(self, window_bp: int, windows: int) -> Size | None:
        """So many windows of this length; None where the network takes none such."""
        try:
            return Size.of(self.spec(window_bp), windows)
        except ConfigError:
            return None


@dataclass(frozen=True)
class ModelReadings:
    """What was found out.

    Attributes:
        start: Seconds until the program had started, and of the cores.
        judging, training: Readings in rising size; of a judged batch and of an optimizer step with one micro-batch.
        update: Seconds of the optimizer alone, and of its cores.
        judged_share: Time of judging, sums for intervals included, over time of validation.
        frozen_share: Time of a step while what was taken is frozen, over that of any other.
        kept_share: The same where the bins of its windows are kept from an earlier epoch.
        saving: Seconds of saving state and weights, and of the cores.
        state_bytes, weights_bytes: Their files.
        saving_ram: The most memory that the process had while saving.
        fixed_bytes, fixed_gpu_bytes: Memory that does not grow with the batch: the program, weights and what belongs
            to them.
    """

    start: tuple[float, float]
    judging: tuple[Reading, ...]
    training: tuple[Reading, ...]
    update: tuple[float, float]
    judged_share: float
    frozen_share: float
    kept_share: float
    saving: tuple[float, float]
    state_bytes: int
    weights_bytes: int
    saving_ram: int
    fixed_bytes: int
    fixed_gpu_bytes: int


def probe_model(task: ModelTask) -> ModelReadings:
    """Try judging, training and saving a model."""
    start = time.time() - task.sent, time.process_time()
    with quiet_gradients(), tempfile.TemporaryDirectory(prefix="regact-plan-") as folder:
        return _Probe(task).run(Path(folder), start)


class _Probe:
    def __init__(self, task: ModelTask) -> None:
        self.task = task
        self.base_bytes = memory_bytes()
        some_frozen = task.transfer.freeze_epochs > 0
        self.fabric: Fabric = open_fabric(task.device, task.training.precision, some_frozen=some_frozen)
        self.config = task.training.model_copy(update={"accumulate": 1})
        self.strand_pair = torch.arange(task.tracks)
        self.learner: Learner | None = None
        self.on_gpu = self.fabric.device.type == "cuda"
        self.parameter_bytes = _PARAMETER_BYTES * count(task.spec(task.window_bp)).parameters

    def run(self, folder: Path, start: tuple[float, float]) -> ModelReadings:
        """Judging first, for training needs more memory."""
        task = self.task
        judging = self.climb(self.judge, JUDGED_AT_ONCE, task.seconds / 4)
        judged_share = self.judged_share(judging[-1].size)
        training = self.climb(self.train, task.at_once, task.seconds / 2)
        size = training[-1].size
        frozen_share, kept_share = self.frozen_shares(size, training[-1])
        update = self.update()
        learner = self.ready(size)
        with measured() as saving:
            save_state(folder, learner.model, learner.optimizer, Progress())
            save_model(learner.model, folder)
        state = (folder / STATE_FILE).stat().st_size
        return ModelReadings(
            start=start,
            judging=judging,
            training=training,
            update=update,
            judged_share=judged_share,
            frozen_share=frozen_share,
            kept_share=kept_share,
            saving=(saving.seconds, saving.cpu_seconds),
            state_bytes=state,
            weights_bytes=sum(file.stat().st_size for file in folder.iterdir() if file.is_file()),
            saving_ram=peak_memory_bytes(),
            fixed_bytes=self.base_bytes + (0 if self.on_gpu else self.parameter_bytes),
            fixed_gpu_bytes=self.parameter_bytes,
        )

    def climb(
        self, attempt: Callable[[Size, float], Reading | None], windows: int, seconds: float
    ) -> tuple[Reading, ...]:
        """Readings of `attempt` up to the full size, or to the largest that time and memory allow."""
        task = self.task
        spec = task.spec(task.window_bp)
        return climb(
            attempt,
            full=Size.of(spec, windows),
            smaller=task.size,
            granule_bp=task.bin_bp * 16,
            seconds=seconds,
            free_bytes=task.gpu_bytes if self.on_gpu and task.gpu_bytes else task.ram_bytes,
            fixed_bytes=self.parameter_bytes + (0 if self.on_gpu else self.base_bytes),
        )

    def ready(self, size: Size) -> Learner:
        """A learner for windows of this length; the last one where it fits."""
        if self.learner is None or self.learner.model.spec.window_bp != size.window_bp:
            self.learner = None
            free_cached_memory(self.fabric.device)
            model = build_model(self.task.spec(size.window_bp), seed=0)
            model.head.start_at([1.0] * self.task.tracks, model.link)
            self.learner = make_learner(
                model,
                self.config,
                self.task.transfer,
                self.fabric,
                strand_pair=self.strand_pair,
                total_steps=1_000_000,
            )
        return self.learner

    def judge(self, size: Size, seconds: float) -> Reading | None:
        """Predict and judge a batch again and again."""
        return self.read(size, seconds, self.judging(size, None))

    def judging(self, size: Size, observe: Observe | None) -> Callable[[], object]:
        learner, batch = self.ready(size), self.batch(size)

        def work() -> object:
            with inference(learner.model):
                return validate(
                    lambda _, example: learner.model.rate(learner.wrapped_model(learner.model.one_hot(example.codes))),
                    [batch],
                    strand_pair=self.strand_pair,
                    device=self.fabric.device,
                    observe=observe,
                )

        return work

    def judged_share(self, size: Size) -> float:
        """How much longer judging takes that collects sums for intervals."""
        bins = self.task.spec(size.window_bp).bins
        rows = np.arange(size.windows)
        blocks = Blocks("test", rows, np.zeros((size.windows, bins), np.int32), np.array([size.window_bp]))
        collector = WindowSumsCollector(blocks, self.task.tracks)

        def observe(batch: Batch, example: Example, rate: torch.Tensor) -> None:
            collector.add_rates(batch.rows, rate, example.targets, example.mask)

        plain, judged = self.judging(size, None), self.judging(size, observe)
        times = []
        for work in (plain, judged):
            with measured() as usage:
                work()
                self.wait()
            times.append(usage.seconds)
        return max(1.0, times[1] / max(times[0], 1e-9))

    def train(self, size: Size, seconds: float) -> Reading | None:
        """Take one step after the other."""
        return self.read(size, seconds, self.step(size))

    def step(self, size: Size, *, frozen: bool = False, keep_bins: bool = False) -> Callable[[], object]:
        learner, batch = self.ready(size), self.batch(size)
        learner.wrapped_model.train()
        epoch = 0 if frozen else self.task.transfer.freeze_epochs
        set_frozen(learner.model, self.task.transfer, epoch)
        learner.step.keep_bins(keep_bins)
        return lambda: learner.step.begin(batch, 0, (0.0, 0.0)).result()

    def frozen_shares(self, size: Size, learning: Reading) -> tuple[float, float]:
        """Time of a step while what was taken is frozen, and while its bins are kept, over that of one that learns."""
        if not self.task.transfer.freeze_epochs:
            return 1.0, 1.0
        shares = []
        for keep in (False, self.task.transfer.keep_bins):
            found = self.read(size, learning.seconds * 3, self.step(size, frozen=True, keep_bins=keep))
            shares.append(1.0 if found is None else found.seconds / learning.seconds)
        self.step(size)  # nothing is frozen or kept any more
        return shares[0], shares[1]

    def update(self) -> tuple[float, float]:
        """Time of the optimizer alone, on the gradients of the last step."""
        if self.learner is None:
            return 0.0, 0.0
        with measured() as usage:
            self.learner.step.optimizer.step()
            self.wait()
        return usage.seconds, usage.cpu_seconds

    def read(self, size: Size, seconds: float, work: Callable[[], object]) -> Reading | None:
        """Do `work` for about so many seconds, two times at least; None where the memory of the device is full."""
        reset_peak_memory()
        if self.on_gpu:
            torch.cuda.reset_peak_memory_stats(self.fabric.device)
        try:
            first, *rest = self.repeat(work, seconds)
        except RuntimeError as error:
            if not is_memory_full(error):
                raise
            return None
        return Reading(
            size=size,
            seconds=statistics.median(wall for wall, _ in rest),
            cpu_seconds=statistics.median(cpu for _, cpu in rest),
            first=(first[0], first[1]),
            ram_bytes=peak_memory_bytes(),
            gpu_bytes=torch.cuda.max_memory_allocated(self.fabric.device) if self.on_gpu else None,
        )

    def repeat(self, work: Callable[[], object], seconds: float) -> Sequence[tuple[float, float]]:
        times: list[tuple[float, float]] = []
        spent = 0.0
        while len(times) < 3 or (spent < seconds and len(times) < _REPEATS):
            with measured() as usage:
                work()
                self.wait()
            times.append((usage.seconds, usage.cpu_seconds))
            spent += usage.seconds
        return times

    def wait(self) -> None:
        if self.on_gpu:
            torch.cuda.synchronize(self.fabric.device)

    def batch(self, size: Size) -> Batch:
        """Made-up windows of this size."""
        bins = self.task.spec(size.window_bp).bins
        random = torch.Generator().manual_seed(0)
        return Batch(
            codes=torch.randint(0, 4, (size.windows, size.window_bp), dtype=torch.uint8, generator=random),
            targets=torch.randint(0, 4, (size.windows, bins, self.task.tracks), generator=random).half(),
            mask=torch.ones(size.windows, bins, dtype=torch.bool),
            reverse=torch.arange(size.windows) % 2 == 1,
            rows=torch.arange(size.windows),
        )
