"""The teacher: the head of ViSiL on region vectors of full precision."""

from torch import Tensor

from dns_core.models.attention import CosineAttention
from dns_core.models.pair_network import PairNetwork, zeroed
from dns_core.records import ScoringRule
from dns_core.similarity.comparator import Comparator, Padding


class Teacher(PairNetwork):
    """Compares videos region by region, gated by agreement with one trained direction.

    Args:
        dims: D of the features.
        attention: gate the regions.
        symmetric: average Chamfer similarity over both directions, in space and in time.
        padding: ``zeros`` for teachers trained here; ``replicate`` for the released ViSiL, which takes
            pairs of true lengths only (scores would differ by up to .72).
        compatibility: ``corrected`` or ``reference``, see `PairNetwork` and `CosineAttention`.
        partial: see `PairNetwork`.

    Reference: ViSiL, ICCV 2019, section 3.
    """

    def __init__(  # noqa: PLR0913
        self,
        dims: int = 512,
        attention: bool = True,
        symmetric: bool = False,
        padding: Padding = "zeros",
        compatibility: ScoringRule = "corrected",
        *,
        partial: bool = False,
    ) -> None:
        super().__init__()
        self.partial = partial
        self.symmetric = symmetric
        self.attention = CosineAttention(dims, compatibility) if attention else None
        self.video_comperator = Comparator(padding, compatibility)

    @property
    def comparator(self) -> Comparator:
        """The CNN between frame similarity and video similarity."""
        return self.video_comperator

    def index(self, regions: Tensor, mask: Tensor | None = None) -> Tensor:
        """Gated vectors ``[B, T, R, D]``; zero in masked frames."""
        if self.attention is not None:
            regions = self.attention(regions)
        return zeroed(regions, mask)
