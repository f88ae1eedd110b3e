// The stream to the server: sound out, events in.

const CLOSED = {
  1001: "The server is shutting down.",
  1006: "The connection to the server broke off.",
  1013: "The server has no room for another listener.",
};

export class Connection {
  // `options` end in the address; `onEvent` is given every event, `onClose` a sentence or "".
  constructor(options, onEvent, onClose) {
    const address = new URL("ws", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.search = new URLSearchParams(options);
    this.samples = 0;
    this.lastSentMs = performance.now();
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => onEvent(JSON.parse(data));
    this.socket.onclose = ({ code, reason }) => {
      const told = reason ? `The server ended it: ${reason}.` : CLOSED[code] ?? "";
      onClose(code === 1000 ? "" : told);
    };
  }

  // What is captured before the connection is open belongs to the stream, too.
  hear(pcm) {
    this.samples += pcm.length;
    this.lastSentMs = performance.now();
    if (this.socket.readyState === WebSocket.OPEN) {
      for (const early of this.early ?? []) this.socket.send(early);
      this.early = null;
      this.socket.send(pcm);
    } else if (this.socket.readyState === WebSocket.CONNECTING) {
      (this.early ??= []).push(pcm);
    }
  }

  // Seconds of the stream that have been spoken by now.
  get nowS() {
    return this.samples / 16000 + (performance.now() - this.lastSentMs) / 1000;
  }

  set(message) {
    if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ type: "set", ...message }));
    }
  }

  // What was said until now is still decided; then the server closes.
  end() {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send('{"type":"end"}');
    else this.socket.close();
  }
}
