"""The servers of one machine: which there are, starting them, who may reach them."""
