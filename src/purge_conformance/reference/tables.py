"""The tables of the reference server.

Timestamps are stored as they are shown, `YYYY-MM-DDThh:mm:ssZ`: their alphabetical order is the order in time, and
comparing them has the whole-second semantics of Cloud Controller's filters on every database.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

STARTED, STOPPED = "STARTED", "STOPPED"
TIMESTAMP_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def now() -> str:
    """Tell the time of the server's clock in UTC, in whole seconds."""
    return datetime.now(UTC).strftime(TIMESTAMP_FORMAT)


def new_guid() -> str:
    """Make a random version 4 guid."""
    return str(uuid4())


class Base(DeclarativeBase):
    """A row with Cloud Controller's common columns; `id` rises, is never used again and orders every list."""

    __table_args__: object = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(Integer, primary_key=True, sort_order=-3)
    guid: Mapped[str] = mapped_column(String(255), unique=True, default=new_guid, sort_order=-2)
    created_at: Mapped[str] = mapped_column(String(32), index=True, default=now, sort_order=-1)
    updated_at: Mapped[str] = mapped_column(String(32), default=now, onupdate=now, sort_order=-1)


class Organization(Base):
    """The owner of spaces."""

    __tablename__ = "organizations"

    name: Mapped[str] = mapped_column(String(255), unique=True)
    spaces: Mapped[list[Space]] = relationship(back_populates="organization", cascade="all, delete-orphan")


class Space(Base):
    """The owner of apps; its name is unique in its organization."""

    __tablename__ = "spaces"
    __table_args__ = (UniqueConstraint("organization_guid", "name"), Base.__table_args__)

    name: Mapped[str] = mapped_column(String(255))
    organization_guid: Mapped[str] = mapped_column(ForeignKey(Organization.guid))
    organization: Mapped[Organization] = relationship(back_populates="spaces")
    apps: Mapped[list[App]] = relationship(back_populates="space", cascade="all, delete-orphan", order_by="App.id")


class App(Base):
    """An app with its one process; its name is unique in its space."""

    __tablename__ = "apps"
    __table_args__ = (UniqueConstraint("space_guid", "name"), Base.__table_args__)

    name: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16), default=STOPPED)
    space_guid: Mapped[str] = mapped_column(ForeignKey(Space.guid))
    space: Mapped[Space] = relationship(back_populates="apps")
    web: Mapped[Process] = relationship(back_populates="app", cascade="all, delete-orphan")


class Process(Base):
    """The `web` process of an app: it has the app's guid, as in Cloud Controller, and runs when the app is started."""

    __tablename__ = "processes"

    app_guid: Mapped[str] = mapped_column(ForeignKey(App.guid), unique=True)
    type: Mapped[str] = mapped_column(String(255), default="web")
    instances: Mapped[int] = mapped_column(default=1)
    memory_in_mb: Mapped[int] = mapped_column(default=1024)
    disk_in_mb: Mapped[int] = mapped_column(default=1024)
    app: Mapped[App] = relationship(back_populates="web")


class AppUsageEvent(Base):
    """What happened to a process, in words that stay true when the app, the space and the organization are gone."""

    __tablename__ = "app_usage_events"

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


class Job(Base):
    """A finished deletion: the server deletes at once, and the job tells it to clients that poll."""

    __tablename__ = "jobs"

    operation: Mapped[str] = mapped_column(String(64))
