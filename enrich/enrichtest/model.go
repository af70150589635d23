package enrichtest

import "time"

// A Model is a language model that does not exist, by how it behaves.
type Model struct {
	Name            string
	System          string        // gen_ai.provider.name, "" for one that does not say
	Skill           float64       // the share of tests it passes
	Trouble         float64       // the share of tests that its provider breaks off
	Latency         time.Duration // before the first token
	TokensPerSecond float64
	Streams         bool    // its calls record their first token
	Client          bool    // a third LLM span lies inside the two of smolagents and LiteLLM
	Prompt, Output  float64 // USD per 1 M tokens; 0 is not priced
	GPU             string  // the card it runs on, "" for one behind an API
	Watts           float64
}

// Models are the models of the demo.
var Models = []Model{
	{Name: "acme/atlas-large", System: "acme", Skill: 0.88, Trouble: 0.04, Latency: 620 * time.Millisecond, TokensPerSecond: 72, Streams: true, Client: true, Prompt: 2.5, Output: 10},
	{Name: "acme/atlas-small", System: "acme", Skill: 0.74, Trouble: 0.02, Latency: 210 * time.Millisecond, TokensPerSecond: 160, Streams: true, Client: true, Prompt: 0.15, Output: 0.6},
	{Name: "birch/birch-medium", System: "birch", Skill: 0.79, Trouble: 0.21, Latency: 480 * time.Millisecond, TokensPerSecond: 95, Prompt: 0.4, Output: 2},
	{Name: "ollama/cedar-8b", Skill: 0.61, Latency: 340 * time.Millisecond, TokensPerSecond: 38, GPU: "NVIDIA L4", Watts: 64},
}

const dataset = "sample-tasks"

// A task is a test as its author wrote it: the tools that lead to the answer.
type task struct {
	id, difficulty, prompt string
	calls                  []call
	answer                 string
}

type call struct{ class, tool, arguments, output string }

var tasks = []task{
	{"weather_one_city", "easy", "What is the weather in Lisbon right now?",
		[]call{{"WeatherTool", "get_weather", `{"location": "Lisbon"}`, "Lisbon: 19 °C, light wind, clear sky"}},
		"It is 19 °C in Lisbon with a clear sky."},
	{"weather_two_cities", "medium", "Which of Oslo and Madrid is warmer today, and by how many degrees?",
		[]call{{"WeatherTool", "get_weather", `{"location": "Oslo"}`, "Oslo: 3 °C, snow"}, {"WeatherTool", "get_weather", `{"location": "Madrid"}`, "Madrid: 16 °C, sunny"}, {"CalculatorTool", "calculator", `{"expression": "16 - 3"}`, "13"}},
		"Madrid is warmer, by 13 degrees."},
	{"time_in_zone", "easy", "What time is it in UTC?",
		[]call{{"TimeTool", "get_current_time", `{"timezone": "UTC"}`, "Current time in UTC: 2026-03-02 09:00:21"}},
		"It is 09:00:21 UTC."},
	{"sum_of_prices", "easy", "What do three tickets at 18.50 and one at 9.25 cost together?",
		[]call{{"CalculatorTool", "calculator", `{"expression": "3 * 18.50 + 9.25"}`, "64.75"}},
		"They cost 64.75."},
	{"search_founder", "medium", "Who designed the first lighthouse of Eddystone, and in which year was it lit?",
		[]call{{"SearchTool", "web_search", `{"query": "first Eddystone lighthouse designer year"}`, "Henry Winstanley; first lit on 14 November 1698"}},
		"Henry Winstanley designed it; it was lit in 1698."},
	{"search_and_compute", "hard", "How many years stood the tower of Smeaton at Eddystone before it was replaced?",
		[]call{{"SearchTool", "web_search", `{"query": "Smeaton's tower Eddystone built replaced"}`, "Built 1759, replaced in 1882"}, {"CalculatorTool", "calculator", `{"expression": "1882 - 1759"}`, "123"}},
		"It stood for 123 years."},
	{"weather_and_time", "medium", "Is it day or night in Tokyo, and does one need an umbrella there?",
		[]call{{"TimeTool", "get_current_time", `{"timezone": "Asia/Tokyo"}`, "Current time in Asia/Tokyo: 18:00:40"}, {"WeatherTool", "get_weather", `{"location": "Tokyo"}`, "Tokyo: 9 °C, rain"}},
		"It is evening, and yes, it rains."},
	{"unit_conversion", "easy", "How many kilometres are 26.2 miles?",
		[]call{{"CalculatorTool", "calculator", `{"expression": "26.2 * 1.609344"}`, "42.1648128"}},
		"About 42.16 km."},
	{"search_compare_populations", "hard", "Which has more inhabitants, Iceland or Malta, and what is the difference?",
		[]call{{"SearchTool", "web_search", `{"query": "population of Iceland"}`, "389,444 (2025)"}, {"SearchTool", "web_search", `{"query": "population of Malta"}`, "574,250 (2024)"}, {"CalculatorTool", "calculator", `{"expression": "574250 - 389444"}`, "184806"}},
		"Malta, by 184,806 people."},
	{"quote_and_escape", "medium", "Search for the phrase \"<b>bold</b> & 'quoted'\" and repeat the first hit.",
		[]call{{"SearchTool", "web_search", `{"query": "<b>bold</b> & 'quoted'"}`, "First hit: HTML entities: &lt;b&gt;, &amp; and friends"}},
		"First hit: HTML entities: &lt;b&gt;, &amp; and friends"},
}

var toolNames = []string{"get_weather", "calculator", "get_current_time", "web_search", "final_answer"}

const systemPrompt = `You are a careful assistant who solves tasks by calling tools. You are given a task and a list of tools.
Work in steps: think about what is missing, call one tool with a JSON object of arguments, and read the observation it returns.
Never invent an observation. When you know the answer, call final_answer with it; the task is over only then.
Tools:
- get_weather: the weather of a place. Takes {"location": "the place"}.
- calculator: the value of an arithmetic expression. Takes {"expression": "the expression"}.
- get_current_time: the time in a zone. Takes {"timezone": "the zone"}.
- web_search: what the web says. Takes {"query": "the words to look for"}.
- final_answer: ends the task. Takes {"answer": "the answer"}.`

// A failure is how a provider breaks a test off.
type failure struct{ class, message string }

var failures = []failure{
	{"RateLimitError", `litellm.RateLimitError: RateLimitError: BirchException - {"message":"Requests rate limit exceeded","type":"rate_limited","code":"1300"}`},
	{"RateLimitError", `litellm.RateLimitError: RateLimitError: BirchException - {"message":"Service tier capacity exceeded for this model.","code":"3505"}`},
	{"Timeout", "litellm.Timeout: APITimeoutError - Request timed out. Error_str: Request timed out."},
	{"ContextWindowExceededError", "litellm.ContextWindowExceededError: This model's maximum context length is 32768 tokens."},
}
