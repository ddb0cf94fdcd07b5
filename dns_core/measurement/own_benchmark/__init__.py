"""Every way to search, and the peers, judged on one labelled benchmark in one run."""
