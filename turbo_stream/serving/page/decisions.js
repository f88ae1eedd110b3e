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
// Each stated loss of quality, in the words of turbo-listen.
export const DEGRADED = new Map([
  ["gap", "sound was lost"],
  ["cut_off", "cut off"],
  ["asr_skipped", "no time for its text"],
  ["asr_late", "text too late"],
  ["asr_failed", "the recognizer failed"],
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
    const { directed_probability: score, threshold } = utterance;
    if (score === null) {
      part("figures").remove();
    } else {
      const bar = part("bar");
      bar.style.setProperty("--score", score);
      bar.style.setProperty("--threshold", threshold);
      bar.setAttribute("aria-valuenow", score.toFixed(2));
      part("score").textContent = score.toFixed(2);
      part("from").textContent = `accepted from ${threshold.toFixed(2)}`;
      part("after").textContent = `decided ${afterS.toFixed(1)} s after the last word`;
    }
    this.list.prepend(row);
    while (this.list.children.length > SHOWN) this.list.lastElementChild.remove();
    this.counts[utterance.decision] += 1;
    const { accepted, rejected, dropped } = this.counts;
    this.totals.textContent =
      `${accepted} accepted, ${rejected} rejected` + (dropped ? `, ${dropped} not judged.` : ".");
    return row;
  }

  // Show on every bar where a threshold that is chosen now stands.
  mark(threshold) {
    this.list.style.setProperty("--now", threshold);
  }

  // What may be shown of the words, what decided, and by what the decision rests on less.
  said({ decision, text, reason, evidence, degraded, answered_by: room, voice }) {
    if (room) return `answered in ${room}`;
    const lost = degraded.map((step) => DEGRADED.get(step) ?? step);
    const because = BECAUSE.get(`${decision} ${evidence}`);
    const why = [because, voice, ...lost].filter(Boolean).join("; ");
    const after = why ? ` (${why})` : "";
    if (decision === "dropped") return `${REASONS.get(reason) ?? reason}${after}`;
    if (text === null && reason === "unknown_voice") return `an unknown voice${after}`;
    if (text === null) return `not for the device${after}`;
    if (text) return `${text}${after}`;
    return lost.length ? why : "no words were recognized";
  }
}
