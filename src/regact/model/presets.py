"""The paper's models (its table of results) as specs, at paper scale or any other."""

from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from typing import Any, Literal, assert_never

from pydantic import ValidationError

from regact.errors import ConfigError
from regact.model.config import ModelConfig
from regact.model.distance_start import distance_start
from regact.model.spec import (
    AttentionSpec,
    ContextSpec,
    DilatedSpec,
    DistanceName,
    HeadSpec,
    ModelSpec,
    PoolingSpec,
    TowerSpec,
)
from regact.model.spec_of_run import spec_of_run

# The tower of the 2018 Basenji, which the paper fine-tunes.
PAPER_FILTERS = (312, 368, 435, 514, 607, 717)
PAPER_WIDTHS = (22, 1, 6, 6, 6, 3)
PAPER_POOLS = (1, 2, 4, 4, 4, 1)
PAPER_DILATED_FILTERS = 108
PAPER_HEAD_FILTERS = 1365


@dataclass(frozen=True)
class _Preset:
    about: str
    kind: Literal["none", "dilated", "pooling", "attention"]
    distance: DistanceName = "none"
    heads: tuple[int, ...] = (5,)  # one number per layer
    dilated_layers: int = 7


_PRESETS = {
    "basenji": _Preset("seven dense dilated convolutions, reach 254 bins either side", "dilated"),
    "basenji_published": _Preset(
        "six of them, as the published weights have, reach 126 bins", "dilated", dilated_layers=6
    ),
    "attention_two_sided": _Preset("attention, 5 heads, two-sided distance function (Eq. 7)", "attention", "two_sided"),
    "attention_stacked": _Preset(
        "attention, 2 layers of 5 heads, learned decay (Eq. 6)", "attention", "variable", (5, 5)
    ),
    "attention_variable": _Preset("attention, 5 heads, learned decay (Eq. 6)", "attention", "variable"),
    "attention_variable_16": _Preset("attention, 16 heads, learned decay (Eq. 6)", "attention", "variable", (16,)),
    "exp_constant": _Preset("sums of all bins under five constant decays (Eq. 3)", "pooling", "constant"),
    "exp_variable": _Preset("sums of all bins under five learned decays (Eq. 3)", "pooling", "variable"),
    "standard": _Preset("no context: each bin for itself", "none"),
    "attention_none": _Preset("attention, 5 heads, no distance function", "attention"),
}
PRESETS: dict[str, str] = {name: preset.about for name, preset in _PRESETS.items()}

# Which overrides mean something for which kind of context; those not named here go with every preset.
_BELONGS_TO = {
    "dilated_layers": ("dilated",),
    "dilated_filters": ("dilated",),
    "dilated_dropout": ("dilated",),
    "layers": ("attention",),
    "heads": ("attention", "pooling"),
    "distance": ("attention", "pooling"),
    "alphas": ("attention", "pooling"),
    "alpha_scale": ("attention", "pooling"),
    "distance_place": ("attention",),
    "renormalise": ("attention",),
}


def preset_spec(
    name: str, *, tracks: int, window_bp: int = 131_072, crop_bins: int = 0, width: float = 1.0, **overrides: Any
) -> ModelSpec:
    """The spec of preset `name`; `overrides` are fields of `ModelConfig`.

    Raises: pydantic.ValidationError for an override of unknown name or wrong type; ConfigError for one that does not
    fit the preset or the window.
    """
    config = ModelConfig(preset=name, width=width, **overrides)
    return model_spec(config, tracks=tracks, window_bp=window_bp, crop_bins=crop_bins)


def model_spec(
    config: ModelConfig, *, tracks: int, window_bp: int, crop_bins: int = 0, bin_bp: int | None = None
) -> ModelSpec:
    """The full spec of `config` for data of this shape; `bin_bp` is held against the product of the pools.

    Raises: ConfigError with everything that does not fit, all at once; RunError where `config.run` holds no model.
    """
    if config.run is not None:
        return spec_of_run(config, config.run, tracks=tracks, window_bp=window_bp, crop_bins=crop_bins, bin_bp=bin_bp)
    problems = _problems(config, window_bp=window_bp, crop_bins=crop_bins, bin_bp=bin_bp)
    if problems:
        raise ConfigError("model", problems)
    try:
        return _build_spec(config, tracks=tracks, window_bp=window_bp, crop_bins=crop_bins)
    except ValidationError as error:  # numbers that settings make of each other, such as scaled decays
        found = [f"{e['msg']}, found {e['input']} ({'.'.join(map(str, e['loc']))})" for e in error.errors()]
        raise ConfigError("model", found) from error


def _build_spec(config: ModelConfig, *, tracks: int, window_bp: int, crop_bins: int) -> ModelSpec:
    tower = _tower(config)
    return ModelSpec(
        preset=config.preset,
        tracks=tracks,
        window_bp=window_bp,
        crop_bins=crop_bins,
        n_value=config.n_value,
        block=config.block,
        tower=tower,
        context=_context(config, bins=window_bp // tower.bin_bp),
        head=HeadSpec(
            filters=config.head_filters or _scaled(PAPER_HEAD_FILTERS, config.width),
            dropout=config.dropout,
            link=config.link,
        ),
    )


def _scaled(filters: int, width: float) -> int:
    return max(1, int(filters * width + 0.5))


def _tower(config: ModelConfig) -> TowerSpec:
    return TowerSpec(
        filters=config.filters or tuple(_scaled(f, config.width) for f in PAPER_FILTERS),
        widths=config.widths or PAPER_WIDTHS,
        pools=config.pools or PAPER_POOLS,
        dropout=config.dropout,
    )


def _heads(config: ModelConfig) -> tuple[int, ...]:
    """Heads of each layer."""
    default = _PRESETS[config.preset].heads
    if isinstance(config.heads, tuple):
        return config.heads
    heads = config.heads or (len(config.alphas) if config.alphas else default[0])
    return (heads,) * (config.layers or len(default))


def _context(config: ModelConfig, *, bins: int) -> tuple[ContextSpec, ...]:
    preset = _PRESETS[config.preset]
    if preset.kind == "none":
        return ()
    if preset.kind == "dilated":
        return (
            DilatedSpec(
                layers=config.dilated_layers or preset.dilated_layers,
                filters=config.dilated_filters or _scaled(PAPER_DILATED_FILTERS, config.width),
                dropout=config.dilated_dropout,
            ),
        )
    distance = config.distance or preset.distance
    starts = [
        (
            heads,
            distance_start(
                distance,
                heads,
                half_window_bins=bins / 2,
                alphas=config.alphas,
                alpha_scale=config.alpha_scale,
                seed=(config.seed, i),
            ),
        )
        for i, heads in enumerate(_heads(config))
    ]
    if preset.kind == "pooling":
        return tuple(PoolingSpec(heads=heads, distance=start) for heads, start in starts)
    if preset.kind == "attention":
        place = config.distance_place
        return tuple(
            AttentionSpec(heads=heads, distance=start, distance_place=place, renormalise=config.renormalise)
            for heads, start in starts
        )
    assert_never(preset.kind)


def _problems(config: ModelConfig, *, window_bp: int, crop_bins: int, bin_bp: int | None) -> list[str]:
    """Everything about `config` that does not fit its preset, itself or the data, one sentence each."""
    problems = _tower_problems(config, window_bp=window_bp, crop_bins=crop_bins, bin_bp=bin_bp)
    if config.preset not in PRESETS:
        near = get_close_matches(config.preset, PRESETS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        return [f"preset {config.preset!r} is unknown; {hint}use one of {', '.join(PRESETS)}", *problems]
    kind = _PRESETS[config.preset].kind
    strangers = [name for name, kinds in _BELONGS_TO.items() if name in config.model_fields_set and kind not in kinds]
    if strangers:
        return [*problems, f"{', '.join(strangers)}: without meaning for preset {config.preset}; leave them out"]
    return problems + (_heads_problems(config) if kind in ("attention", "pooling") else [])


def _tower_problems(config: ModelConfig, *, window_bp: int, crop_bins: int, bin_bp: int | None) -> list[str]:
    pools = config.pools or PAPER_POOLS
    filters, widths = config.filters or PAPER_FILTERS, config.widths or PAPER_WIDTHS
    problems = []
    if len({len(filters), len(widths), len(pools)}) > 1:
        counts = f"filters {len(filters)}, widths {len(widths)}, pools {len(pools)}"
        problems.append(f"the tower's lists differ in length ({counts}); give all three")
    if bin_bp is not None and prod(pools) != bin_bp:
        problems.append(f"the product of pools is {prod(pools)}, the data's bin_bp {bin_bp}; give pools that make it")
    if window_bp % prod(pools):
        problems.append(f"window_bp {window_bp} is no multiple of {prod(pools)}, the product of pools")
    if window_bp // prod(pools) <= 2 * crop_bins:
        problems.append(f"crop_bins {crop_bins} at either end leave none of the {window_bp // prod(pools)} bins")
    return problems


def _heads_problems(config: ModelConfig) -> list[str]:
    problems = []
    heads, distance = _heads(config), config.distance or _PRESETS[config.preset].distance
    if config.layers is not None and config.layers != len(heads):
        problems.append(f"layers is {config.layers}, but heads lists {len(heads)}; leave layers out")
    if _PRESETS[config.preset].kind == "pooling" and len(heads) > 1:
        problems.append(f"heads lists {len(heads)} layers; plain pooling has one")
    if config.alphas is not None and distance not in ("constant", "variable"):
        problems.append(f"distance {distance} has no alphas; leave them out, or use constant or variable")
    elif config.alphas is not None and set(heads) != {len(config.alphas)}:
        problems.append(f"{len(config.alphas)} alphas for {', '.join(map(str, heads))} heads; needed one per head")
    if "alpha_scale" in config.model_fields_set and distance == "none":
        problems.append("alpha_scale: distance none has no decays; leave it out")
    if config.renormalise and config.distance_place == "before_softmax":
        problems.append("renormalise belongs to distance_place: after_softmax; leave it out")
    return problems
