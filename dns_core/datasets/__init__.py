"""Annotation files, read into `dns_core.records.GroundTruth`."""

from dns_core.datasets.ground_truth import read_ground_truth, write_ground_truth

__all__ = ["read_ground_truth", "write_ground_truth"]
