"""Training from top to bottom: epochs of steps, validation by the number that is reported, best weights kept."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import torch
from lightning_fabric import Fabric

from regact.dataset import Store
from regact.dataset.batch import Batch
from regact.dataset.loader import Loader
from regact.engine import ProgressBar, progress
from regact.genome import Genome
from regact.model import ModelSpec, build_model, save_model
from regact.model.memory import is_memory_full
from regact.model.prediction import inference
from regact.training.card import check_fit, check_shares, describe
from regact.training.claim import Claim, claim_for_all, told_once
from regact.training.compile import check_compiler
from regact.training.config import TrainingConfig
from regact.training.device import choose_readers, launch, open_fabric, quiet_gradients
from regact.training.failures import memory_full, not_finite
from regact.training.interrupt import Interrupt, deferred_interrupt
from regact.training.kept_bins import check_kept
from regact.training.learner import make_learner
from regact.training.optimizer import learning_rate_at
from regact.training.run_folder import METRICS, write_card, write_log, write_settings
from regact.training.seen_windows import find_seen, write_windows
from regact.training.state import Progress, has_state, load_state, save_state
from regact.training.step import PendingStep
from regact.training.transfer import (
    NO_TRANSFER,
    TransferConfig,
    check_transfer,
    set_frozen,
    take_weights,
)
from regact.training.validate import Validation, accuracy_table, merge_validations, validate, write_table

EpochReport = Callable[[Mapping[str, float]], str | None]


def train_model(
    store: Store,
    genome: Genome,
    spec: ModelSpec,
    config: TrainingConfig,
    out: str | Path,
    *,
    transfer: TransferConfig = NO_TRANSFER,
    device: str = "auto",
    devices: int | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    resume: bool = False,
    settings: Mapping[str, Any] | None = None,
    card: Mapping[str, Any] | None = None,
    on_epoch: EpochReport | None = None,
) -> Path:
    """Train the model that `spec` describes on `store`; return the run folder `out`.

    On a CPU the same seed gives the same run bit for bit, whatever the number of workers, and so does a run that was
    stopped at any point and resumed. docs/training.md says how. One that is finished is left as it is by `resume`.

    Args:
        devices: Devices on this machine to share each batch among, one process for each; without it, as many as
            torchrun or SLURM have started processes, else one. Started otherwise, the program that calls this runs
            itself once more for each further device, up to here.
        workers: Processes that read ahead, for each device; without a number, as `choose_readers` says.
        transfer: What starts from another run's weights; without it, all weights start fresh.
        settings: What config.yaml shall hold; without it, `spec`, `config` and `transfer`.
        card: Further entries of the card, such as the command.
        on_epoch: Called with each row of log.csv as soon as it is known. A text that it returns ends the run there, and
            stands in the card as the reason.

    Raises:
        TrainingError: the loss became NaN or infinite.
        MemoryFullError: the device's memory is full; names the batch size that fits.
        DeviceError: the device, or so many, are not on this machine; there is no compiler for `compile`.
        ConfigError: a batch has fewer windows than there are devices and micro-batches.
        RunError: the run to resume is of other data, another model or other settings, or had other threads on a CPU,
            or is finished and its state is gone; the run to start from does not have the parts that this model needs.
        DataError: the dataset has no windows to train or to validate on, or not the shapes of the model.
        OutputExistsError: `out` is there and neither `overwrite` nor `resume` is given.
        ProgramError: another process is training in `out`.
        KeyboardInterrupt: after Ctrl-C, when the state is saved.
    """
    out = Path(out)
    check_fit(store, spec, config)
    check_transfer(transfer, spec)
    check_kept(transfer, config)
    fabric = open_fabric(device, config.precision, devices=devices, some_frozen=transfer.freeze_epochs > 0)
    check_shares(store, config, fabric.world_size)
    if config.compile:
        check_compiler(fabric.device)
    launch(fabric)
    about = describe(store, spec, config, fabric.device, transfer, processes=fabric.world_size) | dict(card or {})
    with claim_for_all(out, fabric, about, overwrite=overwrite, resume=resume) as claim:
        if claim == Claim.nothing:
            return out
        if fabric.is_global_zero:
            write_card(out, state="training", **about)
            before = find_seen(transfer.run) if transfer.run else None
            write_windows(out, store.windows, before=before, genome=store.genome_checksum)
            write_settings(out, settings or {name: about[name] for name in ("model", "training", "transfer")})
        cuda = [fabric.device.index] if fabric.device.type == "cuda" else []
        with (
            torch.random.fork_rng(devices=cuda),
            quiet_gradients(),
            deferred_interrupt() as interrupt,
            told_once(out, fabric),
        ):
            sharing = max(1, min(fabric.world_size, torch.cuda.device_count()))  # GPUs at these cores
            readers = choose_readers(workers, fabric.device, sharing)
            training = _Training(store, genome, spec, config, transfer, out, fabric, readers, interrupt)
            if claim == Claim.go_on:
                training.restore()
            ended = training.run(on_epoch)
        if fabric.is_global_zero:
            best = {"epoch": training.progress.best_epoch, config.judged_by: training.progress.best_score}
            write_card(out, state="finished", ended=ended, best=best)
    return out


class _Training:
    """One run: what its epochs share. Of several processes all do the same steps, and the first one writes."""

    def __init__(
        self,
        store: Store,
        genome: Genome,
        spec: ModelSpec,
        config: TrainingConfig,
        transfer: TransferConfig,
        out: Path,
        fabric: Fabric,
        workers: int,
        interrupt: Interrupt,
    ) -> None:
        self.store, self.config, self.out, self.fabric, self.interrupt = store, config, out, fabric, interrupt
        self.transfer = transfer
        self.train_loader = Loader(
            store,
            genome,
            "train",
            batch_size=config.batch_size,
            seed=config.seed,
            shuffle=True,
            augmentation=config.augmentation,
            drop_last=True,
            share=fabric.global_rank,
            shares=fabric.world_size,
            workers=workers,
        )
        # As many windows at once as training takes.
        at_once = -(-config.batch_size // (fabric.world_size * config.accumulate))
        self.valid_loader = Loader(store, genome, "valid", batch_size=at_once, workers=workers)
        total_steps = config.total_steps(self.train_loader.batches_per_epoch)
        self.strand_pair = torch.from_numpy(store.sheet.strand_pair)

        model = build_model(spec, seed=config.seed)
        model.head.start_at(store.track_statistics["mean"].tolist(), model.link)
        take_weights(model, transfer)
        learner = make_learner(model, config, transfer, fabric, strand_pair=self.strand_pair, total_steps=total_steps)
        self.model, self.wrapped_model = learner.model, learner.wrapped_model
        self.optimizer, self.step = learner.optimizer, learner.step
        self.progress, self.pending = Progress(), None
        self.total_steps, self.votes = total_steps, (0.0, 0.0)
        self.started = self.saved = time.monotonic()

    progress: Progress
    pending: PendingStep | None  # the last step, while the device may still be at it

    def restore(self) -> None:
        """Go back to the last saved state, or to the beginning where the run was stopped before its first."""
        if has_state(self.out):
            self.progress = load_state(self.out, self.model, self.optimizer)
        if self.fabric.is_global_zero:
            write_log(self.out, self.progress.history)  # a kill may have come between state and log
        self.started = time.monotonic() - self.progress.seconds

    def run(self, on_epoch: EpochReport | None) -> str:
        """Train until there is a reason to end; return the reason."""
        total = self.total_steps if self.fabric.is_global_zero else 0
        with self.train_loader, self.valid_loader, progress("train", total, unit="steps") as bar:
            bar.advance(self.progress.step)
            # An epoch that was begun is always ended: what was trained is validated, whatever limit was reached.
            while self.progress.batch or not self.first_says(self.reason_to_end):
                self.train_epoch(bar)
                row = self.end_epoch()
                if reason := self.first_says(partial(_report, on_epoch, row)):
                    return reason
        return self.first_says(self.reason_to_end)

    def first_says(self, say: Callable[[], str]) -> str:
        """What the first process says, to all: clocks differ, and all have to do the same."""
        return self.fabric.broadcast(say() if self.fabric.is_global_zero else "")

    def reason_to_end(self) -> str:
        """Why training is over; empty while it is not."""
        if over := self.out_of_steps() or self.out_of_time():
            return over
        if self.progress.epoch >= self.config.epochs:
            return f"all {self.config.epochs} epochs done"
        patience, waited = self.config.patience, self.progress.epoch - self.progress.best_epoch
        if patience is not None and waited >= patience:
            return f"no better {self.config.judged_by} in {patience} epochs"
        return ""

    def out_of_steps(self) -> str:
        """That no step is left, in words; empty while there is one."""
        steps = self.config.max_steps
        return f"max_steps {steps} reached" if steps is not None and self.progress.step >= steps else ""

    def out_of_time(self) -> str:
        """That no minute is left, in words; empty while there is one."""
        minutes = self.config.max_minutes
        self.progress.seconds = time.monotonic() - self.started
        over = minutes is not None and self.progress.seconds >= 60 * minutes
        return f"max_minutes {minutes:g} reached" if over else ""

    def train_epoch(self, bar: ProgressBar) -> None:
        """The steps of one epoch that are still to do, fewer where the budget ends first."""
        self.wrapped_model.train()
        frozen = set_frozen(self.model, self.transfer, self.progress.epoch)
        self.step.keep_bins(frozen and self.transfer.keep_bins)
        for batch in self.train_loader.epoch(self.progress.epoch, start=self.progress.batch):
            vote = self.vote()
            interrupted, out_of_time = self.votes if self.fabric.world_size > 1 else vote
            if interrupted:
                self.stop()
            if self.progress.batch and (self.out_of_steps() or out_of_time):
                break
            self.take_step(batch, vote)
            bar.advance()
            bar.note(self.note())
            if time.monotonic() - self.saved > 60 * self.config.save_minutes:
                self.save()
        self.settle()

    def vote(self) -> tuple[float, float]:
        """Whether this process was interrupted; whether, by the first one's clock, time is over."""
        return float(self.interrupt.requested), float(self.fabric.is_global_zero and bool(self.out_of_time()))

    def take_step(self, batch: Batch, vote: tuple[float, float]) -> None:
        """Begin the next step and look at what the one before found; on a GPU the new one is then running already."""
        before, begun = self.pending, None
        try:
            begun = self.step.begin(batch, self.progress.step, vote)
        except RuntimeError as error:
            if not is_memory_full(error):
                raise
        if begun is None:  # not said above: there the error holds what the step had allocated
            raise memory_full(self.config, self.fabric, self.step.windows_that_fit(batch))
        self.pending = begun
        self.progress.step, self.progress.batch = self.progress.step + 1, self.progress.batch + 1
        if before:
            self.look_at(before)
        if not self.looks_later:
            self.settle()

    @property
    def looks_later(self) -> bool:
        """Whether what a step found is looked at when the next one is under way."""
        return self.fabric.device.type != "cpu"  # where nothing would run meanwhile

    def settle(self) -> None:
        """Wait for the last step and look at what it found."""
        pending, self.pending = self.pending, None
        if pending:
            self.look_at(pending)

    def look_at(self, step: PendingStep) -> None:
        """Stop where a step's loss or gradient was not finite; nothing is saved before its step was looked at."""
        result = step.result()
        if not math.isfinite(result.loss) or not math.isfinite(result.gradient_norm):
            where = f"{self.out}, step {step.number + 1}"
            raise not_finite(where, result, self.store.sheet.identifiers, best_epoch=self.progress.best_epoch)
        self.progress.loss_sum += result.loss
        self.votes = result.votes[0], result.votes[1]

    def end_epoch(self) -> dict[str, float]:
        """Validate, keep the weights if they are the best so far, log and save; return the epoch's row of the log."""
        done, config = self.progress, self.config
        result = self.validate()
        means = result.means()
        score = means[config.judged_by]
        if done.best_score is None or score > done.best_score + config.min_delta:
            # Where no track varies in the validation split there is no score, and each epoch's weights are the best.
            done.best_score, done.best_epoch = None if math.isnan(score) else score, done.epoch + 1
            if self.fabric.is_global_zero:
                save_model(self.model, self.out)
                write_table(self.out / METRICS, accuracy_table(result.sums, self.store.sheet, "valid"))
        row = {
            "epoch": done.epoch + 1,
            "step": done.step,
            "seconds": time.monotonic() - self.started,
            "learning_rate": learning_rate_at(done.step - 1, config, self.total_steps),
            "train_loss": done.loss_sum / done.batch,
            "valid_loss": result.loss,
            **{f"valid_{name}": value for name, value in means.items()},
        }
        done.epoch, done.batch, done.loss_sum = done.epoch + 1, 0, 0.0
        done.history.append(row)
        self.save()
        if self.fabric.is_global_zero:
            write_log(self.out, done.history)
        return row

    def validate(self) -> Validation:
        """Judge the weights on the validation split; of several processes each takes every so-manyth batch."""
        fabric = self.fabric
        batches = self.valid_loader.epoch(0, start=fabric.global_rank, every=fabric.world_size)
        with inference(self.model):
            ours = validate(
                lambda _, example: self.model.rate(self.wrapped_model(self.model.one_hot(example.codes))),
                self.until_interrupted(batches),
                strand_pair=self.strand_pair,
                device=fabric.device,
            )
        return merge_validations(ours, fabric)

    def until_interrupted(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches; after Ctrl-C a run on one device is stopped before the next one."""
        for batch in batches:
            if self.interrupt.requested and self.fabric.world_size == 1:
                self.stop()
            yield batch

    def stop(self) -> NoReturn:
        """Save the state and end the run as Ctrl-C would."""
        self.save()
        raise KeyboardInterrupt

    def save(self) -> None:
        """Save the state to resume from."""
        self.settle()
        self.progress.seconds = time.monotonic() - self.started
        if self.fabric.is_global_zero:
            save_state(self.out, self.model, self.optimizer, self.progress)
        self.saved = time.monotonic()

    def note(self) -> str:
        """What stands beside the progress bar."""
        done = self.progress
        rate = done.step * self.config.batch_size / max(1e-9, time.monotonic() - self.started)
        text = f"epoch {done.epoch + 1}, {rate:.3g} windows/s"
        if known := done.batch - bool(self.pending):
            text += f", loss {done.loss_sum / known:.4f}"
        if done.history:
            text += f", valid {self.config.judged_by} {done.history[-1][f'valid_{self.config.judged_by}']:.4f}"
        return text


def _report(on_epoch: EpochReport | None, row: Mapping[str, float]) -> str:
    return (on_epoch(row) if on_epoch else None) or ""
