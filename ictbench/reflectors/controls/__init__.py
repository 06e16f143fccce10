"""Controls: baselines, and wrappers that change what another reflector sees."""
