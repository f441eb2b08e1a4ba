"""`mini-ctc`: a small speech recogniser that ships, so that spoken answers of the mini world can be judged offline.

It spells what it hears, letter by letter in English and character by character in Mandarin, by the best path through
a CTC network (Graves et al., ICML 2006). It knows the voices of espeak-ng and the mini world's words, and nothing else:
it is no judge of real speech. `models/training/mini_ctc.py` makes the weights; its own errors are in weights/README.md.
"""
