// Contents that are too long for a message, a chunk after the other: nothing here ever holds a whole one.

/** The hash of a stream's chunks between two texts. */
export class Hash {
  #stream;
  #writer;
  #after;

  constructor(name, before = new Uint8Array(), after = new Uint8Array()) {
    this.#stream = new crypto.DigestStream(name);
    this.#writer = this.#stream.getWriter();
    this.#after = after;
    // What goes wrong with a write goes wrong with the next one, and with the end.
    this.#writer.write(before).catch(() => {});
  }

  write(chunk) {
    return this.#writer.write(chunk);
  }

  async end() {
    await this.#writer.write(this.#after);
    await this.#writer.close();
    return new Uint8Array(await this.#stream.digest);
  }
}

/**
 * Reads an object once: its tag, its SHA-256, and the SHA-256 of `before` and it together. `undefined`: there is
 * no such object.
 */
export async function measure(bucket, key, before) {
  const object = await bucket.get(key);
  if (object === null) return undefined;
  const hashes = [new Hash("SHA-256"), new Hash("SHA-256", before)];
  for await (const chunk of object.body) await Promise.all(hashes.map((hash) => hash.write(chunk)));
  return [object.etag, ...(await Promise.all(hashes.map((hash) => hash.end())))];
}

/** The object again, as a stream of known length; rejected if it is another one by now. */
export async function open(bucket, key, etag) {
  const object = await bucket.get(key, { onlyIf: { etagMatches: etag } });
  if (!object?.body) throw new Error("the object has changed");
  return sized(object);
}

/** Copies an object. False: there is none. */
export async function copy(bucket, from, to) {
  const object = await bucket.get(from);
  if (object === null) return false;
  await bucket.put(to, sized(object));
  return true;
}

/** An object's bytes as a stream. `undefined`: there is no such object. */
export async function stream(bucket, key) {
  const object = await bucket.get(key);
  return object === null ? undefined : object.body;
}

/** R2 and `fetch` want to know the length of what they send. */
const sized = ({ body, size }) => body.pipeThrough(new FixedLengthStream(size));
