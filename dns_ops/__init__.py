"""The rim: outside tools, a room each."""
