// What pages do beyond HTML: copy a command, drop a file, show how far an upload is.
// Everything works without it.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).innerText.trim());
  const word = button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = word; }, 1500);
});

for (const area of document.querySelectorAll("[data-drop]")) {
  const input = area.querySelector("input[type=file]");
  const over = (event, on) => { event.preventDefault(); area.classList.toggle("over", on); };
  area.addEventListener("dragover", (event) => over(event, true));
  area.addEventListener("dragleave", (event) => over(event, false));
  area.addEventListener("drop", (event) => {
    over(event, false);
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// Times are written in the zone of their course; a reader who lives in another one reads both.
const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const time of document.querySelectorAll("time[data-zone]")) {
  if (time.dataset.zone === ownZone) continue;
  const moment = new Date(time.getAttribute("datetime"));
  const own = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  time.append(`, ${own.format(moment)} (${ownZone})`);
}
for (const input of document.querySelectorAll("input[data-own-zone]")) input.value = ownZone;

for (const form of document.querySelectorAll("form[data-progress]")) {
  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.formAction && event.submitter.hasAttribute("formaction")) return;
    event.preventDefault();
    const bar = form.querySelector("progress");
    const says = form.querySelector("[data-upload-status]");
    const buttons = form.querySelectorAll("button");
    const request = new XMLHttpRequest();
    const set = (disabled) => buttons.forEach((button) => { button.disabled = disabled; });
    request.upload.addEventListener("progress", (sent) => {
      bar.max = sent.total;
      bar.value = sent.loaded;
      says.textContent = sent.loaded < sent.total
        ? says.dataset.sending.replace("{share}", Math.round(100 * sent.loaded / sent.total))
        : says.dataset.sent;
    });
    request.addEventListener("load", () => {
      if (request.status < 400) { location.assign(request.responseURL); return; }
      document.open(); document.write(request.responseText); document.close();
    });
    request.addEventListener("error", () => {
      set(false);
      bar.hidden = true;
      says.textContent = says.dataset.broken;
    });
    bar.hidden = false;
    set(true);
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
}
