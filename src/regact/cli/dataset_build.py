"""`regact dataset build`: genome and tracks become a store."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from regact.cli.options import ContigAlias, Data, Genome, Out, Overwrite, Resume, Seed, Set, Tracks, Workers
from regact.cli.output import print_remark, print_store
from regact.dataset import DatasetConfig, Store, build_dataset
from regact.errors import ConfigError
from regact.experiment import load_experiment, make_store
from regact.settings import check_settings, override

_PATTERNS = "a chromosome or pattern (several with commas), or a fraction such as 0.1."


def command(
    experiment: Annotated[
        Path | None,
        typer.Argument(metavar="EXPERIMENT.yaml", help="Takes genome, tracks and dataset settings from there."),
    ] = None,
    genome: Genome = None,
    tracks: Tracks = None,
    out: Out = None,
    window_bp: Annotated[int | None, typer.Option("--window-bp", help="Length of a window; 131072.")] = None,
    bin_bp: Annotated[int | None, typer.Option("--bin-bp", help="Bases per bin; 128.")] = None,
    crop_bins: Annotated[int | None, typer.Option("--crop-bins", help="Bins dropped at each end; 0.")] = None,
    valid: Annotated[list[str], typer.Option("--valid", help=f"Validation split: {_PATTERNS}")] = [],  # noqa: B006
    test: Annotated[list[str], typer.Option("--test", help=f"Test split: {_PATTERNS}")] = [],  # noqa: B006
    folds: Annotated[int | None, typer.Option("--folds", help="Split by this many equal folds instead.")] = None,
    regions: Annotated[
        Path | None, typer.Option("--regions", help="Split by your own BED: train, valid, test in column 4.")
    ] = None,
    blacklist: Annotated[Path | None, typer.Option("--blacklist", help="BED of artefacts to clip and mask.")] = None,
    unmappable: Annotated[Path | None, typer.Option("--unmappable", help="BED of bases to mask.")] = None,
    gaps: Annotated[Path | None, typer.Option("--gaps", help="BED of gaps; runs of N are found by themselves.")] = None,
    settings: Set = [],  # noqa: B006, typer copies it
    contig_alias: ContigAlias = None,
    data: Data = None,
    workers: Workers = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    resume: Resume = True,
) -> None:
    """Build a store of training examples from a genome and tracks.

    Everything comes from an experiment file, or from options, or from a file with some values replaced by options; any
    other dataset setting is replaced with --set dataset.FIELD=VALUE. A build that was interrupted goes on where it was
    when the same command runs again.

    [bold]Examples[/bold]

      regact dataset build experiments/yeast.yaml --data data

      regact dataset build --genome genome.fa.gz --tracks targets.txt --out stores/mine --valid chr8 --test chr9,chr10

      regact dataset build --genome genome.fa --tracks targets.txt --out stores/small --window-bp 16384 --valid 0.1
    """
    overrides = _as_settings(
        window_bp=window_bp,
        bin_bp=bin_bp,
        crop_bins=crop_bins,
        split=_split(valid, test, folds, regions),
        seed=seed,
        blacklist=_absolute(blacklist),
        unmappable=_absolute(unmappable),
        gaps=_absolute(gaps),
    )
    prepare = _from_options if experiment is None else partial(_from_experiment, experiment, data)
    make, folder = prepare(genome, tracks, out, contig_alias, [*overrides, *settings])
    store = make(out=folder, workers=workers, overwrite=overwrite, resume=resume, tell=print_remark)
    print_store(store.windows["split"], folder)


_Prepared = tuple[Callable[..., Store], Path]  # what makes the store, and where


def _from_options(
    genome: Path | None, tracks: Path | None, out: Path | None, contig_alias: str | None, overrides: Sequence[str]
) -> _Prepared:
    values: dict[str, Any] = {"dataset": {}}
    problems = [problem for text in overrides if (problem := override(values, text))]
    problems += [
        f"{key}: unknown; without an experiment --set takes dataset.FIELD" for key in values if key != "dataset"
    ]
    config, more = check_settings(DatasetConfig, values["dataset"])
    problems += more
    for option, value in (("--genome", genome), ("--tracks", tracks), ("--out", out)):
        problems += [f"{option} is missing; give it, or an experiment file"] * (value is None)
    if problems or config is None or genome is None or tracks is None or out is None:
        raise ConfigError("dataset build", problems)
    return partial(build_dataset, genome, tracks, config, contig_alias=contig_alias), out


def _from_experiment(
    experiment: Path,
    data: Path | None,
    genome: Path | None,
    tracks: Path | None,
    out: Path | None,
    contig_alias: str | None,
    overrides: Sequence[str],
) -> _Prepared:
    files = {"genome": _absolute(genome), "tracks": _absolute(tracks), "contig_alias": contig_alias}
    replaced = [f"{name}={json.dumps(value)}" for name, value in files.items() if value is not None]
    plan = load_experiment(experiment, data=data, overrides=[*overrides, *replaced])
    return partial(make_store, plan), out or plan.store_path


def _as_settings(**values: object) -> list[str]:
    """Options as `--set` texts: JSON is YAML."""
    return [f"dataset.{name}={json.dumps(value)}" for name, value in values.items() if value is not None]


def _absolute(path: Path | None) -> str | None:
    """Paths in options start at the working directory, those in an experiment file at its folder."""
    return None if path is None else str(path.absolute())


def _split(
    valid: Sequence[str], test: Sequence[str], folds: int | None, regions: Path | None
) -> dict[str, object] | None:
    """The split settings that the options describe; None without any."""
    if (folds is not None) + (regions is not None) + bool(valid or test) > 1:
        raise ConfigError("dataset build", ["--valid and --test, --folds, and --regions exclude each other"])
    if regions is not None:
        return {"by": "regions", "bed": _absolute(regions)}
    if folds is not None:
        return {"by": "folds", "k": folds}
    if not (valid or test):
        return None
    roles = {
        role: [name for text in texts for name in text.split(",") if name]
        for role, texts in (("valid", valid), ("test", test))
    }
    fractions = {role: [_fraction(name) for name in names] for role, names in roles.items()}
    given = [fraction for found in fractions.values() for fraction in found]
    if all(fraction is None for fraction in given):
        return {"by": "chromosomes", **roles}
    if None in given or any(len(found) > 1 for found in fractions.values()):
        raise ConfigError("dataset build", ["--valid and --test are both chromosomes, or one fraction each"])
    return {"by": "fraction", **{role: found[0] if found else 0.0 for role, found in fractions.items()}}


def _fraction(text: str) -> float | None:
    """The number, where it is one below 1: chromosomes may be called 1 and 2, but not 0.1."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number < 1 else None
