"""Versions of the videos, and taking new ones in."""
