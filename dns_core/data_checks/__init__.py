"""Facts about videos and features that decide whether they are valid for training."""
