"""ALFWorld: household games on the real TextWorld engine, official or generated."""
