"""Recording runs in MLflow, from this process or from a stage's."""
