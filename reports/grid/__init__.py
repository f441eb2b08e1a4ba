"""Tables as values, and how they are written: for a terminal, Markdown, LaTeX and CSV."""
