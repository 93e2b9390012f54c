// A program as an agent: the client of the TypeScript SDK for the tools, and any model that speaks chat completions.
//
// --ultra-agent-command 'mine@demo/follower=node mcp_program.mjs {mcp_url}'
import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const { ULTRA_MODEL: model, ULTRA_BASE_URL: url } = process.env;
const messages = [{ role: "user", content: readFileSync(0, "utf8") }];
const client = new Client({ name: "my-agent", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2])));
const tools = (await client.listTools()).tools.map(({ name, description, inputSchema: parameters }) => ({
  type: "function",
  function: { name, description, parameters },
}));
for (;;) {
  const body = JSON.stringify({ model, messages, tools });
  const request = { method: "POST", headers: { "content-type": "application/json" }, body };
  const message = (await (await fetch(`${url}/chat/completions`, request)).json()).choices[0].message;
  messages.push(message);
  if (!message.tool_calls?.length) {
    console.log(message.content);
    break;
  }
  for (const { id, function: call } of message.tool_calls) {
    const result = await client.callTool({ name: call.name, arguments: JSON.parse(call.arguments) });
    messages.push({ role: "tool", tool_call_id: id, content: result.content[0].text });
  }
}
await client.close();
