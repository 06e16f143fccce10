"""BabyAI: grid worlds with a mission in words, reproducible from a seed."""
