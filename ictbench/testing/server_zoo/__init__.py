"""A zoo of model servers: the documented personalities of many servers, for one test double.

A personality is a record; every quirk in it names the page that documents it. `ictbench.testing.serve` starts a server
that has one.
"""

from __future__ import annotations

from ictbench.testing.server_zoo.anthropic_apis import ANTHROPIC_APIS
from ictbench.testing.server_zoo.gateways import GATEWAYS
from ictbench.testing.server_zoo.gpu_servers import GPU_SERVERS
from ictbench.testing.server_zoo.local_servers import LOCAL_SERVERS
from ictbench.testing.server_zoo.openai_apis import FORBIDDEN, OPENAI_APIS
from ictbench.testing.server_zoo.personality import ErrorFormat, Personality
from ictbench.testing.server_zoo.vendor_apis import VENDOR_APIS

__all__ = ["FORBIDDEN", "PERSONALITIES", "ErrorFormat", "Personality", "find_personality"]

PERSONALITIES = {
    personality.name: personality
    for personality in (*OPENAI_APIS, *ANTHROPIC_APIS, *VENDOR_APIS, *GATEWAYS, *GPU_SERVERS, *LOCAL_SERVERS)
}
"""All personalities by name."""


def find_personality(name: str) -> Personality:
    """Return a personality by name.

    Raises:
        ValueError: There is no such personality.
    """
    if name not in PERSONALITIES:
        raise ValueError(f"{name!r} is not a personality (personalities: {', '.join(PERSONALITIES)})")
    return PERSONALITIES[name]
