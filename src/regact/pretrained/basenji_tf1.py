"""Basenji as published in 2018, from its TensorFlow 1 checkpoint: a run folder with the published network's answers.

Layers and widths are read from the tensors' shapes (basenji_layout.py); what they do not say is published or in
`params.txt` (basenji_params.py). The name of the final layer tells the order within a block: with `final/conv1d` the
published one, convolution first; `final/dense` came in March 2018 with the ReLU before the convolution.
"""

from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from regact.engine import refuse_existing
from regact.errors import ConfigError
from regact.model import ModelSpec, SequenceModel, build_model
from regact.model.conv_block import ConvBlock
from regact.model.spec import BlockSpec, DilatedSpec, HeadSpec, TowerSpec
from regact.pretrained.basenji_layout import NORM, ConvLayer, Layout, find_layout, is_of_training
from regact.pretrained.basenji_params import LINKS, BasenjiParams, extend, read_params_txt
from regact.pretrained.run_folder import check_sheet, describe_files, write_imported_run
from regact.pretrained.tf_checkpoint import Checkpoint
from regact.tracks import TrackSheet
from regact.training.run_folder import CARD

_ORDERS: dict[str, Literal["conv_first", "relu_first"]] = {"final/conv1d": "conv_first", "final/dense": "relu_first"}


def import_basenji_2018(
    prefix: str | Path,
    out: str | Path,
    *,
    params: str | Path | None = None,
    sheet: TrackSheet | None = None,
    window_bp: int | None = None,
    crop_bins: int | None = None,
    windows: str | Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the network of a TensorFlow 1 checkpoint of Basenji (2018) as the run folder `out`; return it.

    Args:
        prefix: The checkpoint's files without their ends, such as `model.tf`.
        out: The run folder.
        params: The network's `params.txt`, where it is not the published network.
        sheet: The tracks in the order of the outputs, such as the published `sample_wigs.txt`; a checkpoint has none.
        window_bp: Bases of a window, 131,072 unless `params` says otherwise; the weights fit any length.
        crop_bins: Bins cropped at each end, 32 as published unless `params` says otherwise.
        windows: BED of the windows that it was trained on (`sequences.bed`), as in `write_imported_run`.
        overwrite: Replace a run folder that is there.

    Raises:
        FormatError: a file is missing, damaged, compressed or big-endian.
        ConfigError: names, shapes, parameters or tracks do not fit; everything that is wrong at once.
        OutputExistsError: `out` is there and may not be replaced.
    """
    refuse_existing(out, overwrite, mark=CARD)
    checkpoint, settings = Checkpoint(prefix), read_params_txt(params)
    layout = _read_layout(checkpoint)
    check_sheet(sheet, layout.tracks)
    spec = _make_spec(layout, settings, where=params or prefix, window_bp=window_bp, crop_bins=crop_bins)
    model = build_model(spec, seed=0)
    _fill(model, checkpoint, layout)
    source = {
        "format": "Basenji of 2018, TensorFlow 1 checkpoint",
        "files": describe_files([*checkpoint.files, *([params] if params else [])]),
        "final_layer": layout.affine,
    }
    return write_imported_run(model, out, sheet=sheet, source=source, windows=windows, overwrite=overwrite)


def _read_layout(checkpoint: Checkpoint) -> Layout:
    """The checkpoint's layers. Raises: ConfigError with every tensor that does not fit or cannot be read."""
    wanted = [variable for name, variable in checkpoint.variables.items() if not is_of_training(name)]
    layout, problems = find_layout({variable.name: variable.shape for variable in wanted})
    problems += [variable.problem for variable in wanted if variable.problem]
    if layout is None or problems:
        raise ConfigError(checkpoint.prefix, problems)
    return layout


def _make_spec(
    layout: Layout, params: BasenjiParams, *, where: str | Path, window_bp: int | None, crop_bins: int | None
) -> ModelSpec:
    """The network of a layout.

    Raises: ConfigError with everything in which parameters, layers and window contradict each other.
    """
    n_tower, n_layers = len(layout.tower), len(layout.layers)
    pools = params.pools(n_tower, n_layers)
    if pools is None:
        found = f"layers of its tower: {n_tower}; the published one has 6"
        raise ConfigError(where, [f"{found}; give the pools (cnn_pool) in --params"])
    bin_bp, window_bp = prod(pools), window_bp or params.window_bp
    problems = [*_contradictions(layout, params, pools)]
    if crop_bins is None and params.batch_buffer % bin_bp:
        problems.append(f"batch_buffer {params.batch_buffer} is no multiple of the {bin_bp} bases of a bin")
    crop_bins = params.batch_buffer // bin_bp if crop_bins is None else crop_bins
    if window_bp % bin_bp or window_bp // bin_bp <= 2 * crop_bins:
        problems.append(
            f"a window of {window_bp:,} bases with {crop_bins} bins of {bin_bp} cropped at each end; needed a multiple "
            "of the bins that leaves one"
        )
    if problems:
        raise ConfigError(where, problems)
    tower_dropout, dilated_dropout = params.dropouts(n_tower, len(layout.dilated))
    return ModelSpec(
        preset="basenji_2018",
        tracks=layout.tracks,
        window_bp=window_bp,
        crop_bins=crop_bins,
        n_value=params.n_value,
        block=BlockSpec(order=params.block_order or _ORDERS[layout.affine], epsilon=params.batch_norm_epsilon),
        tower=TowerSpec(
            filters=tuple(layer.filters for layer in layout.tower),
            widths=tuple(layer.width for layer in layout.tower),
            pools=pools[:n_tower],
            dropout=tower_dropout,
        ),
        context=_context(layout.dilated, dilated_dropout),
        head=HeadSpec(filters=layout.block.filters, dropout=tower_dropout, link=LINKS[params.link]),
    )


def _context(dilated: Sequence[ConvLayer], dropout: float) -> tuple[DilatedSpec, ...]:
    if not dilated:
        return ()
    first = dilated[0]
    return (DilatedSpec(layers=len(dilated), filters=first.filters, width=first.width, dropout=dropout),)


def _contradictions(layout: Layout, params: BasenjiParams, pools: Sequence[int]) -> Iterator[str]:
    """What the parameters say otherwise than the weights, or than this project's network has it."""
    layers, n_tower = layout.layers, len(layout.tower)
    for name, said, found in (
        ("num_targets", params.num_targets, layout.tracks),
        ("cnn_filters", params.cnn_filters, tuple(layer.filters for layer in layers)),
        ("cnn_filter_sizes", params.cnn_filter_sizes, tuple(layer.width for layer in layers)),
        ("target_pool", params.target_pool, prod(pools)),
    ):
        if said is not None and said != found:
            yield f"{name} is {said}; needed {found}, as weights and pools have it"
    if any(pool > 1 for pool in pools[n_tower:]):
        yield f"cnn_pool is {pools}; needed 1 behind the {n_tower} layers of the tower"
    dilations = (*[1] * n_tower, *(2 ** (i + 1) for i in range(len(layout.dilated))), 1)
    if params.cnn_dilation is not None and extend(params.cnn_dilation, 1, len(layers)) != dilations:
        yield f"cnn_dilation is {params.cnn_dilation}; needed {dilations}"


@torch.no_grad()
def _fill(model: SequenceModel, checkpoint: Checkpoint, layout: Layout) -> None:
    """Put the checkpoint's tensors into the network.

    Raises: FormatError where a tensor's bytes are damaged; ConfigError where values are not finite.
    """
    broken = []

    def put(place: Tensor, name: str) -> None:
        tensor = torch.from_numpy(checkpoint.read(name).copy())
        if not tensor.isfinite().all():
            broken.append(f"{name} holds {int((~tensor.isfinite()).sum())} values that are not finite")
        # TensorFlow's kernels are (width, channels, filters), ours (filters, channels, width).
        place.copy_(tensor.reshape(-1, *tensor.shape[-2:]).permute(2, 1, 0) if tensor.ndim > 1 else tensor)

    blocks = [module for module in model.modules() if isinstance(module, ConvBlock)]
    for layer, block in zip(layout.layers, blocks, strict=True):
        put(block.conv.weight, f"{layer.name}/conv1d/kernel")
        norm = block.norm.state_dict()
        for theirs, ours in NORM.items():
            put(norm[ours], f"{layer.name}/batch_normalization/{theirs}")
    affine = model.head.affine.state_dict()
    put(affine["weight"], f"{layout.affine}/kernel")
    put(affine["bias"], f"{layout.affine}/bias")
    if broken:
        raise ConfigError(checkpoint.prefix, broken)
