// Plays a replay: first, back, play, next, last, speed, a slider, keys, and a list of moves that
// says the same in words. Draws the games that it knows, else the numbers. Used by the page of an
// episode, which names where the replay is, and by pages that hold it. Words are of speech.js.
"use strict";

const { say, told } = speech;
const SPEEDS = [0.5, 1, 2, 4];
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const engine = (action) => [say("no engine"), say("left engine"), say("main engine"), say("right engine")][action];
const GAMES = { "connect-four": connectFour, "LunarLander-v3": lander };

function play(place, found) {
  const game = (GAMES[found.episode.game] || numbers)(found);
  const last = game.steps;
  const canvas = element("canvas", { role: "img" });
  const says = element("p", { role: "status", className: "player-says" });
  const [first, back, go, next, end] = [say("First"), say("Back"), say("Play"), say("Next"), say("Last")].map(
    (name) => element("button", { type: "button", textContent: name, className: "button second" }));
  const slider = element("input", { type: "range", min: 0, max: last, value: 0 });
  slider.setAttribute("aria-label", say("Step"));
  const speed = element("select", {});
  speed.setAttribute("aria-label", say("Speed"));
  for (const factor of SPEEDS) speed.append(element("option", { value: factor, textContent: `${factor} ×`, selected: factor === 1 }));
  const controls = element("div", { className: "player-controls" });
  controls.append(first, back, go, next, end, speed, slider);
  const keys = element("p", { className: "small quiet", textContent: say("Keys: space plays and pauses, ← and → step, Home and End jump, + and − change the speed.") });
  const list = element("details", { className: "player-list" });
  list.append(element("summary", { textContent: game.list }));
  place.replaceChildren(canvas, controls, says, keys, list);
  place.tabIndex = 0;
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", say("Replay"));
  let timer = null, at = 0, rows = null;

  function draw() {
    const wide = Math.max(240, Math.min(704, place.clientWidth || 640)), high = game.height(wide);
    const dense = window.devicePixelRatio || 1;
    canvas.width = Math.round(wide * dense);
    canvas.height = Math.round(high * dense);
    const pen = canvas.getContext("2d");
    pen.scale(dense, dense);
    pen.font = "14px system-ui, sans-serif";
    game.draw(pen, at, wide, high, colours(place));
  }
  function show(step) {
    at = Math.min(last, Math.max(0, step));
    slider.value = at;
    slider.setAttribute("aria-valuetext", say("Step {at} of {last}", { at, last }));
    draw();
    says.textContent = `${say("Step {at} of {last}", { at, last })}. ${game.told(at)}`;
    canvas.setAttribute("aria-label", says.textContent);
    first.disabled = back.disabled = at === 0;
    next.disabled = end.disabled = at === last;
    if (rows) mark();
  }
  function stop() { clearInterval(timer); timer = null; go.textContent = say("Play"); }
  function start() {
    if (at === last) show(0);
    go.textContent = say("Pause");
    // Who wants less motion sees stills, two a second at most, instead of a film.
    const still = calm.matches ? Math.max(500, game.pace) : game.pace;
    const stride = Math.max(1, Math.round(still / game.pace));
    timer = setInterval(() => {
      show(at + stride);
      if (at === last) stop();
    }, still / Number(speed.value));
  }
  function turn(by) {
    speed.selectedIndex = Math.min(SPEEDS.length - 1, Math.max(0, speed.selectedIndex + by));
    again();
  }
  function again() { if (timer) { stop(); start(); } }
  function mark() {
    for (const [index, row] of rows.entries()) {
      if (index === at) row.setAttribute("aria-current", "step"); else row.removeAttribute("aria-current");
    }
    const row = rows[at], box = row && row.closest(".player-rows");
    if (box) box.scrollTop = row.offsetTop - box.clientHeight / 2;
  }
  function jump(step) { stop(); show(step); }

  const acts = {
    " ": () => (timer ? stop() : start()), ArrowLeft: () => jump(at - 1), ArrowRight: () => jump(at + 1),
    Home: () => jump(0), End: () => jump(last), "+": () => turn(1), "-": () => turn(-1), "−": () => turn(-1),
  };
  place.addEventListener("keydown", (event) => {
    const own = event.target.closest("button, select, summary, input");
    if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) return;
    if (own && (own.tagName === "SELECT" || (event.key === " " && own.tagName !== "INPUT"))) return;
    event.preventDefault();
    acts[event.key]();
  });
  first.addEventListener("click", () => jump(0));
  back.addEventListener("click", () => jump(at - 1));
  go.addEventListener("click", acts[" "]);
  next.addEventListener("click", () => jump(at + 1));
  end.addEventListener("click", () => jump(last));
  speed.addEventListener("change", again);
  slider.addEventListener("input", () => jump(Number(slider.value)));
  list.addEventListener("toggle", () => {
    if (!list.open || rows) return;
    rows = table(list, game, jump);
    mark();
  });
  window.addEventListener("resize", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  show(0);
}

function element(name, properties) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "role") made.setAttribute(key, value); else made[key] = value;
  }
  return made;
}

// The list of moves: a row a step, each with a button that shows it.
function table(list, game, jump) {
  const box = element("div", { className: "player-rows", tabIndex: 0, role: "region" });
  box.setAttribute("aria-label", game.list);
  const made = element("table", { className: "fit" }), head = element("tr", {}), body = element("tbody", {});
  for (const name of [say("Step"), ...game.columns]) head.append(element("th", { scope: "col", textContent: name }));
  const rows = [];
  for (let step = 0; step <= game.steps; step++) {
    const row = element("tr", {}), cell = element("td", { className: "num" });
    const button = element("button", { type: "button", className: "plain", textContent: step });
    button.setAttribute("aria-label", say("Show step {step}", { step }));
    button.addEventListener("click", () => jump(step));
    cell.append(button);
    row.append(cell, ...game.row(step).map((text) => element("td", { className: typeof text === "number" ? "num" : "", textContent: text })));
    if (game.erred(step)) row.className = "erred";
    rows.push(row);
  }
  const top = element("thead", {});
  top.append(head);
  body.append(...rows);
  made.append(top, body);
  box.append(made);
  list.append(box);
  return rows;
}

function colours(place) {
  const style = getComputedStyle(place);
  const of = (name) => style.getPropertyValue(name).trim();
  return { ink: of("--ink"), quiet: of("--quiet"), line: of("--line"), paper: of("--paper") || "#fff", accent: of("--accent"), bad: of("--bad") || "#b42318", other: "#e69f00" };
}

// Two players: step n shows n moves; an agent that errs does so in one step more.
function connectFour(found) {
  const moves = found.tracks.action || [], players = found.episode.players;
  const opening = Math.min(found.opening_moves || 0, moves.length);
  const faults = players.filter((one) => one.fault);
  const steps = moves.length + (faults.length ? 1 : 0);
  const seats = (one) => (one.seat ? say("{team} (second seat)", one) : say("{team} (first seat)", one));
  const name = (one) => (players[0].team === players[1].team ? seats(one) : one.team);
  const winner = players.find((one) => one.score === 1);
  const result = winner ? say("{name} won.", { name: name(winner) }) : say("It is a draw.");
  const four = fours(moves);
  const wrong = () => faults.map((one) => say("{name} erred: {fault}", { name: name(one), fault: told(one.fault) })).join(" ");
  const erred = (step) => faults.length > 0 && step === steps;
  return {
    steps, pace: 700, list: say("All moves"), columns: [say("Who"), say("Column"), say("What")], erred,
    height: (wide) => Math.min(54, (wide - 16) / 7) * 6 + 76,
    told(step) {
      if (erred(step)) return `${wrong()} ${result}`;
      if (!step) return say("The board is empty.");
      const moved = { name: name(players[(step - 1) % 2]), column: moves[step - 1] };
      const move = step <= opening
        ? say("Opening drawn at random: {name}'s disc falls into column {column}.", moved)
        : say("{name} played column {column}.", moved);
      return step === steps ? `${move} ${result}` : move;
    },
    row(step) {
      if (erred(step)) return [faults.map(name).join(", "), "", `${say("erred: {fault}", { fault: faults.map((one) => told(one.fault)).join(" ") })} ${result}`];
      if (!step) return ["", "", say("The board is empty.")];
      return [name(players[(step - 1) % 2]), moves[step - 1], step <= opening ? say("opening, drawn at random") : step === steps ? result : ""];
    },
    draw(pen, step, wide, high, colour) {
      const size = Math.min(54, (wide - 16) / 7), left = (wide - 7 * size) / 2, bottom = high - 24;
      const heights = [0, 0, 0, 0, 0, 0, 0], shown = moves.slice(0, step);
      const at = (column, row) => [left + size * (column + .5), bottom - size * (row + .5)];
      const disc = (column, row, fill) => {
        pen.beginPath(); pen.arc(...at(column, row), size * .42, 0, 2 * Math.PI); pen.fillStyle = fill; pen.fill();
      };
      pen.textAlign = "center";
      for (let column = 0; column < 7; column++) {
        for (let row = 0; row < 6; row++) disc(column, row, colour.line);
        pen.fillStyle = colour.quiet;
        pen.fillText(column, left + size * (column + .5), bottom + 18);
      }
      shown.forEach((column, index) => {
        const row = heights[column]++;
        disc(column, row, index % 2 ? colour.other : colour.accent);
        seat(pen, ...at(column, row), size * .42, index % 2, colour);
        if (index === step - 1) {
          pen.beginPath(); pen.arc(...at(column, row), size * .46, 0, 2 * Math.PI);
          pen.strokeStyle = colour.ink; pen.lineWidth = 2; pen.stroke();
        }
      });
      if (four && step >= moves.length) {
        pen.strokeStyle = colour.ink; pen.lineWidth = 4; pen.lineCap = "round";
        pen.beginPath(); pen.moveTo(...at(...four[0])); pen.lineTo(...at(...four[3])); pen.stroke();
      }
      pen.textAlign = "left";
      players.forEach((one, index) => {
        const y = 16 + 20 * index;
        pen.beginPath(); pen.arc(left + 8, y - 5, 7, 0, 2 * Math.PI);
        pen.fillStyle = index ? colour.other : colour.accent; pen.fill();
        seat(pen, left + 8, y - 5, 7, index, colour);
        pen.fillStyle = one.fault && step === steps ? colour.bad : colour.ink;
        const whose = { name: name(one) };
        const ends = [say("{name} lost", whose), say("{name} drew", whose), say("{name} won", whose)][one.score * 2];
        const end = one.fault ? say("{name} erred and lost", whose) : ends;
        pen.fillText(step === steps ? end : name(one), left + 24, y, 7 * size - 24);
      });
    },
  };
}

// The second player's discs carry a ring, so that nobody has to tell the colours apart.
function seat(pen, x, y, radius, second, colour) {
  if (!second) return;
  pen.beginPath(); pen.arc(x, y, radius * .5, 0, 2 * Math.PI);
  pen.strokeStyle = colour.paper; pen.lineWidth = Math.max(1.5, radius * .14); pen.stroke();
}

// The four discs in a row that the last move has made, from one end to the other.
function fours(moves) {
  const rows = [[], [], [], [], [], [], []];
  moves.forEach((column, index) => rows[column].push(index % 2));
  if (!moves.length) return null;
  const column = moves[moves.length - 1], row = rows[column].length - 1, own = (moves.length - 1) % 2;
  for (const [dx, dy] of [[1, 0], [0, 1], [1, 1], [1, -1]]) {
    for (let from = -3; from <= 0; from++) {
      const line = [0, 1, 2, 3].map((step) => [column + dx * (from + step), row + dy * (from + step)]);
      if (line.every(([x, y]) => rows[x] && rows[x][y] === own)) return line;
    }
  }
  return null;
}

function lander(found) {
  const seen = found.tracks.observation || [], actions = found.tracks.action || [], rewards = found.tracks.reward || [];
  const steps = Math.max(0, seen.length - 1);
  const fault = told(found.episode.players[0].fault), result = told(found.episode.result);
  const earned = [];
  rewards.reduce((sum, one, index) => (earned[index] = sum + one), 0);
  const number = (value, digits = 2) => (value === undefined ? "" : value.toFixed(digits));
  const erred = (step) => Boolean(fault) && step === steps;
  return {
    steps, pace: 20, list: say("All steps"), erred,
    columns: ["x", "y", say("Speed across"), say("Speed up"), say("Angle"), say("Engine"), say("Reward"), say("Return so far"), say("What")],
    height: (wide) => Math.round(wide * .62),
    told(step) {
      if (!seen[step]) return fault ? say("It erred: {fault}", { fault }) : result;
      const now = say("Return so far {earned}, {engine}.", { earned: number(earned[step], 1), engine: engine(actions[step]) });
      return erred(step) ? `${now} ${say("It erred here: {fault}", { fault })}` : step === steps ? `${now} ${result}` : now;
    },
    row(step) {
      const [x, y, across, up, angle] = seen[step] || [];
      const what = erred(step) ? say("erred: {fault}", { fault }) : step === steps ? result : "";
      return [...[x, y, across, up, angle].map((one) => number(one)), engine(actions[step]) || "", number(rewards[step], 1), number(earned[step], 1), what];
    },
    draw(pen, step, wide, high, colour) {
      const scale = wide / 640, ground = high - 40 * scale;
      const across = (x) => wide / 2 + 300 * scale * x, down = (y) => ground - 220 * scale * y;
      const line = (points, stroke, width) => {
        pen.beginPath();
        points.forEach(([x, y], index) => pen[index ? "lineTo" : "moveTo"](x, y));
        pen.strokeStyle = stroke; pen.lineWidth = width; pen.stroke();
      };
      const floor = ground + 8 * scale;
      line([[0, floor], [wide, floor]], colour.quiet, 1);
      line([[across(-.2), floor], [across(.2), floor]], colour.accent, 4);
      for (const x of [-.2, .2]) {
        line([[across(x), floor], [across(x), floor - 26 * scale]], colour.quiet, 1);
        pen.fillStyle = colour.accent;
        pen.beginPath(); pen.moveTo(across(x), floor - 26 * scale); pen.lineTo(across(x) + 14 * scale, floor - 21 * scale); pen.lineTo(across(x), floor - 16 * scale); pen.fill();
      }
      line(seen.slice(0, step + 1).map((one) => [across(one[0]), down(one[1])]), colour.quiet, 1);
      const now = seen[step];
      if (!now) { pen.fillStyle = colour.ink; pen.fillText(fault || result, 8, 20, wide - 16); return; }
      pen.save();
      pen.translate(across(now[0]), down(now[1]));
      pen.rotate(-now[4]);
      pen.scale(scale * 1.3, scale * 1.3);
      pen.fillStyle = erred(step) ? colour.bad : colour.ink;
      pen.beginPath();
      for (const [x, y] of [[-9, 6], [-7, -8], [7, -8], [9, 6]]) pen.lineTo(x, y);
      pen.fill();
      line([[-8, 5], [-13, 12]], now[6] ? colour.accent : colour.ink, 2);
      line([[8, 5], [13, 12]], now[7] ? colour.accent : colour.ink, 2);
      pen.fillStyle = colour.other;
      const flame = { 2: [[-4, 7], [0, 20], [4, 7]], 1: [[-9, -4], [-18, -1], [-9, 2]], 3: [[9, -4], [18, -1], [9, 2]] }[actions[step]];
      if (flame) { pen.beginPath(); for (const point of flame) pen.lineTo(...point); pen.fill(); }
      pen.restore();
      pen.fillStyle = erred(step) ? colour.bad : colour.ink;
      const so = { earned: number(earned[step], 1), speed: number(Math.hypot(now[2], now[3])), angle: number(now[4]) };
      pen.fillText(erred(step) ? say("Return {earned}, erred here", so) : say("Return {earned}", so), 8, 20);
      pen.fillStyle = colour.quiet;
      pen.fillText(say("speed {speed}, angle {angle}", so), 8, 40);
    },
  };
}

function numbers(found) {
  const tracks = Object.entries(found.tracks), steps = Math.max(0, ...tracks.map(([, track]) => track.length - 1));
  const fault = found.episode.players.map((one) => told(one.fault)).filter(Boolean).join(" ");
  const texts = (step) => tracks.map(([, track]) => JSON.stringify(track[step]) || "");
  const erred = (step) => Boolean(fault) && step === steps;
  return {
    steps, pace: 100, list: say("All steps"), erred, columns: [...tracks.map(([name]) => name), say("What")],
    height: () => 20 * tracks.length + 24,
    told: (step) => `${tracks.map(([name], index) => `${name}: ${texts(step)[index]}`).join(", ").slice(0, 200)}${erred(step) ? ` ${say("It erred here: {fault}", { fault })}` : ""}`,
    row: (step) => [...texts(step).map((text) => text.slice(0, 60)), erred(step) ? say("erred: {fault}", { fault }) : step === steps ? told(found.episode.result) : ""],
    draw(pen, step, wide, high, colour) {
      pen.fillStyle = colour.ink;
      pen.font = "14px monospace";
      tracks.forEach(([name], index) => pen.fillText(`${name}: ${texts(step)[index]}`.slice(0, Math.floor(wide / 9)), 8, 24 + 20 * index));
    },
  };
}

for (const place of document.querySelectorAll("[data-player]")) {
  const held = place.querySelector("script[type='application/json']");
  const found = held ? JSON.parse(held.textContent) : fetch(place.dataset.player).then((answer) => answer.json());
  Promise.all([found, speech.ready()]).then(([replay]) => play(place, replay));
}
