"""Released weights on disk and on the hub: finding them, reading them strictly, knowing them again."""
