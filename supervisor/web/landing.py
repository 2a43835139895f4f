"""The front page of a daemon: what it is, and where to read on. No data of runs, no script. Pure."""

from html import escape

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

_STYLE = """\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .75rem 1rem; font-size: 14px;
  border-radius: 6px; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
dt { font-weight: 600; } dd { margin: 0 0 .5rem 0; }
"""
_COMMANDS = """\
H={header}
curl -s -H @$H -H 'Content-Type: application/json' {base}/v1/runs -d '{{"script": "/data/train.py"}}'
curl -s -H @$H '{base}/v1/runs/latest?wait_for=checkpoint'
curl -s {base}/status
"""
_LINKS = (
    ("/status", "every run on one screen, as text"),
    ("/docs", "the REST API, to read and to try"),
    ("/v1/openapi.json", "the same for programs"),
    ("/llms.txt", "one page for agents"),
)


def landing_page(version: str, base: str, header_file: str) -> str:
    """The page, with this daemon's own address and header file in its commands."""
    links = "".join(f'<dt><a href="{path}">{path}</a></dt><dd>{text}</dd>' for path, text in _LINKS)
    commands = escape(_COMMANDS.format(base=base, header=header_file))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>traind</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>traind {escape(version)}</h1>"
        "<p>Runs training scripts in the background, watches how much of the device they use, "
        "and corrects a batch size that is too small.</p>"
        f"<dl>{links}</dl><h2>From a shell</h2><pre>{commands}</pre></body></html>\n"
    )
