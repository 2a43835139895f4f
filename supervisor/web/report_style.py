"""How the page of a report looks: its colours in a light and a dark scheme, and its style sheet."""

# Ink and the plotted lines stand on `paper` or `tile`; a test holds the contrast of each.
LIGHT = {
    "paper": "#ffffff", "tile": "#f3f5f7", "ink": "#1b1f24", "quiet": "#505a64", "rule": "#c9d1d9",
    "memory": "#0b5cad", "busy": "#8a3ffc", "mark": "#5c6670", "bound": "#b42318", "good": "#1a6b34",
}  # fmt: skip
DARK = {
    "paper": "#14171b", "tile": "#1e232a", "ink": "#e8eaed", "quiet": "#aab4be", "rule": "#3b444d",
    "memory": "#79b8ff", "busy": "#c9a6ff", "mark": "#98a2ad", "bound": "#ff8f85", "good": "#7fd99a",
}  # fmt: skip

_RULES = """
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:56rem;margin:auto;
padding:1.25rem 1rem 3rem;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.1rem;margin:2rem 0 .6rem}
p{margin:.25rem 0}
.quiet,.tile dt,th,figcaption,.note{color:var(--quiet)}
.note{font-size:.875rem}
.failed{color:var(--bound)}.good{color:var(--good)}
.state{font-weight:600}
h3{font-size:.95rem;margin:1.2rem 0 .2rem}
.tiles{display:grid;gap:.6rem;margin:1.2rem 0 0;
grid-template-columns:repeat(auto-fill,minmax(min(10.5rem,45%),1fr))}
.tile{background:var(--tile);border-radius:8px;padding:.6rem .8rem}
.tile dt{font-size:.85rem}.tile dd{margin:0;font-size:1.15rem;font-weight:600}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;overflow-wrap:normal}
td,th{padding:.35rem .75rem .35rem 0;text-align:left;border-bottom:1px solid var(--rule);white-space:nowrap}
th{font-weight:500}
td.figure,th.figure{text-align:right}
td.prose{white-space:normal;overflow-wrap:anywhere;min-width:7rem}
ul{padding-left:1.2rem;margin:.4rem 0}li{margin:.3rem 0}
figure{margin:1.2rem 0 0}
.plot{position:relative;height:12rem;margin:2.1rem 1.2rem 3.4rem 5rem}
.plot svg{display:block;width:100%;height:100%;overflow:visible}
.plot line,.plot polyline{vector-effect:non-scaling-stroke;fill:none}
.grid{stroke:var(--rule)}.bound{stroke:var(--bound);stroke-dasharray:2 4}
.mark{stroke:var(--mark);stroke-dasharray:6 4}
.memory{stroke:var(--memory);stroke-width:2}.busy{stroke:var(--busy);stroke-width:2}
.plot span{position:absolute;font-size:.8rem;line-height:1;white-space:nowrap}
.up{right:calc(100% + .5rem);transform:translateY(-50%)}
.across{top:calc(100% + .5rem);transform:translateX(-50%)}
.over{bottom:calc(100% + .6rem);transform:translateX(-50%);font-weight:600}
.over.first{transform:none}.over.last{transform:translateX(-100%)}
.unit{top:calc(100% + 1.6rem);right:0}
.up,.across,.over,.unit{color:var(--quiet)}.up.limit{color:var(--bound)}
@media(max-width:44rem){
.cards thead{display:none}.cards,.cards tbody,.cards tr,.cards td{display:block;width:auto}
.cards tr{background:var(--tile);border-radius:8px;padding:.5rem .8rem;margin:.6rem 0}
.cards td,.cards td.figure{display:flex;justify-content:space-between;gap:1rem;padding:.15rem 0;border:0;
text-align:right;white-space:normal;overflow-wrap:anywhere}
.cards td::before{content:attr(data-head);color:var(--quiet);white-space:nowrap}
.plot{margin-left:4.2rem}}
"""


def style_sheet() -> str:
    """The whole sheet; the reader's own preference chooses the scheme."""
    light, dark = (_variables(colours) for colours in (LIGHT, DARK))
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}{_RULES}"
    )


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())
