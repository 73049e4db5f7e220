"""Languages of the pages: every text of a template is a message, and a catalog may translate it.

Templates are written plainly in English. When one is compiled, its texts become look-ups: what
stands between tags, with values as {named} places, and labels, titles and hints in attributes.
Nobody marks anything, so nothing can be forgotten. Values that are words are marked `_w("…")`.
"""

import functools
import re

from flask import Flask, g, has_request_context, request
from jinja2.ext import Extension
from markupsafe import Markup, escape

from podium import accounts, boardrules, notifications, sayings, usage
from podium.config import Config
from podium.languages import ENGLISH, LANGUAGES, LETTERS, PLACE, SPOKEN, catalog
from podium_scoring.registry import METRICS

COOKIE = "language"
ATTRIBUTES = r"aria-label|title|placeholder|alt|data-(?:label|copied|sending|sent|broken)"
UNTOUCHED = ("script", "style", "pre", "textarea", "svg")
INLINE = re.compile(r"</?(?:code|strong|em|abbr|kbd)>")
JINJA = r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}"
TOKEN = re.compile(rf"(?s)({JINJA}|<!--.*?-->|<[/!a-zA-Z](?:{JINJA}|[^>])*>)")
ATTRIBUTE = re.compile(rf'(?s)\b({ATTRIBUTES})="((?:{JINJA}|[^"])*)"')
UNSAID = re.compile(r"&\w+;|Podium")
# A capital, two words, or what an inline condition chooses: code of templates has no other words.
SAID = re.compile(r'^"(?!podium |\\n| -|%|Retry-)(?:[A-Z][a-z]|.*[a-z][,:]? [a-zA-Z(])')
CHOSEN = re.compile(r'("[a-z][a-z ]+")(?= if )|(?<= else )("[a-z][a-z ]+")')
# What tables of the code say, each where it is needed.
TABLES = frozenset(
    [
        *(text for metric in METRICS.values() for text in (metric.title, metric.formula)),
        *(kind.title for kind in notifications.KINDS.values()),
        *notifications.WAYS.values(),
        *accounts.SCOPES.values(),
        *accounts.RIGHTS.values(),
        *boardrules.NAMES.values(),
        *boardrules.ORDERS.values(),
        *boardrules.ANTI_OVERFIT.values(),
        *usage.KINDS.values(),
        *usage.HOME.values(),
        *Config.helps(),
    ]
)
STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')


def init_app(app: Flask) -> None:
    """Compile templates so, and let them know the language."""
    app.jinja_env.add_extension(Wrapping)
    app.jinja_env.globals.update(_w=translated, language=language, LANGUAGES=LANGUAGES)
    app.jinja_env.globals["words_address"] = address
    app.jinja_env.filters.update(word=word, said=said, inside=inside)


def language() -> str:
    """The reader's language: that of the account, else of this browser."""
    if not has_request_context():
        return ENGLISH
    found: str | None = g.get("language")
    if found is None:
        caller = g.get("caller")
        found = g.language = (caller.language if caller else None) or preferred() or ENGLISH
    return found


def preferred() -> str | None:
    """What was chosen in this browser, else what it prefers; None if it names none of ours."""
    chosen = request.cookies.get(COOKIE)
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES)


def address() -> str:
    """Where scripts read their words in the reader's language; it changes with the words."""
    return f"/words/{language()}.json?v={sayings.digest(language())}"


def translated(message: str, **values: object) -> Markup:
    """A message of a template in the reader's language, with its values escaped."""
    text = _spoken(message, language())
    if not values:
        return text
    return Markup(PLACE.sub(lambda found: str(escape(values.get(found[1], found[0]))), text))


@functools.lru_cache(maxsize=8192)
def _spoken(message: str, name: str) -> Markup:
    return Markup(catalog(name).get(message) or message)


def said(text: str, is_part: bool = False) -> str:
    """A sentence of ours (or a part of one) in the reader's language; see `podium.sayings`."""
    return sayings.in_language(str(text), language(), is_part=is_part)


def word(text: str) -> str:
    """One of our words in the reader's language; any other text as it is. Not escaped."""
    return catalog(language()).get(text, text) if text in SPOKEN or text in TABLES else text


def inside(title: str) -> str:
    """A metric's title within a sentence: English begins it small, unless it is a name."""
    is_name = title[:1].isupper() and not title[1:2].islower()
    return word(title) if language() != ENGLISH or is_name else title[:1].lower() + title[1:]


class Wrapping(Extension):
    """Makes look-ups of a template's texts before it is compiled."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The template with its texts looked up."""
        return wrapped(source) if name is None or name.endswith(".html") else source


def wrapped(source: str) -> str:
    """A template's source with its texts looked up; its lines stay where they are.

    >>> wrapped('<p title="Two words">You have {{ n }} left.</p>')
    '<p title="{{ _w("Two words") }}">{{ _w("You have {n} left.", n=(n)) }}</p>'
    >>> wrapped("<p>{% if a > b %}Yes, <code>x</code>{% endif %} {{ c }}</p><pre>As is</pre>")
    '<p>{% if a > b %}{{ _w("Yes, <code>x</code>") }}{% endif %} {{ c }}</p><pre>As is</pre>'
    """
    out: list[str] = []
    run: list[str] = []
    closing = ""
    for token in TOKEN.split(source):
        if closing:
            out.append(token)
            closing = "" if token.lower().startswith(closing) else closing
        elif not token.startswith(("<", "{%", "{#")) or INLINE.fullmatch(token):
            run.append(token)
        else:
            out.append(_run(run))
            run = []
            tag = re.match(r"<(\w+)", token)
            if tag and tag[1].lower() in UNTOUCHED and not token.endswith("/>"):
                closing = f"</{tag[1].lower()}"
            out.append(
                ATTRIBUTE.sub(_attribute, token) if token.startswith("<") else _marked(token)
            )
    out.append(_run(run))
    return "".join(out)


def _attribute(found: re.Match[str]) -> str:
    tokens = re.split(f"(?s)({JINJA})", found[2])
    if any(token.startswith(("{%", "{#")) for token in tokens):
        return found[0]
    return f'{found[1]}="{_run(tokens)}"'


def _run(tokens: list[str]) -> str:
    """A look-up of neighbouring texts, values and small tags, if there is a word in them."""
    if not _has_words(tokens):
        return "".join(_marked(token) for token in tokens)
    tags = [token for token in tokens if INLINE.fullmatch(token)]
    if not _is_balanced(tags):
        parts: list[list[str]] = [[]]
        for token in tokens:
            if INLINE.fullmatch(token):
                parts += [[token], []]
            else:
                parts[-1].append(token)
        return "".join(_run(part) for part in parts)
    whole = "".join(tokens)
    head = whole[: len(whole) - len(whole.lstrip())] if not whole.startswith("{") else ""
    tail = whole[len(whole.rstrip()) :]
    values: dict[str, str] = {}
    message = "".join(_place(token, values) for token in tokens)
    message = " ".join(message.split())
    lines = whole.strip().count("\n") - sum(value.count("\n") for value in values.values())
    said = message.replace("\\", "\\\\").replace('"', '\\"')
    given = "".join(f", {name}=({value})" for name, value in values.items())
    return f'{head}{{{{ _w("{said}"{given}) }}}}{chr(10) * lines}{tail}'


def _has_words(tokens: list[str]) -> bool:
    inside = False
    for token in tokens:
        if INLINE.fullmatch(token):
            inside = "code" in token and not token.startswith("</")
        elif not inside and not token.startswith("{{") and LETTERS.search(UNSAID.sub("", token)):
            return True
    return False


def _is_balanced(tags: list[str]) -> bool:
    open_tags: list[str] = []
    for tag in tags:
        if not tag.startswith("</"):
            open_tags.append(tag[1:-1])
        elif not open_tags or open_tags.pop() != tag[2:-1]:
            return False
    return not open_tags


def _place(token: str, values: dict[str, str]) -> str:
    """A value as a {named} place; the name comes from its expression."""
    if not token.startswith("{{"):
        return token
    value = token[2:-2].strip("-").strip()
    words = re.findall(r"[A-Za-z]\w*", re.sub(r"\"[^\"]*\"|'[^']*'", "", value))
    stem = "_".join(words).lower()[:40].strip("_") or "value"
    name, number = stem, 2
    while name in values and values[name] != _marked(value):
        name, number = f"{stem}_{number}", number + 1
    values[name] = _marked(value)
    return f"{{{name}}}"


def _marked(code: str) -> str:
    """Code of a template with those of its strings looked up that people read."""
    if not code.startswith(("{", '"')) and '"' not in code:
        return code
    if code.startswith("{%") and not code.startswith(("{% set", "{% for", "{%- set", "{%- for")):
        return code
    if code.startswith("{%"):
        return STRING.sub(_looked_up, code)
    return STRING.sub(_looked_up, CHOSEN.sub(lambda found: f"_w({found[0]})", code))


def _looked_up(found: re.Match[str]) -> str:
    is_done = found.string[: found.start()].endswith("_w(")
    return f"_w({found[0]})" if SAID.search(found[0]) and not is_done else found[0]
