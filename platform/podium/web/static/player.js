// Plays a replay: steps, play and pause, a slider. Draws the games that it knows, else the numbers.
// Used by the page of an episode, which names where the replay is, and by pages that hold it.
"use strict";

for (const place of document.querySelectorAll("[data-player]")) {
  const held = place.querySelector("script[type='application/json']");
  if (held) play(place, JSON.parse(held.textContent));
  else fetch(place.dataset.player).then((answer) => answer.json()).then((found) => play(place, found));
}

function play(place, found) {
  const actions = found.tracks.action || [];
  const last = found.episode.players.length > 1 ? actions.length : Math.max(0, actions.length - 1);
  const canvas = element("canvas", { width: 640, height: 400, role: "img" });
  const says = element("p", { role: "status" });
  const back = element("button", { type: "button", textContent: "Back" });
  const go = element("button", { type: "button", textContent: "Play" });
  const next = element("button", { type: "button", textContent: "Next" });
  const slider = element("input", { type: "range", min: 0, max: last, value: 0 });
  slider.setAttribute("aria-label", "Step");
  for (const button of [back, go, next]) button.className = "button second";
  const row = element("div", { className: "row" });
  row.append(back, go, next, slider);
  place.replaceChildren(canvas, row, says);
  const drawing = { "connect-four": connectFour, "LunarLander-v3": lander }[found.episode.game] || numbers;
  let timer = null;

  function show(step) {
    slider.value = Math.min(last, Math.max(0, step));
    const at = Number(slider.value);
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, canvas.width, canvas.height);
    const told = drawing(pen, found, at, colours(place));
    says.textContent = `Step ${at} of ${last}. ${told}`;
    canvas.setAttribute("aria-label", says.textContent);
    back.disabled = at === 0;
    next.disabled = at === last;
  }
  function stop() { clearInterval(timer); timer = null; go.textContent = "Play"; }
  go.addEventListener("click", () => {
    if (timer) { stop(); return; }
    if (Number(slider.value) === last) show(0);
    go.textContent = "Pause";
    timer = setInterval(() => {
      show(Number(slider.value) + 1);
      if (Number(slider.value) === last) stop();
    }, found.episode.players.length > 1 ? 600 : 20);
  });
  back.addEventListener("click", () => { stop(); show(Number(slider.value) - 1); });
  next.addEventListener("click", () => { stop(); show(Number(slider.value) + 1); });
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  show(0);
}

function element(name, properties) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "role") made.setAttribute(key, value); else made[key] = value;
  }
  return made;
}

function colours(place) {
  const style = getComputedStyle(place);
  const of = (name) => style.getPropertyValue(name).trim();
  return { ink: of("--ink"), quiet: of("--quiet"), line: of("--line"), accent: of("--accent"), other: "#e69f00" };
}

function connectFour(pen, found, step, colour) {
  const heights = [0, 0, 0, 0, 0, 0, 0], moves = found.tracks.action.slice(0, step);
  const size = 54, left = 131, bottom = 350;
  const disc = (column, row, fill) => {
    pen.beginPath();
    pen.arc(left + size * (column + .5), bottom - size * (row + .5), size * .42, 0, 2 * Math.PI);
    pen.fillStyle = fill;
    pen.fill();
  };
  for (let column = 0; column < 7; column++) {
    for (let row = 0; row < 6; row++) disc(column, row, colour.line);
    pen.fillStyle = colour.quiet;
    pen.textAlign = "center";
    pen.fillText(column, left + size * (column + .5), bottom + 18);
  }
  moves.forEach((column, at) => disc(column, heights[column]++, at % 2 ? colour.other : colour.accent));
  const [first, second] = found.episode.players;
  pen.textAlign = "left";
  pen.fillStyle = colour.accent; pen.fillText(`● ${first.team}`, 8, 20);
  pen.fillStyle = colour.other; pen.fillText(`● ${second.team}`, 8, 40);
  if (!step) return "The board is empty.";
  const who = found.episode.players[(step - 1) % 2].team;
  const end = step === found.tracks.action.length ? ` ${found.episode.result}.` : "";
  return `${who} played column ${moves[step - 1]}.${end}`;
}

function lander(pen, found, step, colour) {
  const seen = found.tracks.observation[step], action = found.tracks.action[step];
  if (!seen) return found.episode.result;
  const across = (x) => 320 + 300 * x, down = (y) => 350 - 220 * y;
  pen.strokeStyle = colour.line;
  pen.beginPath(); pen.moveTo(0, down(0) + 8); pen.lineTo(640, down(0) + 8); pen.stroke();
  pen.strokeStyle = colour.accent; pen.lineWidth = 3;
  pen.beginPath(); pen.moveTo(across(-.2), down(0) + 8); pen.lineTo(across(.2), down(0) + 8); pen.stroke();
  pen.lineWidth = 1; pen.strokeStyle = colour.quiet;
  pen.beginPath();
  found.tracks.observation.slice(0, step + 1).forEach((one, at) => pen[at ? "lineTo" : "moveTo"](across(one[0]), down(one[1])));
  pen.stroke();
  pen.save();
  pen.translate(across(seen[0]), down(seen[1]));
  pen.rotate(-seen[4]);
  pen.fillStyle = colour.ink;
  pen.beginPath();
  for (const [x, y] of [[-9, 6], [-7, -8], [7, -8], [9, 6]]) pen.lineTo(x, y);
  pen.fill();
  pen.strokeStyle = colour.ink;
  pen.beginPath(); pen.moveTo(-8, 5); pen.lineTo(-13, 12); pen.moveTo(8, 5); pen.lineTo(13, 12); pen.stroke();
  pen.fillStyle = colour.other;
  if (action === 2) { pen.beginPath(); pen.moveTo(-4, 7); pen.lineTo(0, 20); pen.lineTo(4, 7); pen.fill(); }
  if (action === 1) { pen.beginPath(); pen.moveTo(-9, -4); pen.lineTo(-18, -1); pen.lineTo(-9, 2); pen.fill(); }
  if (action === 3) { pen.beginPath(); pen.moveTo(9, -4); pen.lineTo(18, -1); pen.lineTo(9, 2); pen.fill(); }
  pen.restore();
  const earned = found.tracks.reward.slice(0, step + 1).reduce((sum, one) => sum + one, 0);
  const engine = ["no engine", "left engine", "main engine", "right engine"][action];
  return `Return so far ${earned.toFixed(1)}, ${engine}.`;
}

function numbers(pen, found, step, colour) {
  pen.fillStyle = colour.ink;
  pen.font = "14px monospace";
  const shown = Object.entries(found.tracks).map(([name, track]) => `${name}: ${JSON.stringify(track[step])}`);
  shown.forEach((line, at) => pen.fillText(line.slice(0, 90), 8, 24 + 20 * at));
  return shown.join(", ").slice(0, 200);
}
