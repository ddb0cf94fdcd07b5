"""Times of the parts beside their slow twins, and of the services under load."""

import os

# Before torch is imported: threads of a slow twin that still wait for work must not take the cores from the
# fast way, whose turn is next.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
