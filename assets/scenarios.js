// What a reader moves on the scenarios page. The formula is that of src/analysis/scenarios/formula.py
// and costs/value.py; a test compares the two. Without this script the controls stay off and the
// tables of the page say the same for fixed values.
(function () {
  "use strict";

  // The normal distribution function, by its series; exact to double precision for what is needed.
  function normal(z) {
    if (z < -8) return 0;
    if (z > 8) return 1;
    var term = z, sum = z;
    for (var k = 1; k < 400 && Math.abs(term) > 1e-18; k += 1) {
      term *= z * z / (2 * k + 1);
      sum += term;
    }
    return 0.5 + sum * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  }

  function annuity(years, fading, discount) {
    var q = (1 - fading) / (1 + discount);
    var series = Math.abs(q - 1) < 1e-9 ? years : (1 - Math.pow(q, years)) / (1 - q);
    return series / (1 + discount);
  }

  function headcount(world, gain) {
    var left = world.line - gain / world.size;
    if (left <= 0) return 0;
    return normal((Math.log(left / world.mean) + world.sigma * world.sigma / 2) / world.sigma);
  }

  function outcome(world, takeUp, gain, cost, years, yearly) {
    var worth = yearly ? gain : gain * annuity(years, world.fading, world.discount);
    var before = headcount(world, 0);
    return {
      average: takeUp * gain,
      percent: 100 * gain / (world.mean * world.size),
      spent: takeUp * cost,
      per_yuan: cost > 0 ? worth / cost : NaN,
      poor_before: 100 * before,
      poor_after: 100 * ((1 - takeUp) * before + takeUp * headcount(world, gain))
    };
  }

  var DIGITS = { average: 0, percent: 1, spent: 0, per_yuan: 2, poor_before: 1, poor_after: 1 };
  function print(value, digits) {
    if (!isFinite(value)) return "no cost";
    return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits })
      .replace("-", "\u2212");
  }

  document.querySelectorAll("form[data-scenarios]").forEach(function (form) {
    var world = {};
    ["mean", "line", "size", "sigma", "fading", "discount"].forEach(function (name) {
      world[name] = Number(form.dataset[name]);
    });
    function field(name) { return form.querySelector("[name='" + name + "']"); }
    function chosen() { return field("target").selectedOptions[0]; }

    function show() {
      var yearly = chosen().dataset.yearly === "yes";
      ["take-up", "gain", "cost", "years"].forEach(function (name) {
        form.querySelector("output[data-of='" + name + "']").textContent =
          print(Number(field(name).value), 0);
      });
      field("years").disabled = yearly;
      var found = outcome(world, Number(field("take-up").value) / 100, Number(field("gain").value),
        Number(field("cost").value), Number(field("years").value), yearly);
      Object.keys(found).forEach(function (name) {
        var place = form.querySelector("[data-result='" + name + "']");
        place.dataset.value = String(found[name]);
        place.textContent = print(found[name], DIGITS[name]);
      });
      form.querySelectorAll("[data-when]").forEach(function (note) {
        note.hidden = note.dataset.when !== (yearly ? "yearly" : "once");
      });
    }

    function start() {
      ["gain", "cost"].forEach(function (name) { field(name).value = chosen().dataset[name]; });
      show();
    }
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    field("target").addEventListener("change", start);
    form.addEventListener("input", function (event) { if (event.target.type === "range") show(); });
    form.querySelector("fieldset").disabled = false;
    show();
  });
})();
