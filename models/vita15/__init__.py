"""VITA-1.5 (arXiv 2501.01957): image, video and speech in; text and speech out."""
