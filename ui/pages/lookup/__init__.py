"""查询: the things behind the sums: orders, items, an order's account, sessions, transcripts."""

from ui.pages.lookup.page import LookupPage as LookupPage
