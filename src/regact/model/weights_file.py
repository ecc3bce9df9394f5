"""The file of a model's weights: found in a folder, written, and read with the spec that stands in it.

One safetensors file; nothing in it is ever run. The spec is JSON in its metadata, and with it a checksum of the
tensors. Both stand under one name, since the order of several is left to chance and the same model shall be the same
bytes.
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
from regact.model.spec import ModelSpec

WEIGHTS = "weights.safetensors"
HUB_WEIGHTS = "model.safetensors"  # what Hugging Face's hub calls the same file
_SPEC_KEY = "regact_model_spec"
_CHECKSUM = "tensors_sha256"  # beside the spec's fields; files of older versions have none


def write_weights(path: Path, spec: ModelSpec, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write tensors that lie contiguous on the CPU, and their spec; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written here and not through engine/: the model imports nothing of the project but errors and shapes.
    unfinished = path.with_name(f".{path.name}.part")  # what a kill leaves there, the next one replaces
    try:
        about = spec.model_dump(mode="json") | {_CHECKSUM: tensors_checksum(tensors)}
        # Not save_file, whose files only their owner may read.
        unfinished.write_bytes(save(dict(tensors), metadata={_SPEC_KEY: json.dumps(about)}))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_weights(path: Path, *, only_spec: bool = False) -> tuple[ModelSpec, str | None, dict[str, torch.Tensor]]:
    """Spec, checksum (None in files of older versions) and tensors of a weights file; none with `only_spec`.

    Raises: RunError where it holds no valid spec; FormatError where it is damaged.
    """
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


def load_spec(folder: Path | str) -> ModelSpec:
    """The spec of the model saved in `folder` (or in a weights file); weights are not read.

    Raises: as `load_model`.
    """
    return read_weights(find_weights(folder), only_spec=True)[0]


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


def tensors_checksum(tensors: Mapping[str, torch.Tensor]) -> str:
    """The sha256 (hex) over name, type, shape and bytes of each tensor, in the order of the names."""
    total = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
