// The Submit tab: a chosen file is checked here before anything is sent. A table is judged by the
// published rules, in a worker; of other kinds size, name and first bytes are looked at, and the
// rest is the server's check. A large file goes ahead of the form, in pieces, once for both.
"use strict";

{
  const input = document.getElementById("file");
  const form = input.form;
  const place = document.getElementById("checked");
  const says = document.getElementById("filecheck");
  const STARTS = { code: "PK", npz: "PK", png: "PK", parquet: "PAR1" };
  const bring = piecewise(input);
  const isLarge = (file) => file && file.size > Number(input.dataset.pieces);
  let rules, worker, turn = 0;

  const part = (name) => says.content.querySelector(`[data-says=${name}]`).cloneNode(true);
  const fill = (node, values) => {
    for (const slot of node.querySelectorAll("[data-slot]")) slot.textContent = values[slot.dataset.slot];
    return node;
  };
  const show = (...nodes) => place.replaceChildren(...nodes);
  const counted = (number) => number.toLocaleString(document.documentElement.lang);
  const refused = (name, message) => show(fill(part("misfit"), { name, message }));

  async function byServer() {
    const [file] = input.files;
    if (!isLarge(file)) {
      input.dispatchEvent(new CustomEvent("change", { bubbles: true, detail: "server" }));
      return;
    }
    const bar = part("sending"), meter = bar.querySelector("progress");
    show(bar);
    try {
      const upload = await bring(file, (share) => { meter.value = share; });
      if (input.files[0] !== file) return; // another file was chosen meanwhile
      const said = new FormData(form);
      said.delete("file");
      said.set("upload", upload);
      const answer = await fetch(input.getAttribute("hx-post"), { method: "POST", body: said, headers: { "HX-Request": "true" } });
      if (!answer.ok) throw new Error(answer.statusText);
      place.innerHTML = await answer.text();
    } catch {
      if (input.files[0] === file) show(part("unsure"));
    }
  }

  async function published() {
    if (!rules) {
      const answer = await fetch(input.dataset.rules, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`The rules could not be read (${answer.status}).`);
      rules = await answer.json();
    }
    return rules;
  }

  function table(errors, more) {
    const found = part("places"), body = found.querySelector("tbody");
    for (const one of errors) {
      const row = body.insertRow();
      for (const [name, kind] of [["line", "num"], ["column", "mono"], ["expected", ""], ["got", "mono"]]) {
        const cell = row.insertCell();
        if (kind) cell.className = kind;
        cell.textContent = kind === "num" || name === "column" ? one[name] ?? "" : speech.told(one[name]);
      }
    }
    return more ? [found, fill(part("more"), { more })] : [found];
  }

  async function twin(sha256) {
    if (!sha256) return [];
    const answer = await fetch(`${input.dataset.submissions}?per_page=1&sha256=${sha256}`);
    const [first] = answer.ok ? (await answer.json()).items : [];
    if (!first) return [];
    const note = fill(part("twin"), { id: `#${first.id}` });
    note.querySelector("a").href = `/submissions/${first.id}`;
    return [note];
  }

  function inWorker(file, wanted) {
    if (worker) worker.terminate();
    worker = new Worker(input.dataset.worker);
    const bar = part("progress"), meter = bar.querySelector("progress");
    show(bar);
    return new Promise((resolve, reject) => {
      worker.addEventListener("message", ({ data }) => {
        if (data.checked) resolve(data.checked);
        else if (data.fault) reject(new Error(data.fault));
        else meter.value = data.progress;
      });
      worker.addEventListener("error", reject);
      worker.postMessage({ file, rules: wanted });
    });
  }

  async function check(file) {
    const own = ++turn;
    const kind = new FormData(form).get("kind");
    const most = Number(input.dataset.most);
    if (!file.size) { refused(file.name, part("empty").textContent); return; }
    if (file.size > most) {
      refused(file.name, fill(part("large"), { size: counted(file.size), most: counted(most) }).textContent);
      return;
    }
    const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
    const begun = STARTS[kind === "predictions" ? input.dataset.format : kind];
    if (begun && [...begun].some((letter, at) => start[at] !== letter.charCodeAt(0))) {
      refused(file.name, fill(part("otherwise"), { wanted: kind === "code" ? "zip" : input.dataset.words }).textContent);
      return;
    }
    if (kind !== "predictions" || input.dataset.format !== "csv") { byServer(); return; }
    const found = await inWorker(file, await published());
    if (own !== turn) return; // another file was chosen meanwhile
    worker.terminate();
    await speech.ready();
    const values = { name: file.name, message: speech.told(found.message), rows: found.rows };
    const note = fill(part(found.ok ? "fits" : "misfit"), values);
    show(note, ...(found.ok ? [] : table(found.errors, found.more)), ...(await twin(found.sha256)));
  }

  // Before htmx, which listens on the field itself and sends the file to be checked.
  document.addEventListener("change", (event) => {
    if (event.target !== input || event.detail === "server" || !input.files.length) return;
    event.stopImmediatePropagation();
    check(input.files[0]).catch(byServer);
  }, true);

  // Chosen before this script was there.
  if (input.files.length) input.dispatchEvent(new Event("change", { bubbles: true }));

  // Before podium.js, which sends the form: it gets the name of what has come instead of the file.
  const bar = form.querySelector(":scope > progress");
  const status = form.querySelector("[data-upload-status]");
  const named = form.elements.upload;
  const forget = () => { named.value = ""; input.disabled = false; };
  input.addEventListener("change", forget);
  addEventListener("pageshow", forget); // gone back to, a page is as it was left

  document.addEventListener("submit", async (event) => {
    const [file] = input.files;
    if (event.target !== form || named.value || !isLarge(file)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const buttons = [...form.querySelectorAll("button:enabled")];
    const busy = (is) => { for (const button of buttons) button.disabled = is; };
    const tell = (share) => {
      bar.value = share;
      status.replaceChildren(fill(part("share"), { share: Math.floor(100 * share) }));
    };
    const { submitter } = event;
    Object.assign(bar, { max: 1, value: 0, hidden: false });
    busy(true);
    try {
      named.value = await bring(file, tell);
      input.disabled = true;
      setTimeout(() => { busy(false); form.requestSubmit(submitter); }); // not while one is under way
    } catch {
      bar.hidden = true;
      status.replaceChildren(part("broken"));
      busy(false);
    }
  }, true);
}
