"""Spark beside the engine: rows go there as Arrow and come back as Arrow, through this process.

So a cluster needs no folder that all its machines see, and what is kept there is gone with the
session. It needs Python with `duckdb` and `pyarrow` where it works: a few functions are the
engine's own there, because Spark's, and those that Splink ships for it, give other numbers
(DECISIONS.md). Nothing is downloaded.
"""

import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from kg.errors import PersonagraphError, Unavailable

NAMES = {
    "len": "size",
    "list_intersect": "array_intersect",
    "list_has_any": "arrays_overlap",
    "jaro_winkler_similarity": "engine_jaro_winkler",
    "levenshtein": "byte_levenshtein",
}
"""The engine's name of a function -> that of the same function in a session of ours."""
_EVERYWHERE = {
    "spark.app.name": "personagraph",
    "spark.driver.maxResultSize": "0",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_LOCAL = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "4g",
    "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
}
# It may quote rows; that Spark failed is raised. Without an appender Spark takes its own settings.
_NO_LOG = """appender.none.type = Null
appender.none.name = none
rootLogger.level = off
rootLogger.appenderRef.none.ref = none
"""
_HINT = "Look at the master in PERSONAGRAPH_SPARK_MASTER; without it people are compared here."
_HINTS = {"JAVA_GATEWAY_EXITED": "It needs a JDK 17 or 21: look at JAVA_HOME."}
# Of bytes, as the engine's own: Spark's counts letters, and one of Cyrillic is two bytes.
_LEVENSHTEIN = """CREATE TEMPORARY FUNCTION byte_levenshtein(one STRING, other STRING) RETURNS INT
RETURN levenshtein(decode(encode(one, 'UTF-8'), 'ISO-8859-1'),
                   decode(encode(other, 'UTF-8'), 'ISO-8859-1'))"""


class Spark:
    """A session; `close` ends it.

    Args:
        master: where it works: `local[*]`, `spark://…`, `yarn`, `k8s://…`.
        folder: for what a local one puts aside; others do so where they are told to.

    Raises:
        Unavailable: pyspark or a JDK is missing, or the master does not answer.
    """

    def __init__(self, master: str, folder: Path) -> None:
        with _told(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of pandas, which is not used
            self._session = _started(master, folder.absolute())
            self._session.sql(_LEVENSHTEIN)
            self._session.udf.register(NAMES["jaro_winkler_similarity"], _jaro_winkler())

    def splink(self) -> Any:
        """This session as Splink speaks to it."""
        from splink.backends.spark import SparkAPI

        return SparkAPI(  # type: ignore[no-untyped-call]
            spark_session=self._session,
            break_lineage_method="persist",
            num_partitions_on_repartition=self._session.sparkContext.defaultParallelism,
            register_udfs_automatically=False,
        )

    def given(self, table: pa.Table) -> Any:
        """Arrow data as rows of this session."""
        with _told():
            return self._session.createDataFrame(table)

    def taken(self, name: str) -> pa.Table:
        """The rows of a table of this session; whatever it kept to make them is forgotten."""
        with _told():
            rows = self._session.table(name).toArrow()
            self._session.catalog.clearCache()
            return rows

    def close(self) -> None:
        """End the session."""
        self._session.stop()


def has_java() -> bool:
    """Whether there is a JDK for Spark to start with."""
    return bool(os.environ.get("JAVA_HOME") or shutil.which("java"))


def _started(master: str, folder: Path) -> Any:
    from pyspark.sql import SparkSession

    if not has_java():
        raise Unavailable(
            "Spark needs a JDK, and none is found.",
            hint="Install one (Debian: apt-get install openjdk-17-jdk-headless).",
        )
    options = _LOCAL | {"spark.local.dir": str(folder)} if master.startswith("local") else {}
    log = folder / "log4j2.properties"
    log.write_text(_NO_LOG)
    options |= _EVERYWHERE | {
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={log.as_uri()}",
        "spark.sql.warehouse.dir": str(folder),
    }
    builder = SparkSession.builder.master(master)
    for name, value in options.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    if master.startswith("local"):
        session.sparkContext.pythonExec = sys.executable
    return session


def _jaro_winkler() -> Any:
    """The engine's own, over Arrow arrays where Spark works."""
    from pyspark.sql.functions import arrow_udf
    from pyspark.sql.types import DoubleType

    def similarity(one: pa.Array, other: pa.Array) -> pa.Array:
        import duckdb  # a nested function is sent whole; nothing of ours must be there
        import pyarrow

        rows = pyarrow.table({"one": one, "other": other})
        with duckdb.connect(config={"threads": 1}) as con:
            con.register("rows", rows)
            found = con.execute("SELECT jaro_winkler_similarity(one, other) AS s FROM rows")
            return found.to_arrow_table()["s"].combine_chunks()

    return arrow_udf(similarity, DoubleType())


@contextmanager
def _told() -> Iterator[None]:
    """What Spark cannot do here and now becomes Unavailable, without the rows it may quote."""
    try:
        yield
    except PersonagraphError:
        raise
    except ImportError as error:
        raise Unavailable(
            "Spark is not installed.", hint='Install it: pip install "personagraph[spark]".'
        ) from error
    except Exception as error:  # noqa: BLE001 - Py4J, Spark and Java have errors of their own
        condition = getattr(error, "getCondition", lambda: None)() or type(error).__name__
        raise Unavailable(
            f"Spark failed: {condition}.", hint=_HINTS.get(condition, _HINT)
        ) from None
