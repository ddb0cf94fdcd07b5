"""Similarity of frames and of videos: Chamfer, packed Hamming codes, the comparator network."""
