// What is more comfortable with a script. Nothing needs it.
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}

for (const all of document.querySelectorAll("input[data-all]")) {
  const boxes = [...all.form.querySelectorAll(`input[name="${all.dataset.all}"]`)];
  const chosen = all.form.querySelector("[data-chosen]");
  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    all.checked = count === boxes.length;
    all.indeterminate = count > 0 && count < boxes.length;
    chosen.textContent = count === 0 ? "" : `${count} chosen`;
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    boxes.forEach((box) => (box.checked = all.checked));
    show();
  });
  boxes.forEach((box) => box.addEventListener("change", show));
  // A browser that goes back ticks boxes again after scripts have run.
  window.addEventListener("pageshow", show);
}
