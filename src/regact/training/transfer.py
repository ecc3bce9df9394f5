"""Start from what another run has learned: its tower, the first blocks of it, or its whole trunk (paper, 4.2 and 6)."""

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator
from torch import nn

from regact.errors import RunError
from regact.model import ModelSpec, SequenceModel, load_model, load_spec, weights_checksum
from regact.model.spec import ContextSpec, DilatedSpec, TowerSpec
from regact.model.stack import StackBlockSpec, StackSpec


class TransferConfig(BaseModel):
    """What starts from another run's weights instead of random ones, and how it trains; all else starts fresh.

    While it is frozen it stays as it came, batch norm's running statistics included: it works as in inference, with
    those statistics and without dropout, and the backward pass ends before it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: Path | None = Field(default=None, description="run folder (or weights file) to start from")
    parts: Literal["tower", "trunk"] = Field(default="tower", description="trunk: tower and context; the head is new")
    blocks: PositiveInt | None = Field(default=None, description="only so many first blocks of the tower")
    freeze_epochs: int = Field(default=0, ge=0, description="epochs in which what was taken stays as it came")
    keep_bins: bool = Field(
        default=False, description="while the tower is frozen, compute each window's bins once and keep them in memory"
    )
    rate_factor: float = Field(default=1.0, gt=0, description="its learning rate, as a multiple of the others'")

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        changed = [name for name, field in type(self).model_fields.items() if getattr(self, name) != field.default]
        if changed and self.run is None:
            raise ValueError(f"{', '.join(changed)} without a run to start from; needed `run`, or --tower RUN")
        if self.blocks and self.parts == "trunk":
            raise ValueError(f"blocks {self.blocks} with parts: trunk; a trunk holds the whole tower")
        if self.keep_bins and not self.freeze_epochs:
            raise ValueError("keep_bins with freeze_epochs 0; only a frozen tower's bins stay the same")
        return self


NO_TRANSFER = TransferConfig()


def check_transfer(transfer: TransferConfig, spec: ModelSpec) -> None:
    """Raise RunError unless the run has the parts that a model of `spec` shall start from; every mismatch is told.

    Raises: as `load_spec` too, where there are no weights.
    """
    if transfer.run is None:
        return
    problems = mismatches(load_spec(transfer.run), spec, transfer)
    if problems:
        raise RunError(
            transfer.run,
            "; ".join(problems),
            f"the {transfer.parts} that this model has",
            "make the two models agree, or take no more than the first blocks that do (transfer.blocks)",
        )


def mismatches(source: ModelSpec, spec: ModelSpec, transfer: TransferConfig) -> list[str]:
    """Everything in which the parts to take from `source` are not those of `spec`: what was found, what is needed."""
    have, want, n = _blocks(source.tower), _blocks(spec.tower), transfer.blocks
    problems = _common_mismatches(source, spec)
    if n is None and len(have) != len(want):
        problems.append(f"its tower has {len(have)} blocks, needed {len(want)}")
    if n is not None and len(have) < n:
        problems.append(f"its tower has {len(have)} blocks, needed {n}")
    if n is not None and len(want) < n:
        problems.append(f"{n} blocks are to be taken, and this model's tower has {len(want)}")
    problems += [
        f"tower block {number} has {' and '.join(found)}, needed {' and '.join(needed)}"
        for number, (found, needed) in enumerate(map(_differing, have[:n], want[:n]), start=1)
        if found != needed
    ]
    if transfer.parts == "trunk":
        problems += _context_mismatches(source.context, spec.context)
    return problems


def take_weights(model: SequenceModel, transfer: TransferConfig) -> None:
    """Put the run's best weights, batch norm's running statistics included, into the parts that `transfer` names.

    Raises: as `check_transfer` and `load_model`.
    """
    if transfer.run is None:
        return
    check_transfer(transfer, model.spec)
    source = load_model(transfer.run)
    for ours, theirs in zip(taken_parts(model, transfer), taken_parts(source, transfer), strict=True):
        ours.load_state_dict(theirs.state_dict())


def taken_parts(model: SequenceModel, transfer: TransferConfig) -> list[nn.Module]:
    """The parts of `model` that start from another run: tower blocks, and the context of a trunk."""
    if transfer.run is None:
        return []
    blocks = list(model.tower.get_submodule("blocks").children())[: transfer.blocks]
    return [*blocks, model.context] if transfer.parts == "trunk" else blocks


def set_frozen(model: SequenceModel, transfer: TransferConfig, epoch: int) -> bool:
    """Freeze the parts that were taken if `epoch` (counted from 0) is one of the frozen ones, else let them learn.

    Returns whether it is.

    To be called when the model has been set to training mode. What neither needs a gradient itself nor stands behind
    anything that does is left out of the backward pass by autograd: a frozen tower costs its forward pass alone.
    """
    frozen = epoch < transfer.freeze_epochs
    for part in taken_parts(model, transfer):
        part.requires_grad_(not frozen)
        if frozen:
            part.eval()
    return frozen


def describe_transfer(transfer: TransferConfig) -> dict[str, Any] | None:
    """What a card says of the start: the settings, and which weights they were; None where all starts fresh."""
    if transfer.run is None:
        return None
    origin = {"preset": load_spec(transfer.run).preset, "weights_sha256": weights_checksum(transfer.run)}
    return transfer.model_dump(mode="json") | origin


def start_in_words(card: Mapping[str, Any]) -> str:
    """What a run's card says of its start, for tables and pages: `new`, or what came from where and how it trained."""
    start = card.get("transfer")
    if start is None:
        return "new"
    what = f"first {start['blocks']} blocks" if start["blocks"] else start["parts"]
    text = f"{what} of {start['preset'] or Path(start['run']).name}"
    if start["freeze_epochs"]:
        text += f", frozen for {start['freeze_epochs']} epoch{'s' if start['freeze_epochs'] > 1 else ''}"
    if start["rate_factor"] != 1:
        text += f", learning rate x {start['rate_factor']:g}"
    return text


def _common_mismatches(source: ModelSpec, spec: ModelSpec) -> list[str]:
    """What all blocks share, and what the first of them is shown, named as `model` names it."""
    common = {
        "block.order": (source.block.order, spec.block.order),
        "block.epsilon": (source.block.epsilon, spec.block.epsilon),
        "n_value": (source.n_value, spec.n_value),
    }
    return [f"its {name} is {found}, needed {needed}" for name, (found, needed) in common.items() if found != needed]


def _blocks(tower: TowerSpec | StackSpec) -> list[list[str]]:
    """Each block in words: what decides the shapes of its weights, and the pool, which decides what they mean."""
    if isinstance(tower, StackSpec):
        return [_stack_block(block) for block in tower.blocks]
    sizes = zip(tower.filters, tower.widths, tower.pools, strict=True)
    return [[f"{filters} filters of width {width}, pool {pool}"] for filters, width, pool in sizes]


def _stack_block(block: StackBlockSpec) -> list[str]:
    """Each layer as JSON, without the rates of dropout."""
    return [json.dumps(_without_rates(layer.model_dump())) for layer in block.layers]


def _without_rates(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [_without_rates(layer) for layer in value] if isinstance(value, tuple | list) else value
        for name, value in settings.items()
        if name not in ("rate", "dropout", "position_dropout")
    }


def _differing(have: list[str], want: list[str]) -> tuple[list[str], list[str]]:
    """Those entries of both lists that the other does not have in their place; `nothing` for what one lacks."""
    pairs = [pair for pair in zip_longest(have, want, fillvalue="nothing") if pair[0] != pair[1]]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _context_mismatches(have: Sequence[ContextSpec], want: Sequence[ContextSpec]) -> list[str]:
    if len(have) != len(want):
        return [f"its context has {len(have)} layers, needed {len(want)}"]
    problems = []
    for number, (found, needed) in enumerate(zip(map(_function, have), map(_function, want), strict=True), start=1):
        names = [name for name in found | needed if found.get(name) != needed.get(name)]
        for group in ("", "distance."):  # where kinds differ, the other settings of either have no counterpart
            if f"{group}kind" in names:
                names = [name for name in names if name == f"{group}kind" or not name.startswith(group)]
        problems += [
            f"context layer {number} has {name} {found.get(name)}, needed {needed.get(name)}" for name in names
        ]
    return problems


def _function(layer: ContextSpec) -> dict[str, Any]:
    """What decides the function that a layer's weights belong to; not dropout, nor where learned decays started."""
    if isinstance(layer, StackSpec):
        return {"kind": layer.kind} | {f"block {n}": _stack_block(b) for n, b in enumerate(layer.blocks, start=1)}
    settings = layer.model_dump(exclude={"dropout", "distance"})
    if isinstance(layer, DilatedSpec):
        return settings
    distance = layer.distance.model_dump(exclude=layer.distance.starts)
    return settings | {f"distance.{name}": value for name, value in distance.items()}
