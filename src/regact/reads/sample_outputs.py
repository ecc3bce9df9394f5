"""What a sample is written to, what it was made from, and whether that has been done already."""

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regact.engine import refuse_existing
from regact.errors import OutputExistsError
from regact.genome import Genome
from regact.reads.presets import CoverageSettings
from regact.reads.qc import ReadsQc

_STRANDS = {1: "_plus", -1: "_minus"}
_SUFFIXES = (".bw", ".bigwig")


@dataclass(frozen=True)
class SampleOutputs:
    """Names of a sample's outputs.

    Attributes:
        sample: The sample's name.
        tracks: bigWig by strand; under 0 where strands are not told apart.
        card: The JSON file.
    """

    sample: str
    tracks: Mapping[int, Path]
    card: Path

    @classmethod
    def beside(cls, out: Path, *, stranded: bool) -> "SampleOutputs":
        """The names that go with the bigWig `out`."""
        name = out.stem if out.suffix.lower() in _SUFFIXES else out.name
        card = out.with_name(f"{name}.json")
        if not stranded:
            return cls(name, {0: out}, card)
        return cls(name, {s: out.with_name(f"{name}{end}.bw") for s, end in _STRANDS.items()}, card)

    def refuse_existing(self, overwrite: bool) -> None:
        """Raise OutputExistsError where any is there and must not be replaced."""
        for path in (*self.tracks.values(), self.card):
            refuse_existing(path, overwrite)


@dataclass(frozen=True)
class SampleCoverage:
    """A sample's coverage, finished.

    Attributes:
        outputs: Its files; the card was written last, so it stands for a finished sample.
        qc: The sample's quality.
    """

    outputs: SampleOutputs
    qc: ReadsQc

    @property
    def tracks(self) -> tuple[Path, ...]:
        """The bigWig, or those of the + and the - strand."""
        return tuple(self.outputs.tracks.values())

    @property
    def card(self) -> Path:
        """JSON with settings, inputs, versions and quality."""
        return self.outputs.card


@dataclass(frozen=True)
class Origin:
    """All that decides what a sample's coverage is.

    Attributes:
        source: The file of alignments or fragments.
        genome: The genome that they were aligned to.
        settings: As they act.
        group: Name of the group of barcodes; empty without groups.
        barcodes: Checksum of the group's barcodes.
    """

    source: Path
    genome: Genome
    settings: CoverageSettings
    group: str = ""
    barcodes: str = ""

    def describe(self) -> str:
        """The file, and the group in it."""
        return f"{self.source}, group {self.group}" if self.group else str(self.source)

    def card(self, programs: tuple[str, ...]) -> dict[str, Any]:
        """This as the first part of a card; `programs` made the file."""
        status = self.source.stat()
        source = {"path": str(self.source), "bytes": status.st_size, "changed_ns": status.st_mtime_ns}
        genome = {"name": self.genome.name, "path": str(self.genome.path), "checksum": self.genome.checksum}
        return {
            "regact": importlib.metadata.version("regact"),
            "source": {**source, "programs": programs, "group": self.group, "barcodes": self.barcodes},
            "genome": genome,
            "settings": self.settings.model_dump(mode="json"),
        }

    def differences(self, card: Mapping[str, Any]) -> list[str]:
        """What a card says of another origin, in words; the file may lie elsewhere now."""
        now = self.card(())
        found = [
            f"settings.{name}={card['settings'].get(name)} (now {value})"
            for name, value in now["settings"].items()
            if card["settings"].get(name) != value
        ]
        if card["genome"]["checksum"] != now["genome"]["checksum"]:
            found.append("another genome")
        then = card["source"]
        if Path(then["path"]).name != self.source.name:
            found.append(f"another file, {then['path']}")
        elif any(then.get(name) != now["source"][name] for name in ("bytes", "changed_ns")):
            found.append(f"an earlier state of {self.source.name}")
        if any(then.get(name) != now["source"][name] for name in ("group", "barcodes")):
            found.append("another group of barcodes")
        return found


def find_finished(outputs: SampleOutputs, origin: Origin) -> SampleCoverage | None:
    """The sample, where it is finished; None where it is not.

    Raises: OutputExistsError where it was made from something else, or a card is no card.
    """
    try:
        card = json.loads(outputs.card.read_text(encoding="utf-8"))
        differences = origin.differences(card)
        qc = ReadsQc.model_validate(card["qc"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise OutputExistsError(
            outputs.card, "there, but no card of this version", "", "remove it, or say --overwrite"
        ) from error
    if differences:
        raise OutputExistsError(
            outputs.card,
            f"made with {'; '.join(differences)}",
            "the same as now to keep it",
            "choose another --out, or say --overwrite to make it anew",
        )
    return SampleCoverage(outputs, qc) if all(path.exists() for path in outputs.tracks.values()) else None
