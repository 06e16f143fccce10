"""Reflectors that ask a language model."""
