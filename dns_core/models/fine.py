"""The fine students: region attention or binary codes, then the comparator."""

from torch import Tensor

from dns_core.models.attention import SigmoidAttention
from dns_core.models.binarization import Binarization
from dns_core.models.pair_network import PairNetwork, zeroed
from dns_core.records import ScoringRule
from dns_core.similarity.comparator import Comparator


class FineStudent(PairNetwork):
    """Compares videos region by region; the index is gated vectors, or sign codes.

    Args:
        dims: D of the whitened features.
        attention: gate the regions (the S^f_A of the paper).
        binarization: turn regions into codes (S^f_B).
        binary_bits: bits of a code, a multiple of 64; D if None.
        compatibility: ``corrected`` or ``reference``, see `PairNetwork` and `Binarization`.
        partial: see `PairNetwork`.

    Raises:
        ValueError: attention and binarization together.

    Reference: DnS, IJCV 2022, section 4.1.
    """

    def __init__(  # noqa: PLR0913
        self,
        dims: int = 512,
        attention: bool = False,
        binarization: bool = False,
        binary_bits: int | None = None,
        compatibility: ScoringRule = "corrected",
        *,
        partial: bool = False,
    ) -> None:
        super().__init__()
        self.partial = partial
        if attention and binarization:
            raise ValueError("a fine student has attention or binarization, not both")
        self.attention = SigmoidAttention(dims) if attention else None
        self.binarization = Binarization(dims, binary_bits or dims, compatibility) if binarization else None
        self.visil_head = Comparator("zeros", compatibility)

    @property
    def comparator(self) -> Comparator:
        """The CNN between frame similarity and video similarity."""
        return self.visil_head

    def index(self, regions: Tensor, mask: Tensor | None = None) -> Tensor:
        """Gated vectors ``[B, T, R, D]`` or codes ``[B, T, R, bits]``; zero in masked frames."""
        if self.attention is not None:
            regions = self.attention(regions)
        if self.binarization is not None:
            regions = self.binarization(regions)
        return zeroed(regions, mask)

    def frame_similarity(self, query_index: Tensor, target_index: Tensor) -> Tensor:
        """``[B, Tq, Tt]`` in [-1, 1]; of codes: the share of equal bits minus the share of others."""
        similarity = super().frame_similarity(query_index, target_index)
        return similarity if self.binarization is None else similarity / target_index.shape[-1]
