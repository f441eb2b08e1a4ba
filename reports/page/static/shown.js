// Pieces of samples that several pages show: turns of a conversation, media, verdicts, differences; and how their
// details are loaded. What a record says only ever becomes text, or an img, audio or video of this site.
"use strict";
(function () {
  const { element, visible, long } = window.__text;
  const MEDIA = new Map([["image", "img"], ["audio", "audio"], ["video", "video"]]);
  const waiting = new Map(); // a chunk's folder and number -> what resolves its promise

  window.__details = (number, rows, data) => waiting.get(data + number)(rows);

  // A function that gives the details in a chunk of a folder by its number, null where the file is not there; each is
  // loaded once.
  function chunks(data) {
    const loaded = new Map();
    return function (number) {
      if (!loaded.has(number))
        loaded.set(number, new Promise(function (resolve) {
          waiting.set(data + number, resolve);
          const script = document.createElement("script");
          script.src = "../" + data + number + ".js";
          script.addEventListener("error", () => resolve(null));
          document.body.append(script);
        }));
      return loaded.get(number);
    };
  }
  const rounded = (value) => String(Math.round(value * 1e4) / 1e4);

  function verdict(score) {
    const value = score.value === null ? "–" : rounded(score.value);
    const text = score.status === "ok" ? `${score.name} ${value}` : `${score.status}${score.value === null ? "" : `, ${score.name} ${value}`}`;
    return element("span", "verdict" + (score.wrong === true ? " wrong" : score.wrong === false ? " right" : ""), text);
  }
  function turnOf(message) {
    const box = element("section", "turn " + message.role, element("h4", "", message.role));
    message.parts.forEach((part) => box.append(part.text === undefined ? medium(part) : long(part.text)));
    if (!message.parts.length) box.append(element("p", "grey", "(nothing)"));
    return box;
  }
  // A line in which what was taken out and put in is marked, by the units in which the score compares; null where the
  // texts are too long for it.
  function diffed(from, to, score) {
    const unit = score.name === "cer" ? "characters" : "words";
    const edits = window.__diff(from, to, unit);
    if (!edits) return null;
    const line = element("div", "text diff");
    edits.forEach((edit) => line.append(edit[0] ? element(edit[0], "", ...visible(edit[1])) : element("span", "", ...visible(edit[1])), unit === "words" ? " " : ""));
    return line;
  }
  function clock(seconds) {
    return seconds === null ? "" : `${rounded(seconds)} s`;
  }
  function medium(file) {
    const cut = file.start !== null || file.end !== null ? `, from ${clock(file.start) || "its start"} to ${clock(file.end) || "its end"}` : "";
    const caption = element("figcaption", "", `${file.kind} `, ...visible(file.name), cut, file.note ? `: ${file.note}` : "");
    if (!file.src || !MEDIA.has(file.kind)) return element("figure", "", caption);
    const shownAs = document.createElement(MEDIA.get(file.kind));
    shownAs.src = "../" + file.src + (cut && file.kind !== "image" ? `#t=${file.start ?? 0}${file.end === null ? "" : `,${file.end}`}` : "");
    if (file.kind === "image") { shownAs.alt = file.name; shownAs.loading = "lazy"; }
    else { shownAs.controls = true; shownAs.preload = "metadata"; shownAs.setAttribute("aria-label", file.name); }
    return element("figure", "", shownAs, caption);
  }
  window.__shown = { chunks, rounded, verdict, turnOf, diffed, medium };
})();
