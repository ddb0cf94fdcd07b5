"""How good and how fast a search is: trials, releases, benchmarks of own videos, tables of the paper."""
