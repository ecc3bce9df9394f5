"""The README.md of an exported model: what it predicts, how well, from what it was made, how it is used."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from regact.model import ModelSpec, count, receptive_field_bp
from regact.tracks import Track

_MEASURES = {"pearson": "Pearson", "pearson_log1p": "Pearson of log(1 + count)", "r2": "r²"}
_USE = """\
```python
import regact

model = regact.from_pretrained("{name}")  # this folder, or the name of a repository on the hub
genome = regact.load_genome("genome.fa")
window = regact.parse_region("chr1:1-{window_bp:,}")
rate = regact.predict_codes(model, genome.fetch(window)[None])  # expected counts (1, tracks, bins)
```

`regact evaluate {name} --store STORE --split test` judges it on a dataset, and
`regact train EXPERIMENT.yaml --tower {name} --out RUN` starts from it. Tracks are in the order of `tracks` in
`card.json`. Nothing in this folder is run when it is loaded; `sha256sum -c SHA256SUMS` tells whether it is whole.
"""


def write_model_card(
    path: Path, card: Mapping[str, Any], metrics: pd.DataFrame | None, *, name: str, license_id: str | None
) -> None:
    """Write the model card.

    Args:
        path: README.md.
        card: The run's card.
        metrics: Accuracy per track on the validation split, where there is any.
        name: What the model is called.
        license_id: As the hub names licences; none is claimed without.
    """
    head = {"library_name": "regact", "tags": ["regact", "genomics", "dna", "regulatory-activity"]}
    if license_id:
        head["license"] = license_id
    sections = [f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n", f"# {name}\n", *_sections(card, metrics, name)]
    path.write_text("\n".join(sections), encoding="utf-8")


def _sections(card: Mapping[str, Any], metrics: pd.DataFrame | None, name: str) -> Iterator[str]:
    spec = ModelSpec.model_validate(card["model"])
    yield "".join(f"{line}\n" for line in _network(spec, card))
    yield f"## Use\n\n{_USE.format(name=name, window_bp=spec.window_bp)}"
    if metrics is not None:
        yield f"## Accuracy\n\nOn the validation split, means over the tracks that vary:\n\n{_accuracy(metrics)}"
    yield "## Made from\n\n" + "".join(f"- {line}\n" for line in _origin(card))


def _network(spec: ModelSpec, card: Mapping[str, Any]) -> Iterator[str]:
    yield "Predicts regulatory activity from DNA sequence."
    yield ""
    yield f"- network: {spec.preset or 'of its own'}, {count(spec).parameters:,} parameters"
    yield (
        f"- sequence: {spec.window_bp:,} bp; an N is {spec.n_value:g} in each channel; a bin depends on up to "
        f"{receptive_field_bp(spec):,} bp around it"
    )
    yield (
        f"- answer: {spec.bins:,} bins of {spec.bin_bp} bp, {spec.crop_bins} dropped at each end; expected counts, "
        f"{spec.head.link} link"
    )
    assays = Counter(Track("", (), description=text).assay for text in card["descriptions"])
    counts = ", ".join(f"{number:,} {assay}" for assay, number in assays.most_common())
    yield f"- tracks: {spec.tracks:,}" + ("" if set(assays) == {"OTHER"} else f" ({counts})")


def _accuracy(metrics: pd.DataFrame) -> str:
    means = metrics.groupby("assay", sort=False)[list(_MEASURES)].mean()
    means.loc["all"] = metrics[list(_MEASURES)].mean()
    lines = [f"| assay | tracks | {' | '.join(_MEASURES.values())} |", "| --- " * (2 + len(_MEASURES)) + "|"]
    numbers = {**metrics.groupby("assay")["pearson"].count(), "all": metrics["pearson"].count()}
    for assay, row in means.iterrows():
        values = " | ".join("none varies" if pd.isna(value) else f"{value:.3f}" for value in row)
        lines.append(f"| {assay} | {numbers[assay]:,} | {values} |")
    return "\n".join(lines) + "\n"


def _origin(card: Mapping[str, Any]) -> Iterator[str]:
    if source := card.get("source"):
        yield f"imported: {source['format']}; " + ", ".join(
            f"`{file['name']}` (sha256 `{file['sha256']}`)" for file in source["files"]
        )
    if genome := card.get("genome"):
        yield f"genome: {genome['name']}, checksum `{genome['checksum']}`"
    if store := card.get("store"):
        yield f"dataset: fingerprint `{store['fingerprint']}`"
    if transfer := card.get("transfer"):
        yield f"started from: {transfer['parts']} of weights with sha256 `{transfer['weights_sha256']}`"
    if card.get("state") != "imported":
        yield f"training: {card['state']}" + (f", {card['ended']}" if "ended" in card else "")
    code = card["code"]
    yield f"made with: regact {code['regact']}, torch {code['torch']}"
