"""Servers of PostgreSQL and MariaDB for tests.

A variable names the server, as in the CI workflow. Without it one starts in a temporary folder, if its programs are
installed, which Debian's packages do.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from purge_conformance.selfcheck.mutants import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

START_S = 60.0  # until a server that does not answer fails the test
POLL_S = 0.05
UNPRIVILEGED = "nobody"  # runs the server in place of root, which these servers refuse


@dataclass(frozen=True)
class DatabaseSystem:
    """A kind of server.

    Attributes:
        name: what it is called.
        variable: of the environment; it has the URL of a server that runs.
        driver: the module of the driver.
        requirement: what pip installs for it.
        package: Debian's package with the programs.
        programs: that create a data folder, and that serve it.
        folders: globs of the folders of the programs, beside those of PATH.
        create: arguments that create the data folder; FOLDER is a temporary folder.
        serve: arguments that serve it at a socket in this folder.
        url: of a database that exists.
        socket: name of the socket in this folder.
        stop: the signal that stops it without waiting for clients.
    """

    name: str
    variable: str
    driver: str
    requirement: str
    package: str
    programs: tuple[str, str]
    folders: tuple[str, ...]
    create: tuple[str, ...]
    serve: tuple[str, ...]
    url: str
    socket: str
    stop: signal.Signals


POSTGRESQL = DatabaseSystem(
    name="PostgreSQL",
    variable="TEST_POSTGRESQL_URL",
    driver="psycopg",
    requirement="psycopg[binary]",
    package="postgresql",
    programs=("initdb", "postgres"),
    folders=("/usr/lib/postgresql/*/bin",),
    create=(
        "--pgdata=FOLDER/data",
        "--auth=trust",
        "--username=postgres",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
    ),
    serve=("-D", "FOLDER/data", "-k", "FOLDER", "-c", "listen_addresses=", "-c", "fsync=off"),
    url="postgresql+psycopg://postgres@/postgres?host=FOLDER",
    socket=".s.PGSQL.5432",
    stop=signal.SIGINT,
)
MARIADB = DatabaseSystem(
    name="MariaDB",
    variable="TEST_MARIADB_URL",
    driver="pymysql",
    requirement="pymysql",
    package="mariadb-server",
    programs=("mariadb-install-db", "mariadbd"),
    folders=("/usr/sbin",),
    create=("--no-defaults", "--datadir=FOLDER/data", "--auth-root-authentication-method=normal", "--skip-test-db"),
    serve=(
        "--no-defaults",
        "--datadir=FOLDER/data",
        "--socket=FOLDER/socket",
        "--pid-file=FOLDER/pid",
        "--skip-networking",
        "--innodb-flush-log-at-trx-commit=0",
    ),
    url="mariadb+pymysql://root@localhost/mysql?unix_socket=FOLDER/socket",
    socket="socket",
    stop=signal.SIGTERM,
)


@dataclass(frozen=True)
class DatabaseServer:
    """A server on which databases can be created; `url` is that of one that exists."""

    url: str

    def create(self, name: str) -> str:
        """Create an empty database, in place of one of that name; return its URL."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)


@dataclass(frozen=True)
class ServerOnDatabase(Server):
    """A server of the selfcheck, in a process of its own, on a database."""

    database: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `serve`."""
        return (*super().options, "--database", self.database)


def on_database(server: Server, url: str) -> ServerOnDatabase:
    """Return a server of the selfcheck on a database."""
    values = {field.name: getattr(server, field.name) for field in fields(server)}
    return ServerOnDatabase(**values | {"own_server": True}, database=url)


@contextmanager
def running(system: DatabaseSystem) -> Iterator[DatabaseServer]:
    """Use a server; skip the test, with the reason, if there is none."""
    if find_spec(system.driver) is None:
        pytest.skip(f"The driver of {system.name} is not installed: pip install '{system.requirement}'.")
    if url := os.environ.get(system.variable):
        yield DatabaseServer(url)
        return
    programs = [_find_program(name, system) for name in system.programs]
    with TemporaryDirectory(prefix="purge-conformance-database-", ignore_cleanup_errors=True) as folder:
        user = UNPRIVILEGED if os.geteuid() == 0 else None
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        create, serve = (
            [program, *(word.replace("FOLDER", folder) for word in words)]
            for program, words in zip(programs, (system.create, system.serve), strict=True)
        )
        subprocess.run(create, user=user, cwd=folder, check=True, capture_output=True)
        log = Path(folder) / "log"
        with log.open("wb") as output, _started(serve, user, folder, output.fileno()) as process:
            found = DatabaseServer(system.url.replace("FOLDER", folder))
            _wait_until_ready(found, Path(folder) / system.socket, process, log)
            yield found
            process.send_signal(system.stop)


def _find_program(name: str, system: DatabaseSystem) -> str:
    folders = [os.environ["PATH"], *(str(path) for glob in system.folders for path in Path("/").glob(glob[1:]))]
    program = shutil.which(name, path=os.pathsep.join(folders))
    if program is None:
        pytest.skip(
            f"{system.name} is not installed: apt-get install {system.package}, or give the URL of a server in "
            f"{system.variable}."
        )
    return program


@contextmanager
def _started(command: Sequence[str], user: str | None, folder: str, log: int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, user=user, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def _wait_until_ready(server: DatabaseServer, socket: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the server accepts connections; fail with its log if it does not."""
    engine = create_engine(server.url, poolclass=NullPool)
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OperationalError):
            if socket.exists():
                engine.connect().close()
                return
        time.sleep(POLL_S)
    raise AssertionError(f"The database server did not start:\n{log.read_text(errors='replace')[-2000:]}")
