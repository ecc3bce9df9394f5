"""What a run is made from: whether the parts fit, the entries of its card, and whether a run to resume had the same."""

import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from regact.dataset import Store
from regact.errors import DataError, RunError
from regact.model import ModelSpec
from regact.training.config import TrainingConfig
from regact.training.transfer import NO_TRANSFER, TransferConfig, describe_transfer

# Settings that say when to end or save; a run may be resumed with others.
LIMITS = {"epochs", "max_steps", "max_minutes", "patience", "min_delta", "save_minutes"}


def describe(
    store: Store,
    spec: ModelSpec,
    config: TrainingConfig,
    device: torch.device,
    transfer: TransferConfig = NO_TRANSFER,
) -> dict[str, Any]:
    """The entries that name data, model, settings, code and machine."""
    return {
        "store": {"path": str(store.path), "fingerprint": store.fingerprint},
        "genome": {"name": store.genome_name, "path": str(store.genome_path), "checksum": store.genome_checksum},
        "tracks": list(store.sheet.identifiers),
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
        },
    }


def check_same(run: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise RunError, naming all differences, unless a run described by `before` can go on as `now`."""
    start_before, start_now = before.get("transfer") or {}, now["transfer"] or {}
    pairs = {
        "store.fingerprint": (before["store"]["fingerprint"], now["store"]["fingerprint"]),
        "model": (before["model"], now["model"]),
        **{
            f"training.{name}": (before["training"].get(name), value)
            for name, value in now["training"].items()
            if name not in LIMITS
        },
        **{
            f"transfer.{name}": (start_before.get(name), start_now.get(name))
            for name in start_before | start_now
            if name != "run"  # it may have moved; its weights are compared
        },
    }
    differences = [name for name, (old, new) in pairs.items() if old != new]
    if differences:
        raise RunError(
            run,
            f"made with another {', '.join(differences)}",
            "the same data, model and training settings to resume",
            "restore them, choose another --out, or begin anew with --overwrite",
        )


def check_fit(store: Store, spec: ModelSpec, config: TrainingConfig) -> None:
    """Raise DataError unless model, store and augmentation agree."""
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
    shift = config.augmentation.max_shift_bp
    if shift > store.max_shift_bp:
        raise DataError(
            store.path,
            f"training.augmentation.max_shift_bp is {shift}, and the splits keep {store.max_shift_bp} apart",
            f"{store.max_shift_bp} at most",
            "lower it, or build the store with a larger dataset.max_shift_bp",
        )
