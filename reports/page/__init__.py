"""A run as a static page that opens from a disk, with every sample behind every number."""
