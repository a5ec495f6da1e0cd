// Makes the calls that test_node_dialects.py checks; prints one JSON object. Usage: node dialects.mjs <origin> <what> <model>
import Anthropic from '@anthropic-ai/sdk';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, streamText, tool } from 'ai';
import { z } from 'zod';

globalThis.AI_SDK_LOG_WARNINGS = false; // stdout is for the result
const [origin, what, model] = process.argv.slice(2);
const anthropic = new Anthropic({ baseURL: origin, apiKey: 'any key', maxRetries: 0, timeout: 120_000 });
const plain = { model, max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] };
const openai = createOpenAI({ baseURL: `${origin}/v1`, apiKey: 'any key' });
const vercel = {
  anthropic: createAnthropic({ baseURL: `${origin}/v1`, apiKey: 'any key' })(model),
  chat: openai.chat(model),
  responses: openai.responses(model),
};
const weather = tool({ description: 'Of a city.', inputSchema: z.object({ city: z.string() }) });

async function errorOf(call) {
  try {
    await call();
  } catch (error) {
    return { name: error.constructor.name, status: error.status ?? error.statusCode ?? null, message: error.message };
  }
  return null;
}

const calls = {
  async messages() {
    const reply = await anthropic.messages.create(plain);
    return { text: reply.content[0].text, stop: reply.stop_reason, usage: reply.usage, id: reply._request_id };
  },
  async messages_stream() {
    const message = await anthropic.messages.stream(plain).finalMessage();
    return { content: message.content, stop: message.stop_reason };
  },
  async messages_error() {
    return errorOf(() => anthropic.messages.create(plain));
  },
  async messages_error_in_stream() {
    return errorOf(() => anthropic.messages.stream(plain).finalMessage());
  },
  async models() {
    const ids = [];
    for await (const one of anthropic.models.list()) ids.push(one.id);
    return { ids };
  },
};
for (const [name, speaking] of Object.entries(vercel)) {
  calls[`vercel_${name}`] = async () => {
    const reply = await generateText({ model: speaking, prompt: 'Hi', maxRetries: 0 });
    return { text: reply.text, finish: reply.finishReason, usage: reply.usage };
  };
  calls[`vercel_${name}_stream`] = async () => {
    const errors = [];
    const stream = streamText({ model: speaking, prompt: 'Hi', maxRetries: 0, onError: ({ error }) => errors.push(error) });
    let text = '';
    for await (const piece of stream.textStream) text += piece;
    return { text, errors: errors.length };
  };
  calls[`vercel_${name}_tools`] = async () => {
    const reply = await generateText({ model: speaking, prompt: 'Hi', maxRetries: 0, tools: { get_weather: weather } });
    return { calls: reply.toolCalls.map((call) => call.input), finish: reply.finishReason };
  };
}

console.log(JSON.stringify({ node: process.version, result: await calls[what]() }));
