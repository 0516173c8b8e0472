// What a reader moves on the page of a household. The formulas are those of
// src/analysis/household/controls.py; a test compares the two. Without this script the controls stay
// off and the tables of the page say the same for fixed values.
(function () {
  "use strict";

  var SCALE = { take_up: 100, share_kept: 100, fading: 100, discount: 100 };

  function annuity(years, fading, discount) {
    var q = (1 - fading) / (1 + discount);
    var series = Math.abs(q - 1) < 1e-9 ? years : (1 - Math.pow(q, years)) / (1 - q);
    return series / (1 + discount);
  }

  function outcome(form, at) {
    var base = at.base * (form.scaled ? at.size : 1);
    var people = ("people" in at ? at.people : 1) * ("take_up" in at ? at.take_up : 1);
    var found = {};
    ["low", "median", "high"].forEach(function (name) {
      if (name in form) {
        found[name] = people * (form[name] * base / 100 * at.share_kept - at.forgone);
      }
    });
    if ("median" in found) found.per_cent = 100 * found.median / (form.income * at.size);
    if ("cost" in at) {
      var each = at.cost / annuity(at.years, at.fading, at.discount) / people + at.forgone;
      found.break_even = 100 * each / (base * at.share_kept);
    }
    return found;
  }

  function print(value) {
    var digits = value === Math.trunc(value) || Math.abs(value) >= 100 ? 0 : 2;
    return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits })
      .replace("-", "\u2212");
  }

  document.querySelectorAll("form[data-household]").forEach(function (element) {
    var form = {};
    ["income", "scaled", "low", "median", "high"].forEach(function (name) {
      if (name in element.dataset) form[name] = Number(element.dataset[name]);
    });
    var fields = Array.from(element.querySelectorAll("input[type='range']"));

    function show() {
      var at = {};
      fields.forEach(function (field) {
        at[field.name] = Number(field.value) / (SCALE[field.name] || 1);
        element.querySelector("output[data-of='" + field.name + "']").textContent =
          print(Number(field.value));
      });
      var found = outcome(form, at);
      Object.keys(found).forEach(function (name) {
        var place = element.querySelector("[data-result='" + name + "']");
        place.dataset.value = String(found[name]);
        place.textContent = print(found[name]);
      });
    }

    element.addEventListener("submit", function (event) { event.preventDefault(); });
    element.addEventListener("input", show);
    element.querySelector("fieldset").disabled = false;
    show();
  });
})();
