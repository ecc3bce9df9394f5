"""What a sample is written to, what it was made from, and whether that has been done already."""

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from regact.engine import refuse_existing
from regact.errors import OutputExistsError
from regact.genome import ContigAlias, Genome, parse_contig_alias
from regact.reads.presets import CoverageSettings
from regact.reads.quality.qc import ReadsQc

VERSION = importlib.metadata.version("regact")
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
        version: Of the regact that made it.
    """

    outputs: SampleOutputs
    qc: ReadsQc
    version: str

    @property
    def tracks(self) -> tuple[Path, ...]:
        """The bigWig, or those of the + and the - strand."""
        return tuple(self.outputs.tracks.values())

    @property
    def card(self) -> Path:
        """JSON with settings, inputs, versions and quality."""
        return self.outputs.card


@dataclass(frozen=True)
class Reading:
    """How a file of alignments is read.

    Attributes:
        reference: FASTA that a CRAM was made with; the genome's where it is None.
        contig_alias: How the file's contig names become the genome's: `chr`, or a TSV.
        group_by_name: Bring records of a read together in memory.
    """

    reference: Path | None = None
    contig_alias: str | None = None
    group_by_name: bool = False

    @cached_property
    def alias(self) -> ContigAlias | None:
        """The alias as what reads files takes it."""
        return parse_contig_alias(self.contig_alias)

    def to_dict(self) -> dict[str, Any]:
        """For the card."""
        return {
            "reference": None if self.reference is None else str(self.reference),
            "contig_alias": self.contig_alias,
            "group_by_name": self.group_by_name,
        }


@dataclass(frozen=True)
class Origin:
    """All that decides what a sample's coverage is.

    Attributes:
        source: The file of alignments or fragments.
        genome: The genome that they were aligned to.
        settings: As they act.
        reading: How the file is read.
        group: Name of the group of barcodes; empty without groups.
        barcodes: Checksum of the group's barcodes.
    """

    source: Path
    genome: Genome
    settings: CoverageSettings
    reading: Reading = Reading()
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
            "regact": VERSION,
            "source": {**source, "programs": programs, "group": self.group, "barcodes": self.barcodes},
            "reading": self.reading.to_dict(),
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
        for name, value in now["reading"].items():
            # Files may lie elsewhere now.
            if _name_of(card["reading"][name]) != _name_of(value):
                found.append(f"{name}={card['reading'][name]} (now {value})")
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


def _name_of(value: object) -> object:
    return Path(value).name if isinstance(value, str) else value


def find_finished(outputs: SampleOutputs, origin: Origin) -> SampleCoverage | None:
    """The sample, where it is finished; None where it is not.

    Raises: OutputExistsError where it was made from something else, or a card is no card.
    """
    try:
        card = json.loads(outputs.card.read_text(encoding="utf-8"))
        differences = origin.differences(card)
        qc, version = ReadsQc.model_validate(card["qc"]), str(card["regact"])
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
    return SampleCoverage(outputs, qc, version) if all(path.exists() for path in outputs.tracks.values()) else None
