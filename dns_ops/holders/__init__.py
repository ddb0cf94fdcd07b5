"""An index that several machines hold: its shards in groups, each group on some of them.

plans       what a group holds of a version, and where its files come from
pulling     files on the local disk of a machine, by digest
holder      what one machine does: pull, open, warm up, answer
asking      the shards of a group, wherever they are: the replica that answers first counts
actors      holders on a Ray cluster
publishing  a version is prepared everywhere, then served; what dies is mended
"""
