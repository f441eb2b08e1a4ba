"""Our models in lmms-eval: `lmms-eval --model vita15 ...` (docs/lmms-eval.md)."""
