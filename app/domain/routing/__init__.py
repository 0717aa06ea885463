"""Routing: which agent takes a session, decided purely from the configuration, who is here, their load and what went before.

scopes: the group; choosing: whose turn it is; router: the live state that decides; reasons: why, in words.
"""
