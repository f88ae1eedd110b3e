// Ties the page together: one button, one microphone, one stream.
import { Connection } from "./connection.js";
import { Microphone } from "./microphone.js";
import { Corrections } from "./corrections.js";
import { Decisions } from "./decisions.js";
import { Waveform } from "./waveform.js";

const get = (id) => document.getElementById(id);
const button = get("listen");
const threshold = get("threshold");
const nameField = get("name");
const address = get("address");
const waveform = new Waveform(get("waveform"));
const decisions = new Decisions(get("decisions"), get("totals"), get("utterance"));
const token = new URLSearchParams(location.search).get("token");
const corrections = new Corrections(get("learning"), get("learned"), get("correct"), token);

let microphone = null;
let connection = null;
let started = new Map(); // id of an utterance -> when it began

const say = (text) => (get("state").textContent = text);

function show(event) {
  switch (event.event) {
    case "ready":
      corrections.ask();
      showModels(event);
      nameField.value = event.names.join(", ");
      address.value = event.address;
      if (threshold.disabled) {
        threshold.disabled = false;
        threshold.value = event.threshold;
        showThreshold();
      }
      break;
    case "speech_started":
      started.set(event.id, event.time_s);
      waveform.speech(event.time_s, null);
      speaking(true);
      break;
    case "partial":
      get("partial").textContent = event.text;
      break;
    case "utterance":
      speaking(false);
      waveform.speech(started.get(event.id), event.end_s, event.decision);
      started.delete(event.id);
      corrections.offer(decisions.add(event, connection.nowS - event.end_s), event);
      break;
    case "source":
      say(event.state === "muted" ? `No sound: ${event.detail}` : "");
      break;
    case "gap":
      say(`${(event.lost_samples / 16000).toFixed(1)} s of sound were lost: ${event.cause}.`);
      break;
  }
}

// Each name on its own: one that is written from the right would turn what stands beside it.
function showModels({ model, asr, vad, names, address: how }) {
  const parts = [model, " · ", asr, " · ", vad];
  if (!names.length) parts.push(` · ${how}`);
  names.forEach((name, at) => parts.push(at ? ", " : ` · ${how}: `, name));
  get("models").replaceChildren(...parts.map((text, at) => {
    const part = document.createElement(at % 2 ? "span" : "bdi");
    part.textContent = text;
    return part;
  }));
}

function speaking(yes) {
  get("voice").dataset.speaking = yes;
  get("voice").textContent = yes ? "speech" : "silence";
  get("partial").textContent = "";
}

async function start() {
  button.disabled = true;
  say("Opening the microphone…");
  try {
    microphone = await Microphone.open(hear, () => stop("The microphone went away."));
  } catch (error) {
    say(error.message);
    button.disabled = false;
    return;
  }
  const options = [["partials", get("partials").checked ? "1" : "0"]];
  if (!threshold.disabled) options.push(["threshold", threshold.value]);
  const names = nameField.value.split(",").map((name) => name.trim()).filter(Boolean);
  for (const name of names) options.push(["name", name]);
  // Without a name in the field, the server has a say.
  if (names.length) options.push(["address", address.value]);
  if (token) options.push(["token", token]);
  waveform.clear();
  started = new Map();
  connection = new Connection(options, show, ended);
  button.disabled = false;
  button.textContent = "Stop listening";
  button.setAttribute("aria-pressed", "true");
  // They belong to a stream from its beginning.
  nameField.disabled = address.disabled = true;
  say("Listening. Speak.");
}

function hear(pcm) {
  waveform.hear(pcm);
  connection?.hear(pcm);
}

async function stop(why) {
  await release();
  connection?.end();
  say(why);
}

async function release() {
  const held = microphone;
  microphone = null;
  await held?.close();
  button.textContent = "Start listening";
  button.setAttribute("aria-pressed", "false");
  nameField.disabled = address.disabled = false;
}

// The connection is gone: after "stop" as expected, else for a reason.
async function ended(why) {
  await release();
  speaking(false);
  if (why) say(`${why} Start again to go on.`);
}

function showThreshold() {
  decisions.mark(threshold.value);
  get("threshold-value").textContent = Number(threshold.value).toFixed(2);
}

function showPrivacy() {
  const words = get("partials").checked
    ? "Of rejected speech this page gets the decision without the words, but for those that " +
      "were shown while you spoke, before the decision was made; untick the box above to " +
      "get none of them."
    : "Of rejected speech this page gets the decision without the words.";
  get("privacy").textContent =
    `While it listens, sound goes to ${location.host} and nowhere else; it is decided there in ` +
    `memory. ${words} This page keeps nothing. turbo-serve keeps no sound and no words either, ` +
    "unless its operator started it with an option that does.";
}

button.addEventListener("click", () => (microphone ? stop("The microphone is off.") : start()));
threshold.addEventListener("input", showThreshold);
threshold.addEventListener("change", () => connection?.set({ threshold: Number(threshold.value) }));
// Who gives it a name wants to call it.
nameField.addEventListener("change", () => (address.value = nameField.value.trim() ? "named" : "open"));
get("partials").addEventListener("change", showPrivacy);
showPrivacy();
