"""Trained networks without the framework that trained them: exported graphs and their threads."""
