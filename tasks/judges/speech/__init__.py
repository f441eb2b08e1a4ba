"""Judges that hear: recognisers of generated speech, and one that tells voices apart."""
