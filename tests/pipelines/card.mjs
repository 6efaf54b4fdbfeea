// Reads Adaptive Cards by Microsoft's own renderer, which must find nothing wrong with them: `card.mjs FILE...`. It is shown
// broken ones first, which it must refuse.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

// The package is made for browsers: its one file is a function of a module and of a window.
const source = readFileSync(".tools/node_modules/adaptivecards/dist/adaptivecards.js", "utf8");
const module = { exports: {} };
runInThisContext(`(function (module, exports, self, window) {${source}\n})`)(module, module.exports, globalThis, globalThis);
const { AdaptiveCard, SerializationContext } = module.exports;

function faults(content) {
  const [card, context] = [new AdaptiveCard(), new SerializationContext()];
  card.parse(content, context);
  return context.eventCount + card.validateProperties().validationEvents.length;
}

const run = { type: "TextRun", text: "x" };
const whole = { type: "AdaptiveCard", version: "1.4", body: [{ type: "RichTextBlock", inlines: [run] }] };
const broken = [
  { ...whole, body: [{ type: "Nothing" }] },
  { ...whole, actions: [{ type: "Action.OpenUrl" }] },
];
if (faults(whole) !== 0 || broken.some((card) => faults(card) === 0)) throw new Error("it cannot tell broken cards");
for (const file of process.argv.slice(2)) {
  const content = JSON.parse(readFileSync(file, "utf8"));
  if (faults(content) !== 0) throw new Error(`${file} is broken`);
}
