"""Adapters of model providers, one file each."""
