"""Exchange of perceptual hashes with others: lists of PDQ and vPDQ hashes, made, read, written, searched."""
