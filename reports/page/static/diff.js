// The alignment of two texts with the fewest edits, by words or characters, as the scorer compared them: nothing is
// folded here. Characters of scripts without spaces count as words.
"use strict";
window.__diff = function (reference, answer, unit) {
  const WORDS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+/gu;
  const split = (text) => (unit === "words" ? text.match(WORDS) || [] : Array.from(text));
  if (reference.length > 20000 || answer.length > 20000) return null;
  const a = split(reference), b = split(answer);
  if (a.length * b.length > 4e6) return null;
  const width = b.length + 1;
  const cost = new Uint32Array((a.length + 1) * width); // cost[i * width + j]: edits from a[i..] to b[j..]
  for (let i = a.length; i >= 0; i--)
    for (let j = b.length; j >= 0; j--) {
      if (i === a.length) cost[i * width + j] = b.length - j;
      else if (j === b.length) cost[i * width + j] = a.length - i;
      else {
        const next = (i + 1) * width + j;
        cost[i * width + j] = Math.min(cost[next + 1] + (a[i] === b[j] ? 0 : 1), cost[next] + 1, cost[i * width + j + 1] + 1);
      }
    }
  const found = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    const here = cost[i * width + j];
    if (i < a.length && j < b.length && here === cost[(i + 1) * width + j + 1] + (a[i] === b[j] ? 0 : 1)) {
      if (a[i] === b[j]) found.push(["", b[j]]);
      else found.push(["del", a[i]], ["ins", b[j]]);
      i++; j++;
    } else if (i < a.length && here === cost[(i + 1) * width + j] + 1) found.push(["del", a[i++]]);
    else found.push(["ins", b[j++]]);
  }
  return found;
};
