// Words of the glossary, explained where they first stand in the text of a page: on hover, by
// keyboard, by touch. assets/glossary.js, made from the glossary, says what they mean. Without
// either every word is simply there.
(function () {
  "use strict";
  var meta = document.querySelector('meta[name="quarto:offset"]');
  var offset = meta ? meta.content : "./", main = document.querySelector("main");
  var zh = /^zh/.test(document.documentElement.lang);
  var terms = (window.siteGlossary || {})[zh ? "zh" : "en"] || [];
  if (!main || !terms.length) return;
  var own = terms[0].href.split("#")[0];
  if (decodeURI(location.pathname).endsWith("/" + own)) return;

  // What is code, a link, a heading, a label or a control is no text to explain.
  var SKIPPED = "a, button, code, pre, math, h1, h2, h3, h4, h5, h6, table, figure, form, dt, script," +
    "style, summary, svg, select, nav, [role=tablist], .badge, .figure-links, .key-numbers, .references," +
    "#refs, .listing, .term-tip, #title-block-header";
  var forms = new Map();
  terms.forEach(function (term) {
    term.forms.forEach(function (form) { forms.set(form, term); });
  });
  // Of two terms that fit, the longer one is meant; a sentence may begin with a small one.
  function pattern(form) {
    var text = form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), first = form.charAt(0);
    return first === first.toUpperCase() ? text : "[" + first + first.toUpperCase() + "]" + text.slice(1);
  }
  var any = new RegExp(Array.from(forms.keys()).sort(function (a, b) { return b.length - a.length; })
    .map(pattern).join("|"), "gu");
  var letter = /[\p{L}\p{N}_-]/u, ideograph = /\p{Script=Han}/u;
  function inWord(text, at, found) {
    if (ideograph.test(found)) return false;
    return letter.test(text.charAt(at - 1)) || letter.test(text.charAt(at + found.length));
  }
  function termOf(word) {
    return forms.get(word) || forms.get(word.charAt(0).toLowerCase() + word.slice(1));
  }

  var seen = new Set(), tips = document.createElement("div"), shown = null, hiding = 0, shownAt = 0;
  tips.className = "term-tips";
  function hide() {
    clearTimeout(hiding);
    if (shown) shown.hidden = true;
    shown = null;
  }
  function later() { clearTimeout(hiding); hiding = setTimeout(hide, 150); }
  function show(link, tip) {
    clearTimeout(hiding);
    if (shown === tip) return;
    hide();
    tip.hidden = false;
    shown = tip;
    shownAt = Date.now();
    var box = link.getBoundingClientRect(), width = document.documentElement.clientWidth;
    var left = Math.max(8, Math.min(box.left, width - tip.offsetWidth - 8));
    var below = box.bottom + 6 + tip.offsetHeight <= innerHeight || box.top < tip.offsetHeight + 6;
    tip.style.left = left + "px";
    tip.style.top = (below ? box.bottom + 6 : box.top - 6 - tip.offsetHeight) + "px";
  }
  function explained(word, term, serial) {
    var link = document.createElement("a"), tip = document.createElement("div");
    link.className = "term";
    link.href = offset + term.href;
    link.textContent = word;
    link.setAttribute("aria-describedby", "term-tip-" + serial);
    tip.className = "term-tip";
    tip.id = "term-tip-" + serial;
    tip.setAttribute("role", "tooltip");
    tip.textContent = term.text;
    tip.hidden = true;
    link.addEventListener("focus", function () { show(link, tip); });
    link.addEventListener("blur", later);
    [link, tip].forEach(function (part) {
      part.addEventListener("pointerenter", function () { show(link, tip); });
      part.addEventListener("pointerleave", function (event) {
        if (event.pointerType !== "touch") later();
      });
    });
    // A first touch explains, the next one follows the link.
    link.addEventListener("click", function (event) {
      if (event.pointerType === "touch" && Date.now() - shownAt < 700) event.preventDefault();
    });
    tips.append(tip);
    return link;
  }
  function explain(node) {
    var text = node.data, from = 0, found, parts = [];
    any.lastIndex = 0;
    while ((found = any.exec(text))) {
      var term = termOf(found[0]);
      if (!term || seen.has(term) || inWord(text, found.index, found[0])) continue;
      seen.add(term);
      parts.push(text.slice(from, found.index), explained(found[0], term, seen.size));
      from = found.index + found[0].length;
    }
    if (parts.length) node.replaceWith.apply(node, parts.concat(text.slice(from)));
  }

  var walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT, function (node) {
    var inside = node.parentElement.closest("p, li, dd");
    return inside && !node.parentElement.closest(SKIPPED) ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_REJECT;
  });
  var nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  nodes.forEach(explain);
  main.append(tips);
  addEventListener("scroll", hide, { passive: true });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") hide(); });
})();
