"""The policy of a page: what its shell runs is allowed by hash, what its text holds is not."""

from __future__ import annotations

from analysis.site.policy import hash_source, policy, policy_faults, shell_scripts, with_policy
from analysis.site.webpage import parse_page

# The shape of a page of Quarto: scripts in the head and after the text, handlers in the navigation.
QUARTO = """<!DOCTYPE html>
<html><head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src *">
<style>p { color: red }</style>
<script type="application/json">{"search": true}</script>
<script>const a = "1 < 2 &amp; 3";</script>
</head><body>
<a href="" onclick="toggle(&quot;x&quot;); return false;">theme</a>
<main><p onclick="evil()">x</p><script>evil()</script></main>
<script type="module">b()</script>
</body></html>
"""


def test_only_the_shell_of_a_page_of_quarto_may_run() -> None:
    found = shell_scripts(QUARTO)
    assert found.scripts == ('const a = "1 < 2 &amp; 3";', "b()")
    assert found.handlers == ('toggle("x"); return false;',)
    page = parse_page(with_policy(QUARTO, quarto=True))
    assert page.policy == policy(found, quarto=True)
    assert hash_source("evil()") not in page.policy
    assert "default-src *" not in with_policy(QUARTO, quarto=True)
    faults = [(fault.problem, fault.row) for fault in policy_faults("a.html", page)]
    assert faults == [
        ("an inline script that the page's policy refuses", 10),
        ("code in an attribute or a link", 10),
    ]


def test_a_policy_comes_before_anything_that_loads() -> None:
    made = with_policy("<link rel='stylesheet' href='a.css'><p>no charset</p>")
    assert made.startswith('<meta http-equiv="Content-Security-Policy"')


def test_neither_policy_evaluates_text_or_connects_elsewhere() -> None:
    for made in (policy(shell_scripts(QUARTO)), policy(shell_scripts(QUARTO), quarto=True)):
        assert "unsafe-eval" not in made and "http" not in made and "*" not in made
        scripts = made.partition("script-src ")[2].partition(";")[0]
        assert "'unsafe-inline'" not in scripts and "data:" not in scripts
