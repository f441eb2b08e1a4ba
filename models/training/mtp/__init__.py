"""VITA-Audio at a small size: its stages, its world of text and codes of speech, its card (run by `vita_audio`)."""
