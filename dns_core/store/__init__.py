"""What is kept on disk: whole files, fingerprints, weights, features and quarantine lists."""
