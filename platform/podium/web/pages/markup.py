"""What people write to each other, as safe HTML: Markdown with formulas, code and submissions.

Formulas become MathML on the server, so that no script is needed to read them. Whatever the parts
make of a text, one sanitiser has the last word.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any

import nh3
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup, escape
from mdit_py_plugins.dollarmath import dollarmath_plugin

LONGEST_FORMULA = 500
SUBMISSION = re.compile(r"(?<![\w/&])#(\d{1,9})\b")
MATH = frozenset(
    {
        *("math", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow"),
        *("mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext"),
        *("mtr", "munder", "munderover", "menclose"),
    }
)
TEXT = frozenset(
    {
        *("a", "blockquote", "br", "code", "del", "em", "h3", "h4", "hr", "li", "ol", "p", "pre"),
        *("s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul", "div"),
    }
)
ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "div": {"class", "tabindex", "role", "aria-label"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "math": {"display"},
    "mo": {"stretchy", "fence", "form", "separator", "movablelimits", "minsize", "maxsize"},
    "mi": {"mathvariant"},
    "mfrac": {"linethickness"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "mtable": {"columnalign", "rowspacing", "columnspacing"},
    "mtd": {"columnalign"},
    "mspace": {"width", "height", "depth", "linebreak"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "menclose": {"notation"},
}


@functools.lru_cache(maxsize=512)
def render(text: str) -> Markup:
    """A text as HTML; headings begin below the page's own."""
    html = _parser().render(text)
    html = html.replace(
        "<table>", '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>'
    ).replace("</table>", "</table></div>")
    html = html.replace("<pre>", '<pre tabindex="0">')  # what scrolls is reached by keys
    return Markup(
        nh3.clean(
            html,
            tags=set(TEXT | MATH),
            clean_content_tags={"script", "style", "annotation-xml", "annotation"},
            attributes=ATTRIBUTES,
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer nofollow",
        )
    )


@functools.cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable("image")  # nothing is loaded from elsewhere
    parser.use(dollarmath_plugin, renderer=_formula, allow_digits=False, double_inline=True)
    parser.core.ruler.push("submissions", _link_submissions)
    parser.core.ruler.push("headings", _lower_headings)
    return parser


def _formula(tex: str, options: Mapping[str, Any]) -> str:
    """A formula as MathML; one that is not understood stays as it was written."""
    tex = tex.strip()
    if len(tex) <= LONGEST_FORMULA:
        try:
            math = convert(tex, display="block" if options.get("display_mode") else "inline")
            # It does not escape what stands in \\text{}: nothing but formulas comes out of here.
            return nh3.clean(math, tags=set(MATH), attributes=ATTRIBUTES)
        except Exception:
            pass
    return f"<code>{escape(tex)}</code>"


def _link_submissions(state: StateCore) -> None:
    """`#12` leads to submission 12, for those who may see it."""
    for block in state.tokens:
        if block.type != "inline" or not block.children:
            continue
        found: list[Token] = []
        in_link = 0
        for token in block.children:
            in_link += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            found += _linked(token) if token.type == "text" and not in_link else [token]
        block.children = found


def _linked(token: Token) -> list[Token]:
    parts = SUBMISSION.split(token.content)
    found = []
    for index, part in enumerate(parts):
        if index % 2:
            link = Token("link_open", "a", 1, attrs={"href": f"/submissions/{part}"})
            found += [link, _words(f"#{part}"), Token("link_close", "a", -1)]
        elif part:
            found.append(_words(part))
    return found


def _words(text: str) -> Token:
    return Token("text", "", 0, content=text)


def _lower_headings(state: StateCore) -> None:
    """A post stands below the h1 of its page and the h2 of its author."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(4, int(token.tag[1]) + 2)}"
