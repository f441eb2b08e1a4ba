"""Layer-wise alignment of two sets of representations of the same samples."""
