"""The result tables of the papers, with the rows that were measured here."""
