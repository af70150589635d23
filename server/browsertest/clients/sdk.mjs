// Sends an agent's trace and metrics with the OpenTelemetry SDK for JavaScript,
// as an application would, and prints what it sent. The first argument is the
// encoding; the endpoint is the SDK's own setting, OTEL_EXPORTER_OTLP_ENDPOINT.
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

const suffix = process.argv[2] === "json" ? "http" : "proto";
const { OTLPTraceExporter } = await import(`@opentelemetry/exporter-trace-otlp-${suffix}`);
const { OTLPMetricExporter } = await import(`@opentelemetry/exporter-metrics-otlp-${suffix}`);

const resource = resourceFromAttributes({ "service.name": `js-${suffix}`, "run.id": `js sdk, ${suffix}` });
const sent = new InMemorySpanExporter();
const provider = new NodeTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter()), new SimpleSpanProcessor(sent)],
});
provider.register();
const meters = new MeterProvider({ resource, readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })] });
meters.getMeter("m").createHistogram("gen_ai.client.operation.duration", { unit: "s" }).record(0.5, { "gen_ai.request.model": "gpt-4o-mini" });

const tracer = trace.getTracer("smolscope-clients", "1.2.3");
const agent = tracer.startSpan("invoke_agent weather", { attributes: { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "weather" } });
const within = trace.setSpan(context.active(), agent);
const chat = tracer.startSpan("chat gpt-4o-mini", {
  kind: SpanKind.CLIENT,
  attributes: {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.request.temperature": 0.25,
    "gen_ai.response.finish_reasons": ["stop", "length"], "gen_ai.request.stream": true, "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100,
    "gen_ai.output.messages": JSON.stringify([{ role: "assistant", parts: [{ type: "text", content: "18 °C — “mild”, 🙂" }] }]),
  },
}, within);
chat.addEvent("gen_ai.choice", { index: 0, "message.content": "18 °C" });
chat.end();
const tool = tracer.startSpan("execute_tool get_weather", { attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather" }, links: [{ context: chat.spanContext() }] }, within);
tool.recordException(new Error("the service is away"));
tool.setStatus({ code: SpanStatusCode.ERROR, message: "the service is away" });
tool.end();
agent.end();

await provider.forceFlush();
await meters.shutdown();
const hex = (s) => s.spanContext();
console.log(JSON.stringify(sent.getFinishedSpans().map((s) => ({
  trace_id: hex(s).traceId, span_id: hex(s).spanId, parent_span_id: s.parentSpanContext?.spanId ?? null,
  name: s.name, kind: SpanKind[s.kind], status: ["UNSET", "OK", "ERROR"][s.status.code], attributes: s.attributes,
  events: s.events.map((e) => ({ name: e.name, attributes: e.attributes })), links: s.links.length,
}))));
await provider.shutdown();
