"""Baselines and controls: fixed prompts, raw trajectories, and wrappers that change what a reflector sees."""
