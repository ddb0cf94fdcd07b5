"""Releases of models and index: registered, promoted, recorded, monitored."""
