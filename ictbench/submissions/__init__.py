"""Submissions to a board: folder layout, metadata, episode records, packing and safe reading, git."""
