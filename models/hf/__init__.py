"""Any chat model or speech recogniser of the library transformers, by a folder or a hub id."""
