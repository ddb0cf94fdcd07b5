"""The Distill-and-Select method: networks, similarity kernels, selection, re-ranking."""
