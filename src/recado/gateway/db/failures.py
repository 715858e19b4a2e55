"""
What the driver says, in our own words: translated once, at the edge of a unit.

The driver's error is dropped (`from None`), not chained: its DETAIL and CONTEXT quote values, and a traceback in a log
would print message texts and numbers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolClosed, PoolTimeout

from recado.errors import LeaseLost, StoreError, StoreRefused, StoreUnavailable

_LEASE_LOST = "RC001"
_STALE_DATA_KEY = "RC010"


class Collided(StoreError):
    """Two writers met in the database; the same work may be done again."""

    retryable = True


class StaleDataKey(Collided):
    """Values were sealed with a data key that has been replaced: seal them again, and do the same work again."""


@contextmanager
def cancellation_first() -> Iterator[None]:
    """A task that is cancelled in this block leaves it cancelled, whatever the driver makes of that."""
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        yield
    except (psycopg.Error, PoolTimeout, PoolClosed):
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError from None
        raise
    # 2026-11, Python 3.11: `asyncio.wait_for`, in which the pool waits for a connection, loses a cancellation that
    # comes in the same turn as the connection.
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


@contextmanager
def translated() -> Iterator[None]:
    """
    Errors of the driver leave as StoreRefused, StoreUnavailable, LeaseLost or Collided. In a task that is being
    cancelled they are the noise of that, and leave as the cancellation, which must not be swallowed as a StoreError.
    """
    try:
        with cancellation_first():
            yield
    except (pg.UniqueViolation, pg.ExclusionViolation, pg.DeadlockDetected, pg.SerializationFailure) as error:
        raise Collided(f"two writers met ({error.sqlstate})") from None
    except (psycopg.DataError, UnicodeEncodeError) as error:
        code = getattr(error, "sqlstate", None) or "not sent"
        raise StoreRefused(f"the database refused a value ({code})") from None
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed) as error:
        code = getattr(error, "sqlstate", None) or type(error).__name__
        raise StoreUnavailable(f"the database cannot be reached ({code})") from None
    except psycopg.Error as error:
        if error.sqlstate == _LEASE_LOST:
            raise LeaseLost from None
        if error.sqlstate == _STALE_DATA_KEY:
            raise StaleDataKey("there is a newer data key") from None
        # Class 42 is a mistake in our SQL: its message quotes names, never values.
        what = error.diag.message_primary if (error.sqlstate or "").startswith("42") else type(error).__name__
        raise StoreError(f"the database failed ({error.sqlstate}, {what})") from None
