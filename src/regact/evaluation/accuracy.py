"""The accuracy of a run on one split: per track, per assay and in the mean, over all unmasked bins of all windows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from regact.dataset import Store, open_store
from regact.dataset.augment import Example
from regact.dataset.batch import Batch
from regact.dataset.loader import Loader
from regact.engine import progress
from regact.errors import RunError
from regact.evaluation.ensemble import ensemble_rate
from regact.genome import Genome
from regact.model import load_model, load_spec
from regact.model.prediction import inference
from regact.training import accuracy_table, choose_device, choose_readers, read_card, validate, write_table
from regact.training.card import check_sizes
from regact.training.validate import Observe

MEASURES = ("pearson", "pearson_log1p", "r2", "r2_log1p")


@dataclass(frozen=True)
class Accuracy:
    """What `evaluate` found.

    Attributes:
        predictor: Who was judged: a run folder, or the name of a baseline.
        split: train, valid or test.
        ensemble: Whether predictions are means over both strands and shifts.
        loss: Log-Poisson loss, the mean over unmasked bins and tracks; NaN for a baseline.
        n_windows, n_bins: Windows of the split and unmasked bins in them.
        tracks: One row a track: split, identifier, assay, description, and the measures: Pearson and r2 of counts and
            of log(1 + count). NaN where a track has no variance in the split.
    """

    predictor: str
    split: str
    ensemble: bool
    loss: float
    n_windows: int
    n_bins: int
    tracks: pd.DataFrame

    @property
    def means(self) -> dict[str, float]:
        """Each measure, mean over the tracks that vary."""
        return {name: float(self.tracks[name].mean()) for name in MEASURES}

    @property
    def assays(self) -> pd.DataFrame:
        """One row an assay, in the sheet's order: how many tracks vary, and the mean of each measure over them."""
        groups = self.tracks.groupby("assay", sort=False)
        table = groups[list(MEASURES)].mean()
        table.insert(0, "tracks", groups["pearson"].count())
        return table.reset_index()

    @property
    def without_variance(self) -> list[str]:
        """Tracks that cannot be judged, since all their bins of the split hold one value; they are in no mean."""
        return list(self.tracks.loc[self.tracks["pearson"].isna(), "identifier"])

    def to_table(self, path: str | Path) -> Path:
        """Write the table of tracks as TSV, whole or not at all."""
        write_table(Path(path), self.tracks)
        return Path(path)


def open_store_of(run: Path, store: str | Path | Store | None) -> Store:
    """The dataset that the run was trained on, from where it lay or from `store`; of imported weights any that fits.

    Raises: RunError where that is another dataset, or `run` is no run folder; DataError where its windows, bins or
        number of tracks are not those of imported weights; as `open_store`.
    """
    card = read_card(run)
    if card["store"] is None:
        return _store_for_imported(run, card, store)
    where = store or card["store"].get("path")
    if where is None:
        raise RunError(run, "exported, and so without the place of its dataset", "it", "say with --store where it is")
    opened = where if isinstance(where, Store) else _in_roles_of(card, open_store(where))
    if opened.fingerprint != card["store"]["fingerprint"]:
        lacking = [name for name in card["tracks"] if name not in opened.sheet.identifiers]
        lacks = f" and lacks {len(lacking)} of its tracks: {', '.join(lacking[:3])}" if lacking else ""
        raise RunError(
            run,
            f"trained on a store with fingerprint {card['store']['fingerprint'][:12]}, and {opened.path} has "
            f"{opened.fingerprint[:12]}{lacks}{', ...' if len(lacking) > 3 else ''}",
            "the same dataset",
            "say with --store where that is",
        )
    return opened


def _in_roles_of(card: Mapping[str, Any], store: Store) -> Store:
    """The store with its folds in the roles that they had in the run's training (`Store.with_roles`)."""
    roles = card["store"].get("roles", store.roles)
    if roles == store.roles or set(roles) != set(store.header.folds):  # of another store, as the fingerprint will tell
        return store
    valid, test = ([fold for fold, split in roles.items() if split == role] for role in ("valid", "test"))
    return store.with_roles(valid=valid, test=test)


def _store_for_imported(run: Path, card: Mapping[str, Any], store: str | Path | Store | None) -> Store:
    if store is None:
        raise RunError(run, "its weights were imported and know no dataset", "one", "say with --store where it is")
    opened, spec = store if isinstance(store, Store) else open_store(store), load_spec(run)
    same_windows = (opened.window_bp, opened.bin_bp) == (spec.window_bp, spec.bin_bp)
    if same_windows and opened.crop_bins < spec.crop_bins:
        opened = opened.with_crop(spec.crop_bins)  # a network is judged on the bins that it answers for
    check_sizes(opened, spec)
    pairs = list(zip(opened.sheet.identifiers, card["tracks"], strict=True))
    other = [f"{found} for {needed}" for found, needed in pairs if found != needed]
    if other and card["source"]["tracks_from"] is not None:
        raise RunError(
            run,
            f"{opened.path} has {len(other)} other tracks: {', '.join(other[:3])}{', ...' if len(other) > 3 else ''}",
            "those of the weights, in their order",
            "import the weights with the dataset's own track sheet if the names alone differ",
        )
    return opened


def evaluate(
    run: str | Path,
    *,
    split: str,
    store: str | Path | Store | None = None,
    genome: Genome | str | Path | None = None,
    device: str = "auto",
    batch_size: int = 8,
    workers: int | None = None,
    ensemble: bool = False,
    observe: Observe | None = None,
) -> Accuracy:
    """Judge the best weights of a run on one split.

    Args:
        run: Run folder.
        split: train, valid or test.
        store: The dataset, where it is not where the run found it.
        genome: The store's genome, where it is not where the store found it.
        device: As `choose_device`.
        batch_size: Windows predicted at once; changes nothing but memory and speed.
        workers: Processes that read ahead; without a number, as `choose_readers` says.
        ensemble: Predict the mean over both strands and shifts of -1, 0 and 1 bp, six times the work.
        observe: Called with each batch and its rates.

    Raises:
        RunError: `run` is no run folder, has no weights yet, or was trained on another dataset.
        StoreError, DataError: the store cannot be opened, or the split is empty.
        DeviceError: the device is not on this machine.
    """
    run = Path(run)
    chosen = choose_device(device)
    dataset = open_store_of(run, store)
    bases = genome if isinstance(genome, Genome) else dataset.open_genome(genome)
    model = load_model(run, device=chosen)
    strand_pair = torch.from_numpy(dataset.sheet.strand_pair)

    def rate_of(batch: Batch, example: Example) -> Float[Tensor, "batch track bin"]:
        if ensemble:
            return ensemble_rate(model, dataset, bases, batch.rows)
        return model.rate(model(model.one_hot(example.codes)))

    readers = choose_readers(workers, chosen)
    with Loader(dataset, bases, split, batch_size=batch_size, workers=readers) as loader, inference(model):
        batches = _with_progress(loader.epoch(0), f"evaluate {split}", loader.batches_per_epoch)
        result = validate(rate_of, batches, strand_pair=strand_pair, device=chosen, observe=observe)
    return Accuracy(
        predictor=str(run),
        split=split,
        ensemble=ensemble,
        loss=result.loss,
        n_windows=len(loader.rows),
        n_bins=result.sums.raw.count,
        tracks=accuracy_table(result.sums, dataset.sheet, split),
    )


def _with_progress(batches: Iterable[Batch], label: str, total: int) -> Iterator[Batch]:
    with progress(label, total, unit="batches") as bar:
        for batch in batches:
            yield batch
            bar.advance()
