"""Which programs look at pages without a person: crawlers, previews, checks."""

from typing import Any

# By their names, and as such programs are asked to name themselves: `compatible; Name`, or with
# the address of their page. MSIE and Konqueror say `compatible`, too; CUBOT makes telephones.
_ROBOTS = (
    r"(?i)(^|[^u])bot(\b|_)|crawl|spider|slurp|archiver|preview|monitor|uptime|pingdom|headless"
    r"|lighthouse|externalhit|externalagent|externalfetcher|mediapartners|inspection-?tool"
    r"|siteaudit|statuscake|site24x7|chatgpt-user|zgrab|phantomjs|prerender|scanner"
    r"|compatible; ([^km]|m[^s])|\+?https?://"
)
# A browser says Mozilla or Opera, and an app its system; who says neither is a program.
_BROWSER = r"^(\[\")?(Mozilla|Opera)\b|(?i)cfnetwork|darwin|dalvik|android|iphone|ipad|\bios\b"
_PROGRAMS = r"(?i)^$|^-$|curl|wget|python-|java/|go-http|okhttp|libwww|scrapy|httpclient"


def is_robot(agent: Any) -> Any:
    """Whether a user agent names a robot; what is not given names none."""
    return agent.re_search(_ROBOTS).fill_null(False)


def is_program(agent: Any) -> Any:
    """Whether a user agent is a robot or any program that is neither browser nor app."""
    program = agent.re_search(_PROGRAMS) | ~agent.re_search(_BROWSER)
    return is_robot(agent) | program.fill_null(False)
