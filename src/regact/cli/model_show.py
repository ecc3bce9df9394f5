"""`regact model show`: what a model is made of, what it costs and how far its bins see."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from regact.cli.options import Out, Set
from regact.cli.output import print_line, print_remark, print_table
from regact.errors import ConfigError
from regact.model import PRESETS, ModelConfig, ModelSpec, count, load_spec, model_spec, reach_bp, receptive_field_bp
from regact.report.architecture import save_architecture
from regact.settings import check_settings, override


def command(
    model: Annotated[
        str | None,
        typer.Argument(metavar="[PRESET|RUN]", help="A preset or the folder of a run; lists all presets without."),
    ] = None,
    settings: Set = [],  # noqa: B006, typer copies it
    n_tracks: Annotated[int, typer.Option("--n-tracks", min=1, help="Number of tracks; the paper's is 4,229.")] = 4229,
    window_bp: Annotated[int, typer.Option("--window-bp", min=1, help="Bases in a window.")] = 131_072,
    out: Out = None,
) -> None:
    """Show a model's layers, parameters, cost and receptive field; draw it with --out.

    Cost is in 10^9 multiply-accumulates (GMAC) for one window, forward; a training step costs three times as many.
    --set changes a preset's numbers, with the names that `model:` has in an experiment.

    [bold]Examples[/bold]

      regact model show

      regact model show attention_two_sided --out two_sided.svg

      regact model show basenji --window-bp 65536 --set dilated_layers=6 --set width=0.1
    """
    if model is None:
        print_table(("preset", "parameters", "GMAC", "context"), _presets(n_tracks, window_bp), title="Presets")
        return
    spec = _spec(model, settings, n_tracks=n_tracks, window_bp=window_bp)
    cost, reach = count(spec), reach_bp(spec)
    rows = [
        (layer.part, layer.name, f"{layer.channels} x {layer.positions}", layer.parameters, f"{layer.macs / 1e9:.3f}")
        for layer in cost.layers
    ]
    total = ("", "in all", f"{spec.tracks} x {spec.bins}", cost.parameters, f"{cost.gmac:.3f}")
    print_table(("part", "layer", "shape", "parameters", "GMAC"), [*rows, total], title=spec.preset)
    seen = f"{receptive_field_bp(spec):,} bp" + (", the whole window" if reach is None else f" (reach {reach:,} bp)")
    print_line(f"receptive field of a bin: {seen}")
    if out is not None:
        save_architecture(spec, out)
        print_remark(f"drawn: {out}")


def _presets(n_tracks: int, window_bp: int) -> list[tuple[object, ...]]:
    costs = [count(model_spec(ModelConfig(preset=name), tracks=n_tracks, window_bp=window_bp)) for name in PRESETS]
    return [
        (name, cost.parameters, f"{cost.gmac:.1f}", about)
        for (name, about), cost in zip(PRESETS.items(), costs, strict=True)
    ]


def _spec(model: str, settings: Sequence[str], *, n_tracks: int, window_bp: int) -> ModelSpec:
    if model not in PRESETS and Path(model).is_dir():  # one called like a preset is ./NAME
        if settings:
            raise ConfigError("--set", ["a run's model is as it was trained; leave --set out"])
        return load_spec(model)
    values: dict[str, Any] = {}
    problems = [problem for text in settings if (problem := override(values, text))]
    config, more = check_settings(ModelConfig, {**values, "preset": model})
    if config is None or problems:
        raise ConfigError("model", [*problems, *more])
    return model_spec(config, tracks=n_tracks, window_bp=window_bp)
