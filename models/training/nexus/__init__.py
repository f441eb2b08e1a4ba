"""NEXUS-O's mini size: the small models that it starts from, and its samples of the mini world."""
