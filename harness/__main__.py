"""`python -m harness`, as `harness`."""

from harness.cli import main

main()
