"""A run directory kept elsewhere too: on S3, GCS or another disk, while it runs and after (docs/sync.md).

`remote` is the other place, `snapshot` what of a run can be sent now, `push` and `pull` carry it, `follow` repeats.
"""
