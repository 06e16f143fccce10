"""The plain-English rule language and map reading, shared by the scripted pair and reflectors for small models."""
