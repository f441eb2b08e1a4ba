"""Endpoints that speak OpenAI's chat completions, as judges and models ask them: where they are, what may pass."""
