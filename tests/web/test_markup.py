"""What people write is shown as they meant it, and nothing of it acts."""

import re

import pytest

from podium.web.pages.markup import render

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "<javascript:alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    '[x](https://a.example/"onmouseover="alert(1))',
    '[x](/ok "title" onclick="alert(1)")',
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    r"$\text{<script>alert(1)</script>}$",
    r"$\text{</mtext></math><img src=x onerror=alert(1)>}$",
    r"$\text{<div class='note note-bad'><a href='https://evil.example'>Sign in</a></div>}$",
    r"$\href{javascript:alert(1)}{x}$",
    "$$\n\\text{<iframe src=//evil.example>}\n$$",
    r"$\style{position:fixed}{x}$",
    r"$\class{button}{x}$",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "| a |\n|-|\n| <b onclick=alert(1)>x</b> |",
    "[a]: javascript:alert(1)\n\n[a]",
    "#1<script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\x00<scr\x00ipt>alert(1)</script>",
]
TAG = re.compile(r"<(/?[a-zA-Z][^\s>]*)([^>]*)>")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_acts(text):
    html = str(render(text))
    for name, attributes in TAG.findall(html):
        assert name.strip("/").lower() not in {
            *("script", "img", "iframe", "style", "svg", "form", "object", "embed", "link"),
        }, html
        assert not re.search(r"\son\w+\s*=", attributes), html
        assert "style=" not in attributes, html
        for address in re.findall(r'href="([^"]*)"', attributes):
            assert re.match(r"https?://|mailto:|/", address), html
        assert "note-bad" not in attributes
        assert "button" not in attributes


@pytest.mark.parametrize(
    "text",
    ["$" + "{" * 400 + "$", "$" * 9999, "[" * 5000, "> " * 4000 + "x", "*a_" * 3000, "`" * 5001],
)
def test_no_text_is_too_much_work(text):
    assert len(str(render(text))) < 1_000_000


def test_formulas_are_mathml():
    html = render(r"The loss is $\frac{1}{n}\sum_i (y_i - \hat{y}_i)^2$.")
    assert '<math display="inline">' in html
    assert "<mfrac>" in html
    assert "<mo>∑</mo>" in html
    block = render("$$\ne^{i\\pi} = -1\n$$")
    assert '<math display="block">' in block


def test_a_formula_that_is_not_understood_stays_as_it_was_written():
    assert r"<code>\frac{</code>" in render(r"$\frac{$")


def test_prices_are_no_formulas():
    assert "<math" not in render("It costs $5 or $6.")


def test_code_is_kept_as_it_is():
    html = render("```python\nif a < b:\n    print('$x$ #1')\n```")
    assert "if a &lt; b:\n    print('$x$ #1')" in html
    assert "<math" not in html
    assert "<a " not in html


def test_a_number_leads_to_its_submission_but_not_in_code_or_links():
    assert '<a href="/submissions/12"' in render("See #12.")
    assert "/submissions/" not in render("`#12`, a#12, /#12 and &#12;")
    assert "/submissions/" not in render("[see #12](https://example.org)")


def test_headings_stand_below_those_of_the_page():
    assert "<h3>One</h3>" in render("# One")
    assert "<h4>Six</h4>" in render("###### Six")


def test_links_give_nothing_to_search_engines():
    assert 'rel="noopener noreferrer nofollow"' in render("[x](https://example.org)")


def test_tables_scroll_by_themselves():
    assert '<div class="scroll" tabindex="0"' in render("|a|\n|-|\n|1|")
