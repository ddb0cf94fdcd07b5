"""From frames to whitened region descriptors: backbones, region pooling, whitening, extraction."""
