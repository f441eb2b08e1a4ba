"""A small CTC recogniser, trained on espeak-ng voices: the judge of what a model speaks in the mini world."""
