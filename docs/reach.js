// What the theme builds when a page is read: named for a screen reader, reachable with the keyboard.
let buttons = 0;

function reach() {
  for (const wide of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])")) wide.tabIndex = 0;
  for (const nav of document.querySelectorAll(".md-code__nav:not([aria-label])"))
    nav.setAttribute("aria-label", `Code ${(buttons += 1)}`);
}

new MutationObserver(reach).observe(document.documentElement, { childList: true, subtree: true });
reach();
