// The words of scripts, and what checks and games tell, in the reader's language. The page names
// where they are, unless it is English; see podium/sayings.py.
"use strict";

const speech = (() => {
  const PLACE = /\{(\w+)\}/g;
  let words = {}, patterns = [], nested, loading;

  const filled = (text, values) => text.replace(PLACE, (place, name) => values[name] ?? place);

  // One of a script's own texts, with its values.
  const say = (text, values = {}) => filled(words[text] ?? text, values);

  // What the server's code says, or a part of it: found by its pattern, or left as it is.
  function told(text) {
    if (words[text]) return words[text];
    for (const [fits, translation] of patterns) {
      const found = fits.exec(text);
      if (!found) continue;
      const values = Object.entries(found.groups).map(([name, value]) => [name, nested.test(name) ? told(value) : value]);
      return filled(translation, Object.fromEntries(values));
    }
    return text;
  }

  async function load(address) {
    const answer = await fetch(address);
    if (!answer.ok) return;
    const found = await answer.json();
    words = found.words;
    patterns = found.patterns.map(([fits, translation]) => [new RegExp(fits, "s"), translation]);
    nested = new RegExp(found.nested);
  }

  // Once the words are there; without them everything is said in English.
  function ready() {
    const address = document.documentElement.dataset.words;
    loading ??= address ? load(address).catch(() => {}) : Promise.resolve();
    return loading;
  }

  return { say, told, ready };
})();
