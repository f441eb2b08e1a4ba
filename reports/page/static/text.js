// Texts of models and data sets as nodes: never markup, marks that nobody sees written out, long ones cut.
"use strict";
(function () {
  const LONGEST = 20000, MARKS = 200;
  const HIDDEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u2800]/u;
  const SPLIT = /([\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u2800])/u;

  function element(tag, name, ...content) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    made.append(...content); // strings become text nodes
    return made;
  }
  const name = (c) => "U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  // Nodes of a text; "\n" and "\t" stay, every other character without a shape is written as U+....
  function visible(text) {
    if (!HIDDEN.test(text)) return [text];
    const nodes = [];
    let marks = 0, plain = "";
    for (const piece of text.split(SPLIT)) {
      if (!piece || piece === "\n" || piece === "\t" || !HIDDEN.test(piece)) plain += piece;
      else if (++marks > MARKS) plain += `[${name(piece)}]`; // drawn plainly: boxes without number would freeze the page
      else {
        nodes.push(plain, element("span", "mark", name(piece)));
        plain = "";
      }
    }
    return nodes.concat(plain).filter((node) => node !== "");
  }
  // A block with a text of any length: the first 20,000 characters, and a button that shows all, in blocks that a
  // browser can lay out one at a time.
  function long(text, name) {
    const block = element("div", "text" + (name ? " " + name : ""));
    if (text.length <= LONGEST) {
      block.append(...visible(text));
      return block;
    }
    const button = element("button", "all", "show all " + text.length.toLocaleString("en") + " characters");
    button.type = "button";
    button.addEventListener("click", function () {
      block.replaceChildren();
      for (let i = 0; i < text.length; ) {
        const j = cut(text, i + 2000);
        block.append(element("div", "piece", ...visible(text.slice(i, j))));
        i = j;
      }
    });
    block.append(...visible(text.slice(0, cut(text, LONGEST))), "… ", button);
    return block;
  }
  // No cut between the two halves of a character.
  function cut(text, at) {
    const code = text.charCodeAt(at - 1);
    return at < text.length && code >= 0xd800 && code < 0xdc00 ? at + 1 : at;
  }
  window.__text = { element, visible, long, LONGEST };
})();
