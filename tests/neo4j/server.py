"""A real Neo4j Community with the open Graph Data Science as a plain Java process, for tests.

The jars come from Maven Central once (`pom.xml`, some 130 MB) into `dist-<line>/` beside this file,
which git ignores, or lie where PERSONAGRAPH_TEST_NEO4J_DIST says. By hand:

    python tests/neo4j/server.py             # serve until Ctrl-C; prints the address

Invariant: a server listens on loopback only, keeps everything under its own folder, and ends with
the block that started it.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import neo4j
from filelock import FileLock
from neo4j.exceptions import DriverError, Neo4jError

HERE = Path(__file__).resolve().parent
JDKS = {"lts": (17, 21), "calver": (25, 21)}
# Only jars that declare procedures are looked for there; all of them are on the class path too.
PROCEDURE_JARS = re.compile(r"(alpha-proc|proc-[a-z-]+?)-\d")
OPENS = (
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
    ),
    "--enable-native-access=ALL-UNNAMED",
    "--add-modules=jdk.incubator.vector",
)

_SET_PASSWORD = ("org.neo4j.cli.AdminTool", "dbms", "set-initial-password")
# -C: a wrong checksum is an error.
_FETCH = ("-B", "-ntp", "-C", "-q", "-f", HERE / "pom.xml", "dependency:copy-dependencies")


class MissingTool(RuntimeError):  # noqa: N818 - reads as the fact it states
    """Something a real Neo4j needs is not on this machine; the message says how to get it."""


@dataclass(frozen=True)
class Options:
    """How a test wants its server.

    Args:
        line: `lts` (5.26) or `calver` (2026.01).
        heap: memory of the Java process, also what GDS graphs live in.
        password: of the user neo4j, 8 characters or more; empty: no login.
        gds: with the Graph Data Science procedures.
        settings: more lines of neo4j.conf.
    """

    line: str = "lts"
    heap: str = "1g"
    password: str = ""
    gds: bool = True
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A server that answers queries."""

    uri: str
    pid: int
    password: str


@contextlib.contextmanager
def neo4j_server(options: Options | None = None) -> Iterator[Server]:
    """Start a server in an empty folder and end it with the block.

    Raises:
        MissingTool: no fitting JDK, or no Maven and no jars.
        RuntimeError: it did not start; the message ends with its log.
    """
    options = options or Options()
    java, dist = find_java(options.line), distribution(options.line)
    with tempfile.TemporaryDirectory(prefix="neo4j-", ignore_cleanup_errors=True) as folder:
        home, port = Path(folder), free_port()
        write_conf(home, dist, port, options)
        if options.password:
            subprocess.run(
                [*_java(java, dist, options), *_SET_PASSWORD, options.password],
                env=_environment(home),
                check=True,
                capture_output=True,
            )
        with (home / "console.log").open("wb") as log:
            process = subprocess.Popen(
                [*_java(java, dist, options), entry_point(dist), *_serve(home)],
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            uri = f"bolt://127.0.0.1:{port}"
            wait_until_ready(process, uri, options.password, home / "console.log")
            yield Server(uri, process.pid, options.password)
        finally:
            _end(process)


def find_java(line: str) -> Path:
    """The `java` of a JDK that this line of Neo4j runs on.

    Raises:
        MissingTool: there is none.
    """
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    if on_path := shutil.which("java"):
        first = Path(on_path).resolve().parents[1]
        homes += [first, *sorted(first.parent.iterdir())]
    homes += sorted(Path("/Library/Java/JavaVirtualMachines").glob("*/Contents/Home"))
    found: dict[int, Path] = {}
    for home in homes:
        java = home / "bin" / "java"
        if java.exists():
            found.setdefault(_major(java), java)
    for wanted in JDKS[line]:
        if wanted in found:
            return found[wanted]
    wanted_text = " or ".join(map(str, JDKS[line]))
    raise MissingTool(
        f"Neo4j needs a JDK {wanted_text}, found {sorted(found) or 'none'}. Debian: "
        "apt-get install openjdk-17-jdk-headless; macOS: brew install openjdk@21."
    )


def _major(java: Path) -> int:
    text = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', text)
    return int(found[1]) if found else 0


def distribution(line: str) -> Path:
    """The folder with `lib/` and `plugins/`, fetched by Maven the first time.

    Raises:
        MissingTool: no Maven, and no jars.
    """
    given = os.environ.get("PERSONAGRAPH_TEST_NEO4J_DIST")
    dist = Path(given) if given else HERE / f"dist-{line}"
    if (dist / "lib").is_dir():
        return dist
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingTool(
            "Maven fetches Neo4j for the tests and is missing. Debian: apt-get install maven; "
            "macOS: brew install maven; or set PERSONAGRAPH_TEST_NEO4J_DIST to a folder made "
            "elsewhere."
        )
    dist.parent.mkdir(parents=True, exist_ok=True)
    with (
        FileLock(dist.with_suffix(".lock")),
        tempfile.TemporaryDirectory(prefix=f"{dist.name}-", dir=dist.parent) as folder,
    ):
        if (dist / "lib").is_dir():  # another process was first
            return dist
        fresh = Path(folder) / "dist"
        profile = ["-Pcalver"] if line == "calver" else []
        done = subprocess.run(
            [maven, *_FETCH, *profile, f"-DoutputDirectory={fresh / 'lib'}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise MissingTool(f"Maven could not fetch Neo4j:\n{done.stdout[-1500:]}")
        (fresh / "plugins").mkdir()
        for jar in sorted((fresh / "lib").iterdir()):
            if PROCEDURE_JARS.match(jar.name):
                shutil.copy2(jar, fresh / "plugins")
        fresh.rename(dist)
    return dist


def entry_point(dist: Path) -> str:
    """The main class; it differs between the lines, and the server's own jar names it."""
    (jar,) = (dist / "lib").glob("neo4j-[0-9]*.jar")
    with zipfile.ZipFile(jar) as archive:
        text = archive.read("META-INF/services/org.neo4j.server.startup.EntryPoint").decode()
    return text.split()[0]


def write_conf(home: Path, dist: Path, port: int, options: Options) -> None:
    """The server's folder with its neo4j.conf (which refuses a setting that is given twice)."""
    for name in ("conf", "data", "logs", "import", "run", "plugins"):
        (home / name).mkdir()
    settings = {
        "server.directories.plugins": dist / "plugins" if options.gds else home / "plugins",
        # Without this line LOAD CSV reads every file of the machine.
        "server.directories.import": home / "import",
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.listen_address": f"127.0.0.1:{port}",
        "server.bolt.advertised_address": f"127.0.0.1:{port}",
        "server.http.enabled": "false",
        "server.https.enabled": "false",
        "server.memory.heap.initial_size": options.heap,
        "server.memory.heap.max_size": options.heap,
        "server.memory.pagecache.size": "256m",
        "dbms.security.auth_enabled": "true" if options.password else "false",
        "dbms.security.procedures.unrestricted": "gds.*",
        "dbms.usage_report.enabled": "false",
        "db.memory.transaction.max": "256m",
        "db.tx_log.rotation.retention_policy": "keep_none",
        **options.settings,
    }
    text = "".join(f"{name}={value}\n" for name, value in settings.items())
    (home / "conf" / "neo4j.conf").write_text(text)


def _java(java: Path, dist: Path, options: Options) -> list[str]:
    jars = [str(dist / "lib" / "*")]
    if not options.gds:
        (extension,) = (dist / "lib").glob("opengds-extension-*.jar")
        version = extension.stem.removeprefix("opengds-extension-")
        everything = (dist / "lib").iterdir()
        jars = [str(jar) for jar in everything if not jar.stem.endswith(f"-{version}")]
    return [
        str(java),
        f"-Xms{options.heap}",
        f"-Xmx{options.heap}",
        "-XX:+UseG1GC",
        *OPENS,
        "-Dlog4j2.disable.jmx=true",
        "-Djava.awt.headless=true",
        "-Dfile.encoding=UTF-8",
        "-cp",
        os.pathsep.join(jars),
    ]


def _serve(home: Path) -> list[str]:
    return [f"--home-dir={home}", f"--config-dir={home / 'conf'}", "--console-mode"]


def _environment(home: Path) -> dict[str, str]:
    return os.environ | {"NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")}


def wait_until_ready(
    process: subprocess.Popen[bytes], uri: str, password: str, log: Path, seconds: float = 120.0
) -> None:
    """Ready means that a query on the database answers, not that Bolt does."""
    auth = ("neo4j", password) if password else None
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"Neo4j ended at once:\n{log.read_text()[-3000:]}")
        try:
            with neo4j.GraphDatabase.driver(
                uri, auth=auth, max_transaction_retry_time=0, connection_timeout=2
            ) as driver:
                driver.execute_query("RETURN 1", database_="neo4j")
                return
        except (DriverError, Neo4jError, OSError):
            time.sleep(0.3)
    raise RuntimeError(f"Neo4j gave no answer in {seconds:.0f} s:\n{log.read_text()[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    with neo4j_server(Options(line=sys.argv[1] if len(sys.argv) > 1 else "lts")) as running:
        print(running.uri, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
