"""The networks: teacher, fine and coarse students, selector; their registry and their files."""
