import {
  createPrivateKey,
  createPublicKey,
  hash,
  hkdfSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { InputError } from "../model/errors.ts";

/** Signs the text of notes (C2SP signed-note, Ed25519). */
export interface NoteSigner {
  /** The public key as others keep it: `<name>+<key id>+<key in base64>`. */
  readonly verifierKey: string;
  /** The signature line with its line end. `text` ends with a line end. */
  sign(text: string): string;
}

/** A public key that signatures are checked with. */
export interface NoteVerifier {
  readonly name: string;
  /** Whether one of the signature lines is by this key and of this text. */
  accepts(text: string, signatures: readonly string[]): boolean;
}

/** A signature line begins with an em dash and a space. */
export const signatureMark = "— ";

const ed25519 = 0x01;
const idBytes = 4;
const signatureBytes = 64;
/** What stands before the 32 bytes of a key in its DER form (RFC 8410 §7 and §4). */
const privateHead = Buffer.from("302e020100300506032b657004220420", "hex");
const publicHead = Buffer.from("302a300506032b6570032100", "hex");

/**
 * The signer of one log. Its key follows from the seal key and the name: every process that shares the seal key signs alike, and
 * whoever has the database alone can sign nothing.
 * @param secret 32 bytes
 * @throws InputError for a name with white space or `+`
 */
export function noteSigner(name: string, secret: Uint8Array): NoteSigner {
  if (!/^[^\s+]+$/.test(name))
    throw new InputError(`"${name}" cannot name a key`, ["it must have no white space and no +"]);
  const seed = Buffer.from(hkdfSync("sha256", secret, "", `rolecall checkpoint key ${name}`, 32));
  const key = createPrivateKey({
    key: Buffer.concat([privateHead, seed]),
    format: "der",
    type: "pkcs8",
  });
  const raw = rawKey(createPublicKey(key));
  const id = keyId(name, raw);
  return {
    verifierKey: `${name}+${id.toString("hex")}+${Buffer.concat([Buffer.of(ed25519), raw]).toString("base64")}`,
    sign: (text) => {
      const signature = sign(null, Buffer.from(text, "utf8"), key);
      return `${signatureMark}${name} ${Buffer.concat([id, signature]).toString("base64")}\n`;
    },
  };
}

/** Reads a public key. @throws InputError that says what is wrong with it */
export function noteVerifier(text: string): NoteVerifier {
  const [name = "", id = "", encoded = "", ...more] = splitKey(text.trim());
  const bytes = Buffer.from(encoded, "base64");
  const raw = bytes.subarray(1);
  if (name === "" || more.length > 0 || bytes[0] !== ed25519 || raw.length !== 32) {
    throw new InputError("not a key of checkpoints", [
      "expected <name>+<8 hex digits>+<Ed25519 key in base64>, as `rolecall audit key` prints it",
    ]);
  }
  const own = keyId(name, raw);
  if (own.toString("hex") !== id) {
    throw new InputError("not a key of checkpoints", [
      `its id is ${id} and should be ${own.toString("hex")}: a character was lost or changed`,
    ]);
  }
  const key = createPublicKey({
    key: Buffer.concat([publicHead, raw]),
    format: "der",
    type: "spki",
  });
  return {
    name,
    accepts: (note, signatures) =>
      signatures.some((line) => {
        const [signer, signature] = line.slice(signatureMark.length).split(" ");
        if (!line.startsWith(signatureMark) || signer !== name) return false;
        const blob = Buffer.from(signature ?? "", "base64");
        if (blob.length !== idBytes + signatureBytes) return false;
        if (!blob.subarray(0, idBytes).equals(own)) return false;
        return verify(null, Buffer.from(note, "utf8"), key, blob.subarray(idBytes));
      }),
  };
}

/** The base64 part may hold `+` itself: only the first two divide. */
function splitKey(text: string): string[] {
  const first = text.indexOf("+");
  const second = text.indexOf("+", first + 1);
  return first < 0 || second < 0
    ? []
    : [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)];
}

/** The first four bytes of SHA-256 of name, line end, algorithm and key. */
function keyId(name: string, raw: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(`${name}\n`, "utf8"), Buffer.of(ed25519), raw]);
  return hash("sha256", named, "buffer").subarray(0, idBytes);
}

function rawKey(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" }).subarray(publicHead.length);
}
