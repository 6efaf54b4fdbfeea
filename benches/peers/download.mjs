// Saves what is at a URL with fetch, streamed: URL FILE.
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";

const { EPM_USERNAME, EPM_PASSWORD } = process.env;
const authorization = `Basic ${Buffer.from(`${EPM_USERNAME}:${EPM_PASSWORD}`).toString("base64")}`;
const answer = await fetch(process.argv[2], { headers: { authorization } });
if (!answer.ok) throw new Error(`EPM said ${answer.status}`);
await pipeline(answer.body, createWriteStream(process.argv[3]));
