"""Routing: which agent takes a session, decided purely from the configuration, who is here, their load and what went before.

scopes: the group; choosing: whose turn it is; board: what is known of agents, sessions and queues; router: what is decided; reasons: why,
in words.
"""
