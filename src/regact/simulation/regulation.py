"""What a sequence does: bound motifs to active enhancer sites and promoters, and these to rates of transcription.

Everything here follows from the sequence alone; nothing knows what was planted.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int8, Int64, UInt8

from regact.simulation.contact import Contact
from regact.simulation.grammar import GrammarConfig, MotifConfig
from regact.simulation.motif import Motif, build_motif
from regact.simulation.scan import Hits, scan


@dataclass(frozen=True, eq=False)
class EnhancerSites:
    """Enhancer motifs that are bound together with their partner, in order of position.

    Attributes:
        centre: The site's middle base.
        activity: What the site adds at contact 1, for each cell type.
    """

    centre: Int64[np.ndarray, " site"]
    activity: Float64[np.ndarray, "site cell"]


@dataclass(frozen=True, eq=False)
class Promoters:
    """Bound core motifs with at least one bound proximal motif, in order of their core motifs.

    Attributes:
        tss: Start of transcription.
        strand: 1 or -1, the direction of transcription.
        intrinsic: Strength of the promoter itself, the same in every cell type.
    """

    tss: Int64[np.ndarray, " promoter"]
    strand: Int8[np.ndarray, " promoter"]
    intrinsic: Float64[np.ndarray, " promoter"]

    def where(self, keep: Bool[np.ndarray, " promoter"]) -> "Promoters":
        """The promoters that `keep` picks."""
        return Promoters(self.tss[keep], self.strand[keep], self.intrinsic[keep])


@dataclass(frozen=True, eq=False)
class Activity:
    """What a sequence does: its active enhancer sites, its promoters, and the promoters' rates.

    Attributes:
        rate: Rate of transcription (1 = one unit of an assay's depth), for each cell type.
    """

    sites: EnhancerSites
    promoters: Promoters
    rate: Float64[np.ndarray, "promoter cell"]


class Regulation:
    """The regulatory grammar and the contact function, as functions of bound motifs.

    - A site of enhancer motif m, occupancy o, adds `o * P * activity[m, cell]`, where P = 1 - prod(1 - o_partner) over
      partner sites within `partner_within_bp`: without a partner it is a decoy.
    - A core motif, occupancy o, is a promoter of intrinsic strength `o * sum(o_g * strength_g)` over proximal sites g
      within `proximal_within_bp`.
    - A promoter's rate is `intrinsic * (basal + sum over enhancer sites of activity * contact(signed distance))`.
    """

    def __init__(self, grammar: GrammarConfig, contact: Contact) -> None:
        self.grammar, self.contact = grammar, contact
        self.motifs: tuple[Motif, ...] = tuple(_motif(config, grammar) for config in grammar.motifs)
        self._n_enhancer_motifs = len(grammar.enhancer_motifs)
        self._activity = np.array(
            [[motif.activity[cell] for cell in grammar.cell_types] for motif in grammar.enhancer_motifs]
        )
        self._strength = np.array([motif.strength for motif in grammar.proximal_motifs])

    @property
    def partner(self) -> Motif:
        """The motif that enhancer motifs need beside them."""
        return self.motifs[self._n_enhancer_motifs]

    @property
    def core(self) -> Motif:
        """The motif that makes a promoter."""
        return self.motifs[self._n_enhancer_motifs + 1]

    @property
    def enhancer_motifs(self) -> tuple[Motif, ...]:
        """The motifs of enhancers."""
        return self.motifs[: self._n_enhancer_motifs]

    @property
    def proximal_motifs(self) -> tuple[Motif, ...]:
        """The motifs that make a promoter strong."""
        return self.motifs[self._n_enhancer_motifs + 2 :]

    @property
    def context_bp(self) -> int:
        """Bases beyond a start of transcription, or a site, that can change what happens there."""
        widest = max(motif.width for motif in self.motifs)
        enhancer = self.contact.farthest + self.grammar.partner_within_bp
        promoter = self.grammar.proximal_within_bp + abs(self.grammar.tss_offset_bp)
        return max(enhancer, promoter) + widest

    def scan(self, codes: UInt8[np.ndarray, " position"]) -> Hits:
        """Every bound motif in `codes`."""
        return scan(codes, self.motifs)

    def activity(self, hits: Hits) -> Activity:
        """What bound motifs do together."""
        sites, promoters = self.enhancer_sites(hits), self.promoters(hits)
        return Activity(sites, promoters, self.rate(promoters, self.activation(promoters, sites)))

    def enhancer_sites(self, hits: Hits) -> EnhancerSites:
        """The active ones among the enhancer motifs in `hits`."""
        enhancer = self.enhancer_hits(hits)
        bound = self.partner_bound(enhancer, hits)
        active = bound > 0
        activity = (enhancer.occupancy * bound)[active, None] * self._activity[enhancer.motif[active]]
        return EnhancerSites(enhancer.centre[active], activity)

    def enhancer_hits(self, hits: Hits) -> Hits:
        """The enhancer motifs in `hits`, active or not."""
        return hits.of_motifs(0, self._n_enhancer_motifs)

    def partner_bound(self, enhancer: Hits, hits: Hits) -> Float64[np.ndarray, " hit"]:
        """Probability that at least one partner site in `hits` near each of `enhancer` is bound."""
        partner = hits.of_motifs(self._n_enhancer_motifs, self._n_enhancer_motifs + 1)
        of, near = _pairs_within(enhancer.centre, partner.centre, self.grammar.partner_within_bp)
        log_unbound = np.bincount(of, weights=np.log1p(-partner.occupancy[near]), minlength=len(enhancer))
        return -np.expm1(log_unbound)

    def promoters(self, hits: Hits) -> Promoters:
        """The promoters that `hits` make."""
        first = self._n_enhancer_motifs + 1
        core, proximal = hits.of_motifs(first, first + 1), hits.of_motifs(first + 1, len(self.motifs))
        of, near = _pairs_within(core.centre, proximal.centre, self.grammar.proximal_within_bp)
        strength = (proximal.occupancy * self._strength[proximal.motif - first - 1])[near]
        intrinsic = core.occupancy * np.bincount(of, weights=strength, minlength=len(core))
        tss = core.centre + core.strand * self.grammar.tss_offset_bp
        return Promoters(tss, core.strand, intrinsic).where(intrinsic > 0)

    def contributions(
        self, promoters: Promoters, sites: EnhancerSites
    ) -> tuple[Int64[np.ndarray, " pair"], Int64[np.ndarray, " pair"], Float64[np.ndarray, " pair"]]:
        """Index of the promoter, index of the site, and contact, for every pair whose contact is not 0."""
        of, site = _pairs_within(promoters.tss, sites.centre, self.contact.farthest)
        distance = (sites.centre[site] - promoters.tss[of]) * promoters.strand[of]
        contact = self.contact(distance)
        touching = contact > 0
        return of[touching], site[touching], contact[touching]

    def activation(
        self, promoters: Promoters, sites: EnhancerSites, *, within_bp: int | None = None
    ) -> Float64[np.ndarray, "promoter cell"]:
        """What enhancers add at each promoter, basal activation not counted; only those `within_bp` where given."""
        of, site, contact = self.contributions(promoters, sites)
        if within_bp is not None:
            near = np.abs(sites.centre[site] - promoters.tss[of]) <= within_bp
            of, site, contact = of[near], site[near], contact[near]
        added = contact[:, None] * sites.activity[site]
        columns = [np.bincount(of, weights=column, minlength=len(promoters.tss)) for column in added.T]
        return np.stack(columns, axis=1)

    def rate(
        self, promoters: Promoters, activation: Float64[np.ndarray, "promoter cell"]
    ) -> Float64[np.ndarray, "promoter cell"]:
        """Rate of transcription (1 = one unit of an assay's depth) of promoters with this activation."""
        return promoters.intrinsic[:, None] * (self.grammar.basal_activation + activation)


def _motif(config: MotifConfig, grammar: GrammarConfig) -> Motif:
    return build_motif(
        config.name,
        config.consensus,
        config.bits,
        scale_bits=grammar.occupancy_scale_bits,
        smallest_occupancy=grammar.smallest_occupancy,
    )


def _pairs_within(
    ours: Int64[np.ndarray, " a"], theirs: Int64[np.ndarray, " b"], distance: int
) -> tuple[Int64[np.ndarray, " pair"], Int64[np.ndarray, " pair"]]:
    """Indices (into `ours`, into the sorted `theirs`) of all pairs at most `distance` apart."""
    first = np.searchsorted(theirs, ours - distance, side="left")
    counts = np.searchsorted(theirs, ours + distance, side="right") - first
    of = np.repeat(np.arange(len(ours)), counts)
    # Runs first, first + 1, .. for each of ours: a running number minus where the run began.
    began = np.cumsum(counts) - counts
    return of, np.arange(len(of)) + np.repeat(first - began, counts)
