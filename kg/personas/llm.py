"""A language model writes over numbered claims; any OpenAI-compatible server (vLLM).

It is sent phrases and numbers: no ids, nothing about one person. What it answers is a proposal:
`wording.py` keeps what the claims say and cuts the rest. Not guaranteed: that an answer is any
good, or comes at all; every failure is a reason in a sentence, and the template then writes.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kg.errors import Unavailable
from kg.personas.claims import Claim
from kg.personas.sentences import GLUE, LESS, MORE, OTHERS, percent, percents

MAX_SENTENCES = 12
DOWN = "The language model did not answer"
"""How the reason begins where asking again would only cost time."""


@dataclass(frozen=True)
class LlmServer:
    """Where the model is, and how it is asked.

    Attributes:
        url: base URL, ending in `/v1` where the server's paths do.
        model: its name there; empty: the first that the server lists.
        key: API key, where it asks.
        seed: of its sampling; temperature is 0, but servers batch, so equal is not promised.
        timeout_s: of one request.
        tries: answers cut off or malformed are asked for again this often in all.
        max_tokens: of an answer; twice as many at each further try.
    """

    url: str
    model: str = ""
    key: str = field(default="", repr=False)
    seed: int = 0
    timeout_s: float = 60.0
    tries: int = 2
    max_tokens: int = 1500


class WrittenSentence(BaseModel):
    """A sentence and the numbers of the claims it restates."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=300)
    claims: list[int] = Field(max_length=4)


class Written(BaseModel):
    """What the model answers; strings are bounded, or a small model never ends one."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=60)
    summary: str = Field(max_length=300)
    sentences: list[WrittenSentence] = Field(max_length=MAX_SENTENCES)


class Unusable(Unavailable):
    """The server answered, but with nothing that can be used."""


_SYSTEM = f"""You name and describe a group of people from numbered claims. A machine checks what
you write by these rules; a sentence that breaks one is thrown away.
1. State only the claims. Use each claim's phrase word for word, unchanged.
2. A sentence lists the numbers of all claims that it states, and of no others.
3. Numbers only in sentences that state one claim, and only that claim's, each once: its share with
   "of them" behind it, the share of {OTHERS} after the word "against", the interval, and behind it,
   in the same parenthesis, the number of people. Where a claim has "only_those", a sentence with
   numbers says "of those" and these words as well, word for word.
4. Say "more" where a claim's direction is more, "less" where it is less.
5. Whom they are compared with is always called "{OTHERS}", never otherwise.
   Besides phrases and numbers use only these words: {" ".join(sorted(GLUE | MORE | LESS))}.
6. The name has two to four words in title case, taken from phrases whose direction is more, or
   that begin with "of all who hold it", and whose share_of_them is at least 50 %. Where no phrase
   is so, it is Mixed Interests.
7. The summary is one sentence without numbers over claims of one direction.
Example: 62 % of them bought cake tins, against 21 % of {OTHERS} (95 % interval 58-66 %,
431 people)."""


Answer = TypeVar("Answer", bound=BaseModel)


class WrittenLine(BaseModel):
    """What the model answers when it is asked for a line."""

    model_config = ConfigDict(extra="forbid")

    line: str = Field(max_length=300)


_LINE_SYSTEM = """You summarise one kind of thing that people do in one line, from its facts. A
machine checks the line by these rules; a line that breaks one is thrown away.
1. Use the words of "did" as they are, unchanged, once.
2. You may add each of "mostly", unchanged, with the word mostly right before it.
3. You may add some of "items", unchanged, as examples: after "such as" or "among others".
4. Besides these use only: they people those who these things items with and for the. No numbers,
   no other words.
Example: They bought tea, mostly in the evening (18 to 24 h UTC), such as Green tea and Mint."""


def write(server: LlmServer, claims: Sequence[Claim], taken: Iterable[str]) -> tuple[Written, str]:
    """Ask the model for a name, a summary and sentences; claims are numbered from 1.

    Returns:
        What it wrote, and the model's name.

    Raises:
        Unusable: every answer was cut off, empty, or not of the schema.
        Unavailable: the server does not answer, or answers with an error.
    """
    return _asked(server, _messages(claims, taken), "persona", Written)


def write_line(
    server: LlmServer, phrase: str, mostly: Sequence[str], items: Sequence[str]
) -> tuple[str, str]:
    """Ask the model for a line on a type of intent.

    Args:
        phrase: what it is to have such an intent.
        mostly: what more than half of these are.
        items: what they are about, as examples.

    Returns:
        The line, and the model's name.

    Raises:
        Unusable, Unavailable: as `write`.
    """
    facts = {"did": phrase, "mostly": list(mostly), "items": list(items)}
    text = f"Facts:\n{json.dumps(facts, ensure_ascii=False)}\nAnswer with JSON."
    messages = [{"role": "system", "content": _LINE_SYSTEM}, {"role": "user", "content": text}]
    written, model = _asked(server, messages, "line", WrittenLine)
    return written.line, model


def _asked(
    server: LlmServer, messages: list[dict[str, str]], name: str, schema: type[Answer]
) -> tuple[Answer, str]:
    import openai

    with openai.OpenAI(
        base_url=server.url,
        api_key=server.key or "none",
        timeout=server.timeout_s,
        max_retries=2,
    ) as client:
        try:
            model = server.model or client.models.list().data[0].id
            return _tried(client, server, model, messages, name, schema), model
        except (ValueError, TypeError, AttributeError) as error:  # the client checks no shapes
            raise Unavailable(
                f"{DOWN}: what is at its address does not speak the OpenAI-compatible protocol.",
                hint="Check PERSONAGRAPH_LLM_URL; most servers' paths begin with /v1.",
            ) from error
        except (openai.OpenAIError, IndexError) as error:
            code = getattr(error, "status_code", None)
            raise Unavailable(
                f"{DOWN}: {type(error).__name__}" + (f" {code}." if code else "."),
                hint="Check PERSONAGRAPH_LLM_URL, PERSONAGRAPH_LLM_MODEL and the server's log.",
            ) from error


def _tried(
    client: Any,
    server: LlmServer,
    model: str,
    messages: list[dict[str, str]],
    name: str,
    schema: type[Answer],
) -> Answer:
    asked = {"name": name, "schema": schema.model_json_schema(), "strict": True}
    problem = "no try was allowed"
    for number in range(server.tries):
        answer = client.chat.completions.create(
            model=model,
            messages=messages,
            temperature=0,
            seed=server.seed + number,
            max_tokens=server.max_tokens * 2**number,
            response_format={"type": "json_schema", "json_schema": asked},
        )
        choice = answer.choices[0] if answer.choices else None
        if choice is None or not choice.message.content:
            problem = "its answer is empty"
        elif choice.finish_reason == "length":
            problem = "its answer was cut off"
        else:
            try:
                return schema.model_validate(json.loads(choice.message.content, strict=False))
            except (json.JSONDecodeError, ValidationError):
                problem = "its answer is not of the schema"
    raise Unusable(f"The language model wrote nothing that can be used: {problem}.")


def _messages(claims: Sequence[Claim], taken: Iterable[str]) -> list[dict[str, str]]:
    lines = [json.dumps(_told(n, claim), ensure_ascii=False) for n, claim in enumerate(claims, 1)]
    names = "; ".join(taken) or "none"
    claimed = "\n".join(lines)
    text = f"Claims:\n{claimed}\n\nNames that are taken: {names}.\nAnswer with JSON."
    return [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": text}]


def _told(number: int, claim: Claim) -> dict[str, Any]:
    measured = claim.measured
    value, low, high = percents(measured.value, measured.low, measured.high)
    told: dict[str, Any] = {
        "claim": number,
        "phrase": claim.phrase,
        "share_of_them": f"{value} %",
        "interval_95": f"{low}-{high} %",
        "people": claim.people,
    }
    if measured.reference_value is not None:
        told["share_of_equally_active_others"] = f"{percent(measured.reference_value)} %"
        told["direction"] = measured.direction
    if claim.among:
        told["only_those"] = claim.among
    return told
