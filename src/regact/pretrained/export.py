"""A run as one folder that travels, under the names that Hugging Face's hub knows.

    model.safetensors  the weights, with the model's spec and a checksum of the tensors
    config.json        the spec once more, for readers of other programs
    card.json          the run's card without what belongs to this machine
    windows.bed        which windows it was trained on, where that is known
    metrics.tsv        accuracy per track on the validation split, of a run that was trained
    SHA256SUMS         checksums of all the above
    README.md          the model card: for people, who may edit it

It is a run folder too: evaluation, transfer and the rest take it. Weights are safetensors, all else is text; there is
nothing in it that loading could run. Whoever changes files may change checksums as well: they show damage and edits,
not who made the folder.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import pandas as pd
from pydantic import ValidationError

from regact.engine import SUMS, check_checksums, refuse_existing, whole_folder, write_checksums, write_json
from regact.errors import FormatError, RunError
from regact.model import ModelSpec, SequenceModel, load_model, load_spec, save_model
from regact.model.weights_file import HUB_WEIGHTS
from regact.pretrained.model_card import write_model_card
from regact.training import read_card
from regact.training.run_folder import CARD, METRICS
from regact.training.seen_windows import WINDOWS

CONFIG, README = "config.json", "README.md"
FILES = (HUB_WEIGHTS, CONFIG, CARD, WINDOWS, METRICS, SUMS, README)
EXPORT_FORMAT = 1
# Of a card, what says how the model was made and nothing of whoever made it, or of the folders on their machine.
_ENTRIES = (
    "format",
    "started",
    "updated",
    "state",
    "ended",
    "best",
    "tracks",
    "strand_pair",
    "descriptions",
    "model",
    "training",
    "overlap",
    "code",
)


def export_weights(run: str | Path, out: str | Path, *, license_id: str | None = None, overwrite: bool = False) -> Path:
    """Write the best weights of a run, and what is known of them, as the folder `out`; return it.

    Args:
        run: Run folder, trained or imported.
        out: The folder.
        license_id: What the weights may be used for, as the hub names licences, such as `apache-2.0` or `cc-by-4.0`.
        overwrite: Replace an exported folder that is there.

    Raises:
        RunError, FormatError: `run` is no run folder, or has no weights yet, or they are damaged.
        OutputExistsError: `out` is there and may not be replaced, or is no exported folder.
    """
    run, out = Path(run), Path(out)
    refuse_existing(out, overwrite, mark=CONFIG)
    card, model = read_card(run), load_model(run)
    metrics = _read_metrics(run / METRICS)
    with whole_folder(out, overwrite=overwrite, mark=CONFIG) as folder:
        save_model(model, folder, name=HUB_WEIGHTS)
        write_json(folder / CONFIG, {"library_name": "regact", "format": EXPORT_FORMAT, "model": card["model"]})
        write_json(folder / CARD, portable_card(card))
        if (run / WINDOWS).is_file():
            shutil.copyfile(run / WINDOWS, folder / WINDOWS)
        if metrics is not None:
            shutil.copyfile(run / METRICS, folder / METRICS)
        write_checksums(folder)
        # After the checksums: people mend what they read, on the hub's own page even.
        write_model_card(folder / README, card, metrics, name=out.resolve().name, license_id=license_id)
    return out


def load_exported(folder: str | Path, *, device: str = "cpu") -> SequenceModel:
    """The model of an exported folder, in inference mode, when every file of it is as it was written.

    Raises: RunError where it is no exported folder, or weights do not fit; FormatError where a file is missing, was
        changed or was put there: every one that was, at once.
    """
    folder = Path(folder)
    if not (folder / CONFIG).is_file():
        raise RunError(folder, f"no {CONFIG} in it", "a folder that `regact weights export` wrote", "give one")
    known = {name for name in FILES if name not in (SUMS, README) and (folder / name).is_file()}
    if unlisted := known.union((HUB_WEIGHTS, CONFIG, CARD)) - check_checksums(folder):
        raise FormatError(
            folder / SUMS, f"no checksum of {', '.join(sorted(unlisted))}", "one", "fetch the folder again"
        )
    if _read_config(folder / CONFIG) != load_spec(folder):
        raise RunError(folder, f"{CONFIG} is of another model than the weights", "the two as they were exported")
    return load_model(folder, device=device)


def portable_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card without paths, commands and the name of this machine's parts."""
    kept = {name: card[name] for name in _ENTRIES if name in card}
    store, genome, transfer, source = (card.get(name) for name in ("store", "genome", "transfer", "source"))
    kept["store"] = store and {name: store[name] for name in ("fingerprint", "roles") if name in store}
    kept["genome"] = genome and {"name": genome["name"], "checksum": genome["checksum"]}
    kept["transfer"] = transfer and {**transfer, "run": PurePath(transfer["run"]).name}
    if source:
        tracks_from = source["tracks_from"]
        kept["source"] = {**source, "tracks_from": tracks_from and PurePath(tracks_from).name}
    return kept


def _read_config(path: Path) -> ModelSpec:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        if config["format"] != EXPORT_FORMAT:
            raise RunError(path, f"format {config['format']}", f"format {EXPORT_FORMAT}", "use a newer regact")
        return ModelSpec.model_validate(config["model"])
    except (ValueError, KeyError, TypeError) as error:
        found = f"{error.error_count()} fields are wrong" if isinstance(error, ValidationError) else str(error)
        raise FormatError(path, f"damaged ({found})", "the model's spec", "fetch the folder again") from error


def _read_metrics(path: Path) -> pd.DataFrame | None:
    """Accuracy per track, None of a run that has no such table: an imported one, or one still in its first epoch."""
    if not path.is_file():
        return None
    try:
        return pd.read_csv(path, sep="\t", keep_default_na=False, na_values=["NaN"])
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise FormatError(path, f"unreadable ({error})", "a table of accuracies") from error
