"""Sub-agents: conversations of their own, named after the session that started them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from ..storage.contract import Store

_AGENT: Final = "-agent-"
_NAMED: Final = late_pattern(r"\b(?:agentId|agent_id)\b\W{1,8}([A-Za-z0-9_-]{4,100})")


@dataclass(frozen=True)
class Family:
    """``parent`` is the conversation that started this one, empty for none; ``agents`` maps agent ids to conversations."""

    parent: str
    agents: dict[str, str]

    def named_in(self, text: str) -> str:
        """The conversation of the agent that a tool's result names, empty where it names none of ours."""
        if not self.agents:
            return ""
        found = _NAMED.search(text)
        return self.agents.get(found[1], "") if found else ""


def family(store: Store, conversation_id: str) -> Family:
    """Who started this conversation, and whom it started. Call it inside a transaction."""
    sessions = {conversation_id}
    names: dict[str, str] = {name: name for name in store.conversations() if _AGENT in name}
    for conversation, cursor in store.cursors():
        if conversation == conversation_id:
            sessions.add(cursor.session)
        if _AGENT in cursor.session:
            names.setdefault(cursor.session, conversation)
    agents: dict[str, str] = {}
    for session, conversation in names.items():
        starter, _, agent = session.rpartition(_AGENT)
        if starter in sessions and conversation != conversation_id:
            agents.setdefault(agent, conversation)
    parent = ""
    for session in sorted(sessions):
        starter, found, _ = session.rpartition(_AGENT)
        if found:
            parent = store.session(starter) or (starter if starter in store.conversations() else "")
    return Family(parent if parent != conversation_id else "", dict(sorted(agents.items())))
