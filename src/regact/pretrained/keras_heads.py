"""Which head of a Keras file is imported, and which of the file's layers are the trunk and that head."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regact.errors import ConfigError
from regact.model.stack import ActivationName
from regact.pretrained.keras_file import KerasFile
from regact.pretrained.keras_graph import contradictions
from regact.pretrained.keras_network import Network, NetworkError, make_network
from regact.pretrained.keras_params import KerasParams
from regact.pretrained.keras_weights import misfits


@dataclass(frozen=True)
class HeadOfFile:
    """A head as a file may have it.

    Attributes:
        head: Its name in `params.json`.
        part: The file with the layers of the trunk and this head alone, where they can be told apart.
        network: The network of trunk and head, matched with them.
        problems: Everything in which the two do not fit.
    """

    head: str
    part: KerasFile
    network: Network
    problems: tuple[str, ...]


def choose_head(
    file: KerasFile,
    params: KerasParams,
    head: str | None,
    *,
    gelu: ActivationName | None,
    window_bp: int | None,
    where: Path,
) -> HeadOfFile:
    """The head that was asked for, or that fits the file, without problems.

    Args:
        file: The file.
        params: Its `params.json`, which lies at `where`.
        head: Its name, with `head_` before it or without.
        gelu: The form of GELU.
        window_bp: Bases of a window, where they are not those of `params`.
        where: For errors.

    Raises: ConfigError with all problems of the head that comes nearest; where several fit and none was asked for;
        where there is no such head, or blocks do not fit each other.
    """
    if len(file.outputs) not in (0, 1, len(params.heads)):
        found = f"{len(file.outputs)} outputs; needed one, or one for each head of {where.name}"
        raise ConfigError(file.path, [f"{found}: {', '.join(params.heads)}"])
    names = _named_heads(params, head, where)
    try:
        tried = [one for name in names for one in _try_head(file, params, name, gelu, window_bp)]
    except NetworkError as error:
        raise ConfigError(where, [str(error)]) from error
    # Where nothing fits, what has the right layers in other shapes comes nearer than what lacks layers.
    nearest = min(tried, key=lambda one: (bool(one.problems), not one.network.complete, len(one.problems)))
    if nearest.problems:
        raise ConfigError(file.path, [*nearest.problems, *_undecided(file, params)])
    fitting = [one.head for one in tried if not one.problems]
    if len(fitting) > 1 or (len(file.outputs) > 1 and len(names) > 1):
        whole = (
            f"it has every head ({', '.join(names)})" if len(file.outputs) > 1 else f"{' and '.join(fitting)} fit it"
        )
        raise ConfigError(file.path, [f"{whole}; say which with --head"])
    return nearest


def _try_head(
    file: KerasFile, params: KerasParams, head: str, gelu: ActivationName | None, window_bp: int | None
) -> Iterator[HeadOfFile]:
    for part, all_heads in _parts(file, params, head):
        network = make_network(
            params, head, part.layers, gelu, window_bp=window_bp, preset=file.path.stem, all_heads=all_heads
        )
        yield HeadOfFile(head, part, network, (*misfits(network), *contradictions(part, network)))


def _parts(file: KerasFile, params: KerasParams, head: str) -> Iterator[tuple[KerasFile, bool]]:
    """What of a file may be the trunk with one head, and whether it has the layers of every head instead.

    With `model_config` each output is followed back. Weights alone may be of one head or of all; those of several
    layers are then not told apart, for Keras orders layers by their distance from the outputs, across the heads.
    """
    if len(file.outputs) > 1:
        yield file.of_output(list(params.heads).index(head)), False
        return
    yield file, False
    if not file.has_config and len(params.heads) > 1 and not _undecided(file, params):
        yield file, True


def _undecided(file: KerasFile, params: KerasParams) -> list[str]:
    """Why weights alone of several heads cannot be told apart, where that is so."""
    if file.has_config or len(params.heads) == 1 or all(len(blocks) == 1 for blocks in params.heads.values()):
        return []
    return ["if it has every head: without model_config layers of heads with several are not told apart"]


def _named_heads(params: KerasParams, head: str | None, where: Path) -> list[str]:
    """All heads, or the one asked for, under its full name or without `head_`."""
    if head is None:
        return list(params.heads)
    found = [name for name in params.heads if head in (name, name.removeprefix("head_"))]
    if not found:
        raise ConfigError(where, [f"no head {head!r}; it has {', '.join(params.heads)}"])
    return found
