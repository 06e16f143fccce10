"""Model servers on this machine: launched, supervised and stopped with the run."""
