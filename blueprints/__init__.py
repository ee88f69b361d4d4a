"""Triggers only: each function makes one call into `shared`."""
