"""What every function is built from: its settings and the table, made once, on first use."""

import os
from functools import cache

from handlers.settings import Settings
from loopbreaker.aws.clients import client
from loopbreaker.aws.store import Table


@cache
def settings(*needs: str) -> Settings:
    return Settings.from_env(os.environ, needs=needs)


@cache
def table() -> Table:
    read = settings("TABLE_NAME")
    return Table(client("dynamodb"), read.table_name, read.index_name)
