"""A report of results: one HTML file with tables, plots and sample episodes, and nothing outside of it.

Rows are read and put together (`_rows`, `_groups`), put into words (`_words`), tables (`_tables`), drawings (`_figures`
and `_bars` on `_draw`) and strips (`_episodes`), and set by the template beside them (`_page`).
"""

from ._page import render, write
from ._rows import load

__all__ = ["load", "render", "write"]
