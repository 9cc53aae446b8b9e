// A context for unit tests only: the platform's contract in a few lines, with a clock to turn.

export class TestContext {
  constructor() {
    this.kept = new Map();
    this.counters = new Map();
    this.sent = [];
    this.emitted = [];
    this.timers = new Map();
    this.state = {
      get: async (key) => (this.kept.has(key) ? JSON.parse(this.kept.get(key)) : null),
      put: async (key, value) => void this.kept.set(key, JSON.stringify(value)),
      delete: async (key) => void this.kept.delete(key),
      increment: async (key, by = 1) =>
        void this.counters.set(key, (this.counters.get(key) ?? 0) + by),
      list: async (prefix) =>
        [...this.kept]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, value]) => ({
            key,
            value: JSON.parse(value),
          })),
    };
  }

  async emit(event, options) {
    if (options === undefined) this.emitted.push(event);
    else this.timers.set(options.key, { event, at: Date.now() + options.after });
  }

  async cancel(key) {
    this.timers.delete(key);
  }

  async notify(contact, message) {
    this.sent.push({ contact, ...message });
  }
}
