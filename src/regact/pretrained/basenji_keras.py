"""Basenji2, baskerville and Borzoi models from Keras's HDF5: a run folder that gives the published network's answers.

`params.json` says which layers there are (keras_params.py, keras_blocks.py), the file has their weights in the same
order (keras_file.py, keras_weights.py), of one head or of several (keras_heads.py), and its `model_config` the form of
GELU and what else there is to compare (keras_graph.py).
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from regact.engine import refuse_existing
from regact.errors import ConfigError
from regact.model.stack import ActivationName
from regact.pretrained.keras_file import KerasFile
from regact.pretrained.keras_graph import gelu_forms, strand_pairs, unknown_layers, uses_gelu
from regact.pretrained.keras_heads import choose_head
from regact.pretrained.keras_params import read_params_json
from regact.pretrained.keras_weights import load_weights
from regact.pretrained.run_folder import check_sheet, describe_files, write_imported_run
from regact.tracks import TrackSheet
from regact.training.run_folder import CARD

GeluName = Literal["sigmoid", "tanh", "erf"]
_FORMS: dict[GeluName, ActivationName] = {"sigmoid": "gelu_sigmoid", "tanh": "gelu_tanh", "erf": "gelu_erf"}


def import_keras(
    model_h5: str | Path,
    out: str | Path,
    *,
    params: str | Path,
    head: str | None = None,
    gelu: GeluName | None = None,
    sheet: TrackSheet | None = None,
    window_bp: int | None = None,
    windows: str | Path | None = None,
    overwrite: bool = False,
    tell: Callable[[str], object] = lambda remark: None,
) -> Path:
    """Write the network of a Keras file as the run folder `out`; return it.

    Args:
        model_h5: `model.save("model.h5")` of Keras 2, with one head or all.
        out: The run folder.
        params: The network's `params.json`.
        head: Which of several heads (`head_human`, or `human`); by itself the one that fits the file.
        gelu: The form of GELU, where the file does not say it or is not to be believed.
        sheet: The tracks in the order of the outputs (`targets.txt`); a Keras file has none. Their strand pairs it
            may have: without a sheet they are taken, with one compared.
        window_bp: Bases of a window, `seq_length` of `params` by itself; relative positions keep their trained widths.
        windows: BED of the windows that it was trained on (`sequences.bed`), as in `write_imported_run`.
        overwrite: Replace a run folder that is there.
        tell: Called with a remark where names or strand pairs of the tracks are not known, or the sheet has others.

    Raises:
        FormatError: a file is missing, damaged, or of another layout.
        ConfigError: layers, shapes, settings or tracks do not fit; everything that is wrong at once.
        OutputExistsError: `out` is there and may not be replaced.
    """
    refuse_existing(out, overwrite, mark=CARD)
    settings, file = read_params_json(params), KerasFile(model_h5)
    if unknown := list(unknown_layers(file)):
        raise ConfigError(model_h5, unknown)
    form = _choose_gelu(file, gelu)
    chosen = choose_head(file, settings, head, gelu=form, window_bp=window_bp, where=Path(params))
    network = chosen.network
    check_sheet(sheet, network.spec.tracks)
    pairs = strand_pairs(chosen.part, network.spec.tracks)
    for remark in _describe_tracks(sheet, pairs):
        tell(remark)
    model = load_weights(file, network)
    source = {
        "format": "Keras HDF5",
        "files": describe_files([model_h5, params]),
        "keras": file.version,
        "head": chosen.head,
        "gelu": form.removeprefix("gelu_") if form and uses_gelu(network) else None,
    }
    return write_imported_run(
        model, out, sheet=sheet, strand_pair=pairs, source=source, windows=windows, overwrite=overwrite
    )


def _describe_tracks(sheet: TrackSheet | None, pairs: Sequence[int] | None) -> Iterator[str]:
    """What is not known of the tracks, or known otherwise."""
    if sheet is None:
        paired = "their strand pairs are the file's" if pairs else "each is its own strand pair, stranded ones too"
        yield f"tracks are called track_1, track_2, ..., and {paired}: name them with --tracks"
    elif pairs and (others := sum(a != b for a, b in zip(sheet.strand_pair.tolist(), pairs, strict=True))):
        yield (
            f"warning: {others:,} tracks of {sheet.path} have other strand pairs than the network was trained with: "
            "is it the sheet of these weights, in their order?"
        )


def _choose_gelu(file: KerasFile, gelu: GeluName | None) -> ActivationName | None:
    """The form to take for GELU; None where neither the file nor the option says one.

    Raises: ConfigError where the file has several forms.
    """
    if gelu:
        return _FORMS[gelu]
    forms = gelu_forms(file)
    if len(forms) > 1:
        raise ConfigError(file.path, [f"several forms of GELU ({', '.join(forms)}); needed one: say which with --gelu"])
    return forms[0] if forms else None
