"""A real HTTP server on loopback that replays answers of an OpenAI-compatible one."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Recorded:
    """What is answered, in order (the last one again and again), and what was asked.

    Args:
        answers: `{"status": 500}`, or `{"content": text or object, "finish_reason": "stop"}`, or
            `{"body": text, "type": "text/html"}`, which is also what it lists as its models.
    """

    answers: list[dict[str, Any]]
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def recorded_server(answers: list[dict[str, Any]]) -> Iterator[Recorded]:
    """Serve these answers until the block ends."""
    tape = Recorded(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tape.paths.append(self.path)
            if tape.answers and "body" in tape.answers[0]:
                self._send(200, tape.answers[0]["type"], tape.answers[0]["body"].encode())
                return
            self._answer(200, {"object": "list", "data": [{"id": "tiny", "object": "model"}]})

        def do_POST(self) -> None:
            tape.paths.append(self.path)
            tape.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = tape.answers[min(len(tape.asked), len(tape.answers)) - 1]
            if "body" in answer:
                self._send(200, answer["type"], answer["body"].encode())
                return
            status = answer.get("status", 200)
            self._answer(
                status, _envelope(answer) if status == 200 else {"error": {"message": "x"}}
            )

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            self._send(status, "application/json", json.dumps(body).encode())

        def _send(self, status: int, kind: str, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    tape.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield tape
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _envelope(answer: dict[str, Any]) -> dict[str, Any]:
    content = answer.get("content")
    text = content if content is None or isinstance(content, str) else json.dumps(content)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1763697600,
        "model": "tiny",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "logprobs": None,
                "finish_reason": answer.get("finish_reason", "stop"),
            }
        ],
        "usage": {"prompt_tokens": 900, "completion_tokens": 200, "total_tokens": 1100},
    }
