"""Corpora that are made here: the demo's, and edited copies of a user's own videos."""
