"""Training from top to bottom: epochs of steps, validation by the number that is reported, best weights kept."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from regact.dataset import Store
from regact.dataset.augment import Example, to_device
from regact.dataset.batch import Batch
from regact.dataset.loader import Loader
from regact.engine import ProgressBar, progress
from regact.errors import TrainingError
from regact.genome import Genome
from regact.model import ModelSpec, build_model, one_hot, save_model
from regact.model.prediction import inference
from regact.training.card import check_fit, check_same, describe
from regact.training.config import TrainingConfig
from regact.training.device import open_fabric
from regact.training.interrupt import Interrupt, deferred_interrupt
from regact.training.objective import first_broken_track, kernel_penalty, poisson_loss
from regact.training.optimizer import build_optimizer, learning_rate_at
from regact.training.run_folder import METRICS, claim_run_folder, read_card, write_card, write_log, write_settings
from regact.training.state import Progress, has_state, load_state, save_state, seed_step
from regact.training.transfer import (
    NO_TRANSFER,
    TransferConfig,
    check_transfer,
    set_frozen,
    take_weights,
    taken_parts,
)
from regact.training.validate import accuracy_table, validate, write_table

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
    workers: int = 0,
    overwrite: bool = False,
    resume: bool = False,
    settings: Mapping[str, Any] | None = None,
    card: Mapping[str, Any] | None = None,
    on_epoch: EpochReport | None = None,
) -> Path:
    """Train the model that `spec` describes on `store`; return the run folder `out`.

    On a CPU the same seed gives the same run bit for bit, whatever the number of workers, and so does a run that was
    stopped at any point and resumed.

    Args:
        transfer: What starts from another run's weights; without it, all weights start fresh.
        settings: What config.yaml shall hold; without it, `spec`, `config` and `transfer`.
        card: Further entries of the card, such as the command.
        on_epoch: Called with each row of log.csv as soon as it is known. A text that it returns ends the run there, and
            stands in the card as the reason.

    Raises:
        TrainingError: the loss became NaN or infinite, or the device's memory is full.
        DeviceError: the device is not on this machine.
        RunError: the run to resume is of other data, another model or other settings; the run to start from does not
            have the parts that this model needs.
        OutputExistsError: `out` is there and neither `overwrite` nor `resume` is given.
        ProgramError: another process is training in `out`.
        KeyboardInterrupt: after Ctrl-C, when the state is saved.
    """
    out = Path(out)
    check_fit(store, spec, config)
    check_transfer(transfer, spec)
    fabric = open_fabric(device, config.precision)
    about = describe(store, spec, config, fabric.device, transfer) | dict(card or {})
    with claim_run_folder(out, overwrite=overwrite, resume=resume) as goes_on:
        if goes_on:
            check_same(out, read_card(out), about)
        write_card(out, state="training", **about)
        write_settings(out, settings or {name: about[name] for name in ("model", "training", "transfer")})
        cuda = [fabric.device.index] if fabric.device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda), deferred_interrupt() as interrupt, _state_on_card(out):
            training = _Training(store, genome, spec, config, transfer, out, fabric, workers, interrupt)
            if goes_on:
                training.restore()
            ended = training.run(on_epoch)
            best = {"epoch": training.progress.best_epoch, config.judged_by: training.progress.best_score}
        write_card(out, state="finished", ended=ended, best=best)
    return out


class _Training:
    """One run: what its epochs share."""

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
            workers=workers,
        )
        self.valid_loader = Loader(store, genome, "valid", batch_size=config.batch_size, workers=workers)
        self.total_steps = config.total_steps(self.train_loader.batches_per_epoch)
        self.strand_pair = torch.from_numpy(store.sheet.strand_pair)

        self.model = build_model(spec, seed=config.seed)
        self.model.head.start_at(store.track_statistics["mean"].tolist(), self.model.link)
        take_weights(self.model, transfer)
        # Fabric moves the model to its device; what it returns wraps both for precision and, later, several devices.
        self.optimizer = build_optimizer(
            self.model, config, taken=taken_parts(self.model, transfer), rate_factor=transfer.rate_factor
        )
        self.wrapped_model, self.wrapped_optimizer = fabric.setup(self.model, self.optimizer)
        self.progress = Progress()
        self.started = self.saved = time.monotonic()

    def restore(self) -> None:
        """Go back to the last saved state, or to the beginning where the run was stopped before its first."""
        if has_state(self.out):
            self.progress = load_state(self.out, self.model, self.optimizer)
            if self.progress.history:
                write_log(self.out, self.progress.history)  # a kill may have come between state and log
        self.started = time.monotonic() - self.progress.seconds

    def run(self, on_epoch: EpochReport | None) -> str:
        """Train until there is a reason to end; return the reason."""
        with self.train_loader, self.valid_loader, progress("train", self.total_steps, unit="steps") as bar:
            bar.advance(self.progress.step)
            # An epoch that was begun is always ended: what was trained is validated, whatever limit was reached.
            while self.progress.batch or not self.reason_to_end():
                self.train_epoch(bar)
                row = self.end_epoch()
                if on_epoch and (reason := on_epoch(row)):
                    return reason
        return self.reason_to_end()

    def reason_to_end(self) -> str:
        """Why training is over; empty while it is not."""
        if over := self.out_of_budget():
            return over
        if self.progress.epoch >= self.config.epochs:
            return f"all {self.config.epochs} epochs done"
        patience, waited = self.config.patience, self.progress.epoch - self.progress.best_epoch
        if patience is not None and waited >= patience:
            return f"no better {self.config.judged_by} in {patience} epochs"
        return ""

    def out_of_budget(self) -> str:
        """Which limit on steps or minutes is reached; empty while none is."""
        self.progress.seconds = time.monotonic() - self.started
        steps, minutes = self.config.max_steps, self.config.max_minutes
        if steps is not None and self.progress.step >= steps:
            return f"max_steps {steps} reached"
        if minutes is not None and self.progress.seconds >= 60 * minutes:
            return f"max_minutes {minutes:g} reached"
        return ""

    def train_epoch(self, bar: ProgressBar) -> None:
        """The steps of one epoch that are still to do, fewer where the budget ends first."""
        self.wrapped_model.train()
        set_frozen(self.model, self.transfer, self.progress.epoch)
        batches = self.train_loader.epoch(self.progress.epoch, start=self.progress.batch)
        for batch in self.until_interrupted(batches):
            if self.progress.batch and self.out_of_budget():
                break
            with _memory_full_as_error(self.config.batch_size):
                self.step(to_device(batch, self.fabric.device, self.strand_pair))
            bar.advance()
            bar.note(self.note())
            if time.monotonic() - self.saved > 60 * self.config.save_minutes:
                self.save()

    def step(self, example: Example) -> None:
        """One optimizer step; its learning rate and dropout depend on the step's number alone."""
        config, done = self.config, self.progress
        seed_step(config.seed, done.step)
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate_factor"] * learning_rate_at(done.step, config, self.total_steps)
        z = self.wrapped_model(one_hot(example.codes))
        loss = poisson_loss(self.model, z, example)
        value = loss.item()
        if not math.isfinite(value):
            raise self.not_finite("the loss", value, first_broken_track(self.model, z, example))
        self.wrapped_optimizer.zero_grad()
        self.fabric.backward(loss + kernel_penalty(self.model, config.l2) if config.l2 else loss)
        norm = self.fabric.clip_gradients(  # without a limit too: weights that are not finite would be saved
            self.wrapped_model, self.wrapped_optimizer, max_norm=config.clip_norm or math.inf, error_if_nonfinite=False
        )
        if norm is not None and not norm.isfinite():
            raise self.not_finite("the gradient", float(norm), None)
        self.wrapped_optimizer.step()
        done.step, done.batch, done.loss_sum = done.step + 1, done.batch + 1, done.loss_sum + value

    def end_epoch(self) -> dict[str, float]:
        """Validate, keep the weights if they are the best so far, log and save; return the epoch's row of the log."""
        done, config = self.progress, self.config
        with inference(self.model):
            result = validate(
                lambda _, example: self.model.rate(self.wrapped_model(one_hot(example.codes))),
                self.until_interrupted(self.valid_loader.epoch(0)),
                strand_pair=self.strand_pair,
                device=self.fabric.device,
            )
        means = result.means()
        score = means[config.judged_by]
        if done.best_score is None or score > done.best_score + config.min_delta:
            # Where no track varies in the validation split there is no score, and each epoch's weights are the best.
            done.best_score, done.best_epoch = None if math.isnan(score) else score, done.epoch + 1
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
        write_log(self.out, done.history)
        return row

    def until_interrupted(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches; after Ctrl-C the state is saved instead of handing over the next one."""
        for batch in batches:
            if self.interrupt.requested:
                self.save()
                raise KeyboardInterrupt
            yield batch

    def save(self) -> None:
        """Save the state to resume from."""
        self.progress.seconds = time.monotonic() - self.started
        save_state(self.out, self.model, self.optimizer, self.progress)
        self.saved = time.monotonic()

    def note(self) -> str:
        """What stands beside the progress bar."""
        done = self.progress
        rate = done.step * self.config.batch_size / max(1e-9, time.monotonic() - self.started)
        text = f"epoch {done.epoch + 1}, {rate:.3g} windows/s, loss {done.loss_sum / done.batch:.4f}"
        if done.history:
            text += f", valid {self.config.judged_by} {done.history[-1][f'valid_{self.config.judged_by}']:.4f}"
        return text

    def not_finite(self, what: str, value: float, track: int | None) -> TrainingError:
        """The error that names step and track, and what is left to go on from."""
        where = f"{self.out}, step {self.progress.step + 1}"
        if track is not None:
            where += f", track {self.store.sheet.identifiers[track]}"
        best = self.progress.best_epoch
        kept = f"the weights of epoch {best} are kept" if best else "no epoch was finished yet"
        return TrainingError(
            where, f"{what} is {value}", "a finite number", f"lower training.learning_rate or clip the track ({kept})"
        )


@contextmanager
def _state_on_card(out: Path) -> Iterator[None]:
    """Let the card say how the block ended, where it did not end well."""
    try:
        yield
    except BaseException as error:
        write_card(out, state="interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise


@contextmanager
def _memory_full_as_error(batch_size: int) -> Iterator[None]:
    """Turn "out of memory" of the device into one line."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"training.batch_size {batch_size}",
            "the device's memory is full",
            "",
            f"try {max(1, batch_size // 2)}, or precision: bfloat16" if batch_size > 1 else "try precision: bfloat16",
        ) from error
