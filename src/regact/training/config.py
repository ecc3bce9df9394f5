"""The settings of a training run: the `training` part of an experiment."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from regact.dataset.batch_plan import Augmentation


class TrainingConfig(BaseModel):
    """How a model is trained. Defaults follow section 4.2 of the paper where it says anything (Adam, flips, shifts)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # how long
    epochs: int = Field(default=100, ge=1, description="passes over the training windows at most")
    max_steps: int | None = Field(default=None, ge=1, description="optimizer steps at most, be it within an epoch")
    max_minutes: float | None = Field(
        default=None,
        gt=0,
        description="minutes of work at most, those before a resume included",
    )
    patience: int | None = Field(default=10, ge=1, description="stop after so many epochs without a better score")
    min_delta: float = Field(default=0.0, ge=0, description="what is not better by more than this is not better")

    # how
    batch_size: int = Field(default=4, ge=1, description="windows a step, over all devices and micro-batches together")
    accumulate: int = Field(
        default=1, ge=1, description="micro-batches a step: less memory; batch norm sees one micro-batch at a time"
    )
    learning_rate: float = Field(default=1e-3, gt=0)
    distance_rate: float = Field(
        default=1.0, gt=0, description="learning rate of what distance functions learn, as a multiple of the others'"
    )
    query_rate: float = Field(default=1.0, gt=0, description="that of attention's W, likewise")
    betas: tuple[float, float] = Field(default=(0.9, 0.999), description="Adam's decay of first and second moments")
    schedule: Literal["constant", "warmup_cosine"] = Field(
        default="constant", description="warmup_cosine falls to 0 at the last step of `epochs` or `max_steps`"
    )
    warmup_steps: int = Field(default=0, ge=0, description="steps in which the learning rate rises to its full value")
    clip_norm: float | None = Field(default=2.0, gt=0, description="gradients are scaled down to this norm")
    l2: float = Field(default=0.0, ge=0, description="l2 * sum(w^2) over kernels is added to the loss")
    decoupled_decay: float = Field(
        default=0.0,
        ge=0,
        description="kernels shrink by learning_rate * this each step (AdamW)",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="bfloat16: matrix products in bfloat16, weights and sums in float32"
    )
    activation_checkpointing: bool = Field(
        default=False, description="compute activations once more for the gradient instead of keeping them: less memory"
    )
    compile: bool = Field(default=False, description="torch.compile the network; needs g++, on GPUs triton")
    augmentation: Augmentation = Augmentation()
    seed: int = Field(default=0, ge=0, description="decides first weights, order of windows, shifts and dropout")

    # judged by what
    judged_by: Literal["pearson", "pearson_log1p"] = Field(
        default="pearson", description="validation score, mean over tracks: of counts, or of log(1 + count)"
    )
    save_minutes: float = Field(
        default=10.0, gt=0, description="the state to resume from is saved after each epoch, and within one this often"
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas {self.betas}; needed two numbers in [0, 1)")
        if self.l2 and self.decoupled_decay:
            raise ValueError("l2 and decoupled_decay are both above 0; needed one of them at most")
        return self

    def total_steps(self, batches_per_epoch: int) -> int:
        """Steps of a run that nothing ends early: the horizon of the schedule."""
        steps = self.epochs * batches_per_epoch
        return steps if self.max_steps is None else min(steps, self.max_steps)
