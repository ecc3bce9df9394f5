"""One contig from nothing: its sequence, what the sequence does, and the tables of its elements."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from regact.simulation.elements import element_table, promoter_table
from regact.simulation.genome import RepeatCopy, background_sequence, repeat_consensus
from regact.simulation.layout import plant_elements
from regact.simulation.links import link_table
from regact.simulation.regulation import Activity
from regact.simulation.scan import Hits
from regact.simulation.streams import REPEATS, SEQUENCE, random_stream
from regact.simulation.truth import Truth


@dataclass(frozen=True, eq=False)
class SimulatedContig:
    """A contig and everything that is known about it.

    Attributes:
        hits: All bound motifs.
        elements, promoters, links: As `elements.py` and `links.py` describe them.
    """

    name: str
    codes: UInt8[np.ndarray, " position"]
    repeats: list[RepeatCopy]
    hits: Hits
    activity: Activity
    elements: pd.DataFrame
    promoters: pd.DataFrame
    links: pd.DataFrame


def simulate_contig(truth: Truth, name: str) -> SimulatedContig:
    """The contig called `name` of the genome that `truth.config` describes."""
    config = truth.config
    number = list(config.chromosomes).index(name)
    consensus = repeat_consensus(config.background, random_stream(config.seed, REPEATS))
    rng = random_stream(config.seed, SEQUENCE, number)
    codes, repeats = background_sequence(config.chromosomes[name], config.background, consensus, rng)
    planted = plant_elements(codes, truth.regulation, config.layout, config.reach, rng)
    hits = truth.regulation.scan(codes)
    activity = truth.regulation.activity(hits)
    elements = element_table(name, planted, truth, activity)
    promoters = promoter_table(name, elements, truth, activity)
    links = link_table(elements, promoters, hits, truth)
    return SimulatedContig(name, codes, repeats, hits, activity, elements, promoters, links)
