// The list of decisions, newest first, and how many there were of each.

const WORDS = { accepted: "✓ Accepted", rejected: "✕ Rejected", dropped: "– Not judged" };
const REASONS = new Map([
  ["too_short", "too short"],
  ["overload", "too much at once"],
  ["source_lost", "the microphone went away"],
  ["error", "it failed on the server"],
]);
const BECAUSE = new Map([
  ["accepted name", "called by name"],
  ["accepted follow_up", "follow-up"],
  ["accepted sound", "by its sound"],
  ["rejected name", "not called by name"],
  ["rejected no_words", "no words"],
  ["rejected sound", "by its sound"],
]);
const SHOWN = 100;

export class Decisions {
  constructor(list, totals, template) {
    this.list = list;
    this.totals = totals;
    this.template = template;
    this.counts = { accepted: 0, rejected: 0, dropped: 0 };
  }

  // `afterS`: seconds from the end of the speech to now. Returns the row.
  add(utterance, afterS) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    const part = (name) => row.querySelector(`.${name}`);
    row.dataset.decision = utterance.decision;
    row.dataset.id = utterance.id;
    part("decision").textContent = WORDS[utterance.decision];
    part("said").textContent = this.said(utterance);
    const meter = row.querySelector("meter");
    if (utterance.directed_probability === null) {
      meter.remove();
    } else {
      meter.value = utterance.directed_probability;
      meter.title = "probability that it was meant for the device";
      part("probability").textContent = utterance.directed_probability.toFixed(2);
      const work = utterance.latency_ms.endpoint_to_decision;
      part("after").textContent =
        `${afterS.toFixed(2)} s after the last word, ${Math.round(work)} ms of it to decide`;
    }
    this.list.prepend(row);
    while (this.list.children.length > SHOWN) this.list.lastElementChild.remove();
    this.counts[utterance.decision] += 1;
    const { accepted, rejected, dropped } = this.counts;
    this.totals.textContent =
      `${accepted} accepted, ${rejected} rejected` + (dropped ? `, ${dropped} not judged.` : ".");
    return row;
  }

  said({ decision, text, reason, evidence, voice }) {
    if (decision === "dropped") return REASONS.get(reason) ?? reason;
    const because = BECAUSE.get(`${decision} ${evidence}`);
    const notes = [because, voice].filter(Boolean).join(", ");
    const why = notes ? ` (${notes})` : "";
    if (text === null && reason === "unknown_voice") return "an unknown voice";
    if (text === null) return `not for the device${why}`;
    return text ? `${text}${why}` : "no words were recognized";
  }
}
