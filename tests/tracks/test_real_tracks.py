"""Every real track opens, fits its genome, and reads equal to the per-base reference."""

import os
from pathlib import Path

import numpy as np
import pyBigWig
import pytest

from regact.genome import Interval, Regions
from regact.tracks import open_signals, read_binned, read_track_sheet, track_transform

DATA = os.environ.get("REGACT_DATA")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA, reason="REGACT_DATA does not name the folder of real data"),
]


@pytest.mark.parametrize(
    ("species", "tracks", "assays"),
    [("yeast", 22, {"ATAC", "CAGE", "CHIP"}), ("worm", 52, {"ATAC", "CAGE", "CHIP", "DNASE"})],
)
def test_every_track_equals_the_per_base_reference(reference, species, tracks, assays):
    sheet = read_track_sheet(Path(DATA) / species / "targets.txt")
    assert (len(sheet), set(sheet.assays)) == (tracks, assays)
    with pyBigWig.open(str(sheet.tracks[0].files[0])) as file:
        lengths = dict(file.chroms())
    rng = np.random.default_rng(7)
    for track in sheet.tracks:
        signals, names = open_signals(track, lengths)
        assert names[0].keys() == lengths.keys()
        for touched in (False, True):
            chrom = str(rng.choice([name for name, length in lengths.items() if length > 200_000]))
            start = int(rng.integers(0, lengths[chrom] - 65_536))
            interval = Interval(chrom, start, start + 65_536)
            blacklist = Regions.from_intervals([Interval(chrom, start + 9_000, start + 12_345)])
            found = read_binned(
                track, signals, interval, 128, track_transform(track, 128), blacklist if touched else None, names
            )
            expected = reference.read_per_base(
                track.files,
                chrom,
                start,
                interval.end,
                128,
                sum_stat=track.sum_stat,
                scale=track.scale,
                clip_soft=track.clip_soft,
                clip=track.clip,
                blacklisted=blacklist.covered(interval) if touched else None,
            )
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9, err_msg=f"{track.identifier} {interval}")
