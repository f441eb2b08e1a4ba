"""Any endpoint that speaks OpenAI's chat completions as a model: vLLM, SGLang, hosted ones."""
