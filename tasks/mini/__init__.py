"""The mini world: a seeded generator of speech, pictures and questions, and the small test data that ships."""
