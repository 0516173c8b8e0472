// The page shell: menu, light and dark, tabs, heading anchors, search. No dependency, and every
// part of a page can be read without it.
(function () {
  "use strict";
  var root = document.documentElement;
  var byId = function (id) { return document.getElementById(id); };
  var meta = document.querySelector('meta[name="quarto:offset"]');
  var offset = meta ? meta.content : "./";

  // The page for missing addresses has a base; its own places are still on this page
  if (document.querySelector("base")) {
    document.querySelectorAll('a[href^="#"]').forEach(function (link) {
      link.href = location.pathname + location.search + link.getAttribute("href");
    });
  }

  // Menu on narrow screens
  var menu = byId("menu-toggle");
  if (menu) {
    menu.hidden = false;
    menu.addEventListener("click", function () {
      menu.setAttribute("aria-expanded", String(root.classList.toggle("menu-open")));
    });
  }

  // Light and dark: the system decides until the reader does
  var toggle = byId("theme-toggle");
  var show = function (dark) {
    root.classList.toggle("quarto-dark", dark);
    root.classList.toggle("quarto-light", !dark);
    // It names what a press turns on, which is off until then: aria-pressed stays "false".
    toggle.textContent = dark ? toggle.dataset.light : toggle.dataset.dark;
  };
  if (toggle) {
    var system = matchMedia("(prefers-color-scheme: dark)");
    var chosen = function () {
      try { return localStorage.getItem("color-scheme"); } catch (e) { return null; }
    };
    toggle.hidden = false;
    show(root.classList.contains("quarto-dark"));
    toggle.addEventListener("click", function () {
      var dark = !root.classList.contains("quarto-dark");
      try { localStorage.setItem("color-scheme", dark ? "dark" : "light"); } catch (e) { /* private */ }
      show(dark);
    });
    system.addEventListener("change", function () { if (!chosen()) show(system.matches); });
  }

  // Tabs: arrow keys move, as in the ARIA pattern
  document.querySelectorAll(".panel-tabset").forEach(function (set) {
    var tabs = Array.from(set.querySelectorAll(':scope > .tab-list [role="tab"]'));
    var select = function (tab, focus) {
      tabs.forEach(function (other) {
        var on = other === tab;
        other.setAttribute("aria-selected", String(on));
        if (on) other.removeAttribute("tabindex"); else other.tabIndex = -1;
        byId(other.getAttribute("aria-controls")).classList.toggle("active", on);
      });
      if (focus) tab.focus();
    };
    set.addEventListener("click", function (event) {
      var tab = event.target.closest('[role="tab"]');
      if (tab && tabs.includes(tab)) select(tab, false);
    });
    set.addEventListener("keydown", function (event) {
      var at = tabs.indexOf(event.target);
      var next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (at < 0 || next === undefined) return;
      event.preventDefault();
      select(tabs[(next + tabs.length) % tabs.length], true);
    });
  });
  var reveal = function () {
    var target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
    var panel = target && target.closest(".tab-panel:not(.active)");
    if (panel) { byId(panel.getAttribute("aria-labelledby")).click(); target.scrollIntoView(); }
  };
  addEventListener("hashchange", reveal);
  reveal();

  // Stable links to sections
  document.querySelectorAll(".content section[id] > :is(h2, h3, h4)").forEach(function (heading) {
    var link = document.createElement("a");
    link.className = "anchor";
    link.href = "#" + heading.parentElement.id;
    link.textContent = "#";
    link.setAttribute("aria-label", document.querySelector(".content").dataset.anchor);
    heading.append(link);
  });

  // The contents step aside while a wide table is beside them
  var toc = document.querySelector(".toc"), wide = document.getElementsByClassName("wide");
  var waiting = false;
  var aside = function () {
    waiting = false;
    var at = toc.getBoundingClientRect();
    toc.classList.toggle("covered", Array.from(wide).some(function (table) {
      var box = table.getBoundingClientRect();
      return box.right > at.left && box.top < at.bottom && box.bottom > at.top;
    }));
  };
  if (toc) {
    ["scroll", "resize", "load"].forEach(function (name) {
      addEventListener(name, function () {
        if (!waiting) requestAnimationFrame(aside);
        waiting = true;
      }, { passive: true });
    });
  }

  // Search
  var dialog = byId("search"), opener = byId("search-open"), input = byId("search-input");
  if (!dialog || !dialog.showModal) return;
  var status = byId("search-status"), list = byId("search-results"), loading = null;
  var load = function () {
    loading = loading || new Promise(function (done) {
      var script = document.createElement("script");
      script.src = offset + "site_libs/search-index.js";
      script.onload = function () { done(window.siteSearchIndex || []); };
      script.onerror = function () { status.textContent = dialog.dataset.missing; };
      document.head.append(script);
    });
    return loading;
  };
  var cjk = /[\u2e80-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]+/gu;
  // Words for alphabets; pairs of neighbours for Chinese, which has no spaces to split at.
  var terms = function (query) {
    var text = query.toLowerCase().normalize("NFKC"), found = [];
    (text.match(cjk) || []).forEach(function (run) {
      var signs = Array.from(run);
      if (signs.length === 1) found.push(run);
      for (var i = 0; i + 1 < signs.length; i++) found.push(signs[i] + signs[i + 1]);
    });
    return found.concat(text.replace(cjk, " ").match(/[\p{L}\p{N}]+/gu) || []);
  };
  // Words as they were typed, Chinese ones or several in a row: where they stand whole, their
  // parts did not meet by chance.
  var phrases = function (query) {
    var text = query.trim().toLowerCase().normalize("NFKC"), runs = text.match(cjk) || [];
    return runs.length || terms(text).length < 2 ? runs : [text];
  };
  var score = function (entry, wanted, whole) {
    var title = (entry.title + " " + entry.section).toLowerCase(), text = entry.text.toLowerCase();
    var sum = 0, missing = 0;
    wanted.forEach(function (term) {
      var inTitle = title.includes(term), parts = text.split(term).length - 1;
      if (!inTitle && !parts) missing += 1;
      sum += (inTitle ? 10 : 0) + Math.min(parts, 5);
    });
    whole.forEach(function (run) {
      sum += (title.includes(run) ? 20 : 0) + (text.includes(run) ? 10 : 0);
    });
    // The reader's own language first
    if ((entry.lang || dialog.dataset.lang) === root.lang) sum *= 3;
    return missing > wanted.length / 3 ? 0 : sum / (1 + missing);
  };
  // Records, sources and reference name every word there is: pages that answer come first.
  var technical = function (hit) {
    return /^(?:findings|source|reference|methods|decisions)[./]/.test(hit.entry.href) ? 1 : 0;
  };
  var excerpt = function (text, wanted) {
    var lower = text.toLowerCase();
    var at = Math.max(0, Math.min.apply(null, wanted.map(function (term) {
      var i = lower.indexOf(term); return i < 0 ? Infinity : i;
    }).concat(text.length ? [text.length] : [0])) - 40);
    if (at >= text.length - 40) at = 0;
    var piece = (at ? "…" : "") + text.slice(at, at + 160) + (at + 160 < text.length ? "…" : "");
    var box = document.createElement("span"), escaped = wanted.map(function (term) {
      return term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    });
    piece.split(new RegExp("(" + escaped.join("|") + ")", "giu")).forEach(function (part, i) {
      var node = i % 2 ? document.createElement("mark") : document.createTextNode(part);
      if (i % 2) node.textContent = part;
      box.append(node);
    });
    return box;
  };
  var search = function (index) {
    var wanted = terms(input.value), whole = phrases(input.value);
    list.replaceChildren();
    if (!wanted.length) { status.textContent = ""; return; }
    var hits = index.map(function (entry) { return { entry: entry, score: score(entry, wanted, whole) }; })
      .filter(function (hit) { return hit.score > 0; })
      .sort(function (a, b) { return technical(a) - technical(b) || b.score - a.score; });
    status.textContent = dialog.dataset.results + " " + hits.length;
    hits.slice(0, 20).forEach(function (hit) {
      var item = document.createElement("li"), link = document.createElement("a");
      var title = document.createElement("strong");
      link.href = offset + hit.entry.href;
      link.lang = hit.entry.lang || dialog.dataset.lang;
      title.textContent = hit.entry.title + (hit.entry.section ? " › " + hit.entry.section : "");
      link.append(title, excerpt(hit.entry.text, wanted));
      link.addEventListener("click", function () { dialog.close(); });
      item.append(link);
      list.append(item);
    });
  };
  var open = function () { dialog.showModal(); input.select(); load().then(search); };
  opener.hidden = false;
  opener.addEventListener("click", open);
  input.addEventListener("input", function () { load().then(search); });
  input.addEventListener("keydown", function (event) {
    // A search field would only empty itself; one Escape should leave.
    if (event.key === "Escape") { event.preventDefault(); dialog.close(); }
    if (event.key !== "Enter") return;
    event.preventDefault();
    var first = list.querySelector("a");
    if (first) first.click();
  });
  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !dialog.open) { event.preventDefault(); open(); }
  });
})();
