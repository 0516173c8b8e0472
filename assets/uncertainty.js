// Switches on the page on uncertainty. Each combination was worked out and printed in Python
// (src/analysis/figures/lesson.py) and stands in the form; this only shows the one that is chosen.
(function () {
  "use strict";
  document.querySelectorAll("form[data-lesson]").forEach(function (form) {
    var content = JSON.parse(form.dataset.lesson);
    var boxes = Array.from(form.querySelectorAll("input[type='checkbox']"));
    var picture = form.querySelector(".lesson-picture");

    function show() {
      var chosen = content[boxes.map(function (box) { return box.checked ? "1" : "0"; }).join("")];
      picture.style.setProperty("--truth", chosen.truth + "%");
      form.querySelectorAll(".lesson-row").forEach(function (line) {
        var found = chosen.rows[line.dataset.method];
        ["at", "from", "to"].forEach(function (name) {
          line.style.setProperty("--" + name, found[name] + "%");
        });
        line.querySelector("[data-text]").textContent = found.text;
      });
      form.querySelector("[data-said]").textContent = chosen.said;
    }
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("change", show);
    form.querySelector("fieldset").disabled = false;
    show();
  });
})();
