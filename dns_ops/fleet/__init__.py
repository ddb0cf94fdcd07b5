"""What runs the work of `dns_core.fleet`: this process, all cores of this machine, or a cluster."""
