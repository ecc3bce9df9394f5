"""What a run is made from: whether the parts fit, the entries of its card, and whether a run to resume had the same."""

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from regact.dataset import Store
from regact.errors import ConfigError, DataError, RunError
from regact.model import ModelSpec
from regact.tracks import TrackSheet
from regact.training.config import TrainingConfig
from regact.training.transfer import NO_TRANSFER, TransferConfig, describe_transfer

# Settings that say when to end or save; a run may be resumed with others, and goes on as if it had had them all along.
LIMITS = {"epochs", "max_steps", "max_minutes", "patience", "save_minutes"}
# Not so those that a falling learning rate is stretched over.
HORIZON = {"epochs", "max_steps"}
# Of a model's fields that an older version did not have.
_MODEL_DEFAULTS = ModelSpec.model_construct().model_dump(mode="json")


def describe(
    store: Store,
    spec: ModelSpec,
    config: TrainingConfig,
    device: torch.device,
    transfer: TransferConfig = NO_TRANSFER,
    *,
    processes: int = 1,
) -> dict[str, Any]:
    """The entries that name data, model, settings, code and machine."""
    return {
        "store": {
            "path": str(store.path),
            "fingerprint": store.fingerprint,
            **({} if store.roles == store.header.roles else {"roles": dict(store.roles)}),  # Store.with_roles
            "remarks": list(store.header.remarks),  # such as that an imported split leaks
        },
        "genome": {"name": store.genome_name, "path": str(store.genome_path), "checksum": store.genome_checksum},
        **describe_tracks(store.sheet),
        "model": spec.model_dump(mode="json"),
        "training": config.model_dump(mode="json"),
        "transfer": describe_transfer(transfer),
        "code": {
            "regact": importlib.metadata.version("regact"),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "machine": {
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
            "processor": platform.processor() or platform.machine(),
            "threads": torch.get_num_threads(),
            "processes": processes,
        },
    }


def describe_tracks(sheet: TrackSheet) -> dict[str, Any]:
    """The entries that say what a model's outputs are, in order."""
    return {
        "tracks": list(sheet.identifiers),
        "strand_pair": sheet.strand_pair.tolist(),
        "descriptions": [track.description for track in sheet.tracks],
    }


def check_same(run: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise RunError, naming all differences, unless a run described by `before` can go on as `now`."""
    defaults = TrainingConfig().model_dump(mode="json")  # of a setting that an older version did not have
    free = LIMITS if now["training"]["schedule"] == "constant" else LIMITS - HORIZON
    settings = [
        {name: value for name, value in (defaults | card["training"]).items() if name not in free}
        for card in (before, now)
    ]
    models = [_MODEL_DEFAULTS | card["model"] for card in (before, now)]
    # The run to start from may have moved: its weights are compared.
    starts = [{k: v for k, v in (card.get("transfer") or {}).items() if k != "run"} for card in (before, now)]
    differences = [
        *_differences("store.fingerprint", before["store"]["fingerprint"], now["store"]["fingerprint"]),
        *_differences("store.roles", before["store"].get("roles"), now["store"].get("roles")),
        *_differences("model", *models),
        *_differences("training", *settings),
        *_differences("transfer", *starts),
    ]
    if differences:
        raise RunError(
            run,
            f"made with another {', '.join(differences)}",
            "the same data, model and training settings to resume",
            "restore them, choose another --out, or begin anew with --overwrite",
        )


def check_resume(run: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise RunError unless the run described by `before` can go on as `now`, and end as if it had never stopped."""
    check_same(run, before, now)
    if not is_over(before, now):
        check_same_machine(run, before, now)


def is_over(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a run that may go on as `now` has nothing left to do: it is finished, with the same limits."""
    return bool(before["state"] == "finished" and before["training"] == now["training"])


def check_same_machine(run: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise RunError where a run on a CPU is to go on in a way that would change its bits.

    Sums depend on how many threads and processes share them. A GPU promises no bits: a run from there may go on
    anywhere.
    """
    have, want = ({"processes": 1} | card["machine"] for card in (before, now))
    differences = [
        difference
        for name in ("device", "threads", "processes")
        for difference in _differences(f"machine.{name}", have[name], want[name])
    ]
    if have["device"] == "cpu" and differences:
        raise RunError(
            run,
            f"made with another {', '.join(differences)}",
            "the same, or the run would not end as if it had never stopped",
            f"set OMP_NUM_THREADS={have['threads']}, --device cpu and --devices {have['processes']}",
        )


def _differences(name: str, before: Any, now: Any) -> Iterator[str]:
    """The fields below `name` in which two descriptions differ, each with both values."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in before | now:
            yield from _differences(f"{name}.{key}", before.get(key), now.get(key))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, pair in enumerate(zip(before, now, strict=True)):
            yield from _differences(f"{name}.{index}", *pair)
    elif before != now:
        yield f"{name} ({before}, now {now})"


def check_shares(store: Store, config: TrainingConfig, processes: int) -> None:
    """Raise ConfigError unless every process has a window for each of its micro-batches."""
    windows, parts = min(config.batch_size, len(store.rows("train"))), processes * config.accumulate
    if windows < parts:
        raise ConfigError(
            "training.batch_size",
            [
                f"a batch has {windows} windows; needed {parts} or more, one for each of {processes} devices and "
                f"{config.accumulate} micro-batches"
            ],
        )


def check_fit(store: Store, spec: ModelSpec, config: TrainingConfig) -> None:
    """Raise DataError unless model, store and augmentation agree, and there are windows to train and to judge on."""
    for split in ("train", "valid"):
        store.rows(split)
    check_sizes(store, spec)
    shift = config.augmentation.max_shift_bp
    if shift > store.max_shift_bp:
        raise DataError(
            store.path,
            f"training.augmentation.max_shift_bp is {shift}, and the splits keep {store.max_shift_bp} apart",
            f"{store.max_shift_bp} at most",
            "lower it, or build the store with a larger dataset.max_shift_bp",
        )


def check_sizes(store: Store, spec: ModelSpec) -> None:
    """Raise DataError unless windows, bins and tracks of the store are those of the model."""
    asked = {
        "window_bp": (spec.window_bp, store.window_bp),
        "bin_bp": (spec.bin_bp, store.bin_bp),
        "crop_bins": (spec.crop_bins, store.crop_bins),
        "tracks": (spec.tracks, store.n_tracks),
    }
    different = {name: pair for name, pair in asked.items() if pair[0] != pair[1]}
    if different:
        found = ", ".join(f"{name} {pair[1]}" for name, pair in different.items())
        needed = ", ".join(f"{name} {pair[0]}" for name, pair in different.items())
        raise DataError(store.path, f"the store has {found}", f"{needed}, as the model", "make one fit the other")
