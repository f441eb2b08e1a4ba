"""NEXUS-O: a Qwen2.5-VL language model that hears, and speaks through the FireFly codec."""
