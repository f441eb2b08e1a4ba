"""NEXUS-O: Qwen2.5-VL that hears through a Whisper encoder; see CARD.md for what is not published and was chosen."""
