"""Save and load a model: its weights and its spec as one file (`weights_file.py`)."""

from pathlib import Path

import torch

from regact.errors import FormatError, RunError
from regact.model.build import build_model
from regact.model.presets import PRESETS
from regact.model.sequence_model import SequenceModel
from regact.model.weights_file import WEIGHTS, find_weights, read_weights, tensors_checksum, write_weights


def save_model(model: SequenceModel, folder: Path | str, *, name: str = WEIGHTS) -> Path:
    """Write `model` (built by `build_model`) as `folder`/weights.safetensors and return that path.

    The file appears whole or not at all; it holds parameters, batch norm statistics and the spec as JSON.
    """
    path = Path(folder) / name
    write_weights(path, model.spec, {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()})
    return path


def load_model(folder: Path | str, *, device: str | torch.device = "cpu") -> SequenceModel:
    """The model saved in `folder` (or in a weights file), on `device`, in inference mode.

    Raises: RunError where there is no weights file, it holds no spec, or tensors do not fit the spec (all named at
    once), or `folder` is the name of a preset; FormatError where the file is damaged, or values were changed since it
    was saved.
    """
    _refuse_preset(folder)
    path = find_weights(folder)
    spec, checksum, tensors = read_weights(path)
    model = build_model(spec, seed=0)
    wanted = model.state_dict()
    problems = [f"{name} is missing" for name in wanted if name not in tensors]
    problems += [f"{name} is unknown" for name in tensors if name not in wanted]
    for name in wanted.keys() & tensors.keys():
        found, needed = (f"{t.dtype} {tuple(t.shape)}" for t in (tensors[name], wanted[name]))
        if found != needed:
            problems.append(f"{name} is {found}, needed {needed}")
    if problems:
        raise RunError(path, "; ".join(problems), "the tensors of its spec", "the file was changed or made elsewhere")
    if checksum is not None and tensors_checksum(tensors) != checksum:
        raise FormatError(path, "its tensors do not have their checksum", "the values that were saved", "copy it again")
    model.load_state_dict(tensors)
    return model.to(device).eval()


def _refuse_preset(folder: Path | str) -> None:
    """Raise RunError where `folder` is no path that is there but the name of a preset, which has no weights."""
    name = str(folder)
    if name not in PRESETS or Path(folder).exists():
        return
    raise RunError(
        name,
        "no such run, but the name of a preset, which has no weights yet",
        "a run folder",
        f'build_model(preset_spec("{name}", tracks=..., window_bp=...)) is a new model of this preset',
    )
