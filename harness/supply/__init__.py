"""Getting what a run needs before it is run, and saying what is here: `harness prefetch` and `harness doctor`."""
