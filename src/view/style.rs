//! How the page looks, in light and in dark.

/// The style sheet. It names nothing outside the page.
pub(super) const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1b1d21; --soft: #5b616b; --line: #d5d9df; --page: #fff;
  --box: #f4f6f8; --range: #7c8aa0; --mark: #0b62c4; --on: #116b34; --off: #9b2226; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #9aa3af; --line: #353b44; --page: #15181c; --box: #1e2329;
    --range: #8793a5; --mark: #6db3ff; --on: #6bd08f; --off: #ff8f8f; }
}
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; font-family: ui-monospace, monospace; }
p { margin: .25rem 0 .5rem; }
.decision { display: inline-block; padding: .3rem .7rem; border: 1px solid; border-radius: .4rem;
  font-family: ui-monospace, monospace; color: var(--off); }
.decision.on { color: var(--on); }
.soft { color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-bottom: 1px solid var(--line); }
th { font-weight: normal; width: 12rem; overflow-wrap: anywhere; }
td.soft { width: 17rem; }
td.value { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
code, pre, th { font-family: ui-monospace, monospace; font-size: .87rem; unicode-bidi: isolate; }
pre { background: var(--box); border: 1px solid var(--line); border-radius: .4rem; padding: .75rem;
  white-space: pre-wrap; overflow-wrap: anywhere; margin: .25rem 0; }
svg { display: block; }
.axis { stroke: var(--line); } .range { stroke: var(--range); stroke-width: 6; opacity: .5; }
.median { stroke: var(--mark); stroke-width: 2; } .mean { fill: var(--mark); stroke: var(--page); stroke-width: .75; }
.mode { fill: none; stroke: var(--mark); stroke-width: 1.5; }
";
