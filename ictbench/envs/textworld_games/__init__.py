"""TextWorld: games of cooking, treasures and coins that the `textworld` package generates from a seed."""
