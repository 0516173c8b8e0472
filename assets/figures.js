// Values of a figure's marks: by pointer, by touch, by keyboard. The drawing is inline SVG and its
// marks carry their values as data (src/analysis/results/figure_svg.py); without this script the
// figure and its alternative text are simply there.
(function () {
  "use strict";
  var REACH = 28; // pixels from a mark within which the pointer means it
  var zh = /^zh/.test(document.documentElement.lang);
  var words = zh ? { values: "图中数值，按方向键逐个查看", all: "全部" }
    : { values: "Values in this figure, one by one with the arrow keys", all: "All" };

  function distance(box, x, y) {
    var dx = Math.max(box.left - x, 0, x - box.right), dy = Math.max(box.top - y, 0, y - box.bottom);
    return Math.hypot(dx, dy) + Math.hypot(box.left + box.width / 2 - x, box.top + box.height / 2 - y) / 100;
  }

  function enhance(exhibit) {
    var drawing = exhibit.querySelector("svg");
    var marks = Array.from(drawing.querySelectorAll(".mark[data-value]"));
    if (!marks.length) return;
    var tip = document.createElement("div"), current = null, keys = null;
    tip.className = "exhibit-tip";
    tip.hidden = true;
    tip.setAttribute("aria-hidden", "true");

    function hide() {
      if (current) current.classList.remove("current");
      current = null;
      tip.hidden = true;
    }
    function show(mark) {
      if (current === mark) return;
      hide();
      current = mark;
      mark.classList.add("current");
      tip.textContent = mark.dataset.value;
      tip.hidden = false;
      var outer = exhibit.getBoundingClientRect(), box = mark.getBoundingClientRect();
      var left = box.left + box.width / 2 - outer.left - tip.offsetWidth / 2;
      var above = box.top - outer.top - tip.offsetHeight - 6;
      tip.style.left = Math.max(0, Math.min(left, outer.width - tip.offsetWidth)) + "px";
      tip.style.top = (above >= 0 ? above : box.bottom - outer.top + 6) + "px";
      if (keys) {
        keys.setAttribute("aria-valuenow", String(marks.indexOf(mark) + 1));
        keys.setAttribute("aria-valuetext", mark.dataset.value);
      }
    }
    function near(event) {
      var best = null, least = REACH;
      marks.forEach(function (mark) {
        if (mark.classList.contains("dimmed")) return;
        var far = distance(mark.getBoundingClientRect(), event.clientX, event.clientY);
        if (far < least) { best = mark; least = far; }
      });
      if (best) show(best); else hide();
    }
    // The mark that a key leads to; null for other keys.
    function next(key, at) {
      var step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key];
      if (key === "Home") return 0;
      if (key === "End") return marks.length - 1;
      return step ? Math.max(0, Math.min(marks.length - 1, at + step)) : null;
    }
    drawing.addEventListener("pointermove", near);
    drawing.addEventListener("pointerdown", near);
    drawing.addEventListener("pointerleave", function (event) {
      if (event.pointerType !== "touch") hide();
    });

    if (drawing.querySelector("a.mark")) {
      // Links: one stop for all of them, arrows go from one to the next.
      marks.forEach(function (mark, at) {
        mark.setAttribute("tabindex", at ? "-1" : "0");
        mark.addEventListener("focus", function () { show(mark); });
        mark.addEventListener("blur", hide);
      });
      drawing.addEventListener("keydown", function (event) {
        var at = marks.indexOf(document.activeElement), to = next(event.key, at);
        if (event.key === "Escape") hide();
        if (at < 0 || to === null) return;
        event.preventDefault();
        marks[at].setAttribute("tabindex", "-1");
        marks[to].setAttribute("tabindex", "0");
        marks[to].focus();
      });
    } else {
      // One stop for the whole figure; arrows go from mark to mark.
      keys = document.createElement("div");
      keys.className = "exhibit-keys";
      keys.tabIndex = 0;
      keys.setAttribute("role", "slider");
      keys.setAttribute("aria-label", words.values);
      keys.setAttribute("aria-valuemin", "1");
      keys.setAttribute("aria-valuemax", String(marks.length));
      keys.setAttribute("aria-valuenow", "1");
      keys.setAttribute("aria-valuetext", marks[0].dataset.value);
      keys.addEventListener("focus", function () { show(current || marks[0]); });
      keys.addEventListener("blur", hide);
      keys.addEventListener("keydown", function (event) {
        var to = next(event.key, current ? marks.indexOf(current) : 0);
        if (event.key === "Escape") hide();
        if (to === null) return;
        event.preventDefault();
        show(marks[to]);
      });
      exhibit.append(keys);
    }
    exhibit.append(tip);

    // One button for each group; the other groups fade.
    var all = Array.from(drawing.querySelectorAll("[data-group]"));
    var names = Array.from(new Set(all.map(function (mark) { return mark.dataset.group; })));
    if (names.length < 2) return;
    var row = document.createElement("div");
    row.className = "exhibit-groups";
    [words.all].concat(names).forEach(function (name, at) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("aria-pressed", String(at === 0));
      button.addEventListener("click", function () {
        hide();
        row.querySelectorAll("button").forEach(function (other) {
          other.setAttribute("aria-pressed", String(other === button));
        });
        all.forEach(function (mark) {
          mark.classList.toggle("dimmed", at > 0 && mark.dataset.group !== name);
        });
      });
      row.append(button);
    });
    exhibit.before(row);
  }
  document.querySelectorAll(".exhibit").forEach(enhance);
})();
