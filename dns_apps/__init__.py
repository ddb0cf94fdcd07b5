"""Programs that people and other programs start."""
