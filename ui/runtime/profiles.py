"""Where a store can be found: the recent connections of this person, without their passwords."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from app.domain.language import tr
from ui.runtime.paths import data_dir
from ui.runtime.preferences import Preferences

Kind = Literal["demo", "local", "server"]
KEPT = 8


@dataclass(frozen=True, slots=True)
class Profile:
    """`url` is the path of a local file, or a server's URL without password. `serve` are arguments for the engine that the console keeps
    for a local store; with them it makes a store that is not there.
    """

    kind: Kind
    url: str
    store: str = ""
    serve: tuple[str, ...] = ()
    used: int = 0

    @property
    def title(self) -> str:
        if self.kind == "demo":
            return tr("演示店铺", "Demo store")
        if self.kind == "local":
            return Path(self.url).name
        host, _, database, _ = server_parts(self.url)
        return f"{host}/{database}"

    @property
    def place(self) -> str:
        """Where the data is, in a word: this computer, or the host."""
        return tr("本机", "Local") if self.kind != "server" else server_parts(self.url)[0]

    @property
    def user(self) -> str:
        return server_parts(self.url)[3] if self.kind == "server" else ""


def demo() -> Profile:
    return Profile("demo", str(data_dir() / "demo.db"), "demo", ("--simulate",))


def of(where: str, store: str = "", serve: tuple[str, ...] = ()) -> tuple[Profile, str | None]:
    """The profile for a path or URL as given on a command line, and the password that was in it, if any."""
    kind: Kind = "demo" if "--simulate" in serve else "local"
    if "://" not in where:
        return Profile(kind, str(Path(where).expanduser().absolute()), store, serve), None
    parts = urlsplit(where)
    if parts.scheme.startswith("sqlite"):
        return Profile(kind, where.split(":///", 1)[-1], store, serve), None
    return Profile("server", without_password(where), store), parts.password


def server_url(host: str, port: int, database: str, user: str) -> str:
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"postgresql://{quote(user, safe='')}@{host}:{port}/{quote(database, safe='')}"


def server_parts(url: str) -> tuple[str, int, str, str]:
    """(host, port, database, user) of a server's URL."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 5432, unquote(parts.path.lstrip("/")), unquote(parts.username or "")


def with_password(url: str, password: str | None) -> str:
    """The URL to connect with; never to be stored or shown."""
    if not password:
        return url
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{quote(password, safe='')}@{host}"))


def without_password(url: str) -> str:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}"))


def recent(prefs: Preferences) -> list[Profile]:
    """The latest first; entries that cannot be read any more are left out."""
    found = [profile for entry in prefs.get("connections") if (profile := _read(entry)) is not None]
    return sorted(found, key=lambda profile: -profile.used)


def known(prefs: Preferences, profile: Profile) -> Profile:
    """The profile with what is remembered about the same place: its engine, unless other arguments for one are given."""
    old = next((old for old in recent(prefs) if old.url == profile.url), None)
    if old is None or profile.serve or profile.kind == "server":
        return profile
    return replace(profile, kind=old.kind, serve=old.serve, store=profile.store or old.store)


def remember(prefs: Preferences, profile: Profile) -> None:
    """Put a connection on top of the recent ones."""
    now = replace(profile, used=time.time_ns() // 1_000_000)
    others = [old for old in recent(prefs) if old.url != profile.url]
    prefs.put("connections", [_write(entry) for entry in [now, *others][:KEPT]])


def forget(prefs: Preferences, profile: Profile) -> None:
    prefs.put("connections", [_write(old) for old in recent(prefs) if old.url != profile.url])


def _write(profile: Profile) -> dict[str, Any]:
    return {**asdict(profile), "serve": list(profile.serve)}


def _read(entry: Any) -> Profile | None:
    try:
        found = Profile(entry["kind"], entry["url"], entry.get("store", ""), tuple(entry.get("serve", ())), entry.get("used", 0))
    except (TypeError, LookupError, AttributeError):
        return None
    texts = (found.url, found.store, *found.serve)
    return found if found.kind in get_args(Kind) and all(isinstance(t, str) for t in texts) and isinstance(found.used, int) else None
