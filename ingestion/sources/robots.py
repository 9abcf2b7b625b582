"""Which programs look at pages without a person: crawlers, previews, checks."""

from typing import Any

# By their names, and as such programs are asked to name themselves: `compatible; Name`. MSIE and
# Konqueror say `compatible`, too; CUBOT makes telephones.
_ROBOTS = (
    r"(?i)(^|[^u])bot(\b|_)|crawl|spider|slurp|archiver|(web ?|bing|uri)preview|headless"
    r"|lighthouse|externalhit|externalagent|externalfetcher|mediapartners|inspection-?tool"
    r"|siteaudit|pingdom|uptimerobot|statuscake|site24x7|chatgpt-user|zgrab|phantomjs|prerender"
    r"|compatible; ([^km]|m[^s])"
)
# What telephones say of an app, which may be called anything: iRobot, Spider Solitaire.
_APP = r"(?i)cfnetwork|darwin/|dalvik"
# Words of many robots, and of some apps inside a browser: of those a server's log tells nothing.
_LIKELY = r"(?i)preview|monitor|uptime|scanner|\+?https?://"
# A browser says Mozilla or Opera, and an app its system; who says neither is a program.
_BROWSER = r"^(\[\")?(Mozilla|Opera)\b|(?i)cfnetwork|darwin|dalvik|android|iphone|ipad|\bios\b"
_PROGRAMS = r"(?i)^$|^-$|curl|wget|python-|java/|go-http|okhttp|libwww|scrapy|httpclient"


def is_robot(agent: Any) -> Any:
    """Whether a user agent names a robot; what is not given names none."""
    return (agent.re_search(_ROBOTS) & ~agent.re_search(_APP)).fill_null(False)


def is_program(agent: Any) -> Any:
    """Whether a user agent of a server's log is most likely a robot's, or that of any program that
    is neither browser nor app."""
    program = agent.re_search(_PROGRAMS) | ~agent.re_search(_BROWSER) | agent.re_search(_LIKELY)
    return is_robot(agent) | program.fill_null(False)
