"""Save and load a model: one safetensors file that holds the weights and the spec. Nothing in it is ever run.

The spec is JSON in the file's metadata, and with it a checksum of the tensors. Both stand under one name, since the
order of several is left to chance and the same model shall be the same bytes.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from regact.errors import FormatError, RunError
from regact.model.build import build_model
from regact.model.sequence_model import SequenceModel
from regact.model.spec import ModelSpec

WEIGHTS = "weights.safetensors"
HUB_WEIGHTS = "model.safetensors"  # what Hugging Face's hub calls the same file
_SPEC_KEY = "regact_model_spec"
_CHECKSUM = "tensors_sha256"  # beside the spec's fields; files of older versions have none


def save_model(model: SequenceModel, folder: Path | str, *, name: str = WEIGHTS) -> Path:
    """Write `model` (built by `build_model`) as `folder`/weights.safetensors and return that path.

    The file appears whole or not at all; it holds parameters, batch norm statistics and the spec as JSON.
    """
    path = Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written here and not through engine/: the model imports nothing of the project but errors and shapes.
    unfinished = path.with_name(f".{path.name}.part")  # what a kill leaves there, the next one replaces
    try:
        tensors = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
        about = model.spec.model_dump(mode="json") | {_CHECKSUM: _checksum(tensors)}
        # Not save_file, whose files only their owner may read.
        unfinished.write_bytes(save(tensors, metadata={_SPEC_KEY: json.dumps(about)}))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def load_model(folder: Path | str, *, device: str | torch.device = "cpu") -> SequenceModel:
    """The model saved in `folder` (or in a weights file), on `device`, in inference mode.

    Raises: RunError where there is no weights file, it holds no spec, or tensors do not fit the spec (all named at
    once); FormatError where the file is damaged, or values were changed since it was saved.
    """
    path = find_weights(folder)
    spec, checksum, tensors = _read(path)
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
    if checksum is not None and _checksum(tensors) != checksum:
        raise FormatError(path, "its tensors do not have their checksum", "the values that were saved", "copy it again")
    model.load_state_dict(tensors)
    return model.to(device).eval()


def load_spec(folder: Path | str) -> ModelSpec:
    """The spec of the model saved in `folder` (or in a weights file); weights are not read.

    Raises: as `load_model`.
    """
    return _read(find_weights(folder), only_spec=True)[0]


def weights_checksum(folder: Path | str) -> str:
    """The sha256 (hex) of the weights file in `folder`, or of a weights file itself.

    Raises: RunError where there is none.
    """
    return hashlib.sha256(find_weights(folder).read_bytes()).hexdigest()


def find_weights(folder: Path | str) -> Path:
    """The weights file of a run folder or of one that was exported, or `folder` itself where that is one.

    Raises: RunError where there is none.
    """
    path = Path(folder)
    if path.suffix != ".safetensors":
        exported = path / HUB_WEIGHTS
        path = path / WEIGHTS
        path = exported if exported.is_file() and not path.is_file() else path
    if not path.is_file():
        raise RunError(path, "no such file", "the weights of a trained model", "give a run folder that holds it")
    return path


def _checksum(tensors: Mapping[str, torch.Tensor]) -> str:
    """The sha256 (hex) over name, type, shape and bytes of each tensor, in the order of the names."""
    total = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def _read(path: Path, *, only_spec: bool = False) -> tuple[ModelSpec, str | None, dict[str, torch.Tensor]]:
    """Spec, checksum and tensors of a weights file."""
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_SPEC_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys() if not only_spec}  # noqa: SIM118, no mapping
    except SafetensorError as error:
        raise FormatError(path, str(error), "a whole safetensors file", "copy or train it again") from error
    if text is None:
        raise RunError(path, "holds no model spec", "a file that regact wrote", "import it as foreign weights")
    try:
        about = json.loads(text)
        checksum = about.pop(_CHECKSUM, None)
        return ModelSpec.model_validate(about), checksum, tensors
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise RunError(path, f"its model spec is not valid ({found})", "a spec of this version of regact") from error
    except (ValueError, AttributeError, TypeError) as error:  # no JSON, or no object in it
        raise FormatError(path, f"damaged model spec ({error})", "a whole weights file", "copy it again") from error
