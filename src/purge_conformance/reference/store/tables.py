"""The tables of the reference server.

Timestamps are stored as text, `YYYY-MM-DDThh:mm:ssZ`, as clients see them: their alphabetical order is their order in
time, and comparisons have the whole-second semantics of Cloud Controller's filters on every database.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTED, STOPPED = "STARTED", "STOPPED"
BUILDPACK, DOCKER = "buildpack", "docker"
WEB = "web"  # type of the first process of an app
AWAITING_UPLOAD, STAGED = "AWAITING_UPLOAD", "STAGED"
TIMESTAMP_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A server's clock: its offset from the machine's clock, and the format of its timestamps."""

    offset: timedelta = timedelta()
    timestamp_format: str = TIMESTAMP_FORMAT


# The instances of a process share these tables, and each has its own clock.
_clock: ContextVar[Clock] = ContextVar("clock", default=Clock())  # noqa: B039 - a frozen value


@contextmanager
def use_clock(clock: Clock) -> Iterator[None]:
    """Use this clock within the block."""
    token = _clock.set(clock)
    try:
        yield
    finally:
        _clock.reset(token)


def utc_now() -> datetime:
    """Return the time of the server's clock in UTC."""
    return datetime.now(UTC) + _clock.get().offset


def timestamp_now() -> str:
    """Return the time of the server's clock as a timestamp in UTC, in the format of the clock."""
    return utc_now().strftime(_clock.get().timestamp_format)


def format_timestamp(moment: datetime) -> str:
    """Write a time in whole seconds, as Cloud Controller does."""
    return moment.strftime(TIMESTAMP_FORMAT)


def new_guid() -> str:
    """Return a random version 4 UUID."""
    return str(uuid4())


class Base(DeclarativeBase):
    """A row with Cloud Controller's common columns; `id` only increases and is the default order of every list."""

    __table_args__: object = {
        "sqlite_autoincrement": True,
        "mariadb_charset": "utf8mb4",
        "mariadb_collate": "utf8mb4_nopad_bin",  # others ignore case, and a space at the end
    }

    id: Mapped[int] = mapped_column(Integer, primary_key=True, sort_order=-3)
    guid: Mapped[str] = mapped_column(String(255), unique=True, default=new_guid, sort_order=-2)
    created_at: Mapped[str] = mapped_column(String(32), index=True, default=timestamp_now, sort_order=-1)
    updated_at: Mapped[str] = mapped_column(String(32), default=timestamp_now, onupdate=timestamp_now, sort_order=-1)


class HasLabels:
    """A row with user-defined labels, key to value."""

    labels: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Organization(HasLabels, Base):
    """An organization, which owns spaces."""

    __tablename__ = "organizations"

    name: Mapped[str] = mapped_column(String(255), unique=True)
    suspended: Mapped[bool] = mapped_column(default=False)
    spaces: Mapped[list[Space]] = relationship(back_populates="organization", cascade="all, delete-orphan")


class Space(HasLabels, Base):
    """A space, which owns apps; its name is unique in its organization."""

    __tablename__ = "spaces"
    __table_args__ = (UniqueConstraint("organization_guid", "name"), Base.__table_args__)

    name: Mapped[str] = mapped_column(String(255))
    organization_guid: Mapped[str] = mapped_column(ForeignKey(Organization.guid), index=True)
    organization: Mapped[Organization] = relationship(back_populates="spaces")
    apps: Mapped[list[App]] = relationship(back_populates="space", cascade="all, delete-orphan", order_by="App.id")


class App(HasLabels, Base):
    """An app with its processes; its name is unique in its space."""

    __tablename__ = "apps"
    __table_args__ = (UniqueConstraint("space_guid", "name"), Base.__table_args__)

    name: Mapped[str] = mapped_column(String(255), index=True)
    state: Mapped[str] = mapped_column(String(16), default=STOPPED)
    lifecycle: Mapped[str] = mapped_column(String(16), default=BUILDPACK)
    space_guid: Mapped[str] = mapped_column(ForeignKey(Space.guid), index=True)
    droplet_guid: Mapped[str | None] = mapped_column(String(255))
    space: Mapped[Space] = relationship(back_populates="apps", lazy="joined", innerjoin=True)
    packages: Mapped[list[Package]] = relationship(back_populates="app", cascade="all, delete-orphan")
    builds: Mapped[list[Build]] = relationship(back_populates="app", cascade="all, delete-orphan")
    droplets: Mapped[list[Droplet]] = relationship(back_populates="app", cascade="all, delete-orphan")
    processes: Mapped[list[Process]] = relationship(
        back_populates="app", cascade="all, delete-orphan", order_by="Process.id"
    )

    @property
    def web(self) -> Process:
        """The `web` process, the first one, which every app has."""
        return self.processes[0]


class Process(Base):
    """A process of an app, which runs when the app is started; `web` has the app's guid, as in Cloud Controller."""

    __tablename__ = "processes"

    app_guid: Mapped[str] = mapped_column(ForeignKey(App.guid), index=True)
    type: Mapped[str] = mapped_column(String(255), default=WEB)
    instances: Mapped[int] = mapped_column(default=1)
    memory_in_mb: Mapped[int] = mapped_column(default=1024)
    disk_in_mb: Mapped[int] = mapped_column(default=1024)
    app: Mapped[App] = relationship(back_populates="processes", lazy="joined", innerjoin=True)


class Package(HasLabels, Base):
    """A package: a docker image that an app can run."""

    __tablename__ = "packages"

    app_guid: Mapped[str] = mapped_column(ForeignKey(App.guid), index=True)
    image: Mapped[str] = mapped_column(String(1024))
    app: Mapped[App] = relationship(back_populates="packages")


class Build(HasLabels, Base):
    """The staging of a package into a droplet."""

    __tablename__ = "builds"

    app_guid: Mapped[str] = mapped_column(ForeignKey(App.guid), index=True)
    package_guid: Mapped[str] = mapped_column(String(255))
    droplet_guid: Mapped[str] = mapped_column(String(255))
    app: Mapped[App] = relationship(back_populates="builds")


class Droplet(HasLabels, Base):
    """A droplet: a docker image, or an uploaded file, of which only the digest is stored."""

    __tablename__ = "droplets"

    app_guid: Mapped[str] = mapped_column(ForeignKey(App.guid), index=True)
    state: Mapped[str] = mapped_column(String(16), default=STAGED)
    image: Mapped[str | None] = mapped_column(String(1024))
    sha256: Mapped[str | None] = mapped_column(String(64))
    process_types: Mapped[dict[str, Any]] = mapped_column(JSON, default=lambda: {WEB: ""})
    app: Mapped[App] = relationship(back_populates="droplets")


class AppUsageEvent(Base):
    """A change of a process, without references, so that it outlives the app, the space and the organization."""

    __tablename__ = "app_usage_events"
    # The order of a list by time; a million events are not sorted for a page.
    __table_args__ = (Index("ix_app_usage_events_created_at_guid", "created_at", "guid"), Base.__table_args__)

    created_at: Mapped[str] = mapped_column(String(32), default=timestamp_now, sort_order=-1)
    state: Mapped[str] = mapped_column(String(16))
    previous_state: Mapped[str] = mapped_column(String(16))
    app_guid: Mapped[str] = mapped_column(String(255))
    app_name: Mapped[str] = mapped_column(String(255))
    process_guid: Mapped[str] = mapped_column(String(255))
    process_type: Mapped[str] = mapped_column(String(255))
    space_guid: Mapped[str] = mapped_column(String(255))
    space_name: Mapped[str] = mapped_column(String(255))
    organization_guid: Mapped[str] = mapped_column(String(255))
    instances: Mapped[int]
    previous_instances: Mapped[int]
    memory_in_mb: Mapped[int]
    previous_memory_in_mb: Mapped[int]
    task_guid: Mapped[str | None] = mapped_column(String(255))
    task_name: Mapped[str | None] = mapped_column(String(255))


class Job(Base):
    """A deletion or an upload; the server completes it before it answers, so that every job is finished."""

    __tablename__ = "jobs"

    operation: Mapped[str] = mapped_column(String(64))
