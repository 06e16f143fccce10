"""The plain-English rule language, shared by the scripted pair and by reflectors for small models."""
