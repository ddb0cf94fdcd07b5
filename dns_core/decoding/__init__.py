"""Decoding of files of others: in processes of their own, with limits of memory, time and frame size."""
