"""The stylesheet of the transfer panel: the only place that says where anything stands."""

from __future__ import annotations

#: Colours are those of JupyterLab's theme; words, a sign and a border stand beside each colour.
#: Widths are those of the panel itself, since a notebook is as narrow as its neighbours let it.
CSS = """
.seqdata-panel { display: block; width: auto; max-width: 780px; height: auto; overflow: visible;
  margin: 0; container-type: inline-size;
  color: var(--jp-ui-font-color1, #212121); line-height: 1.45;
  font-family: var(--jp-ui-font-family, system-ui, sans-serif);
  font-size: var(--jp-ui-font-size1, 13px);
  --jp-widgets-font-size: var(--jp-ui-font-size1, 13px); --sqp-label: 8.5em; --sqp-gap: 10px;
  --sqp-line: var(--jp-border-color2, #c4c4c4); --sqp-soft: var(--jp-layout-color2, #f0f0f0);
  --sqp-ink: var(--jp-ui-font-color1, #212121);
  --sqp-quiet: color-mix(in srgb, var(--sqp-ink) 76%, var(--jp-layout-color1, #fff));
  --sqp-ok: var(--jp-success-color1, #2e7d32);
  --sqp-no: var(--jp-error-color1, #c62828); --sqp-warn: var(--jp-warn-color1, #b26a00);
  --sqp-info: var(--jp-info-color1, #00798a);
  --sqp-ok-ink: color-mix(in srgb, var(--sqp-ok) 60%, var(--sqp-ink));
  --sqp-no-ink: color-mix(in srgb, var(--sqp-no) 40%, var(--sqp-ink));
  --sqp-info-ink: color-mix(in srgb, var(--sqp-info) 60%, var(--sqp-ink));
  --sqp-warn-ink: color-mix(in srgb, var(--sqp-warn) 50%, var(--sqp-ink)); }
.seqdata-panel *, .seqdata-panel { box-sizing: border-box; }
.seqdata-panel :is(.seqdata-panel-hidden, .seqdata-panel-style, .seqdata-panel-typed) {
  display: none; }
.seqdata-panel .widget-html:not(.seqdata-panel-hidden):not(.seqdata-panel-style) { display: block; }
.seqdata-panel .widget-html, .seqdata-panel .widget-html-content { width: auto; height: auto;
  margin: 0; min-width: 0; overflow: visible; line-height: inherit; font-size: inherit;
  overflow-wrap: anywhere; }
.seqdata-panel .widget-html > .widget-label { display: none; }
.seqdata-panel .widget-box:not(.seqdata-panel-hidden) { display: flex; flex-flow: column;
  align-items: stretch; width: auto; height: auto; margin: 0; overflow: visible; min-width: 0; }

.seqdata-panel .widget-text:not(.seqdata-panel-hidden),
.seqdata-panel .widget-dropdown:not(.seqdata-panel-hidden) { display: grid; width: auto;
  height: auto; margin: 5px 0 0; max-width: 560px; align-items: center; min-width: 0;
  grid-template-columns: var(--sqp-label) minmax(0, 1fr); column-gap: var(--sqp-gap); }
.seqdata-panel :is(.widget-text, .widget-dropdown) > .widget-label { width: auto; height: auto;
  min-width: 0; margin: 0; text-align: left; white-space: normal; line-height: 1.3;
  align-self: center; overflow: visible; color: var(--sqp-quiet); }
.seqdata-panel :is(.widget-text, .widget-dropdown) > :is(input, select) { width: 100%;
  min-width: 0; max-width: none; height: auto; min-height: 2.3em; margin: 0; border-radius: 4px;
  border-color: var(--sqp-quiet); }
.seqdata-panel .seqdata-panel-hint { margin-left: calc(var(--sqp-label) + var(--sqp-gap));
  max-width: 560px; }
.seqdata-panel .widget-checkbox { width: auto; height: auto; margin: 6px 0 0; overflow: visible; }
.seqdata-panel .widget-checkbox > .widget-label:not(.widget-label-basic) { display: none; }
.seqdata-panel .widget-checkbox .widget-label-basic { display: flex; gap: 6px; width: auto;
  height: auto; align-items: baseline; line-height: inherit; white-space: normal;
  overflow: visible; }
.seqdata-panel .widget-checkbox .widget-label-basic input { width: auto; height: auto; flex: none;
  margin: 0; }
.seqdata-panel .widget-checkbox .widget-label-basic span { overflow: visible; white-space: normal; }
.seqdata-panel :is(.seqdata-panel-instant, .seqdata-panel-limits, .seqdata-panel-begin,
  .seqdata-panel-again) { margin: 6px 0 0 calc(var(--sqp-label) + var(--sqp-gap)); }

.seqdata-panel .jupyter-button { width: auto; height: auto; min-height: 2.2em; margin: 0;
  padding: 4px 14px; border-radius: 4px; line-height: 1.35; white-space: normal; overflow: visible;
  text-overflow: clip; overflow-wrap: anywhere; min-width: 0; max-width: 100%; }
.seqdata-panel .jupyter-button:disabled { opacity: .6; }
.seqdata-panel .seqdata-panel-again { align-self: start; text-align: left; }
.seqdata-panel .widget-box:is(.seqdata-panel-begin, .seqdata-panel-deciding,
  .seqdata-panel-finding, .seqdata-panel-choosing, .seqdata-panel-giving-up):not(
  .seqdata-panel-hidden) { flex-flow: row wrap; gap: 8px; align-items: center; margin-top: 8px; }
.seqdata-panel .widget-box.seqdata-panel-begin:not(.seqdata-panel-hidden) {
  margin-left: calc(var(--sqp-label) + var(--sqp-gap)); }
.seqdata-panel .seqdata-panel-confirm { margin-left: auto; }
.seqdata-panel .seqdata-panel-candidate { flex: 1 1 320px; }
.seqdata-panel :is(button, input, select, summary):focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
.seqdata-panel .jupyter-button:is(.mod-primary, .mod-danger) { color: #fff; }
.seqdata-panel .jupyter-button.mod-primary { background: #1565c0; }
.seqdata-panel .jupyter-button.mod-danger { background: #b71c1c; }

.seqdata-panel .sqp-banner { display: flex; gap: 2px 10px; align-items: baseline; flex-wrap: wrap;
  padding: 8px 12px; margin-bottom: 4px; border-radius: 4px; border: 1px solid; }
.seqdata-panel .sqp-banner strong { text-transform: uppercase; letter-spacing: .06em; }
.seqdata-panel .sqp-sandbox { border: 2px dashed var(--sqp-info);
  background: color-mix(in srgb, var(--sqp-info) 12%, transparent); }
.seqdata-panel .sqp-real { border: 3px solid var(--sqp-no); border-left-width: 12px;
  background: color-mix(in srgb, var(--sqp-no) 14%, transparent); }
.seqdata-panel .sqp-readonly { border: 4px double var(--sqp-quiet); border-left-width: 12px;
  background: var(--sqp-soft); }
.seqdata-panel .sqp-hint, .seqdata-panel .sqp-limits, .seqdata-panel .sqp-clock {
  color: var(--sqp-quiet); font-variant-numeric: tabular-nums; }
.seqdata-panel .sqp-bad { color: var(--sqp-no-ink); }
.seqdata-panel .sqp-bar { height: 8px; border-radius: 4px; overflow: hidden; margin-bottom: 4px;
  border: 1px solid var(--sqp-quiet); }
.seqdata-panel .sqp-bar > div { height: 100%; background: var(--jp-brand-color1, #1976d2); }
.seqdata-panel .seqdata-panel-busy { margin-top: 6px; }
.seqdata-panel .sqp-said { padding: 7px 12px; margin: 6px 0 0; background: var(--sqp-soft);
  border-left: 4px solid var(--sqp-info); border-radius: 0 4px 4px 0; }
.seqdata-panel .sqp-alert { border-left-color: var(--sqp-no); }
.seqdata-panel .sqp-alert::before { content: "✗ "; color: var(--sqp-no-ink); font-weight: 600; }
.seqdata-panel .sqp-warn { border-left-color: var(--sqp-warn); }
.seqdata-panel .seqdata-panel-despite { align-self: start; margin: 0 12px 10px; }
.seqdata-panel .seqdata-panel-refusal:has(.seqdata-panel-despite:not(.seqdata-panel-hidden)) {
  background: var(--sqp-soft); border-radius: 0 4px 4px 0; margin-top: 6px;
  border-left: 4px solid var(--sqp-no); }
.seqdata-panel .seqdata-panel-refusal:has(.seqdata-panel-despite:not(.seqdata-panel-hidden))
  .sqp-said { border-left: 0; margin: 0; }
.seqdata-panel .seqdata-panel-staged { border: 1px solid var(--sqp-line); border-radius: 6px;
  padding: 12px 14px; margin-top: 8px; background: var(--jp-layout-color1, #fff); }
.seqdata-panel .sqp-head { font-weight: 600; margin-bottom: 2px; }
.seqdata-panel .seqdata-panel-title .sqp-head { font-size: 1.25em; margin: 2px 0 6px; }
.seqdata-panel .sqp-amount { font-size: 2em; font-weight: 600; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
.seqdata-panel .sqp-kind { color: var(--sqp-quiet); border: 1px solid var(--sqp-line);
  border-radius: 9px; padding: 0 7px; font-size: .87em; }
.seqdata-panel .sqp-holds { font-variant-numeric: tabular-nums; }
.seqdata-panel .sqp-twin { color: var(--sqp-warn-ink); }
.seqdata-panel dl { display: grid; grid-template-columns: max-content minmax(0, 1fr);
  gap: 5px 16px; margin: 8px 0 4px; }
.seqdata-panel dt { color: var(--sqp-quiet); float: none; width: auto; margin: 0; padding: 0;
  font-weight: 400; background: none; }
.seqdata-panel dd { margin: 0; padding: 0; float: none; width: auto; }
.seqdata-panel .seqdata-panel-countdown { margin-top: 8px; }
.seqdata-panel .sqp-clock b { color: var(--sqp-ink); font-size: 1.15em; }

.seqdata-panel .sqp-outcome { display: flex; gap: 12px; padding: 10px 14px; margin: 8px 0 0;
  border: 1px solid var(--sqp-line); border-left: 6px solid; border-radius: 6px; }
.seqdata-panel .sqp-outcome > div { min-width: 0; }
.seqdata-panel .sqp-outcome > span { font-size: 1.5em; line-height: 1.1; font-weight: 700; }
.seqdata-panel .sqp-completed { border-left-color: var(--sqp-ok); }
.seqdata-panel .sqp-completed > span { color: var(--sqp-ok-ink); }
.seqdata-panel .sqp-accepted { border-left: 6px dotted var(--sqp-info); }
.seqdata-panel .sqp-accepted > span { color: var(--sqp-info-ink); }
.seqdata-panel .sqp-returned { border: 1px solid var(--sqp-no);
  border-left: 8px double var(--sqp-no); }
.seqdata-panel :is(.sqp-failed, .sqp-returned) > span { color: var(--sqp-no-ink); }
.seqdata-panel .sqp-failed { border-left-color: var(--sqp-no); }
.seqdata-panel .sqp-unknown { border-left: 6px double var(--sqp-warn); }
.seqdata-panel .sqp-unknown > span { color: var(--sqp-warn-ink); }
.seqdata-panel .sqp-dry-run { border-left: 6px dashed var(--sqp-info); }
.seqdata-panel .seqdata-panel-settling { border: 1px solid var(--sqp-line); margin-top: 8px;
  border-left: 8px double var(--sqp-warn); border-radius: 6px; padding: 10px 14px; }
.seqdata-panel .sqp-open ul { margin: 4px 0; padding: 0; list-style: none; }
.seqdata-panel summary { cursor: pointer; color: var(--sqp-quiet); }
.seqdata-panel code { font-size: .9em; background: none; color: var(--sqp-quiet); padding: 0;
  overflow-wrap: anywhere; }
.seqdata-panel .sqp-id { display: inline-block; max-width: 10ch; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; vertical-align: bottom; user-select: all;
  cursor: copy; }

.seqdata-panel .seqdata-panel-events { margin-top: 12px; }
.seqdata-panel .sqp-events ul { margin: 0; padding: 0; list-style: none; }
.seqdata-panel .sqp-events li { display: grid; gap: 0 14px; align-items: baseline; padding: 4px 0;
  border-top: 1px solid var(--sqp-line); font-variant-numeric: tabular-nums;
  grid-template-columns: 11.5em 9em 8.5em minmax(0, 1fr); font-size: .93em; }
.seqdata-panel .sqp-when { color: var(--sqp-quiet); }
.seqdata-panel .sqp-num { text-align: right; white-space: nowrap; }
.seqdata-panel small { font-size: .93em; color: var(--sqp-quiet); }
@container (max-width: 640px) {
  .seqdata-panel .sqp-events li { grid-template-columns: minmax(0, 1fr) auto; }
  .seqdata-panel .sqp-word { grid-row: 1; }
  .seqdata-panel .sqp-num { grid-row: 1; }
  .seqdata-panel :is(.sqp-when, .sqp-between) { grid-column: 1 / -1; }
}
@container (max-width: 420px) {
  .seqdata-panel .widget-text:not(.seqdata-panel-hidden),
  .seqdata-panel .widget-dropdown:not(.seqdata-panel-hidden) {
    grid-template-columns: minmax(0, 1fr); row-gap: 2px; }
  .seqdata-panel :is(.seqdata-panel-hint, .seqdata-panel-instant, .seqdata-panel-limits,
    .widget-box.seqdata-panel-begin, .seqdata-panel-again):not(.seqdata-panel-hidden) {
    margin-left: 0; }
  .seqdata-panel dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .seqdata-panel dd { margin-bottom: 6px; }
  .seqdata-panel .seqdata-panel-confirm { margin: 10px 0 0; flex: 1 1 100%; }
}
"""
