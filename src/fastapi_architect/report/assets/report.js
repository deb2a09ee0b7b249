"use strict";
// Filters of the findings; without this script every finding is on the page all the same.
(() => {
  const form = document.getElementById("filters");
  const findings = [...document.querySelectorAll(".finding")];
  if (!form || findings.length === 0) return;
  const texts = new Map(findings.map((each) => [each, each.textContent.toLowerCase()]));
  const shown = document.getElementById("shown");
  const apply = () => {
    const severities = new Set([...form.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value));
    const category = form.elements.category.value;
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const each of findings) {
      const keep =
        severities.has(each.dataset.severity) &&
        (category === "" || category === each.dataset.category) &&
        words.every((word) => texts.get(each).includes(word));
      each.hidden = !keep;
      count += keep ? 1 : 0;
    }
    shown.textContent = `${count} of ${findings.length} shown`;
  };
  // A link to a finding opens it, and shows it even when a filter hides it.
  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.classList.contains("finding")) return;
    target.hidden = false;
    target.querySelector("details").open = true;
    target.scrollIntoView();
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", open);
  form.hidden = false;
  apply();
  open();
})();
