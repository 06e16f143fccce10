"""ALFWorld: household games on Fast Downward's engine, official or generated."""
