"""The scripted pair: a reflector that mines rules from experience, and an actor that follows them."""
