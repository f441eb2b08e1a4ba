"""How the small speech tokenizer, flow and vocoder of VITA-Audio are trained."""
