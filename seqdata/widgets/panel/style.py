"""How the transfer panel looks: the theme's own colours, with others where there is no theme."""

from __future__ import annotations

#: Every rule is under the panel's class. A sign and a border stand beside each colour.
CSS = """
.seqdata-panel { max-width: 780px; color: var(--jp-ui-font-color1, #212121);
  font-family: var(--jp-ui-font-family, system-ui, sans-serif); font-size: 13px;
  --sqp-line: var(--jp-border-color2, #c4c4c4); --sqp-soft: var(--jp-layout-color2, #f0f0f0);
  --sqp-quiet: var(--jp-ui-font-color2, #5f5f5f); --sqp-ok: var(--jp-success-color1, #2e7d32);
  --sqp-no: var(--jp-error-color1, #c62828); --sqp-warn: var(--jp-warn-color1, #b26a00);
  --sqp-info: var(--jp-info-color1, #00798a);
  --sqp-ok-ink: color-mix(in srgb, var(--sqp-ok) 75%, var(--jp-ui-font-color1, #212121));
  --sqp-no-ink: color-mix(in srgb, var(--sqp-no) 75%, var(--jp-ui-font-color1, #212121));
  --sqp-warn-ink: color-mix(in srgb, var(--sqp-warn) 60%, var(--jp-ui-font-color1, #212121)); }
.seqdata-panel .widget-html-content { line-height: 1.45; font-size: 13px; }
.seqdata-panel .widget-html, .seqdata-panel .widget-html-content { height: auto; }
.seqdata-panel .widget-label { color: var(--sqp-quiet); }
.seqdata-panel button:focus-visible, .seqdata-panel input:focus-visible,
.seqdata-panel select:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2);
  outline-offset: 1px; }
.seqdata-panel button { border-radius: 4px; }
.seqdata-panel input, .seqdata-panel select { border-radius: 4px; }
.seqdata-panel .sqp-banner { display: flex; gap: 10px; align-items: baseline; flex-wrap: wrap;
  padding: 8px 12px; margin-bottom: 4px; border-radius: 4px; border: 1px solid; }
.seqdata-panel .sqp-banner strong { text-transform: uppercase; letter-spacing: .06em; }
.seqdata-panel .sqp-sandbox { border: 2px dashed var(--sqp-info);
  background: color-mix(in srgb, var(--sqp-info) 12%, transparent); }
.seqdata-panel .sqp-real { border: 3px solid var(--sqp-no); border-left-width: 12px;
  background: color-mix(in srgb, var(--sqp-no) 14%, transparent); }
.seqdata-panel .sqp-readonly { border: 4px double var(--sqp-quiet); border-left-width: 12px;
  background: var(--sqp-soft); }
.seqdata-panel .sqp-hint { color: var(--sqp-quiet); }
.seqdata-panel .sqp-bad { color: var(--sqp-no-ink); }
.seqdata-panel .sqp-bar { height: 6px; border-radius: 3px; overflow: hidden; margin-bottom: 4px;
  background: var(--jp-layout-color3, #dcdcdc); }
.seqdata-panel .sqp-bar > div { height: 100%; background: var(--jp-brand-color1, #1976d2); }
.seqdata-panel .sqp-limits, .seqdata-panel .sqp-clock { color: var(--sqp-quiet);
  font-variant-numeric: tabular-nums; }
.seqdata-panel .sqp-said { padding: 7px 12px; margin: 2px 0; border-left: 4px solid var(--sqp-info);
  background: var(--sqp-soft); border-radius: 0 4px 4px 0; overflow-wrap: anywhere; }
.seqdata-panel .sqp-alert { border-left-color: var(--sqp-no); }
.seqdata-panel .sqp-alert::before { content: "✗ "; color: var(--sqp-no-ink); font-weight: 600; }
.seqdata-panel .sqp-warn { border-left-color: var(--sqp-warn); }
.seqdata-panel .seqdata-panel-staged { border: 1px solid var(--sqp-line); border-radius: 6px;
  padding: 12px 14px; background: var(--jp-layout-color1, #fff); }
.seqdata-panel .sqp-head { font-weight: 600; margin-bottom: 2px; }
.seqdata-panel .sqp-amount { font-size: 26px; font-weight: 600; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
.seqdata-panel table { border-collapse: collapse; width: 100%; margin: 6px 0; }
.seqdata-panel th, .seqdata-panel td { text-align: left; padding: 5px 10px 5px 0;
  border-bottom: 1px solid var(--sqp-line); vertical-align: baseline; }
.seqdata-panel th { color: var(--sqp-quiet); font-weight: 500; }
.seqdata-panel .sqp-num, .seqdata-panel .sqp-ends th:nth-child(n+3) { text-align: right;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.seqdata-panel .sqp-ends td:last-child, .seqdata-panel .sqp-ends th:last-child {
  padding-right: 0; }
.seqdata-panel .sqp-kind { font-size: 11px; color: var(--sqp-quiet); margin-left: 4px;
  border: 1px solid var(--sqp-line); border-radius: 8px; padding: 0 7px; white-space: nowrap; }
.seqdata-panel dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px;
  margin: 8px 0 4px; }
.seqdata-panel dt { color: var(--sqp-quiet); float: none; width: auto; font-weight: 400; }
.seqdata-panel dd { margin: 0; float: none; width: auto; overflow-wrap: anywhere; }
.seqdata-panel .sqp-outcome { display: flex; gap: 12px; padding: 10px 14px; margin: 2px 0;
  border: 1px solid var(--sqp-line); border-left: 6px solid; border-radius: 6px;
  overflow-wrap: anywhere; }
.seqdata-panel .sqp-outcome > span { font-size: 20px; line-height: 1.1; font-weight: 700; }
.seqdata-panel .sqp-completed { border-left-color: var(--sqp-ok); }
.seqdata-panel .sqp-completed > span { color: var(--sqp-ok-ink); }
.seqdata-panel .sqp-failed { border-left-color: var(--sqp-no); }
.seqdata-panel .sqp-failed > span { color: var(--sqp-no-ink); }
.seqdata-panel .sqp-unknown { border-left-color: var(--sqp-warn); border-left-style: double; }
.seqdata-panel .sqp-unknown > span { color: var(--sqp-warn-ink); }
.seqdata-panel .sqp-dry-run { border-left-color: var(--sqp-info); border-left-style: dashed; }
.seqdata-panel .seqdata-panel-settling { border: 1px solid var(--sqp-line);
  border-left: 6px double var(--sqp-warn); border-radius: 6px; padding: 10px 14px; }
.seqdata-panel .sqp-open ul { margin: 4px 0; padding-left: 18px; }
.seqdata-panel code { font-size: 11px; overflow-wrap: anywhere; background: none;
  color: var(--sqp-quiet); }
.seqdata-panel .sqp-events { font-size: 12px; }
.seqdata-panel .sqp-events caption { text-align: left; font-weight: 600; padding: 4px 0; }
.seqdata-panel .sqp-events th:nth-child(3) { text-align: right; }
.seqdata-panel .seqdata-panel-begin { margin-left: 84px; }
.seqdata-panel .seqdata-panel-countdown { margin: 8px 2px; }
.seqdata-panel .sqp-clock b { color: var(--jp-ui-font-color1, #212121); font-size: 15px; }
.seqdata-panel .seqdata-panel-title .sqp-head { font-size: 16px; margin: 2px 0 6px; }
.seqdata-panel .sqp-num + td { padding-left: 14px; }
.seqdata-panel .sqp-events th:nth-child(4) { padding-left: 14px; }
.seqdata-panel .sqp-events td:nth-child(4), .seqdata-panel .sqp-events td:last-child {
  min-width: 110px; overflow-wrap: anywhere; }
.seqdata-panel .sqp-events td:first-child { white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.seqdata-panel .widget-checkbox, .seqdata-panel .widget-checkbox .widget-label-basic {
  height: auto; line-height: 1.45; white-space: normal; overflow: visible; }
.seqdata-panel .seqdata-panel-form { container-type: inline-size; }
@container (max-width: 639px) { .seqdata-panel .seqdata-panel-from-hint,
  .seqdata-panel .seqdata-panel-to-hint, .seqdata-panel .seqdata-panel-amount-hint {
  margin-left: 86px; flex-basis: 100%; } }
"""
