"""Text of language models: tokenizer, and tokens to text as they come."""
