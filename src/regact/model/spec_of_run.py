"""The network of a run, for other data: tower, context and the head's layers as they are, the tracks' layer new."""

from pathlib import Path

from pydantic import ValidationError

from regact.errors import ConfigError
from regact.model.config import ModelConfig
from regact.model.spec import ModelSpec
from regact.model.weights_file import load_spec

_GO_WITH_A_RUN = {"run", "link", "seed"}  # a comparison sets a seed for every model


def spec_of_run(
    config: ModelConfig, run: Path, *, tracks: int, window_bp: int, crop_bins: int, bin_bp: int | None
) -> ModelSpec:
    """The spec of the model in the run folder `run`, for data of this shape; `link` replaces its link.

    Raises: RunError where there is no model in it; ConfigError with everything that does not fit.
    """
    spec = load_spec(run)
    settings = spec.model_dump() | {"tracks": tracks, "window_bp": window_bp, "crop_bins": crop_bins}
    if "link" in config.model_fields_set:
        settings["head"]["link"] = config.link
    problems = []
    changed = (name for name, field in ModelConfig.model_fields.items() if getattr(config, name) != field.default)
    if strangers := [name for name in changed if name not in _GO_WITH_A_RUN]:
        problems.append(f"{', '.join(strangers)}: the network is that of {run}; leave them out")
    if bin_bp is not None and spec.bin_bp != bin_bp:
        problems.append(f"bins of {run} have {spec.bin_bp} bases, the data's bin_bp is {bin_bp}")
    try:
        made = ModelSpec.model_validate(settings)
    except ValidationError as error:
        problems += [e["msg"].removeprefix("Value error, ") for e in error.errors()]
    if problems:
        raise ConfigError("model", problems)
    return made
