"""Save and load a model: one safetensors file that holds the weights and the spec. Nothing in it is ever run."""

import hashlib
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
_SPEC_KEY = "regact_model_spec"


def save_model(model: SequenceModel, folder: Path | str) -> Path:
    """Write `model` (built by `build_model`) as `folder`/weights.safetensors and return that path.

    The file appears whole or not at all; it holds parameters, batch norm statistics and the spec as JSON.
    """
    path = Path(folder) / WEIGHTS
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written here and not through engine/: the model imports nothing of the project but errors and shapes.
    unfinished = path.with_name(f".{path.name}.part")  # what a kill leaves there, the next one replaces
    try:
        tensors = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
        # Not save_file, whose files only their owner may read.
        unfinished.write_bytes(save(tensors, metadata={_SPEC_KEY: model.spec.model_dump_json()}))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def load_model(folder: Path | str, *, device: str | torch.device = "cpu") -> SequenceModel:
    """The model saved in `folder` (or in a weights file), on `device`, in inference mode.

    Raises: RunError where there is no weights file, it holds no spec, or tensors do not fit the spec (all named at
    once); FormatError where the file is damaged.
    """
    path = _weights_path(folder)
    spec, tensors = _read(path)
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
    model.load_state_dict(tensors)
    return model.to(device).eval()


def load_spec(folder: Path | str) -> ModelSpec:
    """The spec of the model saved in `folder` (or in a weights file); weights are not read.

    Raises: as `load_model`.
    """
    return _read(_weights_path(folder), only_spec=True)[0]


def weights_checksum(folder: Path | str) -> str:
    """The sha256 (hex) of the weights file in `folder`, or of a weights file itself.

    Raises: RunError where there is none.
    """
    return hashlib.sha256(_weights_path(folder).read_bytes()).hexdigest()


def _weights_path(folder: Path | str) -> Path:
    path = Path(folder)
    path = path if path.suffix == ".safetensors" else path / WEIGHTS
    if not path.is_file():
        raise RunError(path, "no such file", "the weights of a trained model", "give a run folder that holds it")
    return path


def _read(path: Path, *, only_spec: bool = False) -> tuple[ModelSpec, dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_SPEC_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys() if not only_spec}  # noqa: SIM118, no mapping
    except SafetensorError as error:
        raise FormatError(path, str(error), "a whole safetensors file", "copy or train it again") from error
    if text is None:
        raise RunError(path, "holds no model spec", "a file that regact wrote", "import it as foreign weights")
    try:
        return ModelSpec.model_validate_json(text), tensors
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise RunError(path, f"its model spec is not valid ({found})", "a spec of this version of regact") from error
