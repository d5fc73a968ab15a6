"""Log lines: one JSON object each, on standard error, with the request they belong to."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from quorate.calls import REQUEST_ID
from quorate.errors import ConfigurationError, nearest


class JsonFormatter(logging.Formatter):
    """Writes time (UTC), level, service, name, logger, message, request id and traceback."""

    def __init__(self, service: str, name: str) -> None:
        super().__init__()
        self._service = service
        self._name = name

    def format(self, record: logging.LogRecord) -> str:
        """Turn a record into one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "name": self._name,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging(level: str, service: str, name: str) -> None:
    """Send all logging of this process to standard error as JSON lines.

    Raises ConfigurationError for a level that does not exist.
    """
    levels = logging.getLevelNamesMapping()
    if level.upper() not in levels:
        raise ConfigurationError(f"log_level is {level!r}, no such level.{nearest(level, levels)}")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service, name))
    logging.basicConfig(level=levels[level.upper()], handlers=[handler], force=True)
