"use strict";
const tip = document.getElementById("tip");
function show(bar, x, y) {
  tip.textContent = bar.dataset.tip;
  tip.hidden = false;
  tip.style.left = Math.max(8, Math.min(x + 14, innerWidth - tip.offsetWidth - 8)) + "px";
  tip.style.top = Math.max(8, Math.min(y + 14, innerHeight - tip.offsetHeight - 8)) + "px";
}
for (const bar of document.querySelectorAll(".bar")) {
  bar.addEventListener("pointermove", event => show(bar, event.clientX, event.clientY));
  bar.addEventListener("pointerleave", () => { tip.hidden = true; });
  bar.addEventListener("focus", () => {
    const box = bar.getBoundingClientRect();
    show(bar, box.left + box.width / 2, box.top + box.height / 2);
  });
  bar.addEventListener("blur", () => { tip.hidden = true; });
}
