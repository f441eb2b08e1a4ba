"""How long a test waits for another process, thread or page before it says that this hangs. No test is timed: a busy
machine takes minutes for what takes a second elsewhere, and must not fail one."""

PATIENCE_S = 900
