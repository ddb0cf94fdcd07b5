"""What pages show, read from the servers and the workspace, and kept for some seconds."""
