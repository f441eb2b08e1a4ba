"""Stages 3.1 and 3.2 of VITA-1.5: the codec, and the decoders that speak text through it (paper, section 3.3)."""
