"""A conversation as the drawers of pages show it, with why it came to its agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.widgets.session_facts import Conversation, conversation

if TYPE_CHECKING:
    from ui.pages.registry import PageContext


def read_conversation(context: PageContext, session: str) -> Conversation | None:
    """On a worker thread: the session of a code; None where the store does not have it."""
    workspace, store = context.workspace, context.store
    found = workspace.live.transcript(store, session)
    if found is None:
        return None
    why = workspace.decisions.why(store, session)
    return conversation(found.session, found.messages, context.clock(), workspace.local(store), why)
