"""Reflectors of the division `memory`: they keep a memory beside the prompt, from which each episode recalls a part."""
