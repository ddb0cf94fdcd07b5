"""Searching: coarse shortlist, selection within a budget, fine re-ranking, matched segments.

Public names live in ``budget``, ``bundle``, ``calibration``, ``comparison``, ``encode``, ``engine``,
``localisation`` and ``selection``; importing this package alone loads none of them, and no torch.
"""
