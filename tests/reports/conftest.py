from tests.reports.browser import browser, visit

__all__ = ["browser", "visit"]
