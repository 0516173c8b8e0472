// Tables a reader can search, filter and sort, and boxes that scroll by keyboard. Works under
// Quarto and under the embedded renderer; without it every row is simply there.
(function () {
  "use strict";

  // Columns of long text get room. A table that is too wide may break out of the column of text
  // (class "wide"), then its columns give way to each other, at last long words break (class
  // "tight"). On a phone rows become cards, each value with the title of its column.
  var phone = matchMedia("screen and (max-width: 40rem)");
  function measure(table) {
    var head = table.tHead && table.tHead.rows[table.tHead.rows.length - 1], found = [];
    Array.from(head ? head.cells : []).forEach(function (column, at) {
      var cells = [], longest = 0, word = 0;
      Array.from(table.tBodies).forEach(function (body) {
        Array.from(body.rows).forEach(function (row) {
          if (row.cells.length !== head.cells.length) return;
          var value = row.cells[at].textContent.trim();
          cells.push(row.cells[at]);
          longest = Math.max(longest, value.length);
          value.split(/[\s-]+/).forEach(function (part) { word = Math.max(word, part.length); });
        });
      });
      // Paper does not scroll: ids stay on a line there, words whole while a page can hold them.
      var print = longest <= 10 ? "short" : word > (head.cells.length > 9 ? 12 : 16) ? "long-words" : "";
      if (print) cells.forEach(function (cell) { cell.classList.add(print); });
      if (longest > 20) found.push({ column: column, rem: 1.4 * Math.sqrt(longest) });
    });
    return found;
  }
  function asCards(table, box) {
    var head = table.tHead && table.tHead.rows[table.tHead.rows.length - 1];
    box.classList.add(head ? "cards" : "tight");
    if (!head || box.matches(".result-table")) return;
    // Boxes instead of rows and cells: what they are must be said in words of their own.
    table.setAttribute("role", "table");
    Array.from(table.tBodies).forEach(function (body) {
      body.setAttribute("role", "rowgroup");
      Array.from(body.rows).forEach(function (row) {
        row.setAttribute("role", "row");
        Array.from(row.cells).forEach(function (cell, at) {
          cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
          if (row.cells.length === head.cells.length && cell.tagName === "TD") {
            cell.setAttribute("data-label", head.cells[at].textContent.trim());
          }
        });
      });
    });
  }
  function fit(table) {
    var box = table.closest(".table-scroll, .table-responsive"), long = measure(table);
    function give(most) {
      long.forEach(function (one) {
        one.column.style.minWidth = "min(70vw, " + Math.min(most, one.rem).toFixed(1) + "rem)";
      });
      return box.scrollWidth <= box.clientWidth + 1;
    }
    if (phone.matches) return asCards(table, box);
    table.classList.toggle("many-columns", long.length > 0 && table.tHead.rows[table.tHead.rows.length - 1].cells.length > 7);
    if (give(20)) return;
    if (!box.closest("li, dd, blockquote, .callout, .tab-panel, .column-margin")) box.classList.add("wide");
    if ([20, 16, 13, 11, 9].some(give)) return;
    box.classList.add("tight");
    [13, 9, 6, 0].some(give);
  }
  function shrink(math) {
    var share = math.clientWidth / math.scrollWidth;
    if (share < 1) math.style.fontSize = 100 * Math.max(share - 0.01, 0.65) + "%";
  }

  // A box that scrolls must be reachable by keyboard and have a name.
  function nameOf(box) {
    var figure = box.closest("figure, [id^='tbl-'], [id^='fig-']");
    var caption = box.querySelector("caption") || (figure && figure.querySelector("figcaption"));
    return caption ? caption.textContent.trim() : "";
  }
  var boxes = document.querySelectorAll(".table-scroll, .table-responsive, main pre, main math[display='block']");
  function reach() {
    boxes.forEach(function (box) {
      if (box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1) {
        box.tabIndex = 0;
        var name = nameOf(box);
        if (name && box.tagName === "DIV") {
          box.setAttribute("role", "region");
          box.setAttribute("aria-label", name);
        }
      } else if (box.getAttribute("tabindex") === "0") {
        box.removeAttribute("tabindex");
        box.removeAttribute("role");
        box.removeAttribute("aria-label");
      }
    });
  }
  addEventListener("resize", reach);
  addEventListener("load", reach);

  // Chinese and English labels of the controls
  var zh = /^zh/.test(document.documentElement.lang);
  var words = zh
    ? { search: "搜索此表", all: "全部", more: function (n) { return "显示全部 " + n + " 行"; }, rows: function (n, of) { return of + " 行中的 " + n + " 行"; } }
    : { search: "Search this table", all: "All", more: function (n) { return "Show all " + n + " rows"; },
        rows: function (n, of) { return n + " of " + of + (of === 1 ? " row" : " rows"); } };

  function element(tag, properties, children) {
    var made = Object.assign(document.createElement(tag), properties || {});
    (children || []).forEach(function (child) { made.append(child); });
    return made;
  }
  function text(cell) { return cell ? cell.textContent.trim() : ""; }
  // A number with thousands separators, units or a percent sign; NaN if it is none.
  function number(value) {
    var plain = value.replace(/[,\u00a0\u2009\u202f\s]/g, "").replace(/[−–]/g, "-");
    var found = /^[<>≥≤~≈]?(-?\d+(?:\.\d+)?)/.exec(plain);
    return found ? parseFloat(found[1]) : NaN;
  }

  // What a cell is filtered by: a value behind it, or its text.
  function valueOf(cell) { return cell.getAttribute("data-value") || text(cell); }
  var asked = new URLSearchParams(location.search);
  // The address says what is chosen, so that it can be sent on.
  function remember(filters) {
    filters.forEach(function (filter) {
      if (!filter.key) return;
      if (filter.select.value) asked.set(filter.key, filter.select.value);
      else asked.delete(filter.key);
    });
    var query = asked.toString();
    try {
      history.replaceState(null, "", location.pathname + (query ? "?" + query : "") + location.hash);
    } catch (error) { /* a page opened from disk may not say so */ }
  }
  // Rows beyond these wait behind a button; printed pages show all.
  var MOST = 40;

  function enhance(table, serial) {
    var body = table.tBodies[0], head = table.tHead && table.tHead.rows[table.tHead.rows.length - 1];
    if (!body || !head) return;
    var columns = Array.from(head.cells);
    // Row labels may stand in th; positions count all cells alike.
    var rows = Array.from(body.rows).filter(function (row) { return row.cells.length === columns.length; });
    var filters = [], id = "table-" + serial, plain = table.closest(".result-table");

    var search = element("input", { type: "search", id: id + "-search", autocomplete: "off" });
    var tools = element("div", { className: "table-tools" }, [
      element("label", { htmlFor: search.id }, [words.search, search])
    ]);
    columns.forEach(function (column, at) {
      if (!column.hasAttribute("data-filter")) return;
      var names = JSON.parse(column.getAttribute("data-names") || "{}");
      var called = function (value) { return names[value] || value; };
      var order = Object.keys(names);
      var place = function (value) { var at = order.indexOf(value); return at < 0 ? order.length : at; };
      var values = Array.from(new Set(rows.map(function (row) { return valueOf(row.cells[at]); })))
        .filter(Boolean).sort(function (a, b) {
          return place(a) - place(b) || called(a).localeCompare(called(b), undefined, { numeric: true });
        });
      var select = element("select", { id: id + "-filter-" + at }, [element("option", { value: "", textContent: words.all })]);
      values.forEach(function (value) { select.append(element("option", { value: value, textContent: called(value) })); });
      // An address may say what is wanted: page.html?programme=training
      var key = column.getAttribute("data-filter"), wanted = key && asked.get(key);
      if (values.indexOf(wanted) >= 0) select.value = wanted;
      tools.append(element("label", { htmlFor: select.id }, [column.getAttribute("data-title") || text(column), select]));
      filters.push({ at: at, key: key, select: select });
    });
    var count = element("p", { className: "table-count" });
    count.setAttribute("role", "status");
    count.setAttribute("aria-live", "polite");
    tools.append(count);

    var more = element("button", { type: "button", className: "tool more-rows" }), whole = !plain;
    function apply() {
      var wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean), visible = 0;
      rows.forEach(function (row) {
        var content = row.textContent.toLowerCase();
        var keep = wanted.every(function (word) { return content.includes(word); }) &&
          filters.every(function (filter) {
            return !filter.select.value || valueOf(row.cells[filter.at]) === filter.select.value;
          });
        row.hidden = !keep;
        if (keep) visible += 1;
        row.classList.toggle("beyond", keep && !whole && visible > MOST);
      });
      more.hidden = whole || visible <= MOST;
      more.textContent = words.more(visible);
      count.textContent = words.rows(visible, rows.length);
      reach();
    }
    more.addEventListener("click", function () { whole = true; apply(); });
    search.addEventListener("input", apply);
    filters.forEach(function (filter) {
      filter.select.addEventListener("change", function () { apply(); remember(filters); });
    });

    columns.forEach(function (column, at) {
      if (column.colSpan > 1 || !text(column)) return;
      var button = element("button", { type: "button", className: "sort" });
      button.append.apply(button, Array.from(column.childNodes));
      column.append(button);
      button.addEventListener("click", function () {
        var direction = column.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
        columns.forEach(function (other) { other.removeAttribute("aria-sort"); });
        column.setAttribute("aria-sort", direction);
        var keyed = rows.map(function (row, place) {
          var value = row.cells[at].getAttribute("data-sort") || text(row.cells[at]);
          return { row: row, place: place, text: value, number: number(value) };
        });
        var filled = keyed.filter(function (key) { return key.text; });
        var numeric = filled.length > 0 &&
          filled.filter(function (key) { return !isNaN(key.number); }).length > filled.length / 2;
        var sign = direction === "ascending" ? 1 : -1;
        keyed.sort(function (a, b) {
          if (!a.text !== !b.text) return a.text ? -1 : 1;
          if (numeric && isNaN(a.number) !== isNaN(b.number)) return isNaN(a.number) ? 1 : -1;
          var by = numeric ? a.number - b.number || 0 : a.text.localeCompare(b.text, undefined, { numeric: true });
          return sign * by || a.place - b.place;
        });
        keyed.forEach(function (key) { body.append(key.row); });
        rows = keyed.map(function (key) { return key.row; });
        apply();
      });
    });

    var box = table.closest(".table-scroll, .table-responsive") || table;
    box.before(tools);
    box.after(more);
    if (box !== table && rows.length > 25 && !plain) box.classList.add("tall");
    apply();
  }
  document.querySelectorAll("table[data-filterable], .filterable table").forEach(enhance);
  // Last, when every button and field has its room.
  document.querySelectorAll(".table-scroll table, .table-responsive table").forEach(fit);
  document.querySelectorAll("main math[display='block']").forEach(shrink);
  reach();
})();
