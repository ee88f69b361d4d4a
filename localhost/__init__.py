"""Runs the app's registered functions on a laptop: without Azure, without Core Tools."""
