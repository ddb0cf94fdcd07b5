"""The servers of one machine: which there are, starting them, and access to them."""
