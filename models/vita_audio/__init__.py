"""VITA-Audio: a language model with cascaded prediction modules, its speech tokenizer and its decoder."""
