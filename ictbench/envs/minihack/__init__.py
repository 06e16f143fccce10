"""MiniHack: NetHack levels as text, reproducible from a seed."""
