"""Prefect: the flows, and nothing that could not be called without it."""
