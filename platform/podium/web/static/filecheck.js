// Checks a CSV by the rules that the server publishes, in a worker, so that a large file does not
// freeze the page. It says what `podium_scoring.tables.read_predictions` says: same faults, same
// places, same words; a test runs the same files through both.
"use strict";

const BLANK = "[ \\t\\n\\r\\f\\v\\x1c-\\x1f]*";
const NUMBER = new RegExp(`^${BLANK}[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?${BLANK}$`);
const INTEGER = /^(?:(?!\uFEFF)[\s\x1c-\x1f\x85])*([+-]?[0-9]{1,18})(?:(?!\uFEFF)[\s\x1c-\x1f\x85])*$/;
const SPACES = /(?:(?!\uFEFF)[\s\x1c-\x1f\x85])+/;
const MOST = 20; // places that are told
const LONGEST_HEADER = 2 ** 16, LONGEST_FIELD = 131072, LONGEST_SHOWN = 40;
const NEWLINE = 10, RETURN = 13, QUOTE = 34, COMMA = 44;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

class Refused extends Error {
  constructor(message, details, more = 0) { super(message); Object.assign(this, { details, more }); }
}
function refuse(message, line, column, expected, got) {
  throw new Refused(message, [{ line, column, expected, got }]);
}

// A text as Python's repr writes it.
function repr(text) {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = "";
  for (const one of text) {
    const code = one.codePointAt(0);
    if (one === "\\" || one === mark) out += "\\" + one;
    else if (one === "\n") out += "\\n";
    else if (one === "\r") out += "\\r";
    else if (one === "\t") out += "\\t";
    else if (one !== " " && /[\p{C}\p{Z}]/u.test(one)) {
      const hex = code.toString(16);
      out += code < 256 ? "\\x" + hex.padStart(2, "0") : code < 65536 ? "\\u" + hex.padStart(4, "0") : "\\U" + hex.padStart(8, "0");
    } else out += one;
  }
  return mark + out + mark;
}
function shown(text) {
  if (text === "") return "nothing";
  const points = Array.from(text);
  return repr(points.length <= LONGEST_SHOWN ? text : points.slice(0, LONGEST_SHOWN).join("") + "…");
}

// A number as Python's format "g" writes it, and as str writes a float.
function general(number) {
  if (number === 0) return Object.is(number, -0) ? "-0" : "0";
  const [digits, power] = number.toExponential(5).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(Number(number.toFixed(5 - exponent)));
  const sign = exponent < 0 ? "-" : "+";
  return `${Number(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
function float(number) {
  if (Object.is(number, -0)) return "-0.0";
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return number.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  return Number.isInteger(number) ? `${number}.0` : String(number);
}

class Faults {
  constructor() { this.details = []; this.count = 0; }
  add(line, column, expected, got) {
    this.count += 1;
    if (this.details.length < 4 * MOST) this.details.push({ line, column, expected, got });
  }
  note(rows, told) { // the first ones with their places, the rest by number
    for (const row of rows.slice(0, 2 * MOST)) this.add(...told(row));
    this.count += Math.max(0, rows.length - 2 * MOST);
  }
  check() {
    if (!this.count) return;
    this.details.sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || 0);
    const kept = this.details.slice(0, MOST), first = kept[0];
    const place = [];
    if (first.line !== null) place.push(`line ${first.line}`);
    if (first.column !== null) place.push(`column ${repr(first.column)}`);
    const said = `${place.length ? `${place.join(", ")}: ` : ""}expected ${first.expected}, got ${first.got}`;
    const others = this.count > 1 ? ` There are ${this.count - 1} more faults.` : "";
    throw new Refused(`${said[0].toUpperCase()}${said.slice(1)}.${others}`, kept, this.count - kept.length);
  }
}

const isBlank = (byte) => byte === 32 || (byte >= 9 && byte <= 13);
function lineOf(data, place) {
  let line = 1;
  for (let at = data.indexOf(NEWLINE); at >= 0 && at < place; at = data.indexOf(NEWLINE, at + 1)) line += 1;
  return line;
}

// The file as UTF-8 without BOM and with newlines of one kind; refuses what is no text.
function textBytes(data, rules) {
  if (data.every(isBlank)) refuse("The file is empty.", 1, null, "CSV text", "an empty file");
  for (const [hex, kind] of Object.entries(rules.magic)) {
    const magic = hex.match(/../g).map((pair) => parseInt(pair, 16));
    if (magic.every((byte, at) => data[at] === byte)) refuse(`The file is ${kind}, not CSV text.`, 1, null, "CSV text", kind);
  }
  if ((data[0] === 255 && data[1] === 254) || (data[0] === 254 && data[1] === 255)) {
    refuse("The file is encoded as UTF-16. Save it as UTF-8.", 1, null, "UTF-8 text", "UTF-16 text");
  }
  if (data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf) data = data.subarray(3);
  const zero = data.indexOf(0);
  if (zero >= 0) {
    refuse("The file holds a zero byte: it is binary, or UTF-16. Save it as UTF-8 text.", lineOf(data, zero), null, "UTF-8 text", "a zero byte");
  }
  const strange = notUtf8(data);
  if (strange >= 0) {
    const line = lineOf(data, strange);
    refuse(`The file is not UTF-8 text (line ${line}). Save it as UTF-8.`, line, null, "UTF-8 text", `the byte 0x${data[strange].toString(16).padStart(2, "0")}`);
  }
  return data.includes(NEWLINE) ? data : data.map((byte) => (byte === RETURN ? NEWLINE : byte));
}
// Where the first byte stands that is not UTF-8, -1 if there is none.
function notUtf8(data) {
  for (let at = 0; at < data.length;) {
    const lead = data[at];
    if (lead < 128) { at += 1; continue; }
    const more = lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
    if (!more) return at;
    const low = { 0xe0: 0xa0, 0xf0: 0x90 }[lead] ?? 0x80, high = { 0xed: 0x9f, 0xf4: 0x8f }[lead] ?? 0xbf;
    for (let next = 1; next <= more; next += 1) {
      const byte = data[at + next];
      if (byte === undefined || byte < (next === 1 ? low : 0x80) || byte > (next === 1 ? high : 0xbf)) return at;
    }
    at += more + 1;
  }
  return -1;
}

// Records of a text with quotes, as Python's csv reader gives them in its strict mode.
function* records(text) {
  let at = 0, line = 0;
  while (at < text.length) {
    const from = line + 1, fields = [];
    let field = "", state = "start", ended = false;
    while (!ended) {
      const one = at < text.length ? text[at] : "";
      if (one === "\r" || one === "\n" || one === "") {
        if (one === "" && state === "quoted") throw new CsvError(line + (text[at - 1] === "\n" || text[at - 1] === "\r" ? 0 : 1), "unexpected end of data");
        const end = one === "\r" && text[at + 1] === "\n" ? "\r\n" : one;
        at += end.length;
        line += 1;
        if (state === "quoted") { field += end; continue; }
        if (fields.length || state !== "start") fields.push(field);
        ended = true;
      } else if (state === "quoted") {
        if (one === '"') state = "closed"; else field += one;
        at += 1;
      } else if (one === ",") {
        fields.push(field); field = ""; state = "next"; at += 1;
      } else if (one === '"' && state !== "plain") {
        if (state === "closed") field += one;
        state = "quoted"; at += 1;
      } else {
        if (state === "closed") throw new CsvError(line + 1, "',' expected after '\"'");
        field += one; state = "plain"; at += 1;
      }
      if (field.length > LONGEST_FIELD) throw new CsvError(line + 1, `field larger than field limit (${LONGEST_FIELD})`);
    }
    yield { line: from, fields };
  }
}
class CsvError extends Error { constructor(line, message) { super(message); this.line = line; } }

function readHeader(line, wanted) {
  let names;
  try {
    names = (records(line).next().value?.fields ?? []).map((name) => name.trim());
  } catch (error) {
    if (error instanceof CsvError) return null;
    throw error;
  }
  return [...names].sort().join("\n") === [...wanted].sort().join("\n") ? names : null;
}
function headerAdvice(line, expected) {
  const wanted = expected.join(",");
  const names = line.split(",").map((name) => name.trim().replace(/^"+|"+$/g, ""));
  for (const [mark, word] of [[";", "semicolons"], ["\t", "tabs"], ["|", "bars"]]) {
    const count = line.split(mark).length - 1;
    if (count >= expected.length - 1 && expected.length > 1 && !line.includes(",")) return `The fields are separated by ${word}. Separate them by commas: ${wanted}.`;
  }
  if (names.includes("Unnamed: 0") || (names[0] === "" && expected.every((name) => names.includes(name)))) {
    return "The first column is a pandas index. Write the file with to_csv(..., index=False).";
  }
  const missing = expected.filter((name) => !names.includes(name));
  const extra = names.filter((name) => !expected.includes(name));
  if (missing.length && missing.length === expected.length) return `The first line is not the header ${wanted}. Add it as the first line.`;
  if (new Set(names).size < names.length) return `A column is there twice. The columns are ${wanted}.`;
  const parts = [];
  if (missing.length) parts.push(`lacks ${missing.join(", ")}`);
  if (extra.length) parts.push(`has ${extra.map(shown).join(", ")} besides`);
  return `The header ${parts.join(" and ")}. The columns are ${wanted}.`;
}

// Rows whose every line has as many fields as the header: lines, and a reader of a field.
function readSheet(data, rules) {
  data = textBytes(data, rules);
  const wanted = rules.header.join(",");
  let end = data.indexOf(NEWLINE);
  if (end < 0) end = data.length;
  if (end > LONGEST_HEADER) refuse(`The first line has ${end} bytes. It must be the header ${wanted}.`, 1, null, `the header ${wanted}`, `${end} bytes`);
  const line = decoder.decode(data.subarray(0, end)).replace(/\r+$/, "");
  const header = readHeader(line, rules.header);
  if (data.subarray(end).every(isBlank)) refuse("The file has a header and no rows.", 2, null, "a row of data", "nothing");
  if (header === null) refuse(headerAdvice(line, rules.header), 1, null, `the header ${wanted}`, shown(line));
  let count = 0;
  for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, at + 1)) count += 1;
  if (count > rules.most_lines) {
    refuse(`The file has ${count} lines. That is far more than there are ids.`, rules.most_lines + 1, null, `at most ${rules.most_lines} lines`, `${count} lines`);
  }
  return data.includes(QUOTE) ? quotedSheet(decoder.decode(data), header) : plainSheet(data, header);
}
function quotedSheet(text, header) {
  const faults = new Faults(), rows = [], lines = [];
  let isHeader = true;
  try {
    for (const { line, fields } of records(text)) {
      if (isHeader) { isHeader = false; continue; }
      if (!fields.length) continue;
      if (fields.length !== header.length) { faults.add(line, null, `${header.length} fields`, String(fields.length)); continue; }
      rows.push(fields);
      lines.push(line);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    faults.add(error.line, null, "well-formed quotes", error.message);
  }
  faults.check();
  return { header, rows: rows.length, line: (row) => lines[row], text: (row, at) => rows[row][at] };
}
function plainSheet(data, header) {
  const width = header.length, faults = new Faults(), ragged = [];
  const places = [], lines = []; // where the fields of a row begin, and where its last one ends
  let line = 0;
  for (let start = 0; start < data.length;) {
    line += 1;
    let end = data.indexOf(NEWLINE, start);
    if (end < 0) end = data.length;
    const next = end + 1;
    if (end > start && data[end - 1] === RETURN) end -= 1;
    if (end > start) {
      const first = places.length;
      let fields = 1;
      places.push(start);
      for (let at = start; at < end; at += 1) if (data[at] === COMMA) { fields += 1; places.push(at + 1); }
      places.push(end + 1);
      if (line === 1 || fields !== width) places.length = first; else lines.push(line);
      if (fields !== width) ragged.push([line, null, `${width} fields`, String(fields)]);
    }
    start = next;
  }
  faults.note(ragged, (one) => one);
  faults.check();
  const text = (row, at) => {
    const place = row * (width + 1) + at;
    return decoder.decode(data.subarray(places[place], places[place + 1] - 1));
  };
  return { header, rows: lines.length, line: (row) => lines[row], text };
}

// Whole numbers beyond what a double holds stay exact.
function whole(text) { const number = Number(text); return Number.isSafeInteger(number) ? number + 0 : BigInt(text.replace("+", "")); }
function words(text) { return text.split(SPACES).filter((word) => word !== ""); }

const FITS = {
  string: (text, column) => (text === "" ? column.optional : Array.from(text).length <= column.longest && (column.allowed === null || column.allowed.includes(text))),
  items: (text, column) => {
    const items = words(text), set = new Set(items);
    if (!items.length || set.size < items.length) return column.optional && !items.length;
    return (column.high === null || items.length <= column.high) && (column.allowed === null || items.every((item) => column.allowed.includes(item)));
  },
  runs: (text, column) => {
    const numbers = words(text), pixels = column.shape[0] * column.shape[1];
    if (!numbers.every((word) => /^[0-9]{1,18}$/.test(word)) || numbers.length % 2) return false;
    let end = 1;
    for (let at = 0; at < numbers.length; at += 2) {
      const start = Number(numbers[at]), length = Number(numbers[at + 1]);
      if (start < 1 || length < 1 || start > pixels || start < end) return false;
      end = start + Math.min(length, pixels + 1);
    }
    return end <= pixels + 1;
  },
};

// A column by its type; what does not fit is noted.
function readColumn(sheet, column, faults) {
  const at = sheet.header.indexOf(column.name), values = new Array(sheet.rows), bad = [];
  const allowed = column.allowed && new Set(column.allowed.map(Number));
  for (let row = 0; row < sheet.rows; row += 1) {
    if (row % 50000 === 0) postMessage({ progress: row / sheet.rows });
    const text = sheet.text(row, at);
    let fits;
    if (column.type === "integer" || column.type === "number") {
      const found = column.type === "integer" ? INTEGER.exec(text) : NUMBER.test(text) && [text, text];
      const value = found ? (column.type === "integer" ? whole(found[1]) : Number(text)) : 0;
      fits = Boolean(found) && (typeof value === "bigint" || Number.isFinite(value));
      values[row] = fits ? value : 0;
      fits &&= (column.low === null || value >= column.low) && (column.high === null || value <= column.high) && (!allowed || allowed.has(Number(value)));
    } else {
      values[row] = text;
      fits = FITS[column.type](text, column);
    }
    if (!fits) bad.push(row);
  }
  faults.note(bad, (row) => [sheet.line(row), column.name, column.expected, shown(sheet.text(row, at))]);
  return values;
}

function checkSums(sheet, rules, columns, faults) {
  const names = rules.probabilities;
  if (!names.length) return;
  const bad = [], first = names[0];
  const span = names.length === 1 ? first : `${first} … ${names[names.length - 1]}`;
  for (let row = 0; row < sheet.rows; row += 1) {
    const parts = names.map((name) => columns[name][row]);
    const sum = parts.reduce((total, part) => total + part, 0), lowest = Math.min(...parts);
    if (names.length === 1 ? lowest < 0 || lowest > 1 : !(Math.abs(sum - 1) <= rules.sum_tolerance) || lowest < 0) {
      bad.push([row, names.length === 1 || lowest < 0 ? general(lowest) : `the sum ${general(sum)}`]);
    }
  }
  const expected = names.length === 1 ? "a number from 0 to 1" : "probabilities that sum to 1 (within 0.001)";
  faults.note(bad, ([row, got]) => [sheet.line(row), span, expected, got]);
}
function checkDistinct(sheet, rules, columns, owner, faults) {
  if (!rules.distinct) return;
  const isFloat = rules.columns.some((column) => column.type === "number"), say = (value) => (isFloat ? float(Number(value)) : String(value));
  const bad = [], names = rules.columns.map((column) => column.name);
  if (rules.repeated) {
    const seen = new Map(), values = columns[names[0]];
    for (let row = 0; row < sheet.rows; row += 1) {
      if (!seen.has(owner[row])) seen.set(owner[row], new Set());
      const had = seen.get(owner[row]);
      if (had.has(values[row])) bad.push(row); else had.add(values[row]);
    }
    const again = (value) => (rules.columns[0].type === "number" ? float(value) : String(value));
    faults.note(bad, (row) => [sheet.line(row), names[0], "each value once for an id", `${again(values[row])} again`]);
    return;
  }
  for (let row = 0; row < sheet.rows; row += 1) {
    const values = names.map((name) => columns[name][row]);
    if (new Set(values).size < values.length) bad.push([row, values.find((value, at) => values.indexOf(value) !== at || values.lastIndexOf(value) !== at)]);
  }
  const span = names.length === 1 ? names[0] : `${names[0]} … ${names[names.length - 1]}`;
  faults.note(bad, ([row, value]) => [sheet.line(row), span, "values that differ", `${say(value)} twice`]);
}

function check(data, rules) {
  const sheet = readSheet(data, rules), faults = new Faults(), name = rules.id.name;
  const given = readColumn(sheet, rules.id, faults);
  faults.check(); // ids first: without them nothing else can be placed
  const wanted = rules.id.type === "integer" ? rules.ids.map(whole) : rules.ids;
  const index = new Map(wanted.map((one, row) => [one, row]));
  const owner = given.map((one) => index.get(one) ?? -1), columns = {};
  for (const column of rules.columns) columns[column.name] = readColumn(sheet, column, faults);
  if (!faults.count) {
    checkSums(sheet, rules, columns, faults);
    checkDistinct(sheet, rules, columns, owner, faults);
  }
  const at = sheet.header.indexOf(name), unknown = [], again = [], seen = new Uint8Array(wanted.length);
  owner.forEach((row, place) => {
    if (row < 0) unknown.push(place);
    else if (seen[row]) again.push(place);
    else seen[row] = 1;
  });
  faults.note(unknown, (row) => [sheet.line(row), name, "an id of the test set", shown(rules.repeated ? sheet.text(row, at) : String(given[row]))]);
  if (!rules.repeated) faults.note(again, (row) => [sheet.line(row), name, "each id once", `${shown(String(given[row]))} again`]);
  const missing = [];
  seen.forEach((there, row) => { if (!there) missing.push(row); });
  for (const row of missing.slice(0, MOST)) faults.add(null, name, `a row for id ${rules.ids[row]}`, "no such row");
  faults.count += Math.max(0, missing.length - MOST);
  faults.check();
  return wanted.length;
}

async function digest(data) { // browsers offer it over HTTPS and on the own machine only
  if (!self.crypto?.subtle) return null;
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

addEventListener("message", async ({ data: { file, rules } }) => {
  const data = new Uint8Array(await file.arrayBuffer());
  const sha256 = await digest(data);
  try {
    postMessage({ checked: { ok: true, message: "", rows: check(data, rules), errors: [], more: 0, sha256 } });
  } catch (error) {
    if (!(error instanceof Refused)) { postMessage({ fault: String(error) }); return; } // the server judges then
    postMessage({ checked: { ok: false, message: error.message, rows: null, errors: error.details, more: error.more, sha256 } });
  }
});
