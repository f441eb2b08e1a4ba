"""Two runs side by side: what got better, what got worse, and whether that is more than chance."""
