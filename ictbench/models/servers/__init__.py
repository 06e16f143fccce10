"""Local model servers: launch, supervision and health checks."""
