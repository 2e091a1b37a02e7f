// Azure's library for JavaScript reads, one JSON document a line: a callback's body, or a message
// of a media socket. Says for each what it is taken for.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { parseCallAutomationEvent, StreamingData } = createRequire(process.argv[2] + "/")(
  "@azure/communication-call-automation",
);

for await (const line of createInterface({ input: process.stdin })) {
  const said = JSON.parse(line);
  if (Array.isArray(said)) {
    for (const event of said) {
      console.log(parseCallAutomationEvent(event).kind);
    }
  } else {
    StreamingData.parse(line);
    console.log(StreamingData.getStreamingKind());
  }
}
