"""One optimizer step: micro-batches, loss, gradient, update; nothing in it waits for the device."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from lightning_fabric import Fabric
from lightning_fabric.wrappers import _FabricModule
from torch import Tensor

from regact.dataset.augment import Example, to_device
from regact.dataset.batch import Batch
from regact.model import SequenceModel
from regact.model.memory import free_cached_memory, largest_that_fits
from regact.training.config import TrainingConfig
from regact.training.kept_bins import KeptBins
from regact.training.objective import kernel_penalty, poisson_sums
from regact.training.optimizer import learning_rate_at
from regact.training.readback import Readback
from regact.training.shared_batch_norm import local_statistics
from regact.training.state import seed_step


@dataclass(frozen=True)
class StepResult:
    """What a step found, over all processes."""

    loss_sums: Float[np.ndarray, "track"]  # of the loss's terms, over the batch's unmasked bins
    loss: float  # their sum over the number of terms
    gradient_norm: float  # before it was clipped
    votes: tuple[float, ...]  # what the processes put in, added up


class PendingStep:
    """A step that the device may still be computing."""

    def __init__(self, number: int, values: Float[Tensor, "value"], n_votes: int) -> None:
        self.number, self._n_votes, self._readback = number, n_votes, Readback(values)

    def result(self) -> StepResult:
        """What the step found, once it is done; steps begun later are not waited for."""
        values = self._readback.read()
        n_tracks = len(values) - self._n_votes - 2
        sums, votes, (n_terms, norm) = np.split(values, [n_tracks, n_tracks + self._n_votes])
        loss = float(sums.sum(dtype=np.float64)) / max(1.0, float(n_terms))
        return StepResult(sums, loss, float(norm), tuple(votes.tolist()))


class TrainingStep:
    """Takes a batch through the network and moves the weights.

        this process's share of the batch ── cut into `accumulate` micro-batches ── loss ── gradients, added up
            ── averaged over processes ── clipped to `clip_norm` ── Adam

    The loss is the mean over the unmasked bins and tracks of the whole batch, however it is cut and shared out; batch
    norm sees one micro-batch of every process at a time. Learning rate and dropout depend on the step's number and the
    part of the batch alone.
    """

    def __init__(
        self,
        model: SequenceModel,
        wrapped_model: _FabricModule,
        optimizer: torch.optim.Optimizer,
        fabric: Fabric,
        config: TrainingConfig,
        *,
        strand_pair: Int64[Tensor, "track"],
        total_steps: int,
    ) -> None:
        self.model, self.wrapped_model, self.optimizer = model, wrapped_model, optimizer
        self.fabric, self.config = fabric, config
        self.strand_pair, self.total_steps = strand_pair, total_steps
        self.kept_bins: KeptBins | None = None

    def keep_bins(self, keep: bool) -> None:
        """Whether, the tower being frozen, the bins of a window that was seen before are taken as they were."""
        if not keep:
            self.kept_bins = None
        elif self.kept_bins is None:
            self.kept_bins = KeptBins(self._embed)

    def begin(self, batch: Batch, step: int, votes: Sequence[float]) -> PendingStep:
        """Do step `step` (counted from 0) on this process's share of a batch; its result can be read later.

        `votes` are added up over processes, so that all can come to the same decision.
        """
        config, fabric = self.config, self.fabric
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate_factor"] * learning_rate_at(step, config, self.total_steps)
        self.optimizer.zero_grad()
        n_terms = self._over_processes(torch.tensor([float(batch.mask.sum()) * len(self.strand_pair)]))
        sums = torch.zeros(len(self.strand_pair), device=fabric.device)
        parts = batch.parts(config.accumulate)
        for k, part in enumerate(parts):
            seed_step(config.seed, step, fabric.global_rank * config.accumulate + k)
            with fabric.no_backward_sync(self.wrapped_model, enabled=k < len(parts) - 1):
                sums += self._add_gradients(part, n_terms, penalty=k == 0)
        norm = fabric.clip_gradients(  # without a limit too: its norm shows whether it is finite
            self.wrapped_model, self.optimizer, max_norm=config.clip_norm or math.inf, error_if_nonfinite=False
        )
        self.optimizer.step()
        added = self._over_processes(torch.cat([sums, sums.new_tensor(votes)]))
        norm = added.new_zeros(1) if norm is None else norm.detach().float().reshape(1)
        return PendingStep(step, torch.cat([added, n_terms, norm]), len(votes))

    def _add_gradients(self, batch: Batch, n_terms: Float[Tensor, "1"], *, penalty: bool) -> Float[Tensor, "track"]:
        """Add the gradients of one micro-batch's part of the loss; return the sums of its terms."""
        example = to_device(batch, self.fabric.device, self.strand_pair)
        sums = poisson_sums(self.model, self._forward(example, batch), example)
        # Gradients are averaged over processes: times their number, the average is the sum.
        loss = sums.sum() * self.fabric.world_size / n_terms.clamp(min=1.0).squeeze()
        if penalty and self.config.l2:
            loss = loss + kernel_penalty(self.model, self.config.l2)
        self.fabric.backward(loss)
        return sums.detach()

    def _forward(self, example: Example, batch: Batch) -> Float[Tensor, "batch track bin"]:
        if self.kept_bins is None:
            return cast(Tensor, self.wrapped_model(self.model.one_hot(example.codes)))
        bins = self.kept_bins.of(example.codes, batch.rows, batch.reverse)
        return cast(Tensor, self.wrapped_model.from_bins(bins))

    def _embed(self, codes: UInt8[Tensor, "batch position"]) -> Float[Tensor, "batch channel allbins"]:
        # Not through the wrapped model: processes wait there for each other, and each has bins of its own to find.
        with self.fabric.autocast():
            return self.model.embed_bins(self.model.one_hot(codes))

    def _over_processes(self, values: Float[Tensor, "value"]) -> Float[Tensor, "value"]:
        values = values.to(self.fabric.device)
        if self.fabric.world_size > 1:
            torch.distributed.all_reduce(values)
        return values

    def windows_that_fit(self, batch: Batch) -> int:
        """How many windows this device takes at once, fewer than those that have filled its memory; 0 where none.

        Tried out, so the weights are worth nothing afterwards. No other process is waited for.
        """
        self.optimizer.zero_grad()
        free_cached_memory(self.fabric.device)
        n_terms = torch.ones(1, device=self.fabric.device)

        def attempt(n: int) -> None:
            self.optimizer.zero_grad()
            self._add_gradients(batch.part(0, n), n_terms, penalty=True)
            self.optimizer.step()  # its moments take memory from the first step on

        with local_statistics(self.model), self.fabric.no_backward_sync(self.wrapped_model):
            most = len(batch.parts(self.config.accumulate)[-1]) - 1  # the last part is the largest
            return largest_that_fits(attempt, most, self.fabric.device)
