"""Streams searched while they run: windows of described frames, and hits joined into events."""
