"""NEXUS-O: Qwen2.5-VL that hears through a Whisper encoder and speaks through the FireFly codec; see CARD.md."""
