"""What is done with runs afterwards: verified, joined, samples left out."""
