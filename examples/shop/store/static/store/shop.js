// Adds to the journey panel what only the browser knows: the time on the network, which is the
// time until the first byte less what the server says it spent (Server-Timing).
"use strict";

function networkTime(entry) {
  let server = 0;
  for (const part of entry.serverTiming || []) {
    if (part.name === "edge" || part.name === "queue" || part.name === "app") {
      server += part.duration;
    }
  }
  return entry.responseStart - entry.requestStart - server;
}

function showNetworkTime() {
  const entry = performance.getEntriesByType("navigation")[0];
  const place = document.querySelector("[data-journey=network]");
  if (!entry || !place || !(entry.serverTiming || []).length) {
    return;
  }
  const time = Math.max(0, networkTime(entry));
  place.textContent = time.toFixed(1) + " ms";
  place.closest("li").hidden = false;
}

function sortAtOnce() {
  const select = document.querySelector(".sort select");
  if (select) {
    select.form.classList.add("instant");
    select.addEventListener("change", () => select.form.submit());
  }
}

document.addEventListener("DOMContentLoaded", () => {
  showNetworkTime();
  sortAtOnce();
});
