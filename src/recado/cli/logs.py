"""
How the log looks: lines for people, or a JSON object a line for machines. Everything logs through the standard library;
structlog gives it its form, and the id of the request it belongs to. What was said by an exception is left out: it may
quote what it tripped over; the file and line of each frame stay.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


def set_up(level: str, form: Literal["text", "json"]) -> None:
    """Send everything from `level` on to standard error, in that form."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_words,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(getattr(logging, level.upper()))


def _without_words(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """The class of an exception and where it passed, without its text."""
    given = event.pop("exc_info", None)
    record = event.get("_record")
    if given is None and record is not None:
        given, record.exc_info, record.exc_text = record.exc_info, None, None
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else None
    if given is True:
        error = sys.exc_info()[1]
    if error is not None:
        event["error"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        event["at"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    return event
