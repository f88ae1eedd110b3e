// Two buttons at each verdict, and what came of pressing them.

const KEYS = { y: true, n: false };
const WORDS = new Map([[true, "for me"], [false, "not for me"]]);
const FIELDS = "input:not([type=range], [type=checkbox]), select, textarea, [contenteditable]";

export class Corrections {
  // `section` stays hidden, and `line` empty, until a server is met that learns.
  constructor(section, line, template, token) {
    this.section = section;
    this.template = template;
    this.headers = { "content-type": "application/json" };
    if (token) this.headers.authorization = `Bearer ${token}`;
    this.line = line;
    this.last = null; // what `y` and `n` are about: the newest row that can be corrected
    this.pressed = []; // rows that were corrected here, the last one last
    section.querySelector(".undo").addEventListener("click", () => this.undo());
    section.querySelector(".forget").addEventListener("click", () => this.forget());
    document.addEventListener("keydown", (event) => this.key(event));
  }

  // Ask what was learned so far; a server that learns nothing shows nothing of it.
  async ask() {
    const learned = await this.fetch("v1/learning");
    if (learned && learned.state !== "off") this.show(describe(learned));
  }

  // `row` is what shows `utterance`; without an id there is nothing to learn from it.
  offer(row, { correction_id: id }) {
    if (!id) return;
    this.section.hidden = false;
    const buttons = this.template.content.firstElementChild.cloneNode(true);
    const part = (name) => row.querySelector(`.${name}`).textContent;
    buttons.setAttribute("aria-label", `${part("decision")}, ${part("said")}: was it for the device?`);
    row.append(buttons);
    this.last = { id, row };
    for (const button of buttons.querySelectorAll("button")) {
      const directed = button.value === "yes";
      button.addEventListener("click", () => this.correct({ id, row }, directed));
    }
  }

  key(event) {
    const { key, target } = event;
    if (this.section.hidden || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (target instanceof Element && target.closest(FIELDS)) return; // it is being written there
    if (key === "u") this.undo();
    else if (key in KEYS && this.last) this.correct(this.last, KEYS[key]);
  }

  async correct({ id, row }, directed) {
    const learned = await this.send("v1/correct", { correction_id: id, directed, origin: "page" });
    if (!learned) return;
    mark(row, directed);
    this.pressed = [...this.pressed.filter((known) => known !== row), row];
    this.show(`Noted: ${WORDS.get(directed)}. ${describe(learned)}`);
  }

  async undo() {
    const learned = await this.send("v1/undo", {});
    if (!learned) return;
    const row = this.pressed.pop();
    if (row) mark(row, null);
    this.show(`The last correction is undone. ${describe(learned)}`);
  }

  async forget() {
    const learned = await this.send("v1/forget", {});
    if (!learned) return;
    for (const row of this.pressed) mark(row, null);
    this.pressed = [];
    // What was said before is forgotten, too.
    for (const row of document.querySelectorAll(".correct")) row.remove();
    this.last = null;
    this.show("All corrections are erased: it decides as it was shipped.");
  }

  show(text) {
    this.section.hidden = false;
    this.line.textContent = text;
  }

  send(path, body) {
    return this.fetch(path, { method: "POST", body: JSON.stringify(body) });
  }

  // Return what the server answers; say why, and return null, where it refuses.
  async fetch(path, options = {}) {
    try {
      const answer = await fetch(path, { ...options, headers: this.headers });
      const body = await answer.json();
      if (answer.ok) return body;
      if (options.method) this.show(`Nothing was learned: ${body.error}.`);
    } catch {
      if (options.method) this.show("Nothing was learned: the server does not answer.");
    }
    return null;
  }
}

function mark(row, directed) {
  for (const button of row.querySelectorAll(".correct button")) {
    button.setAttribute("aria-pressed", directed !== null && (button.value === "yes") === directed);
  }
}

function describe({ state, directed, other, wanted }) {
  const counts = `${directed} for me, ${other} not`;
  if (state === "used") return `Learned from ${counts}; in use.`;
  return `So far ${counts}; it wants ${wanted} more before it can prove to be better.`;
}
