"""`simulate`: a whole genome with its tracks and the true answer, as a folder.

genome.fa                    the sequence
targets.txt, tracks/*.bw     track sheet and counts
truth/targets.txt, truth/*.bw   the same tracks, expected counts without noise
elements.tsv, elements.bed   promoters, enhancers, decoys
promoters.tsv                starts of transcription: strength, rates, where activation comes from
links.tsv                    what each element does to each promoter
genes.gtf, repeats.bed, motifs.meme
simulation.yaml              every setting; with it, `load_truth` gives the true answer for any sequence
card.json                    what was measured on the result
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import yaml
from jaxtyping import Float64, Int64

from regact.engine import check_space, run_tasks, whole_folder, write_json
from regact.settings import read_settings
from regact.simulation.annotation import contig_fasta, element_bed, gene_gtf, meme_motifs, repeat_bed
from regact.simulation.assays import SimulatedTrack, draw_counts
from regact.simulation.config import SimulationConfig
from regact.simulation.contig import simulate_contig
from regact.simulation.regulation import Activity
from regact.simulation.streams import COUNTS, random_stream
from regact.simulation.summary import count_motifs, summarise
from regact.simulation.truth import CONFIG_FILE, Truth
from regact.tracks import write_bigwig

# Twice what was measured: FASTA and tables 1.8, each track's counts and truth 0.05 bytes a base.
_BYTES_PER_BASE, _BYTES_PER_BASE_AND_TRACK = 3.6, 0.1
_TABLES = ("elements", "promoters", "links")
_CONTIG_FILES = ("genome.fa", "elements.bed", "repeats.bed", "genes.gtf", *(f"{table}.tsv" for table in _TABLES))


def simulate(
    config: SimulationConfig | Path | str,
    out: Path | str,
    *,
    seed: int | None = None,
    workers: int = 1,
    overwrite: bool = False,
) -> Path:
    """Write a simulated genome, its tracks and the true answer to the folder `out`; returns it.

    The same settings and seed give the same files, byte for byte, with any number of workers.

    Args:
        config: Settings, or a YAML file of them.
        seed: Replaces the configuration's.

    Raises: ConfigError where the settings are wrong; OutputExistsError where `out` is there and `overwrite` is false;
        DiskSpaceError where the result does not fit.
    """
    if not isinstance(config, SimulationConfig):
        config = read_settings(config, SimulationConfig)
    if seed is not None:
        config = config.model_copy(update={"seed": seed})
    truth = Truth(config)
    total_bp = sum(config.chromosomes.values())
    needed = total_bp * (_BYTES_PER_BASE + _BYTES_PER_BASE_AND_TRACK * len(truth.tracks))
    with whole_folder(out, overwrite=overwrite, mark=CONFIG_FILE) as folder:
        check_space(folder, int(needed), "the simulated genome")
        activities, counted = _simulate_contigs(truth, folder, workers)
        _write_sheets(folder, truth.tracks)
        _write_tracks(truth, activities, folder, workers)
        (folder / "motifs.meme").write_text(meme_motifs(truth.regulation.motifs))
        settings = config.model_dump(mode="json")
        (folder / CONFIG_FILE).write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
        elements, promoters, links = (pd.read_csv(folder / f"{table}.tsv", sep="\t") for table in _TABLES)
        card = {"regact": version("regact"), "seed": config.seed, "reach_bp": config.reach}
        write_json(folder / "card.json", card | summarise(truth, elements, promoters, links, sum(counted, Counter())))
    return Path(out)


def _simulate_contigs(truth: Truth, folder: Path, workers: int) -> tuple[list[Activity], list[Counter[str]]]:
    """Make every contig and put their files together; returns what their sequences do, and what the card counts."""
    names = list(truth.config.chromosomes)
    parts = folder / "parts"
    parts.mkdir()
    done = dict(run_tasks(partial(_write_contig, truth, parts), names, workers=workers, label="contigs"))
    for file in _CONTIG_FILES:
        with (folder / file).open("wb") as whole:
            for number, name in enumerate(names):
                with _part(parts, name, file).open("rb") as part:
                    if number and file.endswith(".tsv"):
                        part.readline()  # the header is there already
                    shutil.copyfileobj(part, whole)
    shutil.rmtree(parts)
    return [done[i][0] for i in range(len(names))], [done[i][1] for i in range(len(names))]


def _write_contig(truth: Truth, parts: Path, name: str) -> tuple[Activity, Counter[str]]:
    """Write one contig's share of every file."""
    contig = simulate_contig(truth, name)
    _part(parts, name, "genome.fa").write_bytes(contig_fasta(name, contig.codes))
    body_bp = round(truth.config.layout.promoter_spacing * truth.config.reach / 2)
    texts = {
        "elements.bed": element_bed(contig.elements),
        "repeats.bed": repeat_bed(name, contig.repeats),
        "genes.gtf": gene_gtf(name, len(contig.codes), contig.promoters, body_bp),
    }
    for table in _TABLES:
        frame: pd.DataFrame = getattr(contig, table)
        texts[f"{table}.tsv"] = frame.to_csv(sep="\t", index=False, float_format="%.6g", lineterminator="\n")
    for file, text in texts.items():
        _part(parts, name, file).write_text(text, encoding="utf-8")
    return contig.activity, count_motifs(truth, contig)


def _part(parts: Path, contig: str, file: str) -> Path:
    # Contig names may hold a slash.
    return parts / f"{quote(contig, safe='')}.{file}"


def _write_sheets(folder: Path, tracks: Sequence[SimulatedTrack]) -> None:
    """Write the track sheets of the counts and of the expected counts; the two differ in the files' folder only."""
    identifiers = [track.identifier for track in tracks]
    for sheet, files in (("targets.txt", "tracks"), ("truth/targets.txt", ".")):
        lines = ["index\tidentifier\tfile\tsum_stat\tstrand_pair\tdescription"]
        for index, track in enumerate(tracks):
            pair = identifiers.index(track.other_strand.identifier)
            file = f"{files}/{track.identifier}.bw"
            lines.append(f"{index}\t{track.identifier}\t{file}\tsum\t{pair}\t{track.description}")
        path = folder / sheet
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_tracks(truth: Truth, activities: Sequence[Activity], folder: Path, workers: int) -> None:
    numbers = range(len(truth.tracks))
    write = partial(_write_track, truth, activities, folder)
    describe = partial(_track_name, truth)
    for _ in run_tasks(write, numbers, workers=workers, label="tracks", describe=describe):
        pass


def _track_name(truth: Truth, number: int) -> str:
    return f"track {truth.tracks[number].identifier}"


def _write_track(truth: Truth, activities: Sequence[Activity], folder: Path, number: int) -> None:
    """Write the counts and the expected counts of one track."""
    config, file = truth.config, f"{truth.tracks[number].identifier}.bw"
    for place, span, chunks in (
        ("tracks", config.assays.resolution_bp, _counts(truth, activities, number)),
        ("truth", config.bin_bp, _expected(truth, activities, number, config.bin_bp)),
    ):
        # A file holds values per base: a bin's value is spread evenly over its bases.
        per_base = ((chrom, 0, values / span) for chrom, values in chunks)
        write_bigwig(folder / place / file, config.chromosomes, per_base, span=span)


def _expected(
    truth: Truth, activities: Sequence[Activity], number: int, bin_bp: int
) -> Iterator[tuple[str, Float64[np.ndarray, " bin"]]]:
    """Expected counts of a track, contig by contig; a contig's last bin may hang over its end."""
    for (chrom, length), activity in zip(truth.config.chromosomes.items(), activities, strict=True):
        whole = -(-length // bin_bp) * bin_bp
        yield chrom, truth.expected_counts(truth.tracks[number], activity, whole, bin_bp)


def _counts(
    truth: Truth, activities: Sequence[Activity], number: int
) -> Iterator[tuple[str, Int64[np.ndarray, " stretch"]]]:
    """Counts of a track, contig by contig, for every stretch of `resolution_bp` bases."""
    config = truth.config
    for contig, (chrom, expected) in enumerate(_expected(truth, activities, number, config.assays.resolution_bp)):
        rng = random_stream(config.seed, COUNTS, contig, number)
        yield chrom, draw_counts(expected, config.assays, config.bin_bp, rng)
