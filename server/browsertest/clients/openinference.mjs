// Asks a model for an answer with the OpenAI client, instrumented by
// OpenInference, and sends the trace with nothing set but the endpoint. The model
// is a server of this script's own that answers as OpenAI's does.
import { createServer } from "node:http";
import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import OpenAI from "openai";

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "openinference", "run.id": "openinference" }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();
const instrumentation = new OpenAIInstrumentation({ tracerProvider: provider });
instrumentation.manuallyInstrument(OpenAI);

const model = createServer((request, response) => {
  request.resume();
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({
    id: "chatcmpl-1", object: "chat.completion", created: 1, model: "gpt-4o-mini-2024-07-18",
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "It is mild." } }],
    usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100, prompt_tokens_details: { cached_tokens: 400 } },
  }));
});
await new Promise((ready) => model.listen(0, "127.0.0.1", ready));
const client = new OpenAI({ apiKey: "none", baseURL: `http://127.0.0.1:${model.address().port}/v1` });
await client.chat.completions.create({ model: "gpt-4o-mini", temperature: 0.5, messages: [{ role: "user", content: "How is the weather?" }] });
model.close();
await provider.shutdown();
