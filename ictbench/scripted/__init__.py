"""The scripted pair: a reflector that mines rules, and an actor that follows them."""
