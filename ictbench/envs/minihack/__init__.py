"""MiniHack: NetHack levels, deterministic from a seed, shown as text."""
